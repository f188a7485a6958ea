"""Imports: one transaction each, a fixed number of statements, and others beside them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Event, RecordedEvent, StorageError
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore
from tests.eventsourcing_sqlite._trace import traced

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

DEADLINE = 10.0  # seconds until something counts as never happening


def recorded(*stream_ids: str, rounds: int = 1) -> list[RecordedEvent[object]]:
    """Make events of streams in turn, as many of each as there are rounds."""
    return [
        RecordedEvent("Counted", {"n": n}, stream_id=stream_id, version=n, position=1)
        for n in range(1, rounds + 1)
        for stream_id in stream_ids
    ]


async def places(store: SqliteEventStore) -> list[tuple[str, int]]:
    return [(event.stream_id, event.version) async for event in store.read_all()]


async def test_a_large_import_takes_no_more_errands_to_the_thread_than_a_small_one(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    errands: list[int] = []
    for streams, rounds in ((1, 1), (100, 30)):
        async with traced(database) as trace:
            names = [f"{streams}-{n}" for n in range(streams)]
            assert await store.import_events(recorded(*names, rounds=rounds)) == streams * rounds
        assert trace.commits() == 1
        errands.append(trace.errands)
    assert errands[0] == errands[1] <= 6


async def test_imports_and_appends_take_turns(store: SqliteEventStore) -> None:
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(
            *(store.import_events(recorded(f"a-{n}", f"b-{n}", rounds=3)) for n in range(10)),
            *(store.append(f"c-{n}", [Event("Counted", {})], expected_version=0) for n in range(9)),
        )
    there = await places(store)
    assert len(there) == len(set(there)) == 10 * 6 + 9
    whole = [stream_id for stream_id, _ in there if stream_id[0] != "c"]
    for first in range(0, len(whole), 6):
        assert len({stream_id[1:] for stream_id in whole[first : first + 6]}) == 1


async def test_an_import_into_a_file_that_another_process_locks_writes_nothing(
    store: SqliteEventStore, other: sqlite3.Connection
) -> None:
    events = recorded("a", "b", rounds=2)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked"):
        await store.import_events(events)
    other.execute("ROLLBACK")
    assert await places(store) == []
    assert await store.import_events(events) == 4


async def test_an_import_is_there_when_the_file_is_opened_again(path: Path) -> None:
    events = recorded("a", "b", rounds=2)
    async with SqliteDatabase.open(path) as database:
        await SqliteEventStore(database).import_events(events)
    async with SqliteDatabase.open(path) as database:
        store = SqliteEventStore(database)
        assert await places(store) == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
        assert await store.import_events(events) == 0
