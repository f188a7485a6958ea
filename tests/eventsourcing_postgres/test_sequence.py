"""A sequence that does not go with the events is noticed, and what the error says mends it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_core import Event, SchemaError, StorageError, open_backend, open_migrator
from eventsourcing_postgres import PostgresEventStore, PostgresSnapshotStore, migrate
from tests.eventsourcing_postgres._databases import execute, with_database
from tests.eventsourcing_postgres._server import GUARDED

if TYPE_CHECKING:
    from eventsourcing_core import EventStore

    Connection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

BEHIND = [
    "alter sequence eventsourcing.events_position restart",  # as on a logical replica
    "select setval('eventsourcing.events_position', 2)",  # restored from another time
    "select setval('eventsourcing.events_position', 4, false)",  # readers take it for pristine
]
WRONG = ["increment by 2", "cache 10", "cycle", "maxvalue 1000", "as integer"]


async def append(store: EventStore, stream_id: str) -> int:
    return (await store.append(stream_id, [Event("Opened", {})], expected_version=0)).position


async def append_three(url: str) -> None:
    """Leave events at the positions 4 to 6: the lower ones were rolled back."""
    await execute(url, "select nextval('eventsourcing.events_position') from generate_series(1, 3)")
    async with open_backend(url) as backend:
        assert [await append(backend.event_store, f"a-{n}") for n in range(3)] == [4, 5, 6]


def cure(error: BaseException) -> str:
    return str(error).rpartition("run: ")[2]


@pytest.mark.parametrize("change", BEHIND)
async def test_a_sequence_behind_its_events_is_noticed_at_opening(url: str, change: str) -> None:
    await append_three(url)
    await execute(url, change)
    with pytest.raises(SchemaError, match="is behind its events.*an event at 6") as caught:
        async with open_backend(url):
            pass
    await execute(url, cure(caught.value))
    async with open_backend(url) as backend:
        assert await append(backend.event_store, "b") == 7
        assert [e.position async for e in backend.event_store.read_all(after_position=6)] == [7]


async def test_it_is_noticed_after_an_outage_that_only_a_transaction_has_met(url: str) -> None:
    await append_three(url)
    async with open_backend(url) as backend:

        async def meet_an_outage() -> None:
            async with backend.transaction() as transaction:
                connection: Connection = transaction.connection
                pid = connection.get_server_pid()
                await execute(url, f"select pg_terminate_backend({pid}, 10000)")
                await transaction.append("b", [Event("Opened", {})], expected_version=0)

        with pytest.raises(StorageError):
            await meet_an_outage()
        await execute(url, BEHIND[0])
        with pytest.raises(SchemaError, match="is behind its events"):
            async with backend.transaction():
                pytest.fail("it was opened")


async def test_it_is_noticed_at_the_first_use_of_a_callers_pool(pool: Pool, url: str) -> None:
    await append_three(url)
    await pool.execute(BEHIND[0])
    async with PostgresEventStore(pool) as store:
        with pytest.raises(SchemaError, match="is behind its events") as caught:
            await append(store, "b")
        with pytest.raises(SchemaError, match="is behind its events"):
            assert [e async for e in store.read("a-0")]
        with pytest.raises(SchemaError, match="is behind its events"):
            await PostgresSnapshotStore(pool).load("a-0")
        await pool.execute(cure(caught.value))
        assert await append(store, "b") == 7


async def test_it_is_noticed_by_who_appends_when_it_happens_while_open(pool: Pool) -> None:
    async with asyncio.timeout(20), PostgresEventStore(pool, listen=False) as store:
        for number in range(200):
            await append(store, f"a-{number}")
        await pool.execute("select setval('eventsourcing.events_position', 200)")
        await pool.execute(
            "set eventsourcing.allow_change = 'on'; "
            "delete from eventsourcing.events where position < 150"
        )
        await pool.execute(BEHIND[0])

        async def append_for_ever() -> None:
            for number in range(10**6):
                await append(store, f"b-{number}")

        with pytest.raises(SchemaError, match="is behind its events") as caught:
            await append_for_ever()
        await pool.execute(cure(caught.value))
        assert await append(store, "c") == 201


async def test_it_is_noticed_by_who_waits_when_it_happens_while_open(pool: Pool, url: str) -> None:
    await append_three(url)
    async with (
        asyncio.timeout(20),
        PostgresEventStore(pool, poll_interval=0.01, listen=False) as store,
    ):
        assert [e.version async for e in store.read("a-0")] == [1]  # it was right at the first use
        waiting = asyncio.create_task(store.wait(after_position=6, timeout=60))
        await pool.execute(BEHIND[0])
        with pytest.raises(SchemaError, match="is behind its events"):
            await waiting


@pytest.mark.parametrize("change", WRONG)
async def test_a_sequence_of_another_kind_is_refused(url: str, change: str) -> None:
    await execute(url, f"alter sequence eventsourcing.events_position {change}")
    with pytest.raises(SchemaError, match="is not as migrate has made it") as caught:
        async with open_backend(url):
            pass
    await execute(url, cure(caught.value))
    async with open_backend(url) as backend:
        assert await append(backend.event_store, "a") == 1


async def test_the_cures_are_right_in_a_schema_of_any_name(pool: Pool) -> None:
    schema = 'it\'s a {"schema"}'
    await migrate(pool, schema=schema)
    async with PostgresEventStore(pool, schema=schema) as store:
        await append(store, "a")
    for change in ("restart", "cache 2"):
        await pool.execute(f'alter sequence "it\'s a {{""schema""}}".events_position {change}')
        async with PostgresEventStore(pool, schema=schema) as store:
            with pytest.raises(SchemaError) as caught:
                await append(store, "b")
            await pool.execute(cure(caught.value))
            assert await append(store, change) > 1


async def test_the_migrator_tells_it_too(url: str) -> None:
    await append_three(url)
    await execute(url, BEHIND[0])
    async with open_migrator(url) as migrator:
        with pytest.raises(SchemaError, match="is behind its events"):
            await migrator.status()


async def test_a_renamed_schema_is_noticed_on_a_callers_pool(pool: Pool) -> None:
    await migrate(pool, schema="one")
    await pool.execute("alter schema one rename to three")
    await migrate(pool, schema="one")
    async with PostgresEventStore(pool, schema="three", listen=False) as store:
        with pytest.raises(SchemaError, match="was renamed"):
            await append(store, "a")
    async with PostgresEventStore(pool, schema="one", listen=False) as store:
        assert [e async for e in store.read_all()] == []


async def test_a_sequence_that_is_ahead_is_right(url: str) -> None:
    await append_three(url)
    await execute(url, "select setval('eventsourcing.events_position', 100)")
    async with open_backend(url) as backend:
        assert await append(backend.event_store, "b") == 101


async def test_while_others_append_it_is_never_seen_behind(url: str, pool: Pool) -> None:
    async with PostgresEventStore(pool, listen=False) as store:

        async def append_for_ever() -> None:
            number = 0
            while True:
                number += 1
                await append(store, f"a-{number}")

        appending = asyncio.create_task(append_for_ever())
        for _ in range(20):
            async with open_backend(url) as backend:
                assert await backend.event_store.wait(after_position=0, timeout=30)
        appending.cancel()
        with suppress(asyncio.CancelledError, StorageError):
            await appending


async def test_who_may_not_see_the_sequence_may_read_all_the_same(
    url: str, server_url: str
) -> None:
    await append_three(url)
    connection = await asyncpg.connect(server_url)
    with suppress(asyncpg.DuplicateObjectError):
        await connection.execute(f"create role {GUARDED}_reader login")
    await connection.close()
    reader = f"{GUARDED}_reader"
    await execute(url, f"grant usage on schema eventsourcing to {reader}")
    await execute(url, f"grant select on all tables in schema eventsourcing to {reader}")
    database = url.rpartition("/")[2]
    named = with_database(server_url, database).replace("postgres@", f"{reader}@", 1)
    async with open_backend(named) as backend:
        assert [e.version async for e in backend.event_store.read("a-0")] == [1]
        assert await backend.event_store.wait(after_position=3, timeout=0)
