"""Who waits for whom: tags and types in open transactions; required streams."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_core import (
    AppendResult,
    BoundaryError,
    ConcurrencyError,
    Event,
    ExpectedVersion,
    HistoryChangedError,
    Query,
    StorageError,
    StreamAt,
    ToStream,
)
from eventsourcing_core.stores import StreamHeldError
from eventsourcing_postgres import PostgresEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from eventsourcing_core import Marker

    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record]

ANY = ExpectedVersion.ANY
WAITING = """
select count(*) from pg_locks where not granted
and database = (select oid from pg_database where datname = current_database())
"""
TRANSACTIONS = """
select count(*) from pg_locks where not granted and locktype in ('transactionid', 'tuple')
"""


@pytest.fixture
async def connection(url: str) -> AsyncIterator[Connection]:
    opened = await asyncpg.connect(url)
    yield opened
    opened.terminate()


@asynccontextmanager
async def opened(pool: Pool, max_wait: float = 30.0) -> AsyncIterator[PostgresEventStore]:
    """Open a store, and end the test if something in it waits for ever."""
    async with (
        asyncio.timeout(30),
        PostgresEventStore(pool, listen=False, max_wait=max_wait) as store,
    ):
        yield store


def to(stream_id: str, *tags: str, kind: str = "locks.noted") -> ToStream:
    return ToStream(stream_id, [Event(kind, {}, tags=tags)], expected_version=ANY)


async def marker_of(store: PostgresEventStore, query: Query) -> Marker:
    return (await store.read_matching(query)).marker


async def until(pool: Pool, sql: str) -> None:
    """Wait until somebody waits in the server."""
    while not await pool.fetchval(sql):  # noqa: ASYNC110 - the server tells nobody
        await asyncio.sleep(0.005)


async def missed(append: Awaitable[object]) -> list[str]:
    """Give the streams of the events that a refusal carries."""
    with pytest.raises(BoundaryError) as refused:
        await append
    return [event.stream_id for event in refused.value.events]


async def test_who_has_a_condition_waits_for_whoever_writes_its_tag(
    pool: Pool, connection: Connection
) -> None:
    async with opened(pool) as store:
        marker = await marker_of(store, Query(tags={"a"}))
        transaction = connection.transaction()
        await transaction.start()
        await store.append_together([to("slow", "a")], connection=connection)
        decision = asyncio.ensure_future(
            missed(store.append_together([to("d")], unless_changed=marker))
        )
        await until(pool, WAITING)
        await transaction.commit()
        assert await decision == ["slow"]


@pytest.mark.parametrize("function", ["append_one_v1", "append_v1", "append_v2", "append_v3"])
async def test_who_has_a_condition_on_types_waits_for_every_append(
    pool: Pool, connection: Connection, function: str
) -> None:
    async with opened(pool) as store:
        marker = await marker_of(store, Query(event_types=["locks.noted"]))
        transaction = connection.transaction()
        await transaction.start()
        if function == "append_v1":  # which programs of the landed version call
            await connection.execute(
                "select eventsourcing.append_v1(array['slow'], array[-1], null, null, null,"
                " array[gen_random_uuid()], array['locks.noted'], array['{}'::bytea], null,"
                " array['json'], array[0], null, false)"
            )
        elif function == "append_v3":
            await store.append_together([to("slow", "b")], connection=connection)
        else:
            events: list[Event[Any]] = [
                Event("locks.noted", {}) for _ in range(1 + (function == "append_v2"))
            ]
            await store.append("slow", events, expected_version=ANY, connection=connection)
        decision = asyncio.ensure_future(
            missed(store.append_together([to("d")], unless_changed=marker))
        )
        await until(pool, WAITING)
        await transaction.commit()
        assert (await decision)[0] == "slow"


async def test_a_tag_that_is_held_keeps_only_appends_with_that_tag_waiting(
    pool: Pool, connection: Connection
) -> None:
    async with opened(pool) as store:
        marker = await marker_of(store, Query(tags={"a"}) | Query(tags={"b"}))
        transaction = connection.transaction()
        await transaction.start()
        await store.append_together([to("x")], unless_changed=marker, connection=connection)
        waiting = [
            asyncio.create_task(store.append_together([to(f"w-{tag}", tag)])) for tag in ("a", "b")
        ]
        free = [
            asyncio.create_task(store.append_together([to(f"f-{number}", "c")]))
            for number in range(20)
        ]
        await asyncio.gather(*free)
        assert not any(task.done() for task in waiting)
        await transaction.rollback()
        await asyncio.gather(*waiting)


async def test_who_waits_too_long_for_a_tag_is_told_so(pool: Pool, connection: Connection) -> None:
    async with opened(pool, max_wait=0.2) as store, connection.transaction():
        await store.append_together([to("x", "a")], connection=connection)
        marker = await marker_of(store, Query(tags={"a"}))
        with pytest.raises(StreamHeldError, match="what a condition is about"):
            await store.append_together([to("y")], unless_changed=marker)


async def test_whoever_begins_a_stream_that_must_not_be_there_waits(
    pool: Pool, connection: Connection
) -> None:
    async with opened(pool) as store:
        transaction = connection.transaction()
        await transaction.start()
        await store.append_together(
            [to("x")], requires=[StreamAt("absent", 0)], connection=connection
        )
        beginning = asyncio.create_task(
            store.append("absent", [Event("locks.noted", {})], expected_version=0)
        )
        await until(pool, TRANSACTIONS)
        await transaction.commit()
        assert (await beginning).version == 1


async def test_requiring_that_a_stream_is_not_there_leaves_nothing(pool: Pool) -> None:
    async with opened(pool) as store:
        groups = [
            store.append_together([to(f"x-{number}")], requires=[StreamAt("absent", 0)])
            for number in range(10)
        ]
        await asyncio.gather(*groups)
        rows = await pool.fetch("select id from eventsourcing.streams where id = 'absent'")
        assert rows == []
        await store.append("absent", [Event("locks.noted", {})], expected_version=0)
        with pytest.raises(ConcurrencyError, match="'absent' is at version 1"):
            await store.append_together([to("y")], requires=[StreamAt("absent", 0)])


async def test_what_a_group_has_taken_is_given_back_if_it_does_not_fit(pool: Pool) -> None:
    async with opened(pool) as store:
        await store.append("b", [Event("locks.noted", {})], expected_version=0)
        both = [ToStream(stream, [Event("locks.noted", {})], expected_version=0) for stream in "ab"]
        refused, single, kept = await asyncio.gather(
            store.append_together(both),
            store.append("c", [Event("locks.noted", {})], expected_version=0),
            store.append_together([to("d"), to("b"), to("e")]),
            return_exceptions=True,
        )
        assert isinstance(refused, ConcurrencyError)
        assert isinstance(single, AppendResult)
        assert isinstance(kept, tuple)
        streams = await pool.fetch("select id, version from eventsourcing.streams order by id")
        assert [tuple(row) for row in streams] == [("b", 2), ("c", 1), ("d", 1), ("e", 1)]


async def test_a_condition_with_more_tags_than_can_be_locked_holds_all_the_same(
    pool: Pool, connection: Connection
) -> None:
    query = Query(tags={"many-0"})
    for number in range(1, 400):
        query |= Query(tags={f"many-{number}"})
    async with opened(pool) as store:
        marker = await marker_of(store, query)
        transaction = connection.transaction()
        await transaction.start()
        await store.append_together([to("slow", "many-399")], connection=connection)
        decision = asyncio.ensure_future(
            missed(store.append_together([to("d")], unless_changed=marker))
        )
        await until(pool, WAITING)
        await transaction.commit()
        assert await decision == ["slow"]


async def test_a_condition_in_a_transaction_that_sees_the_past_is_refused(
    pool: Pool, connection: Connection
) -> None:
    async with opened(pool) as store:
        marker = await marker_of(store, Query(tags={"a"}))
        async with connection.transaction(isolation="repeatable_read"):
            with pytest.raises(StorageError, match="READ COMMITTED"):
                await store.append_together([to("x")], unless_changed=marker, connection=connection)
            await store.append_together([to("y")], connection=connection)


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
async def test_in_a_database_that_prefers_to_see_the_past_conditions_hold(
    pool: Pool, connection: Connection, level: str
) -> None:
    name = await pool.fetchval("select current_database()")
    await pool.execute(f"alter database {name} set default_transaction_isolation = '{level}'")
    await pool.expire_connections()
    async with opened(pool) as store:
        marker = await marker_of(store, Query(tags={"a"}))
        transaction = connection.transaction(isolation="read_committed")
        await transaction.start()
        await store.append_together([to("slow", "a")], connection=connection)
        decision = asyncio.ensure_future(
            missed(store.append_together([to("d")], unless_changed=marker))
        )
        await until(pool, WAITING)
        await transaction.commit()
        assert await decision == ["slow"]


@pytest.mark.parametrize("behind", [0, 5_000])
async def test_an_old_marker_is_judged_as_a_new_one_is(pool: Pool, behind: int) -> None:
    async with opened(pool) as store:
        query = Query(tags={"a", "b"}, event_types=["locks.noted"]) | Query(tags={"c"})
        marker = await marker_of(store, query)
        await store.append_together([to("other", "a")])
        await store.append_together([to("another", "a", "b", kind="locks.other")])
        await pool.execute("select setval('eventsourcing.events_position', $1)", 10 + behind)
        await store.append_together([to("first")], unless_changed=marker)
        await store.append_together([to("second", "a", "b", "d")])
        decision = store.append_together([to("third")], unless_changed=marker)
        assert await missed(decision) == ["second"]


async def test_a_marker_of_before_a_restore_is_told(pool: Pool) -> None:
    async with opened(pool) as store:
        await store.append_together([to("x", "a")])
        await store.append_together([to("y", "a")])
        marker = await marker_of(store, Query(tags={"a"}))
        await pool.execute(
            "set eventsourcing.allow_change = 'on';"
            " delete from eventsourcing.events where position = 2;"
            " delete from eventsourcing.streams where id = 'y';"
            " select setval('eventsourcing.events_position', 1)"
        )
        with pytest.raises(HistoryChangedError):
            await store.append_together([to("z")], unless_changed=marker)
        await store.append_together([to("y", "b")])  # another event at the same position
        with pytest.raises(HistoryChangedError):
            await store.append_together([to("z")], unless_changed=marker)
