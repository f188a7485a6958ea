"""Builds are paused, rewound and dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import ProjectionError
from eventsourcing_core.stores._builds import FencedError
from eventsourcing_core.testing._projections.samples import (
    LONG,
    NEXT,
    ORDERS,
    ProjectionChapter,
    add,
    at,
    batch_to,
    pages,
    park,
    put,
    segments_of,
    take,
)

if TYPE_CHECKING:
    from eventsourcing_core.stores._builds import Segment
    from eventsourcing_core.stores._projection_store import ProjectionStore


async def fenced(projections: ProjectionStore, mine: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """Check that whoever had these segments is fenced, and that they are free; give them."""
    arrangement = await projections.arrangement(ORDERS)
    assert arrangement.owners == {}
    new = arrangement.segments
    assert [segment.low for segment in new] == [segment.low for segment in mine]
    assert all(one.epoch > other.epoch for one, other in zip(new, mine, strict=True))
    with pytest.raises(FencedError):
        await batch_to(projections, mine, 9).__aenter__()
    return new


class UpkeepContract(ProjectionChapter):
    """What operators do to a build."""

    async def test_pausing_takes_claims_off_and_fences_whoever_had_them(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections, start=3)
        mine = await take(projections)
        await projections.set_paused(ORDERS, paused=True)
        segments = await fenced(projections, mine)
        assert {segment.progress for segment in segments} == {at(3)}
        (record,) = await projections.builds()
        assert record.is_paused
        assert (await projections.arrangement(ORDERS)).record == record

    async def test_what_is_resumed_goes_on(self, projections: ProjectionStore) -> None:
        await add(projections)
        await add(projections, NEXT)
        await projections.set_paused(ORDERS, paused=True)
        assert [record.is_paused for record in await projections.builds()] == [True, False]
        await projections.set_paused(ORDERS, paused=False)
        assert [record.is_paused for record in await projections.builds()] == [False, False]
        async with batch_to(projections, await take(projections), 5):
            pass
        assert {s.progress for s in await segments_of(projections)} == {at(5)}

    async def test_the_number_of_segments_that_are_wanted_is_kept(
        self, projections: ProjectionStore
    ) -> None:
        segments = await add(projections)
        await add(projections, NEXT)
        await projections.set_segments(ORDERS, 16)
        assert [record.wanted_segments for record in await projections.builds()] == [16, 2]
        arrangement = await projections.arrangement(ORDERS)
        assert (arrangement.record.wanted_segments, arrangement.segments) == (16, segments)

    async def test_rewinding_sets_all_segments_back_and_fences_whoever_had_them(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        mine = await take(projections)
        async with batch_to(projections, mine[:1], 7):
            pass
        await park(projections, "a", 3, retry_in=0)
        await projections.rewind(ORDERS, at(2))
        segments = await fenced(projections, mine)
        assert {segment.progress for segment in segments} == {at(2)}
        assert await projections.parked(ORDERS) == []
        # Not even who knew a segment at that very position.
        with pytest.raises(FencedError):
            await batch_to(projections, [s._replace(progress=at(2)) for s in mine], 9).__aenter__()

    async def test_what_is_dropped_is_gone(self, projections: ProjectionStore) -> None:
        await add(projections)
        mine = await take(projections)
        async with batch_to(projections, mine, 5) as batch:
            await batch.put({"a": "1"})
            await batch.park("b", [3], "broken", 0)
        await projections.drop(ORDERS)
        assert await projections.builds() == []
        assert await projections.calls() == frozenset()
        with pytest.raises(ProjectionError, match="orders"):
            await projections.arrangement(ORDERS)
        with pytest.raises(ProjectionError, match="orders"):
            await projections.live_values("orders", ["a"])
        with pytest.raises((ProjectionError, FencedError)):
            await batch_to(projections, mine, 6).__aenter__()

    async def test_what_was_dropped_can_be_registered_anew(
        self, projections: ProjectionStore
    ) -> None:
        before = await add(projections)
        await take(projections)
        await put(projections, {"a": "1"})
        await park(projections, "b", 3)
        await projections.drop(ORDERS)
        assert await add(projections) == before
        arrangement = await projections.arrangement(ORDERS)
        assert (arrangement.owners, arrangement.workers) == ({}, ())
        assert await projections.parked(ORDERS) == []
        assert await pages(projections) == []

    async def test_the_live_build_is_not_dropped_before_the_others(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await add(projections, NEXT)
        await put(projections, {"a": "1"})
        with pytest.raises(ProjectionError, match="orders"):
            await projections.drop(ORDERS)
        assert await pages(projections) == [("a", "1")]
        await projections.drop(NEXT)
        assert await pages(projections) == [("a", "1")]
        await projections.drop(ORDERS)
        assert await projections.builds() == []

    async def test_a_build_that_was_live_is_dropped_alone(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await add(projections, NEXT)
        await put(projections, {"a": "1"})
        await put(projections, {"a": "2"}, NEXT)
        await projections.begin_switch(ORDERS, seconds=LONG)
        assert await projections.finish_switch(NEXT, copy_progress=False)
        await projections.drop(ORDERS)
        assert [record.spec.build for record in await projections.builds()] == [NEXT]
        assert await pages(projections) == [("a", "2")]
