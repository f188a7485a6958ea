"""Reading page by page: constant memory, every event once, and an end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import Event, ExpectedVersion, StorageError
from eventsourcing_core.stores import Span
from eventsourcing_postgres import PostgresEventStore
from eventsourcing_postgres._database import Database
from eventsourcing_postgres._pages import (
    FIRST_PAGE,
    PAGE_BYTES,
    Step,
    steps_from,
    stream_pages,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

LARGE = 3 * 1024 * 1024  # bytes; three of them fill a page


@pytest.fixture
async def store(pool: Pool) -> AsyncIterator[PostgresEventStore]:
    async with PostgresEventStore(pool, listen=False) as opened:
        yield opened


async def append(store: PostgresEventStore, stream_id: str, *sizes: int) -> None:
    events = [Event("Opened", {"text": "x" * size}) for size in sizes]
    await store.append(stream_id, events, expected_version=ExpectedVersion.ANY)


@pytest.mark.parametrize("step", [1, -1])
async def test_a_page_ends_when_its_bytes_are_enough(
    store: PostgresEventStore, pool: Pool, step: int
) -> None:
    await append(store, "a", *[LARGE] * 7)
    database = Database(pool, schema="eventsourcing", acquire_timeout=10, answer_timeout=10)
    pages = stream_pages(database, "a", Span(backward=step < 0), database.start)
    assert PAGE_BYTES == 8 * 1024 * 1024
    assert [len(page) async for page in pages] == [3, 3, 1]
    database.close()
    await database.wait_closed()


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("prefix", [None, "a"])
async def test_pages_that_end_by_their_bytes_lose_nothing(
    store: PostgresEventStore, prefix: str | None, step: int
) -> None:
    await append(store, "a", *[LARGE] * 4, 1, *[LARGE] * 3, 1, 1)
    backward = step < 0
    order = [*range(1, 11)][::step]
    assert [e.version async for e in store.read("a", backward=backward)] == order
    everything = store.read_all(stream_prefix=prefix, backward=backward)
    assert [e.position async for e in everything] == order
    some = store.read_all(stream_prefix=prefix, backward=backward, limit=5)
    assert [e.position async for e in some] == order[:5]


@pytest.mark.parametrize("filters", [None, {}, {"stream_prefix": "a"}, {"event_types": ["Opened"]}])
async def test_a_consumer_that_appends_for_each_event_reads_what_was_there_and_ends(
    store: PostgresEventStore, filters: dict[str, Any] | None
) -> None:
    await append(store, "a", *[1] * (FIRST_PAGE + 1))
    events = store.read("a") if filters is None else store.read_all(**filters)
    versions: list[int] = []
    async for event in events:
        versions.append(event.version)
        if event.version > FIRST_PAGE - 3:
            await append(store, "a", 1)
    assert versions == [*range(1, FIRST_PAGE + 2)]


@pytest.mark.parametrize("filters", [None, {}, {"stream_prefix": "a"}])
async def test_a_consumer_that_appends_pages_of_events_ends(
    store: PostgresEventStore, filters: dict[str, Any] | None
) -> None:
    there = 3 * FIRST_PAGE + 1  # two full pages, and one that has room for more
    await append(store, "a", *[1] * there)
    events = store.read("a") if filters is None else store.read_all(**filters)
    versions: list[int] = []
    async for event in events:
        versions.append(event.version)
        if event.version in {1, FIRST_PAGE + 1, there}:  # the first one of each
            await append(store, "a", *[1] * (2 * FIRST_PAGE))
    assert versions == [*range(1, there + 1)]


async def test_a_rare_event_is_found_behind_many_others(store: PostgresEventStore) -> None:
    await append(store, "a", *[1] * (2 * FIRST_PAGE))
    await append(store, "b", 1)
    await append(store, "a", 1)
    assert [e.stream_id async for e in store.read_all(stream_prefix="b")] == ["b"]


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
async def test_the_isolation_that_the_database_prefers_changes_nothing(
    pool: Pool, isolation: str
) -> None:
    name = await pool.fetchval("select current_database()")
    await pool.execute(f"alter database {name} set default_transaction_isolation = '{isolation}'")
    await pool.expire_connections()
    async with PostgresEventStore(pool, listen=False) as store, pool.acquire() as other:
        async with other.transaction():
            slow: list[Event[object]] = [Event("Opened", {})]
            await store.append("slow", slow, expected_version=0, connection=other)
            await append(store, "fast", 1)
            assert [e.stream_id async for e in store.read_all()] == []
        assert [e.stream_id async for e in store.read_all()] == ["slow", "fast"]


async def test_the_first_page_is_small(store: PostgresEventStore) -> None:
    await append(store, "a", *[1] * (FIRST_PAGE + 2))
    pages = [[*page] async for page in store.read_pages("a", from_version=2)]
    assert [len(page) for page in pages] == [FIRST_PAGE, 1]


async def test_a_page_that_could_not_be_fetched_ahead_is_fetched_when_it_is_asked_for(
    pool: Pool,
) -> None:
    database = Database(pool, schema="eventsourcing", acquire_timeout=10, answer_timeout=10)
    tries: list[int] = []

    async def fetch(cursor: int) -> Step:
        tries.append(cursor)
        if len(tries) == 1:
            raise StorageError
        return Step([], cursor + 1, is_last=True)

    first = Step([], 7, is_last=False)
    steps = steps_from(first, fetch, database.start)
    assert [step async for step in steps] == [first, Step([], 8, is_last=True)]
    assert tries == [7, 7]


async def test_a_consumer_that_breaks_off_leaves_nothing_behind(pool: Pool) -> None:
    before = asyncio.all_tasks()
    async with PostgresEventStore(pool, listen=False) as store:
        await append(store, "a", *[1] * (FIRST_PAGE + 1))
        async for event in store.read("a"):
            assert event.version == 1
            break
    assert asyncio.all_tasks() - before == set()
