"""The statements of the store, as traces and lists of slow statements show them."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from eventsourcing_postgres._statements import statement

FOLDER = Path(str(files("eventsourcing_postgres") / "sql"))
NAMES = sorted(
    path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.sql")
)


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_begins_with_its_first_word(name: str) -> None:
    assert re.match(r"[a-z]", statement(name, "events"))


def test_comments_inside_a_statement_stay() -> None:
    assert any("\n--" in statement(name, "events") for name in NAMES)
