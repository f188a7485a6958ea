"""Segments are split and merged, and are all hashes, each once."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.stores._builds import HASHES, FencedError, Plan, Segment
from eventsourcing_core.testing._projections.samples import (
    ORDERS,
    ProjectionChapter,
    add,
    at,
    batch_to,
    carry_out,
    park,
    segments_of,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eventsourcing_core.stores._projection_store import ProjectionStore


def splitting(*lows: int) -> Plan:
    """Split these."""
    return Plan(split=frozenset(lows))


def merging(*lows: int) -> Plan:
    """Merge these with the next ones."""
    return Plan(merge=frozenset(lows))


async def is_fenced(projections: ProjectionStore, segments: Iterable[Segment]) -> bool:
    """Tell whether each of these segments is refused."""
    for segment in segments:
        with suppress(FencedError):
            async with batch_to(projections, [segment], 99):
                return False
    return True


def are_all_hashes(segments: Sequence[Segment]) -> bool:
    """Tell whether segments are all hashes, each once, in order."""
    return [segment.low for segment in segments] + [HASHES] == [
        0,
        *(segment.high + 1 for segment in segments),
    ]


class ArrangingContract(ProjectionChapter):
    """``Plan.split`` and ``Plan.merge``."""

    async def test_a_split_makes_two_halves_with_progress_and_owner(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections, start=7)
        first, second = await take(projections)
        given = await carry_out(projections, splitting(second.low))
        assert given == await projections.arrangement(ORDERS)
        kept, *halves = given.segments
        assert kept == first
        assert [(half.low, half.high) for half in halves] == [(32768, 49151), (49152, 65535)]
        assert {half.progress for half in halves} == {at(7)}
        assert all(half.epoch > second.epoch for half in halves)
        assert given.owners == {segment.low: "a" for segment in given.segments}

    async def test_a_merge_joins_two_segments_with_progress_and_owner(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections, segments=4, start=7)
        before = await take(projections)
        given = await carry_out(projections, merging(before[1].low))
        assert given == await projections.arrangement(ORDERS)
        first, joined, last = given.segments
        assert (first, last) == (before[0], before[3])
        assert (joined.low, joined.high) == (before[1].low, before[2].high)
        assert joined.progress == at(7)
        assert joined.epoch > max(before[1].epoch, before[2].epoch)
        assert given.owners == {segment.low: "a" for segment in given.segments}

    async def test_what_nobody_has_claimed_is_split_and_merged(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections, segments=1)
        split = await carry_out(projections, splitting(0))
        assert [segment.low for segment in split.segments] == [0, 32768]
        merged = await carry_out(projections, merging(0))
        assert [segment.low for segment in merged.segments] == [0]
        assert (split.owners, merged.owners) == ({}, {})

    async def test_segments_at_different_progress_are_not_merged(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        first, _ = await take(projections)
        async with batch_to(projections, [first], 5):
            pass
        before = await projections.arrangement(ORDERS)
        with suppress(ValueError):
            await carry_out(projections, merging(first.low))
        assert await projections.arrangement(ORDERS) == before

    async def test_segments_of_different_owners_are_not_merged(
        self, projections: ProjectionStore
    ) -> None:
        first, _ = await add(projections)
        await carry_out(projections, Plan(take=frozenset({first.low})), "a")
        await take(projections, "b")
        before = await projections.arrangement(ORDERS)
        with suppress(ValueError):
            await carry_out(projections, merging(first.low), "a")
        assert await projections.arrangement(ORDERS) == before

    async def test_a_plan_is_carried_out_as_a_whole_or_not_at_all(
        self, projections: ProjectionStore
    ) -> None:
        first, second, _ = await add(projections, segments=3)
        async with batch_to(projections, [second], 5):
            pass
        before = await segments_of(projections)
        plan = Plan(take=frozenset({first.low}), merge=frozenset({second.low}))
        with suppress(ValueError):
            await carry_out(projections, plan)
        arrangement = await projections.arrangement(ORDERS)
        assert (arrangement.segments, arrangement.owners) == (before, {})

    @pytest.mark.parametrize("count", [2, 3])
    async def test_segments_are_all_hashes_however_they_are_changed(
        self, projections: ProjectionStore, count: int
    ) -> None:
        await add(projections, segments=count)
        seen: dict[tuple[int, int], Segment] = {}
        segments = await take(projections)
        for step in range(24):
            chosen = segments[step * 7 % len(segments)]
            is_last = chosen.high == HASHES - 1
            plan = splitting(chosen.low) if step % 3 or is_last else merging(chosen.low)
            segments = (await carry_out(projections, plan)).segments
            assert are_all_hashes(segments)
            # So that nobody who knew one of them takes a later one for it.
            for segment in segments:
                assert seen.setdefault((segment.low, segment.epoch), segment) == segment
        assert len(segments) > count

    async def test_whoever_knew_a_segment_before_it_was_changed_writes_nothing(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        before = await take(projections)
        split = (await carry_out(projections, splitting(*(s.low for s in before)))).segments
        assert await is_fenced(projections, before)
        merged = (await carry_out(projections, merging(0, split[2].low))).segments
        assert len(merged) == 2
        assert await is_fenced(projections, (*before, *split))
        again = (await carry_out(projections, splitting(*(s.low for s in before)))).segments
        assert await is_fenced(projections, (*before, *split, *merged))
        assert not await is_fenced(projections, again)

    async def test_parked_keys_are_those_of_the_segment_with_their_hash(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections, segments=1)
        keys = [f"key-{number}" for number in range(20)]
        for key in keys:
            await park(projections, key, 1)
        found = await projections.parked(ORDERS)
        for plan in (splitting(0), splitting(0, 32768), merging(0)):
            segments = (await carry_out(projections, plan)).segments
            counts = {s.low: sum(s.low <= key.hash <= s.high for key in found) for s in segments}
            wanted = {low: count for low, count in counts.items() if count}
            assert await projections.count_parked(ORDERS) == wanted
