"""Transactions in memory: a journal that is applied when the block is left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from eventsourcing_core import (
    ConcurrencyError,
    DuplicateEventError,
    Event,
    EventCodec,
    EventStore,
    ExpectedVersion,
    StorageError,
    StorageEventStore,
    open_backend,
)
from eventsourcing_core.stores import Parts
from eventsourcing_inmemory._log import EventLog
from eventsourcing_inmemory._storage import InMemoryStorage
from eventsourcing_inmemory._transactions import InMemoryTransactions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import Backend


def counted(number: int) -> list[Event[object]]:
    return [Event("counted", {"number": number})]


async def numbers(store: EventStore) -> list[int]:
    return [event.data["number"] async for event in store.read_all()]


async def let_others_run() -> None:
    """Let all tasks run until each of them waits for something that is not there yet."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def url() -> str:
    """Name a store that no other test uses."""
    return f"memory://{uuid4()}"


@pytest.fixture
async def backend(url: str) -> AsyncIterator[Backend]:
    async with open_backend(url) as backend:
        yield backend


@pytest.fixture
async def outside(url: str) -> AsyncIterator[EventStore]:
    """Open another store on what the backend keeps."""
    async with open_backend(url) as backend:
        yield backend.event_store


def front_that_waits(seconds: float) -> StorageEventStore:
    """Make a store whose writers wait so long for each other's transactions."""
    log = EventLog()
    storage = InMemoryStorage(log, max_wait=seconds)
    return StorageEventStore(Parts(storage, None, InMemoryTransactions(log, max_wait=seconds)))


async def test_what_is_appended_to_two_streams_is_stored_together(
    backend: Backend, outside: EventStore
) -> None:
    await outside.append("doc-1", counted(1), expected_version=0)
    async with backend.transaction() as transaction:
        first = await transaction.append("doc-1", counted(2), expected_version=1)
        second = await transaction.append("doc-2", counted(3), expected_version=0)
        third = await transaction.append("doc-1", counted(4), expected_version=2)
        assert transaction.connection is None
    assert (first, second, third) == ((2, 2), (1, 3), (3, 4))
    places = [(e.stream_id, e.version, e.position) async for e in outside.read_all()]
    assert places == [("doc-1", 1, 1), ("doc-1", 2, 2), ("doc-2", 1, 3), ("doc-1", 3, 4)]


async def test_it_reads_what_it_wrote_and_nobody_else_does(
    backend: Backend, outside: EventStore
) -> None:
    await outside.append("doc-1", counted(1), expected_version=0)
    async with backend.transaction() as transaction:
        await transaction.append("doc-1", counted(2), expected_version=1)
        inside = [event.data["number"] async for event in transaction.read("doc-1")]
        last = [e.version async for e in transaction.read("doc-1", backward=True, limit=1)]
        assert (inside, last) == ([1, 2], [2])
        assert await transaction.stream_version("doc-1") == 2
        assert await numbers(outside) == [1]
        assert await outside.stream_version("doc-1") == 1
        assert await outside.last_position() == 1
    assert await numbers(outside) == [1, 2]


