"""Looking into the store as a whole, beside what the contract says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Event
from eventsourcing_postgres import PostgresEventStore, migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]


@pytest.fixture
async def store(pool: Pool) -> AsyncIterator[PostgresEventStore]:
    async with PostgresEventStore(pool, listen=False) as opened:
        yield opened


@pytest.mark.parametrize("number", range(6))
async def test_pages_of_any_size_show_every_stream_once(
    store: PostgresEventStore, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventsourcing_postgres._inspection.PAGE", 2)
    wanted = [f"b-{n}" for n in range(number)]
    for stream_id in ("a", *wanted, "c", "d"):
        await store.append(stream_id, [Event("Opened", {})], expected_version=0)
    assert [stream.stream_id async for stream in store.streams(prefix="b-")] == wanted
    assert [stream.stream_id async for stream in store.streams()] == ["a", *wanted, "c", "d"]


async def test_what_is_not_committed_is_not_counted(store: PostgresEventStore, pool: Pool) -> None:
    await store.append("a", [Event("Opened", {})], expected_version=0)
    async with pool.acquire() as connection, connection.transaction():
        await store.append("b", [Event("Opened", {})], expected_version=0, connection=connection)
        statistics = await store.statistics()
        assert [stream async for stream in store.streams()] == [("a", 1)]
    assert (statistics.events, statistics.streams, statistics.last_position) == (1, 1, 1)


async def test_indexes_and_snapshots_are_on_the_disk_too(
    store: PostgresEventStore, pool: Pool
) -> None:
    await store.append("a", [Event("Opened", {})], expected_version=0)
    before = await store.statistics()
    await pool.execute(
        "insert into eventsourcing.snapshots "
        "select 'a', n, repeat('x', 1000)::bytea, 'json', '1', 0 from generate_series(1, 100) as n"
    )
    after = await store.statistics()
    assert before.stored_bytes is not None
    assert after.stored_bytes is not None
    assert after.stored_bytes >= before.stored_bytes + 100_000


async def test_a_schema_of_any_name_is_looked_into(pool: Pool) -> None:
    schema = 'it\'s a "schema"'
    await migrate(pool, schema=schema)
    async with PostgresEventStore(pool, schema=schema, listen=False) as store:
        await store.append("a", [Event("Opened", {})], expected_version=0)
        assert (await store.statistics()).events == 1
        assert [stream async for stream in store.streams()] == [("a", 1)]
