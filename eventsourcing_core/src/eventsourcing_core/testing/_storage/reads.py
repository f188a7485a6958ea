"""What a storage gives the front to read: rows in order, and how far it has looked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import HistoryChangedError
from eventsourcing_core.stores._rows import AskedSnapshot, RowQuery, Span
from eventsourcing_core.stores._snapshot_store import Snapshot
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._storage.samples import (
    EVERYTHING,
    append_to,
    encoded,
    pages_of,
    rows_of,
    storage_of,
)

if TYPE_CHECKING:
    from eventsourcing_core.stores._rows import Row
    from eventsourcing_core.stores._storage import Parts, Storage

MANY = 3000
"""More rows than fit on a page of most storages."""

NOTHING = RowQuery(frozenset())
ODD = RowQuery(frozenset({"odd"}))
QUERIES = {
    "all": EVERYTHING,
    "odd": ODD,
    "b": RowQuery(None, "b"),
    "odd in a": RowQuery(frozenset({"odd"}), "a"),
    "none": NOTHING,
}
"""Queries with and without filters."""
each_query = pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)


async def fill(storage: Storage, count: int = 31) -> list[Row]:
    """Write rows, even and odd, in turn to three streams; give them by position."""
    batch = [
        append_to("abc"[number % 3], encoded(number, "odd" if number % 2 else "even"))
        for number in range(count)
    ]
    await storage.write(batch)
    rows = [row for page in await pages_of(storage) for row in page.rows]
    assert len(rows) == count
    return rows


def _snapshot(version: int) -> Snapshot:
    taken = datetime(2026, 11, 23, 12, 0, 0, version, tzinfo=UTC)
    return Snapshot("a", version, b"state %d" % version, "json", "1:abc", taken)


class Elsewhere:
    """Snapshots that no storage keeps beside its rows."""

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        """Refuse."""
        raise NotImplementedError

    async def load(self, aggregate_id: str, *, max_version: int | None = None) -> Snapshot | None:
        """Refuse."""
        raise NotImplementedError

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        """Refuse."""
        raise NotImplementedError


class StorageReadContract(Chapter):
    """Pages of one stream and of all, and ``seen_to``."""

    @pytest.mark.parametrize("backward", [False, True])
    async def test_the_pages_of_a_stream_hold_its_rows_in_order(
        self, parts: Parts, *, backward: bool
    ) -> None:
        storage = storage_of(parts)
        await storage.write([append_to("a", *map(encoded, range(MANY)), expected=0)])
        versions = [row.version for row in await rows_of(storage, "a", Span(backward=backward))]
        assert versions == [*range(1, MANY + 1)][:: -1 if backward else 1]

    async def test_a_stream_that_is_not_there_has_no_rows(self, parts: Parts) -> None:
        storage = storage_of(parts)
        await fill(storage)
        assert await rows_of(storage, "unknown") == []

    async def test_rows_that_come_with_a_snapshot_begin_with_its_version(
        self, parts: Parts
    ) -> None:
        storage, kept = storage_of(parts), parts.snapshot_store
        await storage.write([append_to("a", *map(encoded, range(10)), expected=0)])
        if kept is not None:
            for version in (3, 7, 20):
                await kept.save(_snapshot(version))
        for highest, begin in ((None, 20), (19, 7), (7, 7), (5, 3), (2, None)):
            asked = AskedSnapshot(kept or Elsewhere(), "a")
            rows = await rows_of(storage, "a", Span(to_version=highest, snapshot=asked))
            found = _snapshot(begin) if begin and asked.is_answered else None
            assert asked.found == found
            first = found.version if found else 1
            assert [row.version for row in rows] == [*range(first, min(highest or 10, 10) + 1)]

    async def test_a_snapshot_of_another_store_is_not_told(self, parts: Parts) -> None:
        storage = storage_of(parts)
        await storage.write([append_to("a", *map(encoded, range(10)), expected=0)])
        if parts.snapshot_store is not None:
            await parts.snapshot_store.save(_snapshot(7))
        asked = AskedSnapshot(Elsewhere(), "a")
        assert len(await rows_of(storage, "a", Span(snapshot=asked))) == 10
        assert not asked.is_answered

    @each_query
    async def test_of_an_empty_store_a_page_comes(self, parts: Parts, query: RowQuery) -> None:
        pages = await pages_of(storage_of(parts), 0, query)
        assert len(pages) >= 1
        assert [row for page in pages for row in page.rows] == []
        assert pages[-1].seen_to == 0

    @each_query
    async def test_the_last_page_says_how_far_everything_is_decided(
        self, parts: Parts, query: RowQuery
    ) -> None:
        storage = storage_of(parts)
        last = (await fill(storage))[-1].position
        for after in (0, last - 1, last):
            pages = await pages_of(storage, after, query)
            assert pages[-1].seen_to == last
        with pytest.raises(HistoryChangedError):
            await pages_of(storage, last + 70, query)

    @each_query
    @pytest.mark.parametrize("limit", [None, 1, 4, 1000])
    async def test_nothing_that_matches_is_missing_up_to_where_a_page_has_looked(
        self, parts: Parts, query: RowQuery, limit: int | None
    ) -> None:
        storage = storage_of(parts)
        matching = [row for row in await fill(storage) if query.matches(row)]
        for after in (0, 7):
            seen: list[Row] = []
            async for rows, seen_to in storage.rows_of_all(
                after, query, backward=False, limit=limit
            ):
                seen += rows
                assert [*map(tuple, seen)] == [
                    tuple(row) for row in matching if after < row.position <= seen_to
                ]

    @each_query
    @pytest.mark.parametrize("limit", [None, 3])
    async def test_seen_to_never_goes_back(
        self, parts: Parts, query: RowQuery, limit: int | None
    ) -> None:
        storage = storage_of(parts)
        await fill(storage, MANY)
        for after in (0, 1000):
            seen = [page.seen_to for page in await pages_of(storage, after, query, limit=limit)]
            assert [after, *seen] == sorted([after, *seen])

    @each_query
    async def test_who_goes_on_after_seen_to_with_a_limit_sees_every_row_once(
        self, parts: Parts, query: RowQuery
    ) -> None:
        storage = storage_of(parts)
        everything = await fill(storage)
        last = everything[-1].position
        seen: list[Row] = []
        after = 0
        for _ in range(len(everything) + 1):
            for page in await pages_of(storage, after, query, limit=2):
                seen += page.rows
                after = page.seen_to
            if after >= last:
                break
        assert after == last
        assert [*map(tuple, seen)] == [tuple(row) for row in everything if query.matches(row)]

    @pytest.mark.parametrize("limit", [None, 1, 4])
    async def test_pages_backward_say_where_they_began(
        self, parts: Parts, limit: int | None
    ) -> None:
        storage = storage_of(parts)
        assert [*await pages_of(storage, backward=True, limit=limit)] == [([], 0)]
        last = (await fill(storage))[-1].position
        for query in QUERIES.values():
            pages = await pages_of(storage, 0, query, backward=True, limit=limit)
            assert {page.seen_to for page in pages} == {last}

    @each_query
    @pytest.mark.parametrize("limit", [None, 1, 4])
    async def test_pages_backward_hold_the_rows_turned_round(
        self, parts: Parts, query: RowQuery, limit: int | None
    ) -> None:
        storage = storage_of(parts)
        matching = [row for row in await fill(storage) if query.matches(row) and row.position > 7]
        pages = await pages_of(storage, 7, query, backward=True, limit=limit)
        rows = [tuple(row) for page in pages for row in page.rows]
        assert rows == [tuple(row) for row in matching[::-1][:limit]]
