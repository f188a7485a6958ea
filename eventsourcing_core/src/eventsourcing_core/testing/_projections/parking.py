"""Keys whose event failed wait, and their later events behind it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from zlib import crc32

import pytest

from eventsourcing_core.stores._builds import ParkedKey, Wish
from eventsourcing_core.testing._projections.claims import shift_clock
from eventsourcing_core.testing._projections.samples import (
    LONG,
    ORDERS,
    SHORT,
    ProjectionChapter,
    add,
    batch_to,
    eventually,
    let_begin,
    park,
    parked,
    segments_of,
)
from eventsourcing_core.testing._samples import ALIKE

if TYPE_CHECKING:
    from eventsourcing_core.stores._builds import Segment
    from eventsourcing_core.stores._projection_store import ProjectionStore


def hashed(key: str) -> int:
    """Give the hash of a key, as it is defined."""
    return crc32(key.encode()) & 0xFFFF


async def fail_again(projections: ProjectionStore, key: str, retry_in: float | None) -> None:
    """Let a parked key fail once more."""
    async with batch_to(projections, await segments_of(projections), 0) as batch:
        await batch.fail_again(key, "broken again", retry_in)


async def unpark(projections: ProjectionStore, key: str, to_position: int) -> None:
    """Take events of a parked key off."""
    async with batch_to(projections, await segments_of(projections), 0) as batch:
        await batch.unpark(key, to_position)


class ParkingContract(ProjectionChapter):
    """``Batch.park`` and the like, ``ProjectionStore.parked`` and ``wish``."""

    async def test_a_parked_key_says_what_waits_and_why(self, projections: ProjectionStore) -> None:
        await add(projections)
        await park(projections, "a", 3, 7, 8, error="broken: é")
        assert await projections.parked(ORDERS) == [
            ParkedKey(
                "a",
                hashed("a"),
                positions=(3, 7, 8),
                waiting=3,
                attempts=1,
                error="broken: é",
                is_due=False,
                wish=None,
                is_given_up=False,
            )
        ]

    async def test_parked_keys_come_by_hash_and_key(self, projections: ProjectionStore) -> None:
        await add(projections)
        async with batch_to(projections, await segments_of(projections), 0) as batch:
            for number, key in enumerate(ALIKE, start=1):
                await batch.park(key, [number], "broken", LONG)
        found = await projections.parked(ORDERS)
        in_order = sorted(ALIKE, key=lambda key: (hashed(key), key))
        assert [(key.hash, key.key) for key in found] == [(hashed(key), key) for key in in_order]
        assert {key.key: key.positions for key in found} == {
            key: (number,) for number, key in enumerate(ALIKE, start=1)
        }
        assert await projections.parked(ORDERS, first=3) == found[:3]

    async def test_later_events_are_parked_behind_those_that_wait(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await park(projections, "a", 3, 5)
        await park(projections, "a", 11, 20, error="another", retry_in=0)
        key = (await parked(projections))["a"]
        assert (key.positions, key.waiting) == ((3, 5, 11, 20), 4)
        assert (key.error, key.attempts, key.is_due) == ("broken", 1, False)

    async def test_many_events_wait_and_the_first_thousand_are_given(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        for first in range(1, 2501, 500):
            await park(projections, "a", *range(first, first + 500))
        key = (await parked(projections))["a"]
        assert (key.positions, key.waiting) == (tuple(range(1, 1001)), 2500)
        assert [key.key for key in await projections.parked_at(ORDERS, 2500)] == ["a"]
        await unpark(projections, "a", 2499)
        key = (await parked(projections))["a"]
        assert (key.positions, key.waiting) == ((2500,), 1)

    async def test_a_failure_is_counted_and_takes_the_wish_off(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await park(projections, "a", 3, 5, retry_in=0)
        await projections.wish(ORDERS, Wish.RETRY)
        await fail_again(projections, "a", LONG)
        key = (await parked(projections))["a"]
        assert (key.attempts, key.error, key.wish) == (2, "broken again", None)
        await projections.wish(ORDERS, Wish.SKIP)
        await fail_again(projections, "a", LONG)
        key = (await parked(projections))["a"]
        assert (key.attempts, key.wish) == (3, Wish.SKIP)
        assert (key.is_due, key.is_given_up, key.positions) == (False, False, (3, 5))

    async def test_a_key_that_is_given_up_is_not_due(self, projections: ProjectionStore) -> None:
        await add(projections)
        await park(projections, "a", 3, retry_in=0)
        await fail_again(projections, "a", None)
        key = (await parked(projections))["a"]
        assert (key.attempts, key.is_due, key.is_given_up) == (2, False, True)
        await park(projections, "a", 4, retry_in=0)
        assert (await parked(projections))["a"].is_given_up

    async def test_a_key_that_is_parked_for_good_is_given_up(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await park(projections, "a", 3, retry_in=None)
        await park(projections, "a", 4, retry_in=0)
        key = (await parked(projections))["a"]
        assert (key.attempts, key.is_due, key.is_given_up) == (1, False, True)
        await unpark(projections, "a", 3)
        assert (await parked(projections))["a"].is_due

    async def test_a_key_is_due_when_its_time_has_come(self, projections: ProjectionStore) -> None:
        async def is_due(name: str) -> bool:
            return (await parked(projections))[name].is_due

        await add(projections)
        await park(projections, "now", 1, retry_in=0)
        await park(projections, "soon", 2, retry_in=SHORT)
        await park(projections, "late", 3, retry_in=LONG)
        assert await is_due("now")
        await eventually(lambda: is_due("soon"), self.deadline)
        assert not await is_due("late")
        await fail_again(projections, "now", LONG)
        assert not await is_due("now")
        await fail_again(projections, "now", SHORT)
        await eventually(lambda: is_due("now"), self.deadline)

    @pytest.mark.parametrize("seconds", [-3600.0, 3600.0])
    async def test_a_key_is_due_by_the_clock_of_the_store(
        self, projections: ProjectionStore, monkeypatch: pytest.MonkeyPatch, seconds: float
    ) -> None:
        await add(projections)
        await park(projections, "late", 1)
        await park(projections, "now", 1, retry_in=0)
        shift_clock(monkeypatch, seconds)
        await park(projections, "late too", 2)
        await park(projections, "now too", 2, retry_in=0)
        shifted = {key: each.is_due for key, each in (await parked(projections)).items()}
        monkeypatch.undo()
        unshifted = {key: each.is_due for key, each in (await parked(projections)).items()}
        wanted = {"late": False, "now": True, "late too": False, "now too": True}
        assert shifted == unshifted == wanted

    async def test_unparking_some_events_makes_the_rest_due(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await park(projections, "a", 3, 5, 9)
        await park(projections, "b", 4)
        await projections.wish(ORDERS, Wish.SKIP, "a")
        await unpark(projections, "a", 3)
        keys = await parked(projections)
        assert (keys["a"].positions, keys["a"].waiting) == ((5, 9), 2)
        assert (keys["a"].attempts, keys["a"].is_due, keys["a"].wish) == (0, True, None)
        assert keys["b"].positions == (4,)

    async def test_unparking_the_last_event_frees_the_key(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await park(projections, "a", 3, 5)
        await unpark(projections, "a", 7)
        assert await projections.parked(ORDERS) == []
        await park(projections, "a", 8, error="another")
        key = (await parked(projections))["a"]
        assert (key.positions, key.attempts, key.error) == ((8,), 1, "another")

    async def test_a_key_that_is_given_up_begins_anew_with_the_next_event(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await park(projections, "a", 3, 5)
        await fail_again(projections, "a", None)
        await unpark(projections, "a", 3)
        key = (await parked(projections))["a"]
        assert (key.attempts, key.is_due, key.is_given_up) == (0, True, False)

    async def test_a_wish_is_for_one_key_or_for_all(self, projections: ProjectionStore) -> None:
        await add(projections)
        for key in ("a", "b", "c"):
            await park(projections, key, 1)
        assert await projections.wish(ORDERS, Wish.RETRY) == 3
        assert await projections.wish(ORDERS, Wish.SKIP, "b") == 1
        assert await projections.wish(ORDERS, Wish.SKIP, "nobody") == 0
        wishes = {key: each.wish for key, each in (await parked(projections)).items()}
        assert wishes == {"a": Wish.RETRY, "b": Wish.SKIP, "c": Wish.RETRY}

    async def test_a_wish_is_not_lost_to_a_batch_that_is_open(
        self, projections: ProjectionStore
    ) -> None:
        segments = await add(projections)
        await park(projections, "a", 3)
        async with asyncio.timeout(self.deadline):
            async with batch_to(projections, segments, 5) as batch:
                await batch.park("a", [4], "broken", LONG)
                wishing = asyncio.create_task(projections.wish(ORDERS, Wish.RETRY, "a"))
                await let_begin()
            assert await wishing == 1
        key = (await parked(projections))["a"]
        assert (key.positions, key.wish) == ((3, 4), Wish.RETRY)

    async def test_keys_are_found_by_the_position_of_an_event(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await park(projections, "a", 3, 5)
        await park(projections, "b", 5, 50)
        keys = await parked(projections)
        for position, names in ((3, "a"), (5, "ab"), (50, "b"), (4, ""), (6, "")):
            found = await projections.parked_at(ORDERS, position)
            assert {key.key: key for key in found} == {name: keys[name] for name in names}

    async def test_what_is_due_or_wished_for_is_given_by_segment_the_oldest_first(
        self, projections: ProjectionStore
    ) -> None:
        async def due(*segments: Segment, first: int = 9) -> list[ParkedKey]:
            return [*await projections.due(ORDERS, segments, first=first)]

        async def are_due(count: int) -> bool:
            return len(await due(*both)) == count

        both = await add(projections)
        by_hash = sorted(ALIKE, key=hashed)
        names = {s.low: [k for k in by_hash if s.low <= hashed(k) <= s.high] for s in both}
        one, other = names[both[0].low][:4], names[both[1].low][:4]
        for keys in (one, other[::-1]):
            for key, retry_in in zip(keys, (SHORT, 0.0, LONG, LONG), strict=True):
                await park(projections, key, 1, retry_in=retry_in)
        await eventually(lambda: are_due(4), self.deadline)
        found = await parked(projections)
        assert await due(both[0]) == [found[one[1]], found[one[0]]]
        assert await due(both[1]) == [found[other[-2]], found[other[-1]]]
        assert await due(both[1], first=1) == [found[other[-2]]]
        assert await due() == []
        assert await projections.wish(ORDERS, Wish.RETRY, one[2]) == 1
        assert {key.key for key in await due(both[0])} == {*one[:3]}
        await fail_again(projections, one[0], None)
        assert {key.key for key in await due(both[0])} == {*one[1:3]}

    async def test_parked_keys_are_counted_by_segment(self, projections: ProjectionStore) -> None:
        segments = await add(projections, segments=4)
        keys = [f"key-{number}" for number in range(9)]
        for key in keys:
            await park(projections, key, 1, 2)
        counts = {s.low: sum(s.low <= hashed(key) <= s.high for key in keys) for s in segments}
        wanted = {low: count for low, count in counts.items() if count}
        assert await projections.count_parked(ORDERS) == wanted
