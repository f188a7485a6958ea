"""One build takes the place of another, for all readers at once."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import ProjectionError
from eventsourcing_core.stores._builds import (
    BuildState,
    FencedError,
    Plan,
    ProjectionKind,
)
from eventsourcing_core.testing._projections.samples import (
    LONG,
    NEXT,
    ORDERS,
    SHORT,
    ProjectionChapter,
    add,
    at,
    batch_to,
    carry_out,
    eventually,
    pages,
    put,
    segments_of,
    take,
)
from eventsourcing_core.testing._samples import let_others_run

if TYPE_CHECKING:
    from eventsourcing_core.stores._builds import Build
    from eventsourcing_core.stores._projection_store import ProjectionStore

REACTOR = ProjectionKind.REACTOR


async def states(projections: ProjectionStore) -> list[BuildState]:
    """Give the states of the builds."""
    return [record.state for record in await projections.builds()]


async def is_switching(projections: ProjectionStore) -> bool:
    """Tell whether anything is being switched from."""
    return any(record.is_switching for record in await projections.builds())


async def move_to(projections: ProjectionStore, position: int, build: Build = ORDERS) -> None:
    """Move all segments of a build."""
    async with batch_to(projections, await segments_of(projections, build), position, build):
        pass


class SwitchContract(ProjectionChapter):
    """``ProjectionStore.begin_switch``, ``finish_switch`` and ``cancel_switch``."""

    async def test_beginning_takes_claims_off_and_fences_whoever_had_them(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await move_to(projections, 4)
        mine = await take(projections)
        given = await projections.begin_switch(ORDERS, seconds=LONG)
        assert given == await projections.arrangement(ORDERS)
        assert given.record.is_switching
        assert given.owners == {}
        assert [s._replace(epoch=0) for s in given.segments] == [s._replace(epoch=0) for s in mine]
        assert all(new.epoch > old.epoch for new, old in zip(given.segments, mine, strict=True))
        with pytest.raises(FencedError):
            await batch_to(projections, mine, 5).__aenter__()

    async def test_a_build_takes_the_place_of_the_live_one(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await add(projections, NEXT, segments=3)
        await put(projections, {"a": "1", "b": "1"})
        await put(projections, {"a": "2", "c": "2"}, NEXT)
        await move_to(projections, 5)
        await move_to(projections, 6, NEXT)
        before = await take(projections, build=NEXT)
        await projections.begin_switch(ORDERS, seconds=LONG)
        assert await projections.live_values("orders", ["a", "b", "c"]) == {"a": "1", "b": "1"}
        assert await projections.finish_switch(NEXT, copy_progress=False)
        assert await projections.live_values("orders", ["a", "b", "c"]) == {"a": "2", "c": "2"}
        assert await pages(projections) == [("a", "2"), ("c", "2")]
        assert await states(projections) == [BuildState.RETIRED, BuildState.LIVE]
        assert not await is_switching(projections)
        async with batch_to(projections, before, 7, NEXT) as batch:
            await batch.put({"d": "3"})
        assert await projections.live_values("orders", ["d"]) == {"d": "3"}

    async def test_the_build_that_was_live_goes_on_and_can_be_live_again(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await add(projections, NEXT)
        await projections.begin_switch(ORDERS, seconds=LONG)
        assert await projections.finish_switch(NEXT, copy_progress=False)
        segments = await take(projections)
        async with batch_to(projections, segments, 0) as batch:
            await batch.put({"a": "1"})
        assert await projections.live_values("orders", ["a"]) == {}
        await projections.begin_switch(NEXT, seconds=LONG)
        assert await projections.finish_switch(ORDERS, copy_progress=False)
        assert await states(projections) == [BuildState.LIVE, BuildState.RETIRED]
        assert await projections.live_values("orders", ["a"]) == {"a": "1"}

    @pytest.mark.parametrize("lagging", [0, 1, 2])
    async def test_a_build_that_is_behind_is_not_switched_to(
        self, projections: ProjectionStore, lagging: int
    ) -> None:
        await add(projections, segments=2)
        await add(projections, NEXT, segments=3)
        await move_to(projections, 5)
        segments = await segments_of(projections, NEXT)
        for number, segment in enumerate(segments):
            to = 4 if number == lagging else 9
            async with batch_to(projections, [segment], to, NEXT):
                pass
        await projections.begin_switch(ORDERS, seconds=LONG)
        before = await projections.builds()
        assert not await projections.finish_switch(NEXT, copy_progress=False)
        assert await projections.builds() == before
        late = (await segments_of(projections, NEXT))[lagging]
        async with batch_to(projections, [late], 5, NEXT):
            pass
        assert await projections.finish_switch(NEXT, copy_progress=False)

    async def test_a_reactor_takes_over_segments_and_progress(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections, kind=REACTOR, segments=3)
        await add(projections, NEXT, kind=REACTOR, segments=2, start=1)
        first, *others = await take(projections)
        async with batch_to(projections, [first], 8):
            pass
        async with batch_to(projections, others, 5) as batch:
            await batch.park("ann", [2, 5], "oh", 0)
        async with batch_to(projections, await segments_of(projections, NEXT), 1, NEXT) as batch:
            await batch.park("bob", [1], "no", 0)
        stale = await take(projections, build=NEXT)
        old = (await projections.begin_switch(ORDERS, seconds=LONG)).segments
        assert await projections.finish_switch(NEXT, copy_progress=True)
        given = await projections.arrangement(NEXT)
        assert given.record.state is BuildState.LIVE
        assert given.owners == {}
        assert [s._replace(epoch=0) for s in given.segments] == [s._replace(epoch=0) for s in old]
        assert [segment.progress for segment in given.segments] == [at(8), at(5), at(5)]
        assert [(key.key, key.positions) for key in await projections.parked(NEXT)] == [
            ("ann", (2, 5))
        ]
        # Nobody who had a segment of the same number before takes it for this one.
        known = {(segment.low, segment.epoch) for segment in stale}
        assert known.isdisjoint((segment.low, segment.epoch) for segment in given.segments)
        assert len(await take(projections, "b", NEXT)) == 3

    async def test_a_switch_that_is_cancelled_changes_nothing(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await add(projections, NEXT)
        await projections.cancel_switch("orders")
        await projections.begin_switch(ORDERS, seconds=LONG)
        await projections.cancel_switch("orders")
        assert not await is_switching(projections)
        assert await states(projections) == [BuildState.LIVE, BuildState.BUILDING]
        with pytest.raises(ProjectionError, match="orders"):
            await projections.finish_switch(NEXT, copy_progress=False)
        async with batch_to(projections, await take(projections), 5):
            pass

    async def test_a_switch_that_is_not_finished_runs_out(
        self, projections: ProjectionStore
    ) -> None:
        async def has_run_out() -> bool:
            return not await is_switching(projections)

        await add(projections)
        await add(projections, NEXT)
        await projections.begin_switch(ORDERS, seconds=LONG)
        await projections.begin_switch(ORDERS, seconds=SHORT)
        await eventually(has_run_out, self.deadline)
        with pytest.raises(ProjectionError, match="orders"):
            await projections.finish_switch(NEXT, copy_progress=False)
        assert await states(projections) == [BuildState.LIVE, BuildState.BUILDING]

    async def test_a_switch_is_not_finished_that_nobody_has_begun(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await add(projections, NEXT)
        for copy_progress in (False, True):
            with pytest.raises(ProjectionError, match="orders"):
                await projections.finish_switch(NEXT, copy_progress=copy_progress)
        assert await states(projections) == [BuildState.LIVE, BuildState.BUILDING]

    async def test_what_is_paused_is_not_switched_from(self, projections: ProjectionStore) -> None:
        await add(projections)
        await add(projections, NEXT)
        await projections.begin_switch(ORDERS, seconds=LONG)
        await projections.set_paused(ORDERS, paused=True)
        with pytest.raises(ProjectionError, match="orders"):
            await projections.finish_switch(NEXT, copy_progress=False)
        assert await states(projections) == [BuildState.LIVE, BuildState.BUILDING]

    async def test_only_what_is_live_is_switched_from(self, projections: ProjectionStore) -> None:
        await add(projections)
        await add(projections, NEXT)
        with pytest.raises(ProjectionError, match="orders"):
            await projections.begin_switch(NEXT, seconds=LONG)
        assert not await is_switching(projections)

    async def test_segments_of_different_width_are_compared_hash_by_hash(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections, segments=2)
        await add(projections, NEXT, segments=4)
        first, _ = await segments_of(projections)
        async with batch_to(projections, [first], 5):
            pass
        quarters = await segments_of(projections, NEXT)
        async with batch_to(projections, quarters[:2], 5, NEXT):
            pass
        await projections.begin_switch(ORDERS, seconds=LONG)
        assert await projections.finish_switch(NEXT, copy_progress=False)

    async def test_readers_see_one_build_or_the_other(self, projections: ProjectionStore) -> None:
        async def read() -> None:
            while not switched.is_set():
                seen.append(await projections.live_values("orders", ["a", "b"]))
                seen.append(dict(await pages(projections)))

        seen: list[object] = []
        turns = count()
        switched = asyncio.Event()
        await add(projections)
        await add(projections, NEXT)
        old, new = {"a": "1", "b": "1"}, {"a": "2", "b": "2"}
        await put(projections, old)
        await put(projections, new, NEXT)
        reading = asyncio.create_task(read())
        for one, other in ((ORDERS, NEXT), (NEXT, ORDERS)) * 3:
            wanted = len(seen) + 4
            await projections.begin_switch(one, seconds=LONG)
            assert await projections.finish_switch(other, copy_progress=False)
            async with asyncio.timeout(self.deadline):
                while len(seen) < wanted and not reading.done():
                    await let_others_run(next(turns))
        switched.set()
        await reading
        assert all(values in (old, new) for values in seen)
        assert old in seen
        assert new in seen

    async def test_what_is_fenced_is_fenced_after_a_switch_back(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections, kind=REACTOR)
        await add(projections, NEXT, kind=REACTOR)
        mine = await take(projections)
        await projections.begin_switch(ORDERS, seconds=LONG)
        assert await projections.finish_switch(NEXT, copy_progress=True)
        await carry_out(projections, Plan(), build=NEXT)
        await projections.begin_switch(NEXT, seconds=LONG)
        assert await projections.finish_switch(ORDERS, copy_progress=True)
        with pytest.raises(FencedError):
            await batch_to(projections, mine, 5).__aenter__()
