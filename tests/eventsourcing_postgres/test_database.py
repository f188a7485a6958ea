"""Connections: borrowed for a statement, kept at hand for a moment, and never lost to the pool."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg

from eventsourcing_core import Event, ExpectedVersion
from eventsourcing_postgres import PostgresEventStore, _database

if TYPE_CHECKING:
    import pytest


async def append(store: PostgresEventStore) -> int:
    events = [Event("Opened", {"n": 1})]
    return (await store.append("a", events, expected_version=ExpectedVersion.ANY)).version


async def until_free(pool: asyncpg.Pool[asyncpg.Record], count: int) -> None:
    async with asyncio.timeout(10):
        while pool.get_idle_size() != count:  # noqa: ASYNC110 - the pool tells nobody
            await asyncio.sleep(0.01)


async def test_a_connection_at_hand_goes_back_to_the_pool(url: str) -> None:
    async with (
        asyncpg.create_pool(url, min_size=2, max_size=2) as pool,
        PostgresEventStore(pool, listen=False) as store,
    ):
        await append(store)
        await until_free(pool, 2)
        assert store._database._at_hand is None


async def test_closing_the_store_gives_the_connection_back_at_once(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_database, "_AT_HAND", 3600)
    async with asyncpg.create_pool(url, min_size=2, max_size=2) as pool:
        async with PostgresEventStore(pool, listen=False) as store:
            assert [event async for event in store.read("a")] == []
            assert pool.get_idle_size() == 1
        assert pool.get_idle_size() == 2


async def test_a_connection_that_was_lost_at_hand_is_nobodys_error(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_database, "_AT_HAND", 3600)
    other = await asyncpg.connect(url)
    async with (
        asyncpg.create_pool(url, min_size=1, max_size=2) as pool,
        PostgresEventStore(pool, listen=False) as store,
    ):
        for number in range(1, 6):  # more often than the pool has connections
            assert await append(store) == number
            sql = """
                select pg_terminate_backend(pid, 10000) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()
            """
            assert all(row[0] for row in await other.fetch(sql))
            held = store._database._at_hand
            async with asyncio.timeout(10):
                while held is not None and not _database._is_lost(held):  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.01)
    await other.close()
