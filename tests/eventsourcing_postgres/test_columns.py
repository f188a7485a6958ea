"""Pages come as columns, and as rows where columns will not do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import Event, EventCodec, ExpectedVersion, StorageError
from eventsourcing_core.stores import Columns, Row, RowQuery, Span
from eventsourcing_postgres import PostgresEventStore
from eventsourcing_postgres._columns import Fit
from eventsourcing_postgres._pages import FIRST_PAGE, LARGEST_PAGE, PAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

LARGE = PAGE_BYTES // FIRST_PAGE + 1  # bytes, in the first page


@pytest.fixture
async def store(pool: Pool) -> AsyncIterator[PostgresEventStore]:
    async with PostgresEventStore(pool, listen=False) as opened:
        yield opened


async def append(store: PostgresEventStore, stream_id: str, *texts: str, **kept: Any) -> None:
    events = [Event(f"Opened {len(text) % 3}", {"text": text}, **kept) for text in texts]
    await store.append(stream_id, events, expected_version=ExpectedVersion.ANY)


async def change(pool: Pool, sql: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local eventsourcing.allow_change = 'on'")
        await connection.execute(sql)


async def pages_of(store: PostgresEventStore, stream_id: str) -> list[Sequence[Row]]:
    return [page async for page in store._storage.rows(stream_id, Span())]


async def pages_of_all(store: PostgresEventStore) -> list[Sequence[Row]]:
    pages = store._storage.rows_of_all(0, RowQuery(), backward=False, limit=None)
    return [page.rows async for page in pages]


async def test_columns_hold_what_rows_hold(store: PostgresEventStore, pool: Pool) -> None:
    for number in range(4):
        await append(store, f"s-{number % 2}", *["x" * n for n in range(7)])
        await append(store, f"s-{number % 2}", "é漢", metadata={"who": "Zoë"})
    async with PostgresEventStore(pool, EventCodec("msgpack"), listen=False) as other:
        await append(other, "s-0", "in another encoding")
    pages = [*await pages_of(store, "s-0"), *await pages_of_all(store)]
    assert [type(page) for page in pages] == [Columns, Columns]
    store._storage._database.fit.is_tried = lambda: False  # type: ignore[attr-defined]  # the storage of PostgreSQL, as a port
    as_rows = [*await pages_of(store, "s-0"), *await pages_of_all(store)]
    assert Columns not in map(type, as_rows)
    assert [[*map(tuple, page)] for page in pages] == [[*map(tuple, page)] for page in as_rows]


async def test_texts_that_are_equal_are_one_object(store: PostgresEventStore) -> None:
    await append(store, "a", *"abcd")
    await append(store, "a", "ab", "cd")
    for (page,) in (await pages_of(store, "a"), await pages_of_all(store)):
        for at in (0, 3, 6):
            texts = [row[at] for row in page]
            assert len({*map(id, texts)}) == len({*texts})


@pytest.mark.parametrize("large", [LARGE, 3 * PAGE_BYTES // 10])
async def test_large_events_come_as_rows(store: PostgresEventStore, large: int) -> None:
    await append(store, "a", "x", "y" * large, "z")
    for pages in (await pages_of(store, "a"), await pages_of_all(store)):
        assert Columns not in map(type, pages)
        assert [row.version for page in pages for row in page] == [1, 2, 3]


async def test_pages_grow_by_two_up_to_the_largest(store: PostgresEventStore) -> None:
    for _ in range(2):
        await append(store, "a", *["x"] * 4_500)
    sizes = [len(page) for page in await pages_of(store, "a")]
    assert sizes == [500, 1_000, 2_000, 3_000, 2_500]
    assert [len(page) for page in await pages_of_all(store)] == [500, 1_000, 2_000, 4_000, 1_500]


async def test_a_large_event_on_a_later_page_comes_as_a_row(store: PostgresEventStore) -> None:
    many = 5 * FIRST_PAGE + LARGEST_PAGE
    for _ in range(2):
        await append(store, "a", *["x"] * (many // 2))
    await append(store, "a", "y" * LARGE, "z")
    for pages in (await pages_of(store, "a"), await pages_of_all(store)):
        assert [row.version for page in pages for row in page] == [*range(1, many + 3)]
        assert type(pages[-1]) is list


async def test_a_name_with_a_line_feed_that_was_written_by_hand_comes_whole(
    store: PostgresEventStore, pool: Pool
) -> None:
    await append(store, "a", "x", "y")
    await change(
        pool, "update eventsourcing.events set event_type = E'two\nlines' where version = 2"
    )
    for (page,) in (await pages_of(store, "a"), await pages_of_all(store)):
        assert [row.event_type for row in page] == ["Opened 1", "two\nlines"]


async def test_a_hole_is_found(store: PostgresEventStore, pool: Pool) -> None:
    await append(store, "a", *"abcd")
    await change(pool, "delete from eventsourcing.events where version = 3")
    events = store.read("a")
    assert [(await anext(events)).version for _ in range(2)] == [1, 2]
    with pytest.raises(StorageError, match="version 3"):
        await anext(events)


def test_what_does_not_fit_is_tried_less_and_less_often() -> None:
    fit = Fit()
    tries: list[int] = []
    for page in range(1_000):
        if fit.is_tried():
            tries.append(page)
            fit.note(None)
    assert tries == [0, 2, 5, 10, 19, 36, 69, 134, 263, 520, 777]
    while not fit.is_tried():
        pass
    fit.note([])
    assert fit.is_tried()
