"""Tags that are held: by one task at a time, by few connections, and given back in any case."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_core import (
    Event,
    ExpectedVersion,
    StorageError,
    ToStream,
    open_backend,
)
from eventsourcing_postgres import PostgresEventStore
from eventsourcing_postgres._boundaries._locks import key_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record]

ANY = ExpectedVersion.ANY
WAITING = """
select count(*) from pg_locks where not granted
and database = (select oid from pg_database where datname = current_database())
"""
ADVISORY = """
select count(*) from pg_locks where locktype = 'advisory' and granted
and database = (select oid from pg_database where datname = current_database())
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


def to(stream_id: str, tag: str) -> ToStream:
    return ToStream(stream_id, [Event("holding.noted", {}, tags={tag})], expected_version=ANY)


async def test_a_tag_is_held_by_one_of_all_processes(url: str) -> None:
    async with asyncio.timeout(20), open_backend(url) as one, open_backend(url) as other:
        order: list[str] = []

        async def hold(store: Any, name: str) -> None:
            async with store.hold("hot"):
                order.append(f"{name} begins")
                await store.append_together([to(name, "hot")])
                order.append(f"{name} ends")

        names = [f"{which}-{number}" for number in range(4) for which in ("one", "other")]
        stores = {"one": one.event_store, "other": other.event_store}
        await asyncio.gather(*(hold(stores[name.split("-")[0]], name) for name in names))
        assert [line.split()[0] for line in order[::2]] == [line.split()[0] for line in order[1::2]]


async def test_a_tag_that_is_held_too_long_is_told_and_others_can_be_held(
    pool: Pool, connection: Connection
) -> None:
    async with opened(pool, max_wait=0.2) as store, connection.transaction():
        await connection.execute(
            "select pg_advisory_xact_lock(eventsourcing.boundary_class_v1(), $1)", -key_of("hot")
        )
        with pytest.raises(StorageError, match="has held the tag 'hot'"):
            async with store.hold("hot"):
                pass
        async with store.hold("cold"):
            pass
        assert await pool.fetchval(WAITING) == 0


async def test_who_is_cancelled_while_holding_gives_the_tag_back(pool: Pool) -> None:
    async with opened(pool) as store:
        held = asyncio.Event()

        async def hold() -> None:
            async with store.hold("hot"):
                held.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(hold())
        await held.wait()
        task.cancel()
        await asyncio.wait({task})
        async with store.hold("hot"):
            pass


async def test_tasks_that_hold_several_tags_do_not_wait_for_each_others_connections(
    url: str,
) -> None:
    async with (
        asyncio.timeout(20),
        asyncpg.create_pool(url, min_size=1, max_size=4) as pool,
        opened(pool, max_wait=5) as store,
    ):

        async def hold(number: int) -> None:
            async with store.hold(f"a{number}", f"b{number}", f"c{number}"):
                assert await pool.fetchval(ADVISORY) >= 3

        await asyncio.gather(*map(hold, range(6)))  # at most two at once, by the pool
        assert await pool.fetchval(ADVISORY) == 0


async def test_tags_that_share_a_number_are_held_by_one_task(pool: Pool) -> None:
    assert key_of("plumless") == key_of("buckeroo")
    async with opened(pool, max_wait=0.2) as store, store.hold("plumless", "buckeroo"):
        pass


async def test_a_tag_that_cannot_be_held_beside_another_leaves_that_one_held(
    pool: Pool, connection: Connection
) -> None:
    async with opened(pool, max_wait=0.2) as store:
        async with connection.transaction(), store.hold("first"):
            await connection.execute(
                "select pg_advisory_xact_lock(eventsourcing.boundary_class_v1(), $1)",
                -key_of("hot"),
            )
            with pytest.raises(StorageError, match="has held the tag 'hot'"):
                async with store.hold("hot"):
                    pass
            async with store.hold("second"):
                assert await pool.fetchval(ADVISORY) == 3
            assert await pool.fetchval(ADVISORY) == 2
        assert await pool.fetchval(ADVISORY) == 0


async def test_who_is_cancelled_while_giving_back_a_tag_keeps_the_connection_until_then(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(pool) as store:
        holding: Any = store._parts.holding
        give_back, end = holding._roll_back_beside, holding._end
        began, may_end = asyncio.Event(), asyncio.Event()
        order: list[str] = []

        async def slow(connection: object) -> None:
            began.set()
            await may_end.wait()
            await give_back(connection)
            order.append("tag")

        async def ended(connection: object) -> None:
            order.append("connection")
            await end(connection)

        async def hold() -> None:
            async with store.hold("a", "b"):
                pass

        monkeypatch.setattr(holding, "_roll_back_beside", slow)
        monkeypatch.setattr(holding, "_end", ended)
        task = asyncio.create_task(hold())
        await began.wait()
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert order == []
        may_end.set()
        await asyncio.wait({task})
        assert order == ["tag", "connection"]
        assert task.cancelled()


async def test_tasks_that_want_each_others_tags_are_told_so(pool: Pool) -> None:
    async with opened(pool, max_wait=0.2) as store:
        both = asyncio.Barrier(2)

        async def hold(first: str, second: str) -> None:
            async with store.hold(first):
                await both.wait()
                async with store.hold(second):
                    pass

        ends = await asyncio.gather(hold("a", "b"), hold("b", "a"), return_exceptions=True)
        told = [end for end in ends if end is not None]
        assert told
        for each in told:
            assert isinstance(each, StorageError)
            assert "other tasks of this process have held the tag" in str(each)
        async with store.hold("a", "b"):
            pass
