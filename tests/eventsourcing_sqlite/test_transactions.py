"""Transactions: what happens when they cannot begin, fail in the middle, or at the end."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    AppendResult,
    Event,
    ExpectedVersion,
    StorageError,
)
from eventsourcing_core.stores import OutageError, Snapshot
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore, SqliteSnapshotStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from eventsourcing_core import RecordedEvent

DEADLINE = 10.0  # seconds until something counts as never happening
MEGABYTE = 1024 * 1024
ANY = ExpectedVersion.ANY


def counted(number: int, *, size: int = 0) -> Event[object]:
    return Event("Counted", {"number": number, "text": "x" * size})


async def numbers(events: AsyncIterator[RecordedEvent[Any]]) -> list[int]:
    return [event.data["number"] async for event in events]


async def streams(store: SqliteEventStore, **filters: Any) -> list[str]:
    return [event.stream_id async for event in store.read_all(**filters)]


async def test_a_lock_held_for_longer_than_the_busy_timeout_is_an_error(
    store: SqliteEventStore, other: sqlite3.Connection
) -> None:
    other.execute("begin immediate")
    with pytest.raises(StorageError, match="busy_timeout") as failed:
        await store.append("doc-1", [counted(1)], expected_version=0)
    assert isinstance(failed.value.__cause__, sqlite3.OperationalError)


async def test_the_busy_timeout_is_kept(store: SqliteEventStore, other: sqlite3.Connection) -> None:
    other.execute("begin immediate")
    begun = monotonic()
    with pytest.raises(StorageError):
        await store.append("doc-1", [counted(1)], expected_version=0)
    assert 0.3 <= monotonic() - begun < DEADLINE


async def test_after_a_busy_timeout_the_store_goes_on(
    store: SqliteEventStore, other: sqlite3.Connection
) -> None:
    event = counted(1)
    other.execute("begin immediate")
    with pytest.raises(StorageError):
        await store.append("doc-1", [event], expected_version=0)
    other.execute("rollback")
    assert await store.append("doc-1", [event], expected_version=0) == (1, 1)


async def test_an_append_waits_for_a_lock_that_is_given_back_in_time(
    path: Path, other: sqlite3.Connection
) -> None:
    other.execute("begin immediate")
    async with SqliteDatabase.open(path, busy_timeout=DEADLINE) as database:
        store = SqliteEventStore(database)
        append = asyncio.create_task(store.append("doc-1", [counted(1)], expected_version=0))
        await asyncio.wait({append}, timeout=0.1)
        assert not append.done()
        other.execute("rollback")
        assert await append == (1, 1)


async def test_all_appends_of_a_batch_hear_of_the_lock_at_once(
    store: SqliteEventStore, other: sqlite3.Connection
) -> None:
    other.execute("begin immediate")
    begun = monotonic()
    outcomes = await asyncio.gather(
        *(store.append(f"doc-{n}", [counted(n)], expected_version=0) for n in range(50)),
        return_exceptions=True,
    )
    assert {type(outcome) for outcome in outcomes} == {OutageError}
    assert monotonic() - begun < 50 * 0.3 / 2  # not one after the other


async def test_reading_does_not_wait_for_a_lock(
    store: SqliteEventStore, other: sqlite3.Connection
) -> None:
    await store.append("doc-1", [counted(1)], expected_version=0)
    other.execute("begin immediate")
    assert await numbers(store.read("doc-1")) == [1]


@asynccontextmanager
async def full_disk(database: SqliteDatabase) -> AsyncIterator[None]:
    """Let the file not grow; SQLite sets the limit to the size that it has, at the least."""
    await database._writer.execute_fetchall("pragma max_page_count = 1")
    yield
    await database._writer.execute_fetchall("pragma max_page_count = 1000000")


async def test_a_full_disk_is_an_error(database: SqliteDatabase, store: SqliteEventStore) -> None:
    async with full_disk(database):
        with pytest.raises(StorageError, match="full.*free some space"):
            await store.append("doc-1", [counted(1, size=MEGABYTE)], expected_version=0)


async def test_on_a_full_disk_nothing_is_half_written(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    await store.append("doc-1", [counted(0)], expected_version=0)
    async with full_disk(database):
        events = [counted(1), counted(2, size=MEGABYTE), counted(3)]
        with pytest.raises(StorageError):
            await store.append("doc-1", events, expected_version=1)
        assert await numbers(store.read("doc-1")) == [0]


async def test_after_a_full_disk_the_store_goes_on(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    event = counted(1, size=MEGABYTE)
    async with full_disk(database):
        with pytest.raises(StorageError):
            await store.append("doc-1", [event], expected_version=0)
    assert await store.append("doc-1", [event], expected_version=0) == (1, 1)


async def test_a_commit_that_fails_is_undone_and_told(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    # A constraint that is checked at the commit is what makes one fail without a broken disk.
    await database._writer.execute_fetchall("pragma foreign_keys = on")
    await database._writer.execute_fetchall("create table parents (id integer primary key)")
    await database._writer.execute_fetchall(
        "create table children (id references parents deferrable initially deferred)"
    )
    await database._writer.execute_fetchall(
        "create trigger fails after insert on events when new.event_type = 'Failing' "
        "begin insert into children values (1); end"
    )
    with pytest.raises(StorageError, match="FOREIGN KEY"):
        await store.append("doc-1", [Event("Failing", {})], expected_version=0)
    assert await store.append("doc-1", [counted(1)], expected_version=0) == (1, 1)


async def test_an_append_that_fails_alone_does_not_fail_its_batch(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    await database._writer.execute_fetchall(
        "create trigger fails before insert on events when new.event_type = 'Failing' "
        "begin select raise(abort, 'refused'); end"
    )
    outcomes = await asyncio.gather(
        store.append("doc-1", [counted(1)], expected_version=0),
        store.append("doc-2", [Event("Failing", {})], expected_version=0),
        store.append("doc-3", [counted(3)], expected_version=0),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [AppendResult, StorageError, AppendResult]
    assert await streams(store) == ["doc-1", "doc-3"]


async def test_positions_of_a_batch_that_failed_leave_no_gap_that_a_reader_could_miss(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    async with full_disk(database):
        with suppress(StorageError):
            await store.append("doc-1", [counted(1, size=MEGABYTE)], expected_version=0)
    results = [await store.append(f"doc-{n}", [counted(n)], expected_version=0) for n in range(3)]
    assert [result.position for result in results] == [
        event.position async for event in store.read_all()
    ]


def snapshot(version: int) -> Snapshot:
    return Snapshot("doc-1", version, b"{}", "json", "1", datetime.now(UTC))


async def test_a_cancelled_snapshot_leaves_no_transaction_open(
    database: SqliteDatabase, store: SqliteEventStore, other: sqlite3.Connection
) -> None:
    snapshots = SqliteSnapshotStore(database)
    for steps in range(12):
        save = asyncio.create_task(snapshots.save(snapshot(1)))
        for _ in range(steps):
            await asyncio.sleep(0)
        save.cancel()
        await asyncio.wait({save})
        await store.append("doc-1", [counted(steps)], expected_version=steps)
        other.execute("begin immediate")
        other.execute("rollback")
