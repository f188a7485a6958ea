"""No event is lost to a reader, and no reader waits for a stranger: forced, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_core import (
    ConcurrencyError,
    DuplicateEventError,
    Event,
    ExpectedVersion,
    StorageError,
)
from eventsourcing_postgres import PostgresEventStore, migrate
from tests.eventsourcing_postgres._databases import with_database
from tests.eventsourcing_postgres._server import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Pool = asyncpg.Pool[asyncpg.Record]


@pytest.fixture
async def store(pool: Pool) -> AsyncIterator[PostgresEventStore]:
    async with PostgresEventStore(pool, listen=False) as opened:
        yield opened


@pytest.fixture
async def other(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(url)
    yield connection
    connection.terminate()


def events(count: int = 1) -> list[Event[dict[str, int]]]:
    return [Event("Opened", {"n": n}) for n in range(count)]


async def read(store: PostgresEventStore, after: int = 0, **filters: Any) -> list[str]:
    return [e.stream_id async for e in store.read_all(after_position=after, **filters)]


async def naive(pool: Pool) -> list[str]:
    """Read as one who trusts the order of positions does."""
    rows = await pool.fetch("select stream_id from eventsourcing.events order by position")
    return [row[0] for row in rows]


async def test_an_event_committed_before_a_lower_position_waits_for_it(
    store: PostgresEventStore, pool: Pool, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    transaction = other.transaction()
    await transaction.start()
    await store.append("slow", events(), expected_version=0, connection=other)
    await store.append("fast", events(), expected_version=0)
    assert await naive(pool) == ["fast"], "a naive reader would go on after it"
    assert await read(store) == []
    assert await read(store, backward=True) == []
    assert await read(store, event_types=["Opened"]) == []
    await transaction.commit()
    assert await read(store) == ["slow", "fast"]
    assert await read(store, backward=True) == ["fast", "slow"]


async def test_what_was_settled_before_is_delivered_meanwhile(
    store: PostgresEventStore, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    await store.append("before", events(3), expected_version=0)
    async with other.transaction():
        await store.append("slow", events(), expected_version=0, connection=other)
        await store.append("fast", events(), expected_version=0)
        assert await read(store) == ["before"] * 3
        assert await read(store, event_types=["Opened"]) == ["before"] * 3
        assert await read(store, stream_prefix="bef", backward=True) == ["before"] * 3
    assert await read(store, after=3) == ["slow", "fast"]


@pytest.mark.parametrize("end", ["rollback", "savepoint", "violation", "killed"])
async def test_a_position_that_never_comes_holds_nobody_up(
    store: PostgresEventStore, pool: Pool, other: asyncpg.Connection[asyncpg.Record], end: str
) -> None:
    transaction = other.transaction()
    await transaction.start()
    if end == "savepoint":
        savepoint = other.transaction()
        await savepoint.start()
        await store.append("gone", events(), expected_version=0, connection=other)
        await savepoint.rollback()
    else:
        await store.append("gone", events(), expected_version=0, connection=other)
    await store.append("fast", events(), expected_version=0)
    if end == "rollback":
        await transaction.rollback()
    elif end == "violation":
        with pytest.raises(asyncpg.UniqueViolationError):
            await other.execute("insert into eventsourcing.streams values ('gone', 1)")
        await transaction.rollback()
    elif end == "killed":
        pid = other.get_server_pid()
        assert await pool.fetchval("select pg_terminate_backend($1, 10000)", pid)
    assert await read(store) == ["fast"]


async def test_the_first_append_to_an_empty_store_is_waited_for(
    store: PostgresEventStore, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    transaction = other.transaction()
    await transaction.start()
    await store.append("first", events(), expected_version=0, connection=other)
    await store.append("second", events(), expected_version=0)
    assert await read(store) == []
    await transaction.commit()
    assert await read(store) == ["first", "second"]


async def test_a_cursor_on_a_hole_and_a_hole_right_after_it_lose_nothing(
    store: PostgresEventStore, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    await store.append("a", events(), expected_version=0)
    transaction = other.transaction()
    await transaction.start()
    await store.append("gone", events(2), expected_version=0, connection=other)
    await transaction.rollback()
    await store.append("b", events(), expected_version=0)
    for cursor in (1, 2, 3):
        assert await read(store, after=cursor) == ["b"]


async def test_an_idle_transaction_that_writes_elsewhere_holds_nobody_up(
    store: PostgresEventStore, server_url: str, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    stranger = await asyncpg.connect(with_database(server_url, "postgres"))
    try:
        async with stranger.transaction(), other.transaction():
            await stranger.execute("create temporary table stranger (x integer)")
            await other.execute("create temporary table neighbour (x integer)")
            await store.append("a", events(), expected_version=0)
            assert await read(store) == ["a"]
    finally:
        await stranger.close()


@pytest.mark.parametrize("key", [0, 1, 42, -1, 1 << 48])
async def test_an_advisory_lock_of_another_class_holds_nobody_up(
    store: PostgresEventStore, other: asyncpg.Connection[asyncpg.Record], key: int
) -> None:
    await other.execute("select pg_advisory_lock_shared($1)", key)
    await store.append("a", events(2), expected_version=0)
    await store.append("b", events(), expected_version=0)
    assert await read(store, event_types=["Opened"]) == ["a", "a", "b"]


async def test_another_store_in_the_same_database_holds_nobody_up(
    store: PostgresEventStore, pool: Pool, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    await migrate(pool, schema='a "quoted" schema')
    async with PostgresEventStore(pool, schema='a "quoted" schema', listen=False) as neighbour:
        async with other.transaction():
            await neighbour.append("x", events(), expected_version=0, connection=other)
            await store.append("a", events(), expected_version=0)
            assert await read(store, event_types=["Opened"]) == ["a"]
        assert await read(neighbour) == ["x"]


async def test_the_appender_that_holds_readers_back_is_named(
    store: PostgresEventStore, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    await store.append("a", events(3), expected_version=0)
    async with other.transaction():
        await store.append("slow", events(), expected_version=0, connection=other)
        (appender,) = await store.appenders()
        assert (appender.process_id, appender.floor) == (other.get_server_pid(), 3)
        assert appender.state == "idle in transaction"
        assert appender.since is not None
    assert await store.appenders() == []


async def test_an_append_in_the_callers_transaction_is_stored_or_gone_with_it(
    store: PostgresEventStore, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    await other.execute("create table orders (id integer)")
    for number, commit in enumerate([True, False]):
        transaction = other.transaction()
        await transaction.start()
        await other.execute("insert into orders values ($1)", number)
        stream_id = f"order-{number}"
        await store.append(stream_id, events(), expected_version=0, connection=other)
        await (transaction.commit() if commit else transaction.rollback())
    assert await read(store) == ["order-0"]
    assert [row[0] for row in await other.fetch("select id from orders")] == [0]


async def test_a_refused_append_leaves_the_callers_transaction_usable(
    store: PostgresEventStore, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    made = events()
    first = await store.append("a", made, expected_version=0)
    async with other.transaction():
        any_version = ExpectedVersion.ANY
        again = await store.append("a", made, expected_version=any_version, connection=other)
        with pytest.raises(DuplicateEventError, match="already taken"):
            await store.append("b", made, expected_version=0, connection=other)
        with pytest.raises(ConcurrencyError, match="is at version 1"):
            await store.append("a", events(), expected_version=0, connection=other)
        await store.append("c", events(), expected_version=0, connection=other)
    assert again == first
    assert await read(store) == ["a", "c"]


async def test_append_with_a_connection_needs_a_transaction(
    store: PostgresEventStore, other: asyncpg.Connection[asyncpg.Record]
) -> None:
    with pytest.raises(ValueError, match="needs an open transaction"):
        await store.append("a", events(), expected_version=0, connection=other)


async def test_a_standby_refuses_what_it_cannot_know() -> None:
    server = Server()  # one of its own, since it becomes a standby
    try:
        server.start()
        async with asyncpg.create_pool(server.url(), min_size=1, max_size=2) as pool:
            await migrate(pool)
            async with PostgresEventStore(pool, listen=False) as store:
                await store.append("a", events(2), expected_version=0)
                await pool.execute("select nextval('eventsourcing.events_position')")
                await store.append("b", events(), expected_version=0)
        server.become_standby()
        async with (
            asyncpg.create_pool(server.url(), min_size=1, max_size=2) as pool,
            PostgresEventStore(pool, listen=False) as store,
        ):
            assert [e.version async for e in store.read("a")] == [1, 2]
            with pytest.raises(StorageError, match="a standby cannot tell"):
                await read(store)
            with pytest.raises(StorageError, match=r"appenders failed: .*a standby cannot tell"):
                await store.appenders()
    finally:
        server.stop()
