"""Reading one stream."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.testing._appends.append import ANY
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import collected, counted, versions_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core.stores._event_store import EventStore

FAR = (2**16, 2**31, 2**32, 2**63 - 1, 2**63, 2**70)
"""Bounds that no stream here reaches, and that not every number of a database can hold."""


async def five_events(store: EventStore) -> None:
    """Put five events into a stream, with a neighbour before, between and after."""
    await store.append("doc", counted(-1), expected_version=0)
    await store.append("doc-1", counted(1, 2, 3), expected_version=0)
    await store.append("doc-10", counted(-2), expected_version=0)
    await store.append("doc-1", counted(4, 5), expected_version=3)
    await store.append("Doc-1", counted(-3), expected_version=0)


class ReadContract(Chapter):
    """Bounds, direction, limit, and readers that stop half way."""

    async def test_a_stream_is_read_by_version_without_its_neighbours(
        self, store: EventStore
    ) -> None:
        await five_events(store)
        events = await collected(store.read("doc-1"))
        assert versions_of(events) == [1, 2, 3, 4, 5]
        assert {event.stream_id for event in events} == {"doc-1"}

    async def test_an_unknown_stream_reads_as_empty(self, store: EventStore) -> None:
        await five_events(store)
        assert await collected(store.read("unknown")) == []
        assert await collected(store.read("unknown", backward=True)) == []

    @pytest.mark.parametrize(
        ("first", "last", "expected"),
        [
            (1, None, [1, 2, 3, 4, 5]),
            (2, None, [2, 3, 4, 5]),
            (5, None, [5]),
            (6, None, []),
            (1, 1, [1]),
            (1, 4, [1, 2, 3, 4]),
            (2, 4, [2, 3, 4]),
            (3, 3, [3]),
            (4, 9, [4, 5]),
            (4, 2, []),
            (6, 9, []),
        ],
    )
    async def test_bounds_are_inclusive(
        self, store: EventStore, first: int, last: int | None, expected: list[int]
    ) -> None:
        await five_events(store)
        forward = store.read("doc-1", from_version=first, to_version=last)
        assert versions_of(await collected(forward)) == expected
        backward = store.read("doc-1", from_version=first, to_version=last, backward=True)
        assert versions_of(await collected(backward)) == expected[::-1]

    @pytest.mark.parametrize("far", FAR)
    async def test_bounds_far_away_are_bounds(self, store: EventStore, far: int) -> None:
        await five_events(store)
        everything = store.read("doc-1", to_version=far, limit=far)
        assert versions_of(await collected(everything)) == [1, 2, 3, 4, 5]
        assert await collected(store.read("doc-1", from_version=far)) == []

    @pytest.mark.parametrize(
        ("limit", "expected"),
        [(0, []), (1, [1]), (3, [1, 2, 3]), (5, [1, 2, 3, 4, 5]), (6, [1, 2, 3, 4, 5])],
    )
    async def test_a_limit_counts_from_the_lowest_version(
        self, store: EventStore, limit: int, expected: list[int]
    ) -> None:
        await five_events(store)
        assert versions_of(await collected(store.read("doc-1", limit=limit))) == expected

    @pytest.mark.parametrize(("limit", "expected"), [(0, []), (1, [5]), (3, [5, 4, 3])])
    async def test_a_limit_counts_from_the_highest_version_backward(
        self, store: EventStore, limit: int, expected: list[int]
    ) -> None:
        await five_events(store)
        events = store.read("doc-1", backward=True, limit=limit)
        assert versions_of(await collected(events)) == expected

    async def test_a_limit_counts_within_the_bounds(self, store: EventStore) -> None:
        await five_events(store)
        forward = store.read("doc-1", from_version=2, to_version=4, limit=2)
        assert versions_of(await collected(forward)) == [2, 3]
        backward = store.read("doc-1", from_version=2, to_version=4, limit=2, backward=True)
        assert versions_of(await collected(backward)) == [4, 3]

    async def test_a_long_stream_is_read_whole(self, store: EventStore) -> None:
        count = 3000
        await store.append("doc-1", counted(*range(count)), expected_version=0)
        forward = versions_of(await collected(store.read("doc-1")))
        assert forward == list(range(1, count + 1))
        assert versions_of(await collected(store.read("doc-1", backward=True))) == forward[::-1]

    async def test_a_reader_that_stops_half_way_does_no_harm(self, store: EventStore) -> None:
        await five_events(store)
        async with asyncio.timeout(self.deadline):
            async for event in store.read("doc-1"):
                if event.version == 2:
                    break
            await anext(store.read_all())
            result = await store.append("doc-1", counted(6), expected_version=5)
            assert result.version == 6
            assert versions_of(await collected(store.read("doc-1"))) == [1, 2, 3, 4, 5, 6]

    async def test_many_readers_half_way_do_not_block_an_append(self, store: EventStore) -> None:
        await five_events(store)
        readers: list[AsyncIterator[object]] = [store.read("doc-1") for _ in range(25)]
        readers += [store.read_all() for _ in range(25)]
        async with asyncio.timeout(self.deadline):
            for reader in readers:
                await anext(reader)
            result = await store.append("doc-1", counted(6), expected_version=5)
        assert result.version == 6

    async def test_a_cancelled_reader_does_no_harm(self, store: EventStore) -> None:
        await five_events(store)
        for turns in range(4):
            reader = asyncio.create_task(collected(store.read("doc-1")))
            for _ in range(turns):
                await asyncio.sleep(0)
            reader.cancel()
            await asyncio.wait({reader}, timeout=self.deadline)
            assert reader.done()
        async with asyncio.timeout(self.deadline):
            assert versions_of(await collected(store.read("doc-1"))) == [1, 2, 3, 4, 5]

    async def test_a_reader_may_append_to_what_it_reads(self, store: EventStore) -> None:
        await five_events(store)
        seen: list[int] = []
        async with asyncio.timeout(self.deadline):
            async for event in store.read("doc-1"):
                seen.append(event.version)
                if len(seen) <= 5:
                    await store.append("doc-1", counted(0), expected_version=ANY)
        assert seen == list(range(1, len(seen) + 1))
        assert len(seen) >= 5
        assert versions_of(await collected(store.read("doc-1"))) == list(range(1, 11))
