"""How tags are stored does not change: a file of the version that began it is read as it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from eventsourcing_core import Event, EventTypes, Query, open_backend
from tests.eventsourcing_sqlite._files import query, try_to_open

if TYPE_CHECKING:
    from eventsourcing_core import RecordedEvent, StorageEventStore

FROZEN = Path(__file__).parent / "frozen" / "tags.sql"
"""Made by ``landed/dump.py`` of a file to which ``write_to`` had written; never changed."""
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
TAGS: list[set[str]] = [
    {"course:1"},
    set(),
    {"student:9", "course:1"},
    {"Zoë 漢 🎉", 'a"b\\', "[", "course:1"},
]
STORED = "select * from events order by position"
INDEXED = "select * from event_tags order by tag, position"


def event(number: int, tags: set[str]) -> Event[object]:
    return Event(
        "frozen.tagged", {"n": number}, event_id=UUID(int=number), timestamp=NOON, tags=tags
    )


async def write_to(store: StorageEventStore) -> None:
    events = [event(number, tags) for number, tags in enumerate(TAGS, start=1)]
    await store.append("tagged-1", events[:3], expected_version=0)
    await store.append("tagged-2", events[3:], expected_version=0)


@pytest.fixture
def frozen(path: Path) -> Path:
    """Give a file of long ago."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FROZEN.read_text("utf-8"))
    return path


async def test_tags_of_long_ago_are_read_as_they_were(frozen: Path) -> None:
    async with open_backend(f"sqlite:///{frozen}", event_types=EventTypes()) as backend:
        events = [each async for each in backend.event_store.read_all()]
        assert [each.tags for each in events] == TAGS
        assert [each.event_id.int for each in events] == [1, 2, 3, 4]


@pytest.mark.parametrize("tag", sorted(set[str]().union(*TAGS)))
async def test_events_of_long_ago_are_found_by_their_tags(frozen: Path, tag: str) -> None:
    def numbers(events: list[RecordedEvent[object]]) -> list[int]:
        return [each.event_id.int for each in events]

    async with open_backend(f"sqlite:///{frozen}", event_types=EventTypes()) as backend:
        wanted = Query(tags={tag})
        found = [each async for each in backend.event_store.read_all(query=wanted)]
        view = await backend.event_store.read_matching(wanted)
    expected = [number for number, tags in enumerate(TAGS, start=1) if tag in tags]
    assert numbers(found) == numbers([*view.events]) == expected


async def test_tags_are_written_as_they_always_were(frozen: Path, tmp_path: Path) -> None:
    await try_to_open(frozen)
    now = tmp_path / "now.db"
    async with open_backend(f"sqlite:///{now}", event_types=EventTypes()) as backend:
        await write_to(backend.event_store)
    for rows in (STORED, INDEXED):
        assert query(now, rows) == query(frozen, rows) != []
