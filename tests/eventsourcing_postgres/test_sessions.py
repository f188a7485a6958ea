"""What the store leaves in a session of the server: nothing.

Behind a pooler the next statement in that session is another client's. The pool here gives its one
connection from hand to hand as such a pooler does: asyncpg's own reset would hide what was left.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_core import ConcurrencyError, Event, ExpectedVersion, RecordedEvent
from eventsourcing_core.stores import Snapshot
from eventsourcing_postgres import PostgresEventStore, PostgresSnapshotStore
from tests.eventsourcing_postgres._storages import storage_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Pool = asyncpg.Pool[asyncpg.Record]
    Act = Callable[[PostgresEventStore, Pool], Awaitable[object]]

ANY = ExpectedVersion.ANY
# The driver itself sets "jit", while it asks for types.
LEFT = """
    select 'process ' || pg_backend_pid()
    union all
    select name || ' = ' || setting from pg_settings where source = 'session' and name <> 'jit'
    union all
    select 'lock ' || mode from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()
    union all
    select 'channel ' || channel from pg_listening_channels() as channel
"""


@asynccontextmanager
async def one_session(url: str) -> AsyncIterator[Pool]:
    """Give a pool of one connection, which is not reset between two of its users."""

    async def keep(_: object) -> None:
        pass

    async with asyncpg.create_pool(url, min_size=1, max_size=1, reset=keep) as pool:
        yield pool


async def left(pool: Pool) -> list[str]:
    return [row[0] for row in await pool.fetch(LEFT)]


def one(event_type: str = "Opened") -> list[Event[object]]:
    return [Event(event_type, {})]


async def append_batch(store: PostgresEventStore, _: Pool) -> None:
    """Append to streams one of which is there, in one statement."""
    appends = [store._codec.encode_append(each, one(), ANY) for each in ("old", "new")]
    await storage_of(store).write(appends)


async def append_refused(store: PostgresEventStore, _: Pool) -> None:
    with pytest.raises(ConcurrencyError):
        await store.append("old", one(), expected_version=0)


async def import_some(store: PostgresEventStore, _: Pool) -> None:
    event: RecordedEvent[object] = RecordedEvent(
        "Opened", {}, stream_id="imported", version=1, position=1
    )
    await store.import_events([event])


async def append_inside(store: PostgresEventStore, pool: Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await store.append("old", one(), expected_version=ANY, connection=connection)
        with pytest.raises(ConcurrencyError):
            await store.append("old", one(), expected_version=0, connection=connection)


async def append_in_transaction(store: PostgresEventStore, _: Pool) -> None:
    async with store.transaction() as transaction:
        await transaction.append("old", one(), expected_version=ANY)


async def read_and_wait(store: PostgresEventStore, _: Pool) -> None:
    assert [event.version async for event in store.read("old")] == [1]
    assert [event.version async for event in store.read_all(event_types=["Opened"])] == [1]
    assert not await store.wait(after_position=1, timeout=0.01)


async def save_snapshot(_: PostgresEventStore, pool: Pool) -> None:
    snapshots = PostgresSnapshotStore(pool)
    await snapshots.save(Snapshot("old", 1, b"{}", "json", "1", datetime(2026, 1, 1, tzinfo=UTC)))
    snapshots.close()


async def append_one(store: PostgresEventStore, _: Pool) -> None:
    await store.append("new", one(), expected_version=0)


async def append_several(store: PostgresEventStore, _: Pool) -> None:
    await store.append("new", one() + one("Named"), expected_version=0)


@pytest.mark.parametrize(
    "act",
    [
        append_one,
        append_several,
        append_batch,
        append_refused,
        import_some,
        append_inside,
        append_in_transaction,
        read_and_wait,
        save_snapshot,
    ],
)
async def test_a_session_is_left_as_it_was(url: str, act: Act) -> None:
    async with one_session(url) as pool:
        before = await left(pool)
        async with asyncio.timeout(20), PostgresEventStore(pool) as store:
            await store.append("old", one(), expected_version=0)
            await act(store, pool)
        assert await left(pool) == before


async def test_a_session_is_left_as_it_was_by_a_batch_that_meets_a_held_stream(
    url: str, pool: Pool
) -> None:
    async with PostgresEventStore(pool, listen=False) as other:
        await other.append("old", one(), expected_version=0)
        async with one_session(url) as narrow, PostgresEventStore(narrow, listen=False) as store:
            before = await left(narrow)
            async with pool.acquire() as connection, connection.transaction():
                await other.append("old", one(), expected_version=ANY, connection=connection)
                await append_batch(store, narrow)
            assert await left(narrow) == before
