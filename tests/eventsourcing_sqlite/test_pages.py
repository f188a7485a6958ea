"""Reading in pages: nothing is held open, memory stays small, nothing is passed over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    ConcurrencyError,
    Event,
    ExpectedVersion,
    HistoryChangedError,
)
from eventsourcing_core.stores import RowQuery
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore, SqliteSnapshotStore
from eventsourcing_sqlite._pages import FIRST_PAGE
from eventsourcing_sqlite._storage import SqliteStorage
from tests.eventsourcing_sqlite._trace import traced

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator

    from eventsourcing_core import RecordedEvent

DEADLINE = 10.0  # seconds until something counts as never happening
MEGABYTE = 1024 * 1024
ANY = ExpectedVersion.ANY


def counted(number: int, *, size: int = 0) -> Event[object]:
    return Event("Counted", {"number": number, "text": "x" * size})


async def numbers(events: AsyncIterator[RecordedEvent[Any]]) -> list[int]:
    return [event.data["number"] async for event in events]


async def test_no_transaction_is_open_while_a_consumer_works(
    store: SqliteEventStore, other: sqlite3.Connection
) -> None:
    await store.append("doc-1", [counted(n) for n in range(500)], expected_version=0)
    reader = store.read("doc-1")
    await anext(reader)
    # A reader in a transaction would keep the log from being emptied: busy would be 1.
    assert other.execute("pragma wal_checkpoint(truncate)").fetchone() == (0, 0, 0)
    assert await numbers(reader) == [*range(1, 500)]


class Pages:
    """The pages that a database gave."""

    def __init__(self, database: SqliteDatabase, patch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        """Bytes of data, of those that had events."""
        self._fetch = database.fetch
        patch.setattr(database, "fetch", self.fetch)

    async def fetch(self, *args: Any, **kwargs: Any) -> list[tuple[Any, ...]]:
        rows = await self._fetch(*args, **kwargs)
        if rows and len(rows[0]) == 10:
            self.sizes.append(sum(len(row[4]) for row in rows))
        return rows


@pytest.mark.parametrize("backward", [False, True])
async def test_pages_of_large_events_are_small(
    database: SqliteDatabase,
    store: SqliteEventStore,
    monkeypatch: pytest.MonkeyPatch,
    *,
    backward: bool,
) -> None:
    for n in range(5):
        events = [counted(4 * n + i, size=3 * MEGABYTE) for i in range(4)]
        await store.append("doc-1", events, expected_version=4 * n)
    pages = Pages(database, monkeypatch)
    expected = sorted(range(20), reverse=backward)
    assert await numbers(store.read("doc-1", backward=backward)) == expected
    assert await numbers(store.read_all(backward=backward)) == expected
    assert max(pages.sizes) < 12 * MEGABYTE


async def test_events_larger_than_a_page_come_one_by_one(
    database: SqliteDatabase, store: SqliteEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        await store.append("doc-1", [counted(n, size=9 * MEGABYTE)], expected_version=n)
    pages = Pages(database, monkeypatch)
    assert await numbers(store.read("doc-1")) == [0, 1, 2]
    assert [size // MEGABYTE for size in pages.sizes] == [9, 9, 9]


@pytest.fixture
def equal_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pages not grow: growing ones overtake a consumer that appends, up to some length."""
    monkeypatch.setattr("eventsourcing_sqlite._pages.LARGEST_PAGE", 100)


@pytest.mark.usefixtures("equal_pages")
async def test_a_consumer_that_appends_for_each_event_of_a_stream_comes_to_an_end(
    store: SqliteEventStore,
) -> None:
    await store.append("doc-1", [counted(n) for n in range(250)], expected_version=0)
    seen: list[int] = []
    async with asyncio.timeout(DEADLINE):
        async for event in store.read("doc-1"):
            seen.append(event.version)
            await store.append("doc-1", [counted(event.version)], expected_version=ANY)
    assert seen[:250] == [*range(1, 251)]
    assert seen == [*range(1, len(seen) + 1)]


@pytest.mark.usefixtures("equal_pages")
async def test_a_consumer_that_appends_for_each_event_of_the_store_comes_to_an_end(
    store: SqliteEventStore,
) -> None:
    await store.append("doc-1", [counted(n) for n in range(250)], expected_version=0)
    seen: list[int] = []
    async with asyncio.timeout(DEADLINE):
        async for event in store.read_all():
            seen.append(event.position)
            await store.append("doc-2", [counted(event.position)], expected_version=ANY)
    assert seen == [*range(1, 251)]


@pytest.mark.parametrize("limit", [1, 99, 100, 101, 300, 301, 10**30])
async def test_a_limit_holds_over_pages(store: SqliteEventStore, limit: int) -> None:
    await store.append("doc-1", [counted(n) for n in range(1000)], expected_version=0)
    expected = [*range(min(limit, 1000))]
    assert await numbers(store.read("doc-1", limit=limit)) == expected
    assert await numbers(store.read_all(limit=limit)) == expected


