"""No append of the store's own is passed while it is in flight; positions are given in order.

The server is held at the one moment at which a wrong order of its steps would lose an event: each
test is about steps that take a microsecond, and needs no luck.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_core import Event, ExpectedVersion, RecordedEvent
from eventsourcing_core.stores import Written
from eventsourcing_postgres import PostgresEventStore
from tests.eventsourcing_postgres._storages import storage_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from eventsourcing_core.stores import Append

    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record]
    Act = Callable[[PostgresEventStore], Coroutine[Any, Any, object]]

ANY = ExpectedVersion.ANY
GATE = "7, 7"
"""The key of the advisory lock that holds the server where a test wants it."""


@pytest.fixture
async def store(pool: Pool) -> AsyncIterator[PostgresEventStore]:
    async with PostgresEventStore(pool, listen=False) as opened:
        yield opened


@pytest.fixture
async def neighbour(pool: Pool) -> AsyncIterator[PostgresEventStore]:
    """Give another store on the same tables, as another process has one."""
    async with PostgresEventStore(pool, listen=False) as opened:
        yield opened


@pytest.fixture
async def other(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    connection.terminate()


def events(count: int = 1) -> list[Event[dict[str, int]]]:
    return [Event("Opened", {"n": n}) for n in range(count)]


def encoded(store: PostgresEventStore, stream_id: str, count: int, expected: Any = ANY) -> Append:
    return store._codec.encode_append(stream_id, events(count), expected)


async def read(store: PostgresEventStore, after: int = 0, **filters: Any) -> list[str]:
    return [e.stream_id async for e in store.read_all(after_position=after, **filters)]


@asynccontextmanager
async def gate(connection: Connection) -> AsyncIterator[None]:
    """Keep the gate shut: whoever comes to it waits until the block is left."""
    await connection.execute(f"select pg_advisory_lock({GATE})")
    yield
    await connection.execute(f"select pg_advisory_unlock({GATE})")


async def until_at_the_gate(connection: Connection) -> None:
    """Wait until somebody waits at the gate."""
    waiting = "select exists (select from pg_locks where locktype = 'advisory' and not granted)"
    async with asyncio.timeout(20):
        while not await connection.fetchval(waiting):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)


# An append in flight.

# Without a limit: an append sets one for streams that others hold, and nobody does here.
STOP_INSERTS = f"""
    create function wait_at_the_gate() returns trigger language plpgsql set lock_timeout = 0 as $$
    begin
        perform pg_advisory_xact_lock_shared({GATE});
        return null;
    end
    $$;
    create trigger stop after insert on eventsourcing.events
    for each row when (new.stream_id like 'slow%') execute function wait_at_the_gate()
