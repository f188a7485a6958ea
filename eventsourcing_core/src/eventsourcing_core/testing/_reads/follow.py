"""Following the log: what is there, what comes, and sleep in between."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

import pytest

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._encoding.front import StorageEventStore
from eventsourcing_core._errors import HistoryChangedError
from eventsourcing_core.stores._event_store import Checkpoint
from eventsourcing_core.testing._appends.append import ANY
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._reads.read_all import EVEN, ODD, six_events
from eventsourcing_core.testing._samples import collected, counted, numbers_of
from eventsourcing_core.testing._storage.counting import CountingStorage
from eventsourcing_core.testing._storage.samples import storage_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Collection
    from typing import Any

    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.stores._event_store import EventStore, Page
    from eventsourcing_core.stores._storage import Parts

_AT_REST = 0.25
"""Seconds for which a follower that sleeps is watched."""
_FEW = 3
"""Looks: at what is there, in vain, and once more for a store that may wake its readers early."""


class FollowContract(Chapter):
    """Followers, with and without a filter, and where they go on."""

    stretch: ClassVar[int] = 70_000  # a version does not fit into 16 bits any more
    """How many events a filter passes over in one test, a multiple of 1,000."""

    async def test_a_follower_gets_what_is_there_and_what_comes(self, store: EventStore) -> None:
        await six_events(store)
        following = _events(store.follow())
        async with (
            asyncio.timeout(self.deadline),
            aclosing(following) as events,
            asyncio.TaskGroup() as group,
        ):
            there = [await anext(events) for _ in range(6)]
            assert numbers_of(there) == [1, 2, 3, 4, 5, 6]
            for number in (7, 8, 9):
                coming = group.create_task(_next(events))
                await asyncio.sleep(0)
                await store.append("c", counted(number), expected_version=ANY)
                assert numbers_of([await coming]) == [number]

    async def test_a_follower_begins_after_the_position(self, store: EventStore) -> None:
        positions = await six_events(store)
        async with asyncio.timeout(self.deadline):
            for seen, position in enumerate(positions[:-1], start=1):
                page = await anext(store.follow(position))
                assert page.events[0].position == positions[seen]

    @pytest.mark.parametrize(
        ("event_types", "prefix", "expected"),
        [({EVEN}, None, [2, 4, 6]), (None, "b", [1, 2, 4]), ({ODD}, "a", [3, 5])],
    )
    async def test_a_follower_with_a_filter_gets_what_matches(
        self,
        store: EventStore,
        event_types: Collection[str] | None,
        prefix: str | None,
        expected: list[int],
    ) -> None:
        await six_events(store)
        pages = store.follow(event_types=event_types, stream_prefix=prefix)
        async with asyncio.timeout(self.deadline), aclosing(_events(pages)) as events:
            assert numbers_of([await anext(events) for _ in expected]) == expected

    async def test_a_follower_sleeps_behind_a_stretch_that_its_filter_passes_over(
        self, parts: Parts
    ) -> None:
        storage = CountingStorage(storage_of(parts))
        async with StorageEventStore(replace(parts, storage=storage), EventCodec()) as store:
            await store.append("wanted", counted(1, event_type=ODD), expected_version=0)
            for first in range(0, self.stretch, 1000):
                others = counted(*range(1000), event_type=EVEN)
                await store.append("others", others, expected_version=first)
            last = await store.last_position()
            assert await store.stream_version("others") == self.stretch
            storage.calls.clear()

            seen: list[Page] = []
            turns = 0
            async with asyncio.timeout(self.deadline), asyncio.TaskGroup() as group:
                following = group.create_task(_note(store.follow(event_types={ODD}), seen))
                while not (seen and seen[-1].seen_to >= last):
                    await asyncio.sleep(0)
                    turns += 1
                await asyncio.sleep(_AT_REST)
                following.cancel()
        assert turns > _FEW  # the event loop was not held
        assert seen[-1].seen_to == last
        assert numbers_of([event for page in seen for event in page.events]) == [1]
        assert storage.calls["rows_of_all"] <= _FEW
        assert storage.calls["wait"] <= _FEW

    async def test_a_follower_gets_an_event_that_comes_after_a_stretch(
        self, store: EventStore
    ) -> None:
        pages = store.follow(event_types={ODD})
        async with asyncio.timeout(self.deadline):
            for number in range(3):
                others = counted(*range(3000), event_type=EVEN)
                last = await store.append("a", others, expected_version=ANY)
                seen_to = 0
                while seen_to < last.position:
                    page = await anext(pages)
                    assert not page.events
                    seen_to = page.seen_to
                await store.append("a", counted(number, event_type=ODD), expected_version=ANY)
                while not (page := await anext(pages)).events:
                    assert page.seen_to >= seen_to
                assert numbers_of(page.events) == [number]

    async def test_followers_miss_nothing_while_others_append(self, store: EventStore) -> None:
        async def write(stream: int) -> None:
            for number in range(20):
                kind = ODD if number % 2 else EVEN
                await store.append(
                    f"doc-{stream}", counted(number, event_type=kind), expected_version=ANY
                )

        async def follow(event_types: set[str] | None, count: int) -> list[tuple[str, int]]:
            async with aclosing(_events(store.follow(event_types=event_types))) as events:
                places = [await anext(events) for _ in range(count)]
            return [(event.stream_id, event.version) for event in places]

        async with asyncio.timeout(self.deadline), asyncio.TaskGroup() as group:
            everything = group.create_task(follow(None, 200))
            odd = group.create_task(follow({ODD}, 100))
            for stream in range(10):
                group.create_task(write(stream))
        stored = await collected(store.read_all())
        assert everything.result() == [(event.stream_id, event.version) for event in stored]
        assert odd.result() == [(e.stream_id, e.version) for e in stored if e.event_type == ODD]

    async def test_a_follower_that_is_cancelled_does_no_harm(self, store: EventStore) -> None:
        await six_events(store)
        for turns in range(8):
            following = asyncio.create_task(_note(store.follow(), []))
            for _ in range(turns):
                await asyncio.sleep(0)
            following.cancel()
            await asyncio.wait({following}, timeout=self.deadline)
            assert following.cancelled()
        async with asyncio.timeout(self.deadline):
            assert len((await anext(store.follow())).events) > 0
            assert (await store.append("c", counted(7), expected_version=0)).version == 1

    async def test_a_follower_goes_on_from_a_checkpoint(self, store: EventStore) -> None:
        await six_events(store)
        async with asyncio.timeout(self.deadline):
            page = await anext(store.follow(event_types={ODD}))
            await store.append("a", counted(8, event_type=EVEN), expected_version=ANY)
            await store.append("a", counted(9, event_type=ODD), expected_version=ANY)
            assert page.checkpoint is not None
            following = store.follow(page.checkpoint, event_types={ODD})
            async with aclosing(_events(following)) as events:
                left = [n for n in (1, 3, 5, 9) if n not in numbers_of(page.events)]
                assert numbers_of([await anext(events) for _ in left]) == left

    async def test_a_checkpoint_of_another_event_is_a_changed_history(
        self, store: EventStore
    ) -> None:
        await six_events(store)
        events = await collected(store.read_all())
        for event in events:
            stranger = Checkpoint(event.position, UUID(int=7))
            with pytest.raises(HistoryChangedError) as caught:
                await anext(store.follow(stranger))
            error = caught.value
            assert (error.position, error.event_id) == (event.position, UUID(int=7))
            assert (error.found, error.last_position) == (event.event_id, events[-1].position)

    async def test_a_follower_ahead_of_the_store_is_told(self, store: EventStore) -> None:
        last = (await six_events(store))[-1]
        async with asyncio.timeout(self.deadline):
            for event_types in (None, {ODD}):
                with pytest.raises(HistoryChangedError):
                    await anext(store.follow(last + 1, event_types=event_types))

    async def test_a_checkpoint_beyond_the_end_is_a_changed_history(
        self, store: EventStore
    ) -> None:
        last = (await six_events(store))[-1]
        with pytest.raises(HistoryChangedError) as caught:
            await anext(store.follow(Checkpoint(last + 9, UUID(int=7))))
        assert (caught.value.found, caught.value.last_position) == (None, last)


async def _events(pages: AsyncIterator[Page]) -> AsyncGenerator[RecordedEvent[Any]]:
    """Give the events of pages, one by one."""
    async for page in pages:
        for event in page.events:
            yield event


async def _next(events: AsyncIterator[RecordedEvent[Any]]) -> RecordedEvent[Any]:
    return await anext(events)


async def _note(pages: AsyncIterator[Page], seen: list[Page]) -> None:
    """Note the pages that come, until it is cancelled."""
    async for page in pages:
        seen.append(page)  # noqa: PERF401 - it is looked at meanwhile, and there is no end
