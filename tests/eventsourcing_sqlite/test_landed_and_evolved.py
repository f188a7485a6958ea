"""A file that a landed version wrote: events that changed, and what is inline beside them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from eventsourcing_core import InlineMismatchError, open_backend
from tests.eventsourcing_postgres.landed.evolved import SHELVES, opened, put, shelves_go_on, types

LANDED = Path(__file__).with_name("landed")


@pytest.fixture(params=sorted(path.stem for path in (LANDED / "evolved").glob("*.sql")))
def commit(request: pytest.FixtureRequest) -> str:
    """Give the name of a commit that landed."""
    return str(request.param)


@pytest.fixture
def old(tmp_path: Path, commit: str) -> Path:
    """Give a file as that commit left it, with that of the view beside it."""
    made = {
        "evolved.db": LANDED / "evolved" / f"{commit}.sql",
        "evolved.db.landed-stored-v1": LANDED / "views" / f"{commit}.landed-stored-v1.sql",
    }
    for name, statements in made.items():
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            connection.executescript(statements.read_text("utf-8"))
    return tmp_path / "evolved.db"


async def test_every_event_is_read_as_it_was(old: Path, commit: str) -> None:
    expected = LANDED.joinpath("evolved", f"{commit}.txt").read_text("utf-8").splitlines()
    assert len(expected) == 27
    async with opened(f"sqlite:///{old}", "deflate") as backend:
        assert [repr(event) async for event in backend.event_store.read_all()] == expected


@pytest.mark.parametrize("name", SHELVES)
async def test_aggregates_and_what_is_inline_go_on(old: Path, name: str) -> None:
    async with opened(f"sqlite:///{old}", name) as backend:
        with closing(sqlite3.connect(old)) as connection:
            # What is before its snapshot cannot be read any more, so that is in use.
            connection.executescript(
                "drop trigger events_are_not_updated; update events set data = x''"  # noqa: S608 - our own name
                f" where stream_id = 'landed_shelf-{name}' and version < 8"
            )
        await shelves_go_on(backend, name)


async def test_a_process_without_what_is_inline_is_still_refused(old: Path) -> None:
    async with open_backend(f"sqlite:///{old}", event_types=types) as backend:
        with pytest.raises(InlineMismatchError) as caught:
            await put(backend, "json", 3)
    assert caught.value.wanted == "landed-stored:1"
