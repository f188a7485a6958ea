"""Batches: one transaction for many appends, and a verdict for each."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from eventsourcing_core import (
    AppendResult,
    ConcurrencyError,
    DuplicateEventError,
    Event,
    EventCodec,
    ExpectedVersion,
)
from eventsourcing_core.stores import Snapshot, Written
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore, SqliteSnapshotStore
from eventsourcing_sqlite._storage import SqliteStorage
from tests.eventsourcing_sqlite._trace import traced

DEADLINE = 10.0  # seconds until something counts as never happening
MEGABYTE = 1024 * 1024
ANY = ExpectedVersion.ANY


def counted(number: int, *, size: int = 0) -> Event[object]:
    return Event("Counted", {"number": number, "text": "x" * size})


async def streams(store: SqliteEventStore, **filters: Any) -> list[str]:
    return [event.stream_id async for event in store.read_all(**filters)]


async def test_concurrent_appends_share_a_commit(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    async with traced(database) as trace:
        await asyncio.gather(
            *(store.append(f"doc-{n}", [counted(n)], expected_version=0) for n in range(64))
        )
    assert trace.commits() == 2  # the first one does not wait for others


async def test_tasks_that_race_on_one_stream_share_a_commit(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    async with traced(database) as trace:
        outcomes = await asyncio.gather(
            *(store.append("doc-1", [counted(n)], expected_version=n // 2) for n in range(16)),
            return_exceptions=True,
        )
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [AppendResult, ConcurrencyError] * 8
    assert trace.commits() == 2  # as above


@pytest.mark.parametrize("size", [1, 10, 500])
async def test_a_batch_takes_one_errand_to_the_thread_whatever_its_size(
    database: SqliteDatabase, size: int
) -> None:
    codec = EventCodec()
    batch = [
        codec.encode_append(f"doc-{n}", [counted(i) for i in range(7)], expected_version=0)
        for n in range(size)
    ]
    async with traced(database) as trace:
        verdicts = await SqliteStorage(database).write(batch)
    assert [*map(type, verdicts)] == [Written] * size
    assert trace.commits() == 1
    assert trace.errands == 1


async def test_each_append_of_a_batch_gets_the_place_of_its_own_last_event(
    store: SqliteEventStore,
) -> None:
    results = await asyncio.gather(
        *(
            store.append(f"doc-{n}", [counted(i) for i in range(n + 1)], expected_version=0)
            for n in range(20)
        )
    )
    last = {e.stream_id: AppendResult(e.version, e.position) async for e in store.read_all()}
    assert results == [last[f"doc-{n}"] for n in range(20)]


async def test_a_conflict_in_a_batch_leaves_its_neighbours_alone(store: SqliteEventStore) -> None:
    await store.append("doc-1", [counted(0)], expected_version=0)
    outcomes = await asyncio.gather(
        *(store.append(f"doc-{n}", [counted(n)], expected_version=0) for n in range(3)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [AppendResult, ConcurrencyError, AppendResult]
    assert await streams(store) == ["doc-1", "doc-0", "doc-2"]


async def test_the_second_of_two_appends_with_one_event_id_is_refused(
    store: SqliteEventStore,
) -> None:
    event = counted(1)
    first, second, third = await asyncio.gather(
        store.append("doc-1", [event], expected_version=0),
        store.append("doc-2", [event], expected_version=0),
        store.append("doc-3", [counted(3)], expected_version=0),
        return_exceptions=True,
    )
    assert (first, third) == ((1, 1), (1, 2))
    assert isinstance(second, DuplicateEventError)
    assert (second.stream_id, second.version) == ("doc-1", 1)
    assert await streams(store) == ["doc-1", "doc-3"]


async def test_an_event_id_that_comes_twice_does_not_break_its_batch(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    event = counted(1)
    async with traced(database) as trace:
        await asyncio.gather(
            *(store.append(f"doc-{n}", [event], expected_version=0) for n in range(5)),
            return_exceptions=True,
        )
    assert trace.statements.count("ROLLBACK") == 0
    assert trace.commits() == 2  # as above


async def test_a_batch_of_very_many_event_ids_is_looked_up(store: SqliteEventStore) -> None:
    events = [counted(n) for n in range(40_000)]  # more than SQLite takes as parameters
    result = await store.append("doc-1", events, expected_version=0)
    assert await store.append("doc-1", events, expected_version=0) == result == (40_000, 40_000)


async def test_two_stores_of_one_database_write_in_turn(database: SqliteDatabase) -> None:
    stores = [SqliteEventStore(database), SqliteEventStore(database, serializer="msgpack")]
    await asyncio.gather(
        *(stores[n % 2].append("doc-1", [counted(n)], expected_version=ANY) for n in range(40))
    )
    events = [event async for event in stores[0].read("doc-1")]
    assert [event.version for event in events] == [*range(1, 41)]
    assert sorted(event.data["number"] for event in events) == [*range(40)]


def snapshot(version: int) -> Snapshot:
    return Snapshot("doc-1", version, b"{}", "json", "1", datetime.now(UTC))


async def test_snapshots_are_saved_between_batches_and_never_inside_one(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    snapshots = SqliteSnapshotStore(database)
    async with traced(database) as trace:
        await asyncio.gather(
            *(store.append("doc-1", [counted(n)], expected_version=ANY) for n in range(20)),
            *(snapshots.save(snapshot(n + 1)) for n in range(20)),
        )
    ends = [sql.split()[0] for sql in trace.statements if sql.split()[0] in {"BEGIN", "COMMIT"}]
    assert ends == ["BEGIN", "COMMIT"] * (len(ends) // 2)
