"""The statements of the store, as traces show them."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from eventsourcing_sqlite._statements import statement

FOLDER = Path(str(files("eventsourcing_sqlite"))) / "sql"
NAMES = sorted(
    path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.sql")
)


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_begins_with_its_first_word(name: str) -> None:
    assert re.match(r"[A-Z]", statement(name))
