from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_core import Event, StorageError
from eventsourcing_postgres import PostgresEventStore, _waking
from eventsourcing_postgres._database import Database
from eventsourcing_postgres._listener import Listener
from tests.eventsourcing_postgres._storages import storage_of

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]

_LISTENERS = "select pid from pg_stat_activity where query ilike 'listen %' and datname = $1"


async def listener(pool: Pool, but: int = 0) -> int:
    """Wait until a connection listens, and give its process."""
    async with asyncio.timeout(10):
        while True:
            name = await pool.fetchval("select current_database()")
            for row in await pool.fetch(_LISTENERS, name):
                if row[0] != but:
                    return int(row[0])
            await asyncio.sleep(0.01)


async def append(store: PostgresEventStore, stream_id: str) -> int:
    event = Event("Opened", {"n": 1})
    return (await store.append(stream_id, [event], expected_version=0)).position


def noting_looks(store: PostgresEventStore, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Give what is set once a waiting reader has looked."""
    waking = storage_of(store)._waking
    real, looked = waking._is_there, asyncio.Event()

    async def noting(position: int) -> bool:
        is_there: bool = await real(position)
        looked.set()
        return is_there

    monkeypatch.setattr(waking, "_is_there", noting)
    return looked


async def test_an_append_of_another_process_wakes_who_waits_before_the_next_look(
    pool: Pool,
) -> None:
    async with (
        PostgresEventStore(pool, poll_interval=3600) as reader,
        PostgresEventStore(pool) as writer,
    ):
        waiting = asyncio.create_task(reader.wait(after_position=0, timeout=60))
        await listener(pool)
        await append(writer, "a")
        async with asyncio.timeout(10):
            assert await waiting


async def test_who_appends_and_closes_at_once_wakes_others_all_the_same(pool: Pool) -> None:
    async with PostgresEventStore(pool, poll_interval=3600) as reader:
        waiting = asyncio.create_task(reader.wait(after_position=0, timeout=60))
        await listener(pool)
        async with PostgresEventStore(pool) as writer:
            await append(writer, "a")
        async with asyncio.timeout(10):
            assert await waiting


async def test_an_append_wakes_who_waits_in_its_own_process_by_itself(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with PostgresEventStore(pool, poll_interval=3600, listen=False) as store:
        looked = noting_looks(store, monkeypatch)
        waiting = asyncio.create_task(store.wait(after_position=0, timeout=60))
        async with asyncio.timeout(10):
            await looked.wait()
            await append(store, "a")
            assert await waiting


async def test_what_is_appended_during_a_look_is_looked_for_once_more(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with PostgresEventStore(pool, poll_interval=3600, listen=False) as store:
        real = storage_of(store)._waking._is_there

        async def looking(position: int) -> bool:
            is_there: bool = await real(position)
            if not is_there:
                await append(store, "a")
            return is_there

        monkeypatch.setattr(storage_of(store)._waking, "_is_there", looking)
        async with asyncio.timeout(10):
            assert await store.wait(after_position=0, timeout=60)


async def test_an_append_between_two_notifications_is_notified_by_the_second(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_waking, "_PAUSE", 0.5)
    async with (
        PostgresEventStore(pool, poll_interval=3600) as reader,
        PostgresEventStore(pool) as writer,
    ):
        waiting = asyncio.create_task(reader.wait(after_position=0, timeout=60))
        await listener(pool)
        await append(writer, "a")
        async with asyncio.timeout(10):
            assert await waiting  # so the first one was sent, and the pause has begun
            looked = noting_looks(reader, monkeypatch)
            waiting = asyncio.create_task(reader.wait(after_position=1, timeout=60))
            await looked.wait()
            await append(writer, "b")
            assert await waiting


async def test_without_notifications_it_looks_by_itself(pool: Pool) -> None:
    async with (
        PostgresEventStore(pool, poll_interval=0.05, listen=False) as reader,
        PostgresEventStore(pool) as writer,
    ):
        waiting = asyncio.create_task(reader.wait(after_position=0, timeout=60))
        await append(writer, "a")
        async with asyncio.timeout(10):
            assert await waiting


async def test_who_waits_sleeps_while_what_is_there_may_not_be_read_yet(pool: Pool) -> None:
    async with PostgresEventStore(pool, poll_interval=0.05) as store, pool.acquire() as connection:
        async with connection.transaction():
            event = Event("Opened", {"n": 1})
            await store.append("a", [event], expected_version=0, connection=connection)
            assert await append(store, "b") == 2
            assert [event async for event in store.read_all()] == []
            assert not await store.wait(after_position=0, timeout=0.2)
        assert await store.wait(after_position=0, timeout=60)


async def test_who_waits_is_woken_by_what_follows_whatever_is_in_flight(pool: Pool) -> None:
    async with (
        PostgresEventStore(pool) as store,
        pool.acquire() as connection,
        connection.transaction(),
    ):
        event = Event("Opened", {"n": 1})
        await store.append("a", [event], expected_version=0, connection=connection)
        assert await append(store, "b") == 2
        assert [event.position async for event in store.read_all(after_position=1)] == [2]
        assert await store.wait(after_position=1, timeout=0)


async def test_a_lost_listening_connection_is_replaced(pool: Pool) -> None:
    async with (
        PostgresEventStore(pool, poll_interval=0.5) as reader,
        PostgresEventStore(pool) as writer,
    ):
        await append(writer, "a")
        waiting = asyncio.create_task(reader.wait(after_position=1, timeout=60))
        first = await listener(pool)
        await pool.fetchval("select pg_terminate_backend($1, 10000)", first)
        second = await listener(pool, but=first)
        assert second != first
        await append(writer, "b")
        async with asyncio.timeout(10):
            assert await waiting


async def test_closing_ends_what_runs_in_the_background(pool: Pool) -> None:
    before = asyncio.all_tasks()
    async with PostgresEventStore(pool) as store:
        await append(store, "a")
        waiting = asyncio.create_task(store.wait(after_position=1, timeout=0.01))
        await listener(pool)
        await waiting
    assert asyncio.all_tasks() - before == set()
    with pytest.raises(StorageError, match="closed"):
        await append(store, "b")


async def test_the_pool_of_one_connection_is_not_taken_to_listen(url: str) -> None:
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=1) as small,
        PostgresEventStore(small, poll_interval=0.05, acquire_timeout=10) as store,
    ):
        waiting = asyncio.create_task(store.wait(after_position=0, timeout=60))
        await asyncio.sleep(0)
        await append(store, "a")
        assert await waiting


async def test_an_exhausted_pool_is_an_error_that_says_so(url: str) -> None:
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=1) as small,
        PostgresEventStore(small, acquire_timeout=0.05) as store,
    ):
        async with small.acquire():
            with pytest.raises(StorageError, match="no connection in time"):
                await append(store, "a")
        assert await append(store, "a") == 1


async def test_reading_holds_no_connection_while_the_consumer_works(url: str) -> None:
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=1) as small,
        PostgresEventStore(small, acquire_timeout=10) as store,
    ):
        await append(store, "a")
        async for event in store.read_all():
            await append(store, "b")
            assert event.stream_id == "a"
            break


request: ContextVar[str] = ContextVar("request")


async def test_what_runs_in_the_background_is_no_part_of_the_request_that_started_it(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, set[str | None]] = {}
    real, real_look, real_listen = Database.use, Database._look, Listener._listen
    looked = asyncio.Event()

    async def noting(self: Database, doing: str, work: Any, *arguments: Any) -> Any:
        seen.setdefault(doing, set()).add(request.get(None))
        return await real(self, doing, work, *arguments)

    def noting_look(self: Database) -> None:
        seen.setdefault("look", set()).add(request.get(None))
        looked.set()
        real_look(self)

    async def noting_listen(self: Listener) -> None:
        seen.setdefault("listen", set()).add(request.get(None))
        await real_listen(self)

    monkeypatch.setattr(Listener, "_listen", noting_listen)
    monkeypatch.setattr(Database, "use", noting)
    monkeypatch.setattr(Database, "_look", noting_look)
    async with asyncio.timeout(20), PostgresEventStore(pool) as store:
        request.set("the first")
        await append(store, "a")
        waiting = asyncio.create_task(store.wait(after_position=1, timeout=0.01))
        await listener(pool)
        await waiting
        await looked.wait()
    assert seen["append"] == {"the first"}
    assert [seen[each] for each in ("notify", "listen", "look")] == [{None}] * 3


async def test_a_look_that_does_not_wait_keeps_no_connection(pool: Pool) -> None:
    async with PostgresEventStore(pool) as store:
        await store.ping()
        assert not await store.wait(after_position=0, timeout=0)
        assert storage_of(store)._waking._listener is None
