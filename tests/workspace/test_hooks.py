"""A plugin's author finds every hook described."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import hookspecs

if TYPE_CHECKING:
    from pathlib import Path

# pluggy marks a specification with an attribute named after the project.
HOOKS = {
    name: function
    for name, function in inspect.getmembers(hookspecs, inspect.isfunction)
    if hasattr(function, f"{hookspecs.PROJECT}_spec")
}


def test_there_are_hooks_for_what_plugins_offer() -> None:
    assert set(HOOKS) == {
        "backends",
        "migrators",
        "payload_families",
        "serializers",
        "transformers",
        "typed_codecs",
    }


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_has_a_docstring(hook: str) -> None:
    assert inspect.getdoc(HOOKS[hook])


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_takes_no_arguments(hook: str) -> None:
    assert not inspect.signature(HOOKS[hook]).parameters


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_described_in_the_reference(hook: str, root: Path) -> None:
    assert f"`{hook}`" in (root / "docs" / "reference" / "hooks.md").read_text("utf-8")
