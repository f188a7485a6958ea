"""Being notified: one connection for all stores of a pool, whatever happens to it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import asyncpg

from eventsourcing_core import Event, ExpectedVersion
from eventsourcing_postgres import PostgresEventStore, _listener, _waking, migrate
from eventsourcing_postgres._listener import Listener
from eventsourcing_postgres._waking import Waking
from tests.eventsourcing_postgres._storages import storage_of
from tests.eventsourcing_postgres.test_database import until_free, until_notified

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    Pool = asyncpg.Pool[asyncpg.Record]

HOUR = 3600.0  # between two looks: only a notification wakes in time
LISTENING = """
    select count(*) from pg_stat_activity
    where query ilike 'listen %' and datname = current_database()
"""


async def append(store: PostgresEventStore, stream_id: str = "a") -> int:
    result = await store.append(
        stream_id, [Event("Opened", {})], expected_version=ExpectedVersion.ANY
    )
    return result.position


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


def channels(store: PostgresEventStore) -> set[str]:
    """Give the channels that the listener of a store's pool listens to."""
    listener = storage_of(store)._waking._listener
    connection = None if listener is None else listener._connection
    return set() if connection is None else set(connection._listeners)


async def test_the_stores_of_many_schemas_share_the_connection_that_listens(url: str) -> None:
    schemas = [f"tenant_{number}" for number in range(12)]
    async with (
        asyncio.timeout(60),
        asyncpg.create_pool(url, min_size=1, max_size=3) as pool,
        AsyncExitStack() as open_stores,
    ):
        stores: list[PostgresEventStore] = []
        for schema in schemas:
            await migrate(pool, schema=schema)
            store = PostgresEventStore(pool, schema=schema, poll_interval=HOUR)
            stores.append(await open_stores.enter_async_context(store))
        waits = [asyncio.create_task(each.wait(after_position=0, timeout=HOUR)) for each in stores]
        await until(lambda: len(channels(stores[0])) == len(schemas))
        assert await pool.fetchval(LISTENING) == 1
        for schema in schemas:
            async with PostgresEventStore(pool, schema=schema) as other:
                await append(other)
        assert all(await asyncio.gather(*waits))


async def test_who_leaves_does_not_end_it_for_the_others(pool: Pool) -> None:
    await migrate(pool, schema="other")
    async with PostgresEventStore(pool, poll_interval=HOUR) as stays, asyncio.timeout(20):
        async with PostgresEventStore(pool, schema="other", poll_interval=HOUR) as leaves:
            for store in (leaves, stays):
                assert not await store.wait(after_position=0, timeout=0.01)
            await until(lambda: len(channels(stays)) == 2)
        await until(lambda: len(channels(stays)) == 1)
        waiting = asyncio.create_task(stays.wait(after_position=0, timeout=HOUR))
        async with PostgresEventStore(pool) as writer:
            await append(writer)
        assert await waiting
    await until_free(pool)
    assert id(pool) not in _listener._listeners


async def test_it_begins_anew_whatever_ends_it_and_says_so_once(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_listener, "_PAUSE", 0.01)
    caplog.set_level(logging.INFO, "eventsourcing_postgres")
    tries: list[int] = []
    real = Listener._listen

    async def failing(self: Listener) -> None:
        tries.append(1)
        if len(tries) <= 5:
            message = "a fault of the pool's own setup"
            raise LookupError(message)
        await real(self)

    monkeypatch.setattr(Listener, "_listen", failing)
    async with (
        asyncio.timeout(20),
        asyncpg.create_pool(url, min_size=1, max_size=3) as pool,
        PostgresEventStore(pool, poll_interval=HOUR) as store,
    ):
        waiting = asyncio.create_task(store.wait(after_position=0, timeout=HOUR))
        await until(lambda: len(caplog.records) == 2)
        async with PostgresEventStore(pool) as writer:
            await append(writer)
        assert await waiting
    said = [each.getMessage() for each in caplog.records]
    assert said[0].endswith("look by themselves: LookupError: a fault of the pool's own setup")
    assert said[1:] == ["waiting readers are notified again"]


async def test_a_notification_that_cannot_be_sent_does_not_end_the_next_ones(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        asyncio.timeout(20),
        PostgresEventStore(pool, poll_interval=HOUR) as reader,
        PostgresEventStore(pool) as writer,
    ):
        await append(writer)
        await until_notified(writer)
        database = storage_of(writer)._database
        fetch = database.fetch

        async def failing(doing: str, *arguments: Any) -> Any:
            if doing == "notify":
                raise LookupError(doing)
            return await fetch(doing, *arguments)

        monkeypatch.setattr(database, "fetch", failing)
        await append(writer)
        await until_notified(writer)
        assert "a notification was not sent" in caplog.text
        monkeypatch.undo()
        waiting = asyncio.create_task(reader.wait(after_position=2, timeout=HOUR))
        await until(lambda: channels(reader))
        await append(writer)
        assert await waiting


async def test_it_ends_with_its_pool(url: str) -> None:
    before = asyncio.all_tasks()
    pool = await asyncpg.create_pool(url, min_size=1, max_size=3)
    store = PostgresEventStore(pool)
    assert not await store.wait(after_position=0, timeout=0.01)
    await until(lambda: channels(store))
    pool.terminate()
    await until(lambda: asyncio.all_tasks() == before)
    assert pool.is_closing()


async def test_what_is_appended_between_a_look_and_the_listening_is_heard(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Listener._tune
    async with (
        asyncio.timeout(20),
        PostgresEventStore(pool, poll_interval=HOUR) as reader,
        PostgresEventStore(pool) as writer,
    ):

        async def late(self: Listener, *arguments: Any) -> set[str]:
            await append(writer)
            await until_notified(writer)
            return await real(self, *arguments)

        monkeypatch.setattr(Listener, "_tune", late)
        assert await reader.wait(after_position=0, timeout=HOUR)


async def test_what_is_appended_during_a_look_is_not_missed(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Waking._is_there
    async with (
        asyncio.timeout(20),
        PostgresEventStore(pool, poll_interval=HOUR, listen=False) as store,
    ):

        async def late(self: Waking, position: int) -> bool:
            is_there = await real(self, position)
            if not is_there:
                await append(store)
            return is_there

        monkeypatch.setattr(Waking, "_is_there", late)
        assert await store.wait(after_position=0, timeout=HOUR)


async def test_an_append_right_after_another_one_is_notified_too(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_waking, "_PAUSE", 1.0)
    looks: list[int] = []
    real = Waking._is_there

    async def looking(self: Waking, position: int) -> bool:
        is_there = await real(self, position)
        looks.append(position)
        return is_there

    monkeypatch.setattr(Waking, "_is_there", looking)
    async with (
        asyncio.timeout(20),
        PostgresEventStore(pool, poll_interval=HOUR) as reader,
        PostgresEventStore(pool) as writer,
    ):
        waiting = asyncio.create_task(reader.wait(after_position=0, timeout=HOUR))
        await until(lambda: channels(reader))
        await append(writer)
        assert await waiting
        waiting = asyncio.create_task(reader.wait(after_position=1, timeout=HOUR))
        await until(lambda: looks[-1] == 1)
        assert storage_of(writer)._waking._notifier is not None  # it pauses after the first one
        await append(writer)
        assert await waiting
