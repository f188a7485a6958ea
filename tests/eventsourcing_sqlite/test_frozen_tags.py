"""How tags are stored does not change: a file of the version that began it is read as it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests._frozen_tags import check_they_are_read, write_them
from tests.eventsourcing_sqlite._files import query, try_to_open

FROZEN = Path(__file__).parent / "frozen" / "tags.sql"
"""Made by ``landed/dump.py`` of a file to which ``write_them`` had written; never changed."""
STORED = "select * from events order by position"
INDEXED = "select * from event_tags order by tag, position"


@pytest.fixture
def frozen(path: Path) -> Path:
    """Give a file of long ago."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FROZEN.read_text("utf-8"))
    return path


async def test_tags_of_long_ago_are_read_and_found(frozen: Path) -> None:
    await check_they_are_read(f"sqlite:///{frozen}")


async def test_tags_are_written_as_they_always_were(frozen: Path, tmp_path: Path) -> None:
    await try_to_open(frozen)
    now = tmp_path / "now.db"
    await write_them(f"sqlite:///{now}")
    for rows in (STORED, INDEXED):
        assert query(now, rows) == query(frozen, rows) != []
