"""Imports beside appends and readers, held streams, and connections that are lost half way."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import pytest

from eventsourcing_core import (
    ConcurrencyError,
    Event,
    EventCodec,
    ExpectedVersion,
    RecordedEvent,
    StorageError,
)
from eventsourcing_postgres import PostgresEventStore
from eventsourcing_postgres._arguments import import_arguments
from eventsourcing_postgres._batches import call_append
from eventsourcing_postgres._terms import PATIENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record]

ANY = ExpectedVersion.ANY
DEADLINE = 20.0  # seconds until something counts as never happening

# An import stops after its insert, with positions drawn, until nobody holds the advisory lock.
PAUSED = """
create function pause() returns trigger language plpgsql as $$
begin
    perform set_config('lock_timeout', '0', true);
    perform pg_advisory_xact_lock_shared(4711);
    return null;
end
$$;
create trigger pause after insert on eventsourcing.events
    for each row when (new.event_type = 'Paused') execute function pause();
"""
WAITING = """
select pid from pg_stat_activity
where wait_event_type = 'Lock' and datname = current_database()
"""


@pytest.fixture
async def other(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    connection.terminate()


@asynccontextmanager
async def opened(pool: Pool, max_wait: float = 30.0) -> AsyncIterator[PostgresEventStore]:
    """Open a store, and end the test if something in it waits for ever."""
    async with (
        asyncio.timeout(DEADLINE),
        PostgresEventStore(pool, listen=False, max_wait=max_wait) as store,
    ):
        yield store


@asynccontextmanager
async def pausing(connection: Connection) -> AsyncIterator[None]:
    """Let imports of events of the type ``Paused`` stop with their positions drawn."""
    await connection.execute(PAUSED)
    await connection.execute("select pg_advisory_lock(4711)")
    yield
    await connection.execute("select pg_advisory_unlock(4711)")


def recorded(
    *stream_ids: str, event_type: str = "Counted", rounds: int = 1
) -> list[RecordedEvent[object]]:
    """Make events of streams in turn, as many of each as there are rounds; ids follow places."""
    return [
        RecordedEvent(
            event_type,
            {"n": version},
            stream_id=stream_id,
            version=version,
            position=1,
            event_id=UUID(int=(int.from_bytes(stream_id.encode()) << 32) + version),
        )
        for version in range(1, rounds + 1)
        for stream_id in stream_ids
    ]


async def places(store: PostgresEventStore, after: int = 0) -> list[tuple[str, int]]:
    return [(e.stream_id, e.version) async for e in store.read_all(after_position=after)]


def places_of(events: Sequence[RecordedEvent[object]]) -> list[tuple[str, int]]:
    return [(event.stream_id, event.version) for event in events]


async def until_blocked(connection: Connection | Pool) -> int:
    """Wait until somebody waits for a lock, and give his process."""
    while True:
        pid = await connection.fetchval(WAITING)
        if pid is not None:
            return int(pid)
        await asyncio.sleep(0.01)


# Readers of all streams.


async def test_an_append_after_an_import_that_is_in_flight_waits_for_it(
    pool: Pool, other: Connection
) -> None:
    events = recorded("b", "a", event_type="Paused", rounds=2)
    async with opened(pool) as store:
        async with pausing(other):
            importing = asyncio.create_task(store.import_events(events))
            await until_blocked(other)
            await store.append("fast", [Event("Counted", {})], expected_version=0)
            naive = await other.fetch("select stream_id from eventsourcing.events")
            assert [row[0] for row in naive] == ["fast"], "a naive reader would go on after it"
            assert await places(store) == []
        assert await importing == 4
        assert await places(store) == [*places_of(events), ("fast", 1)]


async def test_a_reader_of_all_streams_loses_nothing_while_imports_and_appends_are_in_flight(
    pool: Pool, other: Connection
) -> None:
    async def import_chunks(store: PostgresEventStore, name: str) -> None:
        events = recorded(*(f"{name}-{n}" for n in range(7)), rounds=40)
        for first in range(0, len(events), 20):
            await store.import_events(events[first : first + 20])

    async def append(store: PostgresEventStore, name: str) -> None:
        for _ in range(40):
            await store.append(name, [Event("Counted", {})], expected_version=ANY)

    async def append_and_roll_back(store: PostgresEventStore) -> None:
        for n in range(40):
            transaction = other.transaction()
            await transaction.start()
            events: list[Event[object]] = [Event("Counted", {})]
            await store.append(f"slow-{n % 3}", events, expected_version=ANY, connection=other)
            await (transaction.rollback() if n % 2 else transaction.commit())

    seen: list[tuple[str, int]] = []
    position, is_over = 0, False
    async with opened(pool) as store, asyncio.TaskGroup() as group:
        writing = [
            *(group.create_task(import_chunks(store, name)) for name in ("x", "y", "z")),
            *(group.create_task(append(store, f"own-{n}")) for n in range(5)),
            group.create_task(append_and_roll_back(store)),
        ]
        while not is_over:
            is_over = all(task.done() for task in writing)  # asked first: so this read is whole
            async for event in store.read_all(after_position=position, limit=50):
                seen.append((event.stream_id, event.version))
                position, is_over = event.position, False
    rows = await pool.fetch("select stream_id, version from eventsourcing.events order by position")
    assert seen == [tuple(row) for row in rows]
    assert len(seen) == 3 * 7 * 40 + 5 * 40 + 20


async def test_an_import_of_another_process_wakes_who_waits(pool: Pool) -> None:
    async with (
        asyncio.timeout(DEADLINE),
        PostgresEventStore(pool, poll_interval=3600) as reader,
        PostgresEventStore(pool) as writer,
    ):
        waiting = asyncio.create_task(reader.wait(after_position=0, timeout=60))
        listens = "select pid from pg_stat_activity where query ilike 'listen %' and datname = $1"
        name = await pool.fetchval("select current_database()")
        while not await pool.fetch(listens, name):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)
        await writer.import_events(recorded("a"))
        assert await waiting


# Lost connections.


async def test_an_import_whose_connection_is_killed_has_written_nothing(
    pool: Pool, other: Connection
) -> None:
    events = recorded("b", "a", event_type="Paused", rounds=3)
    async with opened(pool) as store:
        await store.append("before", [Event("Counted", {})], expected_version=0)
        async with pausing(other):
            importing = asyncio.create_task(store.import_events(events))
            await other.execute(
                "select pg_terminate_backend($1, 10000)", await until_blocked(other)
            )
            with pytest.raises(StorageError, match="import failed"):
                await importing
        assert await places(store) == [("before", 1)]
        assert await pool.fetchval("select count(*) from eventsourcing.streams") == 1
        await store.append("after", [Event("Counted", {})], expected_version=0)
        assert await places(store) == [("before", 1), ("after", 1)], "no horizon is held back"
        assert await store.import_events(events) == len(events)
        assert await places(store) == [("before", 1), ("after", 1), *places_of(events)]


async def test_a_cancelled_import_gives_back_its_connection_and_its_streams(
    url: str, other: Connection
) -> None:
    events = recorded("b", "a", event_type="Paused", rounds=3)
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as single, opened(single) as store:
        async with pausing(other):
            importing = asyncio.create_task(store.import_events(events))
            await until_blocked(other)
            importing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await importing
        result = await store.append("a", [Event("Counted", {})], expected_version=0)
        assert await places(store) == [("a", 1)]
        assert result.version == 1


# The same events at once.


async def test_two_imports_of_one_file_at_once_write_each_event_once(url: str) -> None:
    events = recorded(*(f"s-{n}" for n in range(17)), rounds=30)

    async def import_file(size: int) -> int:
        async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool, opened(pool) as store:
            chunks = [events[first : first + size] for first in range(0, len(events), size)]
            return sum([await store.import_events(chunk) for chunk in chunks])

    counts = await asyncio.gather(import_file(20), import_file(33))
    assert sum(counts) == len(events)
    async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool, opened(pool) as store:
        there = await places(store)
        assert sorted(there) == sorted(places_of(events))
        for stream_id in {stream_id for stream_id, _ in there}:
            versions = [version for each, version in there if each == stream_id]
            assert versions == [*range(1, 31)]


async def test_what_another_transaction_brought_meanwhile_is_passed_over(
    pool: Pool, other: Connection
) -> None:
    events = recorded("a", "b")
    async with opened(pool) as store:
        async with other.transaction():
            await store.append("b", events[1:], expected_version=0, connection=other)
            importing = asyncio.create_task(store.import_events(events))
            await until_blocked(pool)
        assert await importing == 1
        assert sorted(await places(store)) == [("a", 1), ("b", 1)]


# Held streams.


async def test_an_import_waits_for_a_held_stream(pool: Pool, other: Connection) -> None:
    async with opened(pool) as store:
        transaction = other.transaction()
        await transaction.start()
        await store.append("a", [Event("Counted", {})], expected_version=0, connection=other)
        importing = asyncio.create_task(store.import_events(recorded("a", "b")))
        await until_blocked(pool)
        await transaction.rollback()
        assert await importing == 2
        assert await places(store) == [("a", 1), ("b", 1)]


async def test_an_import_that_waits_does_not_keep_the_other_streams(
    pool: Pool, other: Connection
) -> None:
    async with opened(pool) as store, opened(pool) as elsewhere:  # as in another process
        async with other.transaction():
            await store.append("b", [Event("Counted", {})], expected_version=0, connection=other)
            importing = asyncio.create_task(store.import_events(recorded("a", "b")))
            await until_blocked(pool)
            appended = await elsewhere.append("a", [Event("Counted", {})], expected_version=0)
            assert appended.version == 1
        with pytest.raises(ConcurrencyError):
            await importing
        assert sorted(await places(store)) == [("a", 1), ("b", 1)]


async def test_a_conflict_with_who_held_the_stream_is_found_when_it_is_free(
    pool: Pool, other: Connection
) -> None:
    async with opened(pool) as store:
        async with other.transaction():
            await store.append("a", [Event("Counted", {})], expected_version=0, connection=other)
            importing = asyncio.create_task(store.import_events(recorded("b", "a")))
            await until_blocked(pool)
        with pytest.raises(ConcurrencyError) as caught:
            await importing
        error = caught.value
        assert (error.stream_id, error.expected, error.actual) == ("a", 0, 1)
        assert await places(store) == [("a", 1)]


@pytest.mark.parametrize("max_wait", [0.0, 0.3])
async def test_an_import_waits_no_longer_than_max_wait(
    pool: Pool, other: Connection, max_wait: float
) -> None:
    async with opened(pool, max_wait=max_wait) as store:
        async with other.transaction():
            await store.append("a", [Event("Counted", {})], expected_version=0, connection=other)
            with pytest.raises(StorageError, match="import failed: another tran") as caught:
                await store.import_events(recorded("b", "a"))
        assert isinstance(caught.value.__cause__, asyncpg.LockNotAvailableError)
        assert await places(store) == [("a", 1)]


def test_streams_are_locked_in_the_order_of_every_append() -> None:
    stream_ids = ["ß", "a", "B", "\U0001f389", "￿", "aa"]
    imported = EventCodec().encode_import(recorded(*stream_ids, rounds=2))
    assert imported is not None
    placed = imported.settle({}, {})
    assert isinstance(placed, list)
    locked, before, sizes, of_streams, versions, *_ = import_arguments(placed)
    assert locked == sorted(stream_ids, key=str.encode), "COLLATE C compares bytes"
    assert (before, sizes) == ("{0,0,0,0,0,0}", "{2,2,2,2,2,2}")
    assert of_streams.split("\n") == stream_ids * 2
    assert versions == "{1,1,1,1,1,1,2,2,2,2,2,2}"


# How much it takes.


async def test_the_server_is_asked_first_only_where_events_may_be_there(url: str) -> None:
    asked: list[str] = []

    def note(query: Any) -> None:
        asked.append(query.query)

    async def listen_in(connection: Any) -> None:
        connection.add_query_logger(note)

    async with (
        asyncpg.create_pool(url, min_size=1, max_size=1, init=listen_in) as single,
        opened(single) as store,
    ):
        looks: list[int] = []
        written: list[int] = []
        for stream_ids in ("a", "b", "b", "bc", "de", "f", "ef", "g"):
            asked.clear()
            written.append(await store.import_events(recorded(*stream_ids)))
            await asyncio.sleep(0.2)  # the driver logs later
            looks.append(len([sql for sql in asked if "any ($1)" in sql]))
        assert await places(store) == [(stream_id, 1) for stream_id in "abcdefg"]
    assert written == [1, 1, 0, 1, 2, 1, 0, 1]
    # The repetition of "b" is found out; from then on the server is asked, until all was new.
    assert looks == [0, 0, 1, 1, 1, 0, 1, 1]


async def test_mixed_events_are_written_all_or_none(pool: Pool) -> None:
    async with opened(pool) as store:
        await store.append("b", [Event("Opened", {})], expected_version=0)
        imported = EventCodec().encode_import(recorded("a", "b", "c", rounds=2))
        assert imported is not None
        placed = imported.settle({}, {})
        assert isinstance(placed, list)
        async with pool.acquire() as connection:
            rows = await call_append(connection, import_arguments(placed), "eventsourcing", PATIENT)
        assert [row[1] for row in rows] == [None] * 3
        assert await places(store) == [("b", 1)]


async def test_a_large_import_takes_no_more_round_trips_than_a_small_one(url: str) -> None:
    asked: list[str] = []

    def note(query: Any) -> None:
        asked.append(query.query)

    async def listen_in(connection: Any) -> None:
        connection.add_query_logger(note)

    async with (
        asyncpg.create_pool(url, min_size=1, max_size=1, init=listen_in) as single,
        opened(single) as store,
    ):
        counts: list[int] = []
        for name, rounds in (("warm", 1), ("small", 1), ("large", 100)):
            asked.clear()
            await store.import_events(recorded(*(f"{name}-{n}" for n in range(20)), rounds=rounds))
            await asyncio.sleep(0.2)  # the driver logs later, and readers are notified after it
            own = [sql for sql in asked if "eventsourcing" in sql or sql in {"BEGIN;", "COMMIT;"}]
            own = [sql for sql in own if "pg_notify" not in sql]
            counts.append(len(own))
    assert counts[1:] == [3, 3]  # the first one looks whether the schema is right, too


async def test_a_version_that_no_store_has_is_refused_as_any_other(pool: Pool) -> None:
    async with opened(pool) as store:
        for version in (10**19, 2**63, 2**63 - 1):
            recorded: RecordedEvent[object] = RecordedEvent(
                "Happened", {}, stream_id="q-1", version=version, position=1
            )
            with pytest.raises(ConcurrencyError, match="stream 'q-1' is at version 0"):
                await store.import_events([recorded])
        assert [event async for event in store.read_all()] == []
