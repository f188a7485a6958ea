"""The documentation keeps up with the code."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

import pytest

import eventsourcing_core
from eventsourcing_core import EventSourcingError, stores
from eventsourcing_core.plugins import installed_plugins

if TYPE_CHECKING:
    from pathlib import Path


def errors_below(error: type[EventSourcingError]) -> dict[str, str]:
    """Give the core's errors below one, each with the name of its parent."""
    found: dict[str, str] = {}
    for below in error.__subclasses__():
        if below.__module__.startswith("eventsourcing_core"):
            found |= {below.__name__: error.__name__} | errors_below(below)
    return found


def drawn_tree(text: str) -> dict[str, str]:
    """Read a tree that is drawn with lines, four columns a level: each name with its parent."""
    found: dict[str, str] = {}
    path: list[str] = []
    for line in text.splitlines():
        branch = re.match(r"([ │├└─]*)(\w+Error)\b", line)
        if branch is not None:
            depth = len(branch[1]) // 4
            path[depth:] = [branch[2]]
            found |= {branch[2]: path[depth - 1]} if depth else {}
    return found


def test_the_tree_of_errors_is_the_one_that_is_drawn() -> None:
    module = inspect.getmodule(EventSourcingError)
    assert module is not None
    assert drawn_tree(module.__doc__ or "") == errors_below(EventSourcingError)


def test_every_error_is_public() -> None:
    doors = {*eventsourcing_core.__all__, *stores.__all__}
    assert errors_below(EventSourcingError).keys() - doors == set()


def test_the_reference_covers_every_public_module(root: Path) -> None:
    pages = "".join(page.read_text("utf-8") for page in (root / "docs" / "reference").glob("*.md"))
    covered = set(re.findall(r"^\.\. automodule:: ([\w.]+)$", pages, re.MULTILINE))
    packages = {path.parent.name for path in root.glob("eventsourcing_*/pyproject.toml")}
    names = ("evolution", "hookspecs", "plugins", "stores", "testing")
    doors = {f"eventsourcing_core.{name}" for name in names}
    assert (packages | doors) - covered == set()


@pytest.mark.parametrize(
    ("scheme", "page"),
    [("sqlite", "reference/stores.md"), ("postgresql", "reference/postgresql.md")],
)
def test_every_option_of_a_backend_is_in_the_table(scheme: str, page: str, root: Path) -> None:
    offer = installed_plugins().find("backend", scheme)
    assert offer is not None
    parameters = inspect.signature(offer.factory).parameters.values()
    options = {each.name for each in parameters if each.kind is each.KEYWORD_ONLY}
    rows = re.findall(r"^\|.*$", (root / "docs" / page).read_text("utf-8"), re.MULTILINE)
    assert options - set(re.findall(r"`(\w+)`", "".join(rows))) == set()


def test_every_distribution_is_in_the_changelog(distribution: Path, root: Path) -> None:
    changelog = (root / "CHANGELOG.md").read_text("utf-8")
    assert f"`{distribution.name.replace('_', '-')}`" in changelog


def test_decisions_are_numbered_without_holes(root: Path) -> None:
    records = sorted((root / "docs" / "decisions").glob("0*.md"))
    numbers = list(range(1, len(records) + 1))
    assert [int(record.name[:4]) for record in records] == numbers
    assert [record.read_text("utf-8").partition(". ")[0] for record in records] == [
        f"# {number}" for number in numbers
    ]


def test_a_decision_has_all_its_parts(root: Path) -> None:
    parts = ["Status: ", "## Context", "## Decision", "## Consequences"]
    missing = [
        (record.name, part)
        for record in (root / "docs" / "decisions").glob("0*.md")
        for part in parts
        if f"\n{part}" not in record.read_text("utf-8")
    ]
    assert missing == []
