"""Appends in a transaction of the caller's, at every isolation level: errors say what is true."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_core import (
    AppendResult,
    ConcurrencyError,
    DuplicateEventError,
    Event,
    ExpectedVersion,
    StorageError,
)
from eventsourcing_core.stores import StreamHeldError
from eventsourcing_postgres import PostgresEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record]

ANY = ExpectedVersion.ANY
AGAIN = "run the whole transaction again"
SNAPSHOTS = ["repeatable_read", "serializable"]


@pytest.fixture
async def other(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    connection.terminate()


@pytest.fixture
async def store(pool: Pool) -> AsyncIterator[PostgresEventStore]:
    async with asyncio.timeout(20), PostgresEventStore(pool, listen=False) as opened:
        yield opened


def one() -> list[Event[object]]:
    return [Event("Opened", {})]


@asynccontextmanager
async def begun(connection: Connection, isolation: Any) -> AsyncIterator[None]:
    """Begin a transaction whose snapshot is taken now; it is rolled back."""
    transaction = connection.transaction(isolation=isolation)
    await transaction.start()
    await connection.execute("select from eventsourcing.streams")
    yield
    await transaction.rollback()


@pytest.mark.parametrize("isolation", SNAPSHOTS)
@pytest.mark.parametrize("expected", [0, 1, ANY])
async def test_a_stream_that_has_moved_on_asks_for_the_whole_transaction_again(
    store: PostgresEventStore, other: Connection, isolation: str, expected: int
) -> None:
    there = expected == 1
    if there:
        await store.append("a", one(), expected_version=0)
    async with begun(other, isolation):
        await store.append("a", one(), expected_version=ANY)
        with pytest.raises(StorageError, match=AGAIN) as caught:
            await store.append("a", one(), expected_version=expected, connection=other)
        assert isinstance(caught.value.__cause__, asyncpg.SerializationError)
        assert await other.fetchval("select 1") == 1, "the transaction is usable"


@pytest.mark.parametrize("isolation", SNAPSHOTS)
async def test_an_id_that_was_taken_since_asks_for_the_whole_transaction_again(
    store: PostgresEventStore, other: Connection, isolation: str
) -> None:
    events = one()
    async with begun(other, isolation):
        await store.append("a", events, expected_version=0)
        with pytest.raises(StorageError, match=f"an event id is taken .*{AGAIN}"):
            await store.append("b", events, expected_version=0, connection=other)


@pytest.mark.parametrize("isolation", ["read_committed", *SNAPSHOTS])
async def test_an_id_that_was_taken_before_is_a_duplicate(
    store: PostgresEventStore, other: Connection, isolation: str
) -> None:
    events = one()
    await store.append("a", events, expected_version=0)
    async with begun(other, isolation):
        with pytest.raises(DuplicateEventError) as caught:
            await store.append("b", events, expected_version=0, connection=other)
        assert caught.value.stream_id == "a"


async def test_an_id_that_was_taken_since_is_a_duplicate_where_it_can_be_seen(
    store: PostgresEventStore, other: Connection
) -> None:
    events = one()
    async with begun(other, "read_committed"):
        await store.append("a", events, expected_version=0)
        with pytest.raises(DuplicateEventError):
            await store.append("b", events, expected_version=0, connection=other)


@pytest.mark.parametrize("isolation", ["read_committed", *SNAPSHOTS])
async def test_a_repetition_and_a_conflict_are_told_at_every_level(
    store: PostgresEventStore, other: Connection, isolation: str
) -> None:
    events = one()
    result = await store.append("a", events, expected_version=0)
    async with begun(other, isolation):
        again = await store.append("a", events, expected_version=0, connection=other)
        assert again == result == AppendResult(1, 1)
        with pytest.raises(ConcurrencyError):
            await store.append("a", one(), expected_version=0, connection=other)


async def test_an_append_with_a_connection_waits_no_longer_than_max_wait(
    pool: Pool, other: Connection
) -> None:
    async with PostgresEventStore(pool, listen=False, max_wait=0.2) as store:
        async with other.transaction(), pool.acquire() as mine, mine.transaction():
            await store.append("a", one(), expected_version=0, connection=other)
            async with asyncio.timeout(5):
                with pytest.raises(StreamHeldError) as caught:
                    await store.append("a", one(), expected_version=ANY, connection=mine)
            assert isinstance(caught.value.__cause__, asyncpg.LockNotAvailableError)
            await store.append("b", one(), expected_version=0, connection=mine)
            assert await mine.fetchval("show lock_timeout") == "0"
        assert sorted([event.stream_id async for event in store.read_all()]) == ["a", "b"]


async def test_an_append_inside_that_would_have_fitted_is_tried_again(
    store: PostgresEventStore, pool: Pool, other: Connection
) -> None:
    # A stream moves between two statements of the function: here, whenever it is called first.
    await pool.execute("""
        create sequence calls;
        alter function eventsourcing.append_one_v1 rename to real_append_one;
        create function eventsourcing.append_one_v1(
            stream_id text, expected bigint, event_id uuid, event_type text, data bytea,
            metadata bytea, encoding text, happened bigint, patience text
        ) returns bigint[] language plpgsql as $$
        begin
            if nextval('calls') = 1 then
                return array[expected, null];
            end if;
            return eventsourcing.real_append_one(
                stream_id, expected, event_id, event_type, data, metadata, encoding, happened,
                patience
            );
        end
        $$;
    """)
    async with other.transaction():
        result = await store.append("a", one(), expected_version=0, connection=other)
        assert result == AppendResult(1, 1)
    assert await pool.fetchval("select last_value from calls") == 2
