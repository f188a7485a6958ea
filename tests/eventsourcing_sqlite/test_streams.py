"""The rows of streams, and what is left when events are deleted by hand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from eventsourcing_core import ConcurrencyError, Event, RecordedEvent
from eventsourcing_core.stores import RowQuery
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore
from eventsourcing_sqlite._storage import SqliteStorage
from tests.eventsourcing_sqlite._files import query

if TYPE_CHECKING:
    from pathlib import Path


def counted(count: int) -> list[Event[object]]:
    return [Event("Counted", {"n": n}) for n in range(count)]


def delete(path: Path, where: str) -> None:
    """Delete events by hand, as somebody does who means it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "drop trigger events_are_not_deleted; delete from events where " + where  # noqa: S608 - our own words
        )


async def test_each_stream_has_a_row_with_its_version(store: SqliteEventStore, path: Path) -> None:
    await store.append("a", counted(2), expected_version=0)
    await store.append("b", counted(1), expected_version=0)
    await store.append("a", counted(3), expected_version=2)
    brought = [
        RecordedEvent[object]("Counted", {}, stream_id=stream_id, version=version, position=1)
        for stream_id, version in (("c", 1), ("b", 2), ("c", 2))
    ]
    await store.import_events(brought)
    rows = query(path, "select * from streams order by stream_id")
    assert rows == [
        ("a", 5, 1, None, None),
        ("b", 2, 1, None, None),
        ("c", 2, 1, None, None),
    ]


async def test_an_append_that_is_refused_makes_no_stream(
    store: SqliteEventStore, path: Path
) -> None:
    with pytest.raises(ConcurrencyError):
        await store.append("a", counted(1), expected_version=7)
    assert query(path, "select * from streams") == []


@pytest.mark.parametrize("where", ["version > 2", "true"])
async def test_a_version_is_not_given_twice_after_a_deletion(
    store: SqliteEventStore, path: Path, where: str
) -> None:
    await store.append("a", counted(4), expected_version=0)
    delete(path, f"stream_id = 'a' and {where}")
    with pytest.raises(ConcurrencyError):
        await store.append("a", counted(1), expected_version=2)
    assert (await store.append("a", counted(1), expected_version=4)).version == 5


async def test_a_position_is_not_given_twice_after_a_deletion(
    store: SqliteEventStore, path: Path
) -> None:
    await store.append("a", counted(4), expected_version=0)
    delete(path, "position > 2")
    assert (await store.append("b", counted(1), expected_version=0)).position == 5


@pytest.mark.parametrize("query", [RowQuery(), RowQuery(stream_prefix="b")])
async def test_a_deletion_does_not_take_back_how_far_all_is_decided(
    database: SqliteDatabase, store: SqliteEventStore, query: RowQuery
) -> None:
    await store.append("a", counted(4), expected_version=0)
    delete(database.path, "position > 2")
    for backward in (False, True):
        pages = SqliteStorage(database).rows_of_all(0, query, backward=backward, limit=None)
        assert [page.seen_to async for page in pages] == [4]
    assert await store.last_position() == 4


async def test_people_see_text_times_and_ids(path: Path) -> None:
    noon = datetime(2026, 11, 29, 12, 0, 0, 70, tzinfo=UTC)
    times = [
        noon,
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC) + timedelta(microseconds=1),
    ]
    async with SqliteDatabase.open(path) as database:
        for name in ("json", "msgpack"):
            store = SqliteEventStore(database, serializer=name)
            first = 0 if name == "json" else 10
            events = [
                Event(
                    "Counted",
                    {"é": n},
                    event_id=UUID(int=first + n),
                    timestamp=time,
                    metadata=facts,
                )
                for n, time in enumerate(times)
                for facts in [{"user": "ann"} if n else None]
            ]
            await store.append(name, events, expected_version=0)
    rows = query(
        path,
        "select stream_id, version, event_id, happened_at, data_text, metadata_text, tags"
        " from readable_events order by position",
    )
    assert rows[0] == (
        "json",
        1,
        "00000000-0000-0000-0000-000000000000",
        "2026-11-29 12:00:00.000070",
        '{"é":0}',
        None,
        None,
    )
    assert rows[1][2:6] == (
        "00000000-0000-0000-0000-000000000001",
        "1969-12-31 23:59:59.999999",
        '{"é":1}',
        '{"user":"ann"}',
    )
    assert rows[2][3] == "0001-01-01 00:00:00.000001"
    assert [row[4:6] for row in rows[3:]] == [(None, None)] * 3


async def test_what_a_program_of_an_earlier_version_appends_is_listed(
    store: SqliteEventStore, path: Path
) -> None:
    """It may have the file open while this version brings that up to date, and go on."""
    await store.append("a", counted(2), expected_version=0)
    await store.append("b", counted(1), expected_version=0)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for stream_id, version in (("a", 3), ("c", 1)):
            connection.execute(
                "insert into events (stream_id, version, event_id, event_type, encoding, "
                "timestamp, data) values (?, ?, randomblob(16), 'Counted', 'json', 0, x'7b7d')",
                (stream_id, version),
            )
    assert [info async for info in store.streams()] == [("a", 3), ("b", 1), ("c", 1)]
    assert (await store.append("c", counted(1), expected_version=1)).version == 2