"""


def recorded(version: int) -> RecordedEvent[dict[str, int]]:
    return RecordedEvent("Opened", {"n": 0}, stream_id="slow", version=version, position=version)


APPENDS: dict[str, Act] = {
    "one new": lambda store: store.append("slow", events(), expected_version=0),
    "one to any": lambda store: store.append("slow", events(), expected_version=ANY),
    "one more": lambda store: store.append("slow-old", events(), expected_version=1),
    "several": lambda store: store.append("slow", events(3), expected_version=0),
    "a batch of new": lambda store: storage_of(store).write(
        [encoded(store, "slow", 1, 0), encoded(store, "slow-too", 1, 0)]
    ),
    "a batch of old": lambda store: storage_of(store).write(
        [encoded(store, "slow-old", 1, 1), encoded(store, "slow", 2)]
    ),
    "an import": lambda store: store.import_events([recorded(1), recorded(2)]),
}


@pytest.mark.parametrize("kind", APPENDS)
async def test_an_append_that_is_in_flight_is_not_passed(
    store: PostgresEventStore,
    neighbour: PostgresEventStore,
    pool: Pool,
    other: Connection,
    kind: str,
) -> None:
    await store.append("slow-old", events(), expected_version=0)
    await pool.execute(STOP_INSERTS)
    async with gate(other):
        slow = asyncio.create_task(APPENDS[kind](store))
        await until_at_the_gate(other)
        fast = await neighbour.append("fast", events(), expected_version=0)
        assert fast.position > 2, "a lower one is in flight"
        assert await read(neighbour, after=1) == []
        assert await read(neighbour, after=1, event_types=["Opened"]) == []
        assert await read(neighbour, backward=True) == ["slow-old"]
        assert not await neighbour.wait(after_position=1, timeout=0)
    await slow
    arrived = await read(neighbour, after=1)
    assert arrived[-1] == "fast"
    assert len(arrived) > 1
    assert all(stream_id.startswith("slow") for stream_id in arrived[:-1])


async def test_what_follows_a_reader_without_a_hole_is_given_whatever_is_in_flight_below(
    store: PostgresEventStore, other: Connection
) -> None:
    async with other.transaction():
        slow = await store.append("slow", events(), expected_version=0, connection=other)
        await store.append("fast", events(3), expected_version=0)
        await other.execute("select nextval('eventsourcing.events_position')")  # a hole
        await store.append("later", events(), expected_version=0)
        assert await read(store) == []
        assert await read(store, after=slow.position) == ["fast"] * 3
    assert await read(store) == ["slow", "fast", "fast", "fast", "later"]


# The horizon looks twice: at the sequence, and then at the locks.


async def stop_at_the_locks(pool: Pool, moment: str) -> None:
    """Let whoever looks at the locks come to the gate, before or after the look."""
    await pool.execute(f"""
        create function come_to_the_gate() returns table (pid integer, floor bigint)
        language plpgsql as $$
        begin
            perform pg_advisory_xact_lock_shared({GATE});
        end
        $$
    """)
    look = await pool.fetchval("select pg_get_viewdef('eventsourcing.floors'::regclass)")
    parts = [f"({look.rstrip(';')})", "(select pid, floor from come_to_the_gate())"]
    union = " union all ".join(parts if moment == "after" else parts[::-1])
    await pool.execute(f"create or replace view eventsourcing.floors as {union}")


async def test_an_append_that_begins_while_the_horizon_looks_is_not_passed(
    store: PostgresEventStore, pool: Pool, other: Connection
) -> None:
    await stop_at_the_locks(pool, "after")
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        async with gate(other):
            reading = asyncio.create_task(read(store, event_types=["Opened"]))
            await until_at_the_gate(other)
            await store.append("slow", events(), expected_version=0, connection=connection)
            await store.append("fast", events(), expected_version=0)
        assert await reading == []
        await transaction.commit()
    assert await read(store) == ["slow", "fast"]


@pytest.mark.parametrize("filters", [{}, {"event_types": ["Opened"]}])
async def test_an_append_that_ends_while_the_horizon_looks_is_not_passed(
    store: PostgresEventStore, pool: Pool, other: Connection, filters: dict[str, Any]
) -> None:
    await stop_at_the_locks(pool, "before")
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await store.append("slow", events(), expected_version=0, connection=connection)
        await store.append("fast", events(), expected_version=0)
        async with gate(other):
            reading = asyncio.create_task(read(store, **filters))
            await until_at_the_gate(other)
            await transaction.commit()
        assert await reading == ["slow", "fast"]


# Where a floor is.


@pytest.mark.parametrize("position", [2**32 - 2, 2**32, 2**32 + 7, 2**47])
async def test_what_was_settled_is_delivered_beside_an_append_at_any_position(
    store: PostgresEventStore, other: Connection, position: int
) -> None:
    await other.execute("select setval('eventsourcing.events_position', $1)", position)
    before = await store.append("before", events(3), expected_version=0)
    async with other.transaction():
        await store.append("slow", events(), expected_version=0, connection=other)
        await store.append("fast", events(), expected_version=0)
        assert await read(store) == ["before"] * 3
        assert await read(store, event_types=["Opened"]) == ["before"] * 3
        (appender,) = await store.appenders()
        assert appender.floor == before.position == position + 3
    assert await read(store, after=before.position) == ["slow", "fast"]


@pytest.mark.parametrize("lock_class", [1, 2**15, 2**16 - 1])
async def test_a_store_is_read_safely_whatever_its_class_of_locks(
    store: PostgresEventStore, other: Connection, lock_class: int
) -> None:
    # From 2 ** 15 on, the key of a lock is a negative number.
    await other.execute(f"""
        create or replace function eventsourcing.lock_class() returns bigint
        language sql stable as $$ select {lock_class}::bigint $$
    """)
    await store.append("before", events(3), expected_version=0)
    async with other.transaction():
        await store.append("slow", events(), expected_version=0, connection=other)
        await store.append("fast", events(), expected_version=0)
        assert await read(store, event_types=["Opened"]) == ["before"] * 3
    assert await read(store, after=3) == ["slow", "fast"]


async def test_an_append_in_a_database_of_the_same_template_holds_nobody_up(
    store: PostgresEventStore, make_database: Callable[[], str]
) -> None:
    await store.append("a", events(3), expected_version=0)
    async with asyncpg.create_pool(make_database(), min_size=1, max_size=3) as pool:
        elsewhere = PostgresEventStore(pool, listen=False)
        async with elsewhere, pool.acquire() as connection, connection.transaction():
            await elsewhere.append("x", events(), expected_version=0, connection=connection)
            assert await store.appenders() == []
            assert await read(store, event_types=["Opened"]) == ["a"] * 3
            assert await read(elsewhere) == []


# In which order positions are given.


def numbered(store: PostgresEventStore, stream_id: str, count: int, expected: Any = ANY) -> Append:
    made: list[Event[object]] = [Event(name, {}) for name in names(stream_id, count)]
    return store._codec.encode_append(stream_id, made, expected)


def names(stream_id: str, count: int) -> list[str]:
    return [f"{stream_id}-{number}" for number in range(count)]


@pytest.mark.parametrize("is_old", [False, True])
async def test_the_events_of_an_append_get_positions_in_their_order(
    store: PostgresEventStore, *, is_old: bool
) -> None:
    before = 0
    if is_old:
        before = (await store.append("a", events(), expected_version=0)).version
    named: list[Event[object]] = [Event(name, {}) for name in names("a", 500)]
    result = await store.append("a", named, expected_version=before)
    found = [e async for e in store.read_all(after_position=before)]
    assert [e.event_type for e in found] == names("a", 500)
    assert [e.version for e in found] == [*range(before + 1, before + 501)]
    assert (found[-1].version, found[-1].position) == (result.version, result.position)


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("is_old", [False, True])
async def test_each_append_of_a_batch_is_told_of_its_own_events(
    store: PostgresEventStore, size: int, *, is_old: bool
) -> None:
    streams = [f"s{number:02}" for number in range(40)]
    if is_old:
        await storage_of(store).write([numbered(store, each, 1) for each in streams])
    shuffled = streams[1::2] + streams[::2][::-1]
    expected = 1 if is_old else 0
    appends = [numbered(store, each, size, expected) for each in shuffled]
    verdicts = await storage_of(store).write(appends)
    for stream_id, verdict in zip(shuffled, verdicts, strict=True):
        assert isinstance(verdict, Written)
        found = [e async for e in store.read(stream_id)][-size:]
        assert [e.event_type for e in found] == names(stream_id, size)
        positions = [e.position for e in found]
        assert positions == sorted(positions)
        assert verdict.results == ((found[-1].version, found[-1].position),)


async def test_a_stream_that_has_several_appends_in_a_batch_gets_positions_in_their_order(
    store: PostgresEventStore,
) -> None:
    sizes = (1, 3, 2)
    appends = [numbered(store, each, size) for size in sizes for each in "bac"]
    verdicts = await storage_of(store).write(appends)
    ends = [one.results[0].version for one in verdicts if isinstance(one, Written)]
    assert ends == [1, 1, 1, 4, 4, 4, 6, 6, 6]
    for stream_id in "abc":
        found = [e async for e in store.read(stream_id)]
        assert [e.event_type for e in found] == [
            name for size in sizes for name in names(stream_id, size)
        ]
        positions = [e.position for e in found]
        assert positions == sorted(positions)