async def test_an_error_in_the_block_leaves_nothing_and_lets_others_write(
    backend: Backend, outside: EventStore
) -> None:
    async def append_and_fail() -> None:
        async with backend.transaction() as transaction:
            await transaction.append("doc-1", counted(1), expected_version=0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await append_and_fail()
    assert await numbers(outside) == []
    assert await outside.append("doc-1", counted(2), expected_version=0) == (1, 1)


async def test_a_conflict_leaves_it_usable(backend: Backend, outside: EventStore) -> None:
    async with backend.transaction() as transaction:
        await transaction.append("doc-1", counted(1), expected_version=0)
        with pytest.raises(ConcurrencyError) as conflict:
            await transaction.append("doc-1", counted(2), expected_version=0)
        await transaction.append("doc-1", counted(3), expected_version=1)
    assert conflict.value.actual == 1
    assert await numbers(outside) == [1, 3]


async def test_event_ids_are_unique_in_journal_and_log(backend: Backend) -> None:
    store = backend.event_store
    before, now = counted(1), counted(2)
    stored = await store.append("doc-1", before, expected_version=0)
    async with backend.transaction() as transaction:
        written = await transaction.append("doc-1", now, expected_version=1)
        for events in (before, now):
            with pytest.raises(DuplicateEventError):
                await transaction.append("doc-2", events, expected_version=0)
        repeated = [
            await transaction.append("doc-1", events, expected_version=ExpectedVersion.ANY)
            for events in (before, now)
        ]
    assert repeated == [stored, written]
    assert await numbers(store) == [1, 2]


async def test_until_it_writes_others_write_and_it_reads_them(
    backend: Backend, outside: EventStore
) -> None:
    async with backend.transaction() as transaction:
        assert await transaction.stream_version("doc-1") == 0
        await outside.append("doc-1", counted(1), expected_version=0)
        assert await transaction.stream_version("doc-1") == 1
        with pytest.raises(ConcurrencyError):
            await transaction.append("doc-1", counted(2), expected_version=0)


async def test_once_it_has_written_a_second_one_waits_for_its_end(
    backend: Backend, outside: EventStore
) -> None:
    async def write_another() -> int:
        async with backend.transaction() as other:
            return (await other.append("doc-2", counted(2), expected_version=0)).position

    async with backend.transaction() as transaction:
        await transaction.append("doc-1", counted(1), expected_version=0)
        another = asyncio.create_task(write_another())
        lone = asyncio.create_task(outside.append("doc-3", counted(3), expected_version=0))
        await let_others_run()
        assert not another.done()
        assert not lone.done()
    assert await another == 2
    assert (await lone).position == 3


async def test_the_one_that_waited_is_judged_by_what_the_first_one_left(backend: Backend) -> None:
    async def write_another() -> None:
        async with backend.transaction() as other:
            await other.append("doc-1", counted(2), expected_version=0)

    async with backend.transaction() as transaction:
        await transaction.append("doc-1", counted(1), expected_version=0)
        another = asyncio.create_task(write_another())
        await let_others_run()
    with pytest.raises(ConcurrencyError):
        await another
    assert await numbers(backend.event_store) == [1]


async def test_one_that_is_cancelled_while_it_waits_holds_nobody_up(backend: Backend) -> None:
    async def write_another() -> None:
        async with backend.transaction() as other:
            await other.append("doc-2", counted(2), expected_version=0)

    async with backend.transaction() as transaction:
        await transaction.append("doc-1", counted(1), expected_version=0)
        another = asyncio.create_task(write_another())
        await let_others_run()
        another.cancel()
        with pytest.raises(asyncio.CancelledError):
            await another
    await backend.event_store.append("doc-3", counted(3), expected_version=0)
    assert await numbers(backend.event_store) == [1, 3]


async def test_one_that_is_cancelled_in_its_block_leaves_nothing(backend: Backend) -> None:
    async def write_and_hang() -> None:
        async with backend.transaction() as transaction:
            await transaction.append("doc-1", counted(1), expected_version=0)
            await asyncio.Event().wait()

    hanging = asyncio.create_task(write_and_hang())
    await let_others_run()
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    await backend.event_store.append("doc-1", counted(2), expected_version=0)
    assert await numbers(backend.event_store) == [2]


async def test_whoever_waits_longer_than_max_wait_is_told_what_holds_the_store() -> None:
    store = front_that_waits(0)

    async def write_another() -> None:
        async with store.transaction() as other:
            await other.append("doc-2", counted(2), expected_version=0)

    async with store.transaction() as transaction:
        await transaction.append("doc-1", counted(1), expected_version=0)
        waiting = [asyncio.create_task(write_another())]
        waiting += [
            asyncio.create_task(append_alone(store, stream_id)) for stream_id in ("doc-3", "doc-4")
        ]
        errors = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in errors] == [StorageError] * 3
    for error in errors:
        assert "a transaction of this process has held the store for 0 seconds" in str(error)
    assert await numbers(store) == [1]


async def test_appends_that_wait_together_are_refused_with_an_error_each() -> None:
    log = EventLog()
    codec = EventCodec()
    appends = [
        codec.encode_append(stream_id, counted(1), expected_version=0) for stream_id in ("a", "b")
    ]
    async with InMemoryTransactions(log).begin() as transaction:
        await transaction.write(appends[:1])
        one, other = await InMemoryStorage(log, max_wait=0).write(appends)
    assert isinstance(one, StorageError)
    assert isinstance(other, StorageError)
    assert one is not other


async def test_whoever_comes_when_the_next_one_was_called_is_behind_it_and_waits_no_longer() -> (
    None
):
    turns = EventLog().turns
    first = await turns.take(0)
    second = asyncio.create_task(turns.take(60))
    await let_others_run()
    assert first
    first.release()
    async with asyncio.timeout(10):
        assert await turns.take(0) is None
    assert await second


async def append_alone(store: EventStore, stream_id: str) -> None:
    await store.append(stream_id, counted(0), expected_version=0)


async def test_readers_are_woken_when_it_commits_and_not_before(
    backend: Backend, outside: EventStore
) -> None:
    waiting = asyncio.create_task(outside.wait(after_position=0, timeout=60))
    async with backend.transaction() as transaction:
        await transaction.append("doc-1", counted(1), expected_version=0)
        await let_others_run()
        assert not waiting.done()
    async with asyncio.timeout(10):
        assert await waiting


async def test_one_that_wrote_nothing_wakes_nobody(backend: Backend, outside: EventStore) -> None:
    waiting = asyncio.create_task(outside.wait(after_position=0, timeout=60))
    async with backend.transaction():
        pass
    await let_others_run()
    assert not waiting.done()
    waiting.cancel()


def test_one_that_was_open_when_its_loop_was_closed_does_not_hold_up_the_next_loop() -> None:
    log = EventLog()
    store = StorageEventStore(Parts(InMemoryStorage(log), None, InMemoryTransactions(log)))
    left_open = store.transaction()

    async def write_and_leave() -> None:
        transaction = await left_open.__aenter__()
        await transaction.append("doc-1", counted(1), expected_version=0)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(write_and_leave())
    loop.close()

    async def write_next() -> list[int]:
        async with StorageEventStore(Parts(InMemoryStorage(log, max_wait=0))) as another:
            await another.append("doc-1", counted(2), expected_version=0)
            return await numbers(another)

    assert asyncio.run(write_next()) == [2]