async def test_numbers_that_sqlite_cannot_hold_are_beyond_every_event(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    await store.append("doc-1", [counted(1)], expected_version=0)
    huge = 2**63
    assert await numbers(store.read("doc-1", from_version=huge)) == []
    assert await numbers(store.read("doc-1", to_version=huge)) == [1]
    with pytest.raises(HistoryChangedError):
        await numbers(store.read_all(after_position=huge))
    with pytest.raises(HistoryChangedError):
        await store.wait(after_position=huge, timeout=0)
    assert await SqliteSnapshotStore(database).load("doc-1", max_version=huge) is None
    await SqliteSnapshotStore(database).prune("doc-1", keep=huge)
    with pytest.raises(ConcurrencyError):
        await store.append("doc-1", [counted(2)], expected_version=huge)


@pytest.fixture
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a filter look at ten positions for its first page, and at forty for the later ones."""
    monkeypatch.setattr("eventsourcing_sqlite._all_pages.FIRST_STRETCH", 10)
    monkeypatch.setattr("eventsourcing_sqlite._all_pages.LARGEST_STRETCH", 40)


RARE = RowQuery(frozenset({"Rare"}))


async def fill(store: SqliteEventStore, count: int, *rare: int) -> None:
    """Append events to one stream; those at some positions are of a rare type."""
    events = [
        Event[object]("Rare" if n in rare else "Counted", {"number": n})
        for n in range(1, count + 1)
    ]
    await store.append("doc-1", events, expected_version=0)


async def looked(
    database: SqliteDatabase, *, after: int = 0, backward: bool = False, limit: int | None = None
) -> list[tuple[list[int], int]]:
    """Read what is rare; of each page the positions, and how far it has looked."""
    pages = SqliteStorage(database).rows_of_all(after, RARE, backward=backward, limit=limit)
    return [([row.position for row in page.rows], page.seen_to) async for page in pages]


@pytest.mark.usefixtures("short_stretches")
async def test_a_filter_looks_at_a_bounded_stretch_for_each_page(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    await fill(store, 150, 5, 100)
    assert await looked(database) == [([5], 10), ([], 30), ([], 70), ([100], 110), ([], 150)]
    assert await looked(database, after=100) == [([], 110), ([], 130), ([], 150)]
    assert await looked(database, limit=1) == [([5], 5)]
    backward = await looked(database, backward=True)
    assert backward == [([], 150), ([], 150), ([100], 150), ([], 150), ([5], 150)]


@pytest.mark.usefixtures("short_stretches")
async def test_a_filter_steps_over_a_long_hole_at_once(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    await fill(store, 10, 5)
    far = 10**15
    await database._writer.execute_fetchall(
        f"update sqlite_sequence set seq = {far} where name = 'events'"  # noqa: S608 - a number
    )
    await store.append("doc-2", [Event("Rare", {"number": 0})], expected_version=0)
    assert await looked(database) == [([5], 10), ([], far), ([far + 1], far + 1)]
    backward = await looked(database, backward=True)
    assert backward == [([far + 1], far + 1), ([], far + 1), ([5], far + 1)]
    assert await looked(database, after=far + 1) == [([], far + 1)]


@pytest.mark.usefixtures("short_stretches")
async def test_what_is_appended_meanwhile_is_beyond_where_reading_ends(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    await fill(store, 60, 3)
    pages = SqliteStorage(database).rows_of_all(0, RARE, backward=False, limit=None)
    assert (await anext(pages)).seen_to == 10
    await store.append("doc-2", [Event("Rare", {"number": 0})], expected_version=0)
    assert [(len(page.rows), page.seen_to) async for page in pages] == [(0, 30), (0, 60)]
    assert await looked(database, after=60) == [([61], 61)]


async def test_a_short_read_of_all_streams_is_one_errand(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    await fill(store, 50, 3)
    for backward in (False, True):
        async with traced(database) as trace:
            assert len(await numbers(store.read_all(backward=backward))) == 50
        assert trace.errands == 1


async def test_a_consumer_of_many_events_that_do_not_match_is_not_kept_waiting(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    await fill(store, 50_000)
    pages = await looked(database)
    assert [rows for rows, _ in pages if rows] == []
    assert [seen_to for _, seen_to in pages] == [1_000, 3_000, 7_000, 15_000, 31_000, 50_000]


async def test_the_first_page_is_small(store: SqliteEventStore) -> None:
    await store.append("doc-1", [counted(n) for n in range(FIRST_PAGE + 2)], expected_version=0)
    pages = [[*page] async for page in store.read_pages("doc-1", from_version=2)]
    assert [len(page) for page in pages] == [FIRST_PAGE, 1]
