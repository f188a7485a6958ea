"""Filters, pages and bounds over more rows, and over more bytes, than fit on one page."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from eventsourcing_core._encoding.codec import MAX_EVENT_BYTES
from eventsourcing_core._events.event import Event
from eventsourcing_core.stores._rows import EncodedEvent, RowQuery, Span
from eventsourcing_core.testing._appends.append import ANY
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import counted, numbers_of
from eventsourcing_core.testing._storage.samples import (
    append_to,
    encoded,
    pages_of,
    rows_of,
    storage_of,
)

if TYPE_CHECKING:
    from eventsourcing_core.stores._event_store import EventStore
    from eventsourcing_core.stores._rows import Row
    from eventsourcing_core.stores._storage import Parts, Storage

_LONG = 3_600
"""Rows: more than fit on a page of most storages, and on the next ones."""
_LONGER = 10_500
"""Rows of one stream."""
_LARGE = 700_000
"""Bytes: a few events of this size do not fit on one page."""


async def _long_log(storage: Storage) -> list[Row]:
    """Write rows of which some are far apart, some at the ends, and some close together."""
    batch = [
        append_to(f"{'even' if n % 2 else 'odd'}-{n % 40}", encoded(n, _type_of(n)))
        for n in range(_LONG)
    ]
    for first in range(0, _LONG, 600):
        await storage.write(batch[first : first + 600])
    rows = [row for page in await pages_of(storage) for row in page.rows]
    assert len(rows) == _LONG
    return rows


def _type_of(number: int) -> str:
    if number in {0, _LONG - 1}:
        return "first" if number == 0 else "last"
    if number % 700 == 350:
        return "rare"
    return "dense" if 1500 <= number < 2600 else "often" if number % 3 else "other"


_QUERIES = (
    RowQuery(),
    *(RowQuery(frozenset({name})) for name in ("first", "last", "rare", "dense", "often", "none")),
    RowQuery(frozenset({"first", "last", "rare"})),
    RowQuery(frozenset()),
    RowQuery(None, "even-"),
    RowQuery(None, "odd-2"),
    RowQuery(None, "none-"),
    RowQuery(frozenset({"rare"}), "even-"),
    RowQuery(frozenset({"dense"}), "even-1"),
    RowQuery(frozenset({"dense"}), "none-"),
)


class LongLogContract(Chapter):
    """Logs of thousands of rows, pages of megabytes."""

    async def test_a_filter_over_a_long_log_passes_over_nothing_that_matches(
        self, parts: Parts
    ) -> None:
        storage = storage_of(parts)
        rows = await _long_log(storage)
        for query in _QUERIES:
            for after in (0, rows[99].position, rows[1499].position):
                wanted = [row for row in rows if query.matches(row) and row.position > after]
                for backward in (False, True):
                    pages = await pages_of(storage, after, query, backward=backward)
                    found = [tuple(row) for page in pages for row in page.rows]
                    assert found == [tuple(row) for row in wanted[:: -1 if backward else 1]]
                    assert pages[-1].seen_to == rows[-1].position

    async def test_a_limit_over_a_long_log_counts_what_matches(self, parts: Parts) -> None:
        storage = storage_of(parts)
        rows = await _long_log(storage)
        for query in _QUERIES:
            wanted = [row for row in rows if query.matches(row)]
            for limit in (1, 5, 130, 1100):
                for backward in (False, True):
                    pages = await pages_of(storage, 0, query, backward=backward, limit=limit)
                    found = [tuple(row) for page in pages for row in page.rows]
                    expected = wanted[:: -1 if backward else 1][:limit]
                    assert found == [tuple(row) for row in expected]

    async def test_who_goes_on_over_a_long_log_sees_what_matches_once(self, parts: Parts) -> None:
        storage = storage_of(parts)
        rows = await _long_log(storage)
        for query in _QUERIES:
            for limit in (90, 1000):
                seen: list[Row] = []
                after = 0
                for _ in range(_LONG):
                    for page in await pages_of(storage, after, query, limit=limit):
                        seen += page.rows
                        after = page.seen_to
                    if after >= rows[-1].position:
                        break
                wanted = [tuple(row) for row in rows if query.matches(row)]
                assert [tuple(row) for row in seen] == wanted

    async def test_a_very_long_stream_is_read_whole(self, parts: Parts) -> None:
        storage = storage_of(parts)
        for first in range(0, _LONGER, 1500):
            await storage.write([append_to("a", *map(encoded, range(first, first + 1500)))])
        whole = [*range(1, _LONGER + 1)]
        forward, back = (
            await rows_of(storage, "a"),
            await rows_of(storage, "a", Span(backward=True)),
        )
        assert [row.version for row in forward] == whole
        assert [row.version for row in back] == whole[::-1]
        listed = [row for page in await pages_of(storage) for row in page.rows]
        assert [row.version for row in listed] == whole

    async def test_bounds_in_the_middle_of_a_long_stream_are_kept(self, parts: Parts) -> None:
        storage = storage_of(parts)
        for first in (0, 1500):
            await storage.write([append_to("a", *map(encoded, range(first, first + 1500)))])
        whole = [*range(1, 3001)]
        for low, high, limit in (
            *((700, 2300, None), (700, 2300, 1200), (999, 1001, None), (1, 1500, 1500)),
            *((1501, None, None), (2999, None, 1), (256, 257, None), (1, None, 2999)),
        ):
            for backward in (False, True):
                wanted = whole[low - 1 : high][:: -1 if backward else 1][:limit]
                rows = await rows_of(storage, "a", Span(low, high, backward, limit))
                assert [row.version for row in rows] == wanted

    async def test_pages_of_many_megabytes_are_read_whole(self, parts: Parts) -> None:
        storage = storage_of(parts)
        sizes = [*[_LARGE] * 8, 3, *[_LARGE] * 4, 5, 5]  # more than 4 MiB before, and after
        events = [
            encoded(n, "large" if size == _LARGE else "small")._replace(data=b"%02d" % n * size)
            for n, size in enumerate(sizes)
        ]
        for event in events:
            await storage.write([append_to("a", event)])
        stream = [("a", version, *event) for version, event in enumerate(events, start=1)]
        assert [_less(row) for row in await rows_of(storage, "a")] == stream
        assert [_less(row) for row in await rows_of(storage, "a", Span(backward=True))] == [
            *reversed(stream)
        ]
        for name in (None, "large", "small"):
            query = RowQuery(None if name is None else frozenset({name}))
            wanted = [row for row in stream if name is None or row[2] == name]
            for limit in (None, 9):
                for backward in (False, True):
                    pages = await pages_of(storage, 0, query, backward=backward, limit=limit)
                    found = [_less(row) for page in pages for row in page.rows]
                    assert found == wanted[:: -1 if backward else 1][:limit]

    async def test_one_append_of_many_megabytes_is_written_whole(self, parts: Parts) -> None:
        storage = storage_of(parts)
        events = [encoded(n)._replace(data=b"%d" % n * _LARGE) for n in range(8)]
        await storage.write([append_to("a", *events), append_to("b", encoded(9))])
        found = [EncodedEvent(*row[3:]) for row in await rows_of(storage, "a")]
        assert found == events
        assert len(await rows_of(storage, "b")) == 1

    async def test_the_largest_event_is_written_whole(self, parts: Parts) -> None:
        storage = storage_of(parts)
        large = encoded(1)._replace(data=bytes(range(256)) * (MAX_EVENT_BYTES // 256))
        for event in (encoded(0), large, encoded(2)):
            await storage.write([append_to("a", event)])
        sizes = [len(encoded(0).data), MAX_EVENT_BYTES, len(encoded(2).data)]
        rows = await rows_of(storage, "a")
        listed = [row for page in await pages_of(storage) for row in page.rows]
        assert [len(row.data) for row in rows] == [len(row.data) for row in listed] == sizes
        assert rows[1].data == listed[1].data == large.data

    async def test_readers_that_stop_half_way_hold_nobody_up(self, store: EventStore) -> None:
        await store.append("a", counted(*range(1500)), expected_version=0)
        async with asyncio.timeout(self.deadline):
            for number in range(12):
                readings = (store.read("a"), store.read_all(), store.read_all(backward=True))
                for events in readings:
                    # Left open while others write: its page is turned later, or never.
                    assert numbers_of([await anext(events)]) in ([0], [1499 + number])
                await store.append("a", counted(1500 + number), expected_version=ANY)
        assert await store.stream_version("a") == 1512

    async def test_who_reads_a_long_log_may_append_all_the_time(self, store: EventStore) -> None:
        await store.append("a", counted(*range(2500)), expected_version=0)
        events = [Event("contract.rare", {"number": n}) for n in range(10)]
        await store.append("a", events, expected_version=ANY)
        seen: list[int] = []
        async with asyncio.timeout(self.deadline):
            async for event in store.read_all():
                seen.append(event.version)
                if len(seen) % 250 == 0 and len(seen) <= 2500:
                    await store.append("b", counted(len(seen)), expected_version=ANY)
        assert seen[:2510] == [*range(1, 2511)]
        assert await store.stream_version("b") == 10


def _less(row: Row) -> tuple[object, ...]:
    """Give a row without its position."""
    return (*row[:2], *row[3:])
