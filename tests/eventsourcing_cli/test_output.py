"""What events contain, written so that neither terminals nor programs misread it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsourcing_cli._escape import escaped
from eventsourcing_cli._events import json_text
from eventsourcing_core import Event
from tests.eventsourcing_cli._stores import NOON, fill

if TYPE_CHECKING:
    from tests.eventsourcing_cli.conftest import Run

HOSTILE = ["\x1b[2J", "\x9b31m", "\x07", "\r", "\u202egnp.exe", "\u2028", "\ufeff", "\x7f"]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["plain", "json"])
def test_what_a_terminal_would_obey_is_escaped(
    run: Run, memory: str, text: str, options: list[str]
) -> None:
    event = Event("noted", {text: [text]}, timestamp=NOON, metadata={"by": text})
    fill(memory, "doc-1", event)
    for found in (run("show", memory, "doc-1", *options), run("tail", memory, *options)):
        assert found.out.count("\n") == 1
        assert text[0] not in found.out
        assert f"\\u{ord(text[0]):04x}" in found.out or "\\r" in found.out


@pytest.mark.parametrize("text", ["\u202egnp.exe", "\u2066x", "\ufeff"])
def test_ids_and_types_are_escaped_too(run: Run, memory: str, text: str) -> None:
    fill(memory, f"doc-{text}", Event(f"noted-{text}", {}))
    out = run("tail", memory).out
    assert text not in out
    assert out.count(escaped(text)) == 2


TREES = st.recursive(
    st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=4
)


@given(TREES)
def test_what_is_escaped_is_the_same_json(tree: object) -> None:
    text = json_text(tree)
    assert "\n" not in text
    assert json.loads(text) == json.loads(json.dumps(tree)) or "$" in text


def test_letters_of_all_scripts_are_left_alone() -> None:
    text = "Zoë, Ωμέγα, 漢字, 👩‍🚀 [bold]"
    assert escaped(text) == text


def test_a_backslash_is_left_alone() -> None:
    assert escaped("C:\\new") == "C:\\new"
