"""Batches move segments, and write, as a whole and once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import OutageError
from eventsourcing_core.stores._builds import FencedError
from eventsourcing_core.testing._projections.samples import (
    ORDERS,
    ProjectionChapter,
    add,
    at,
    batch_to,
    let_begin,
    park,
    parked,
    put,
    segments_of,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eventsourcing_core.stores._builds import Segment
    from eventsourcing_core.stores._projection_store import Batch, ProjectionStore


async def positions(projections: ProjectionStore) -> list[int]:
    """Give how far the segments are."""
    return [segment.progress.position for segment in await segments_of(projections)]


async def is_refused(projections: ProjectionStore, segments: Iterable[Segment]) -> bool:
    """Tell whether a batch of these segments is refused; it writes a value."""
    try:
        async with batch_to(projections, segments, 9) as batch:
            await batch.put({"refused": "1"})
    except FencedError:
        return True
    return False


class BatchContract(ProjectionChapter):
    """``ProjectionStore.batch``."""

    async def test_a_batch_moves_its_segments_when_its_block_is_left(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections, segments=3)
        first, second, third = before = await take(projections)
        async with batch_to(projections, (first, third), 5):
            assert await segments_of(projections) == before
        assert await segments_of(projections) == (
            first._replace(progress=at(5)),
            second,
            third._replace(progress=at(5)),
        )

    async def test_what_a_batch_writes_is_seen_when_its_block_is_left(
        self, projections: ProjectionStore
    ) -> None:
        segments = await add(projections)
        await park(projections, "c", 1)
        async with batch_to(projections, segments, 5) as batch:
            await batch.put({"a": "1", "b": "2"})
            await batch.park("b", [3, 4], "broken", 60)
            await batch.unpark("c", 1)
            assert await projections.live_values("orders", ["a", "b"]) == {}
            assert [*await parked(projections)] == ["c"]
        assert await projections.live_values("orders", ["a", "b"]) == {"a": "1", "b": "2"}
        assert [*await parked(projections)] == ["b"]

    async def test_an_error_in_the_block_takes_everything_back(
        self, projections: ProjectionStore
    ) -> None:
        async def fail() -> None:
            async with batch_to(projections, segments, 5) as batch:
                await batch.put({"a": "2", "b": "2"})
                await batch.park("b", [3, 4], "broken", 60)
                raise ZeroDivisionError

        segments = await add(projections)
        await put(projections, {"a": "1"})
        with pytest.raises(ZeroDivisionError):
            await fail()
        assert await segments_of(projections) == segments
        assert await projections.live_values("orders", ["a", "b"]) == {"a": "1"}
        assert await parked(projections) == {}
        async with batch_to(projections, segments, 6):
            pass
        assert await positions(projections) == [6, 6]

    async def test_a_batch_that_is_cancelled_leaves_nothing_and_holds_nobody_up(
        self, projections: ProjectionStore
    ) -> None:
        entered = asyncio.Event()

        async def hang() -> None:
            async with batch_to(projections, segments, 5) as batch:
                await batch.put({"a": "1"})
                entered.set()
                await asyncio.Event().wait()

        segments = await add(projections)
        async with asyncio.timeout(self.deadline):
            hanging = asyncio.create_task(hang())
            await entered.wait()
            hanging.cancel()
            with pytest.raises(asyncio.CancelledError):
                await hanging
            async with batch_to(projections, segments, 6):
                pass
        assert await positions(projections) == [6, 6]
        assert await projections.live_values("orders", ["a"]) == {}

    async def test_a_batch_from_another_position_is_refused(
        self, projections: ProjectionStore
    ) -> None:
        segments = await add(projections)
        async with batch_to(projections, segments, 5):
            pass
        behind, ahead = segments, [s._replace(progress=at(8)) for s in segments]
        assert await is_refused(projections, behind)
        assert await is_refused(projections, ahead)
        assert await positions(projections) == [5, 5]
        assert await projections.live_values("orders", ["refused"]) == {}

    async def test_a_batch_of_another_epoch_is_refused(self, projections: ProjectionStore) -> None:
        before = await add(projections)
        segments = await take(projections)
        assert await is_refused(projections, before)
        assert await is_refused(projections, [s._replace(epoch=s.epoch + 1) for s in segments])
        assert await positions(projections) == [0, 0]
        assert await projections.live_values("orders", ["refused"]) == {}
        assert not await is_refused(projections, segments)

    async def test_one_stale_segment_refuses_all_of_them(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections, segments=3)
        segments = await take(projections)
        for number, segment in enumerate(segments):
            stale = [*segments]
            stale[number] = segment._replace(epoch=segment.epoch - 1)
            assert await is_refused(projections, stale)
            stale[number] = segment._replace(progress=at(1))
            assert await is_refused(projections, stale)
        assert await positions(projections) == [0, 0, 0]
        assert await projections.live_values("orders", ["refused"]) == {}

    async def test_a_batch_may_stay_where_it_is(self, projections: ProjectionStore) -> None:
        segments = await add(projections, start=3)
        for number in ("1", "2"):
            async with batch_to(projections, segments, 3) as batch:
                await batch.put({"a": number})
        assert await segments_of(projections) == segments
        assert await projections.live_values("orders", ["a"]) == {"a": "2"}

    async def test_a_batch_waits_for_the_one_before_it_and_finds_it_has_moved(
        self, projections: ProjectionStore
    ) -> None:
        segments = await add(projections)
        async with asyncio.timeout(self.deadline):
            async with batch_to(projections, segments, 5) as batch:
                await batch.put({"a": "1"})
                second = asyncio.create_task(is_refused(projections, segments[1:]))
                await let_begin()
                assert not second.done()
            assert await second
        assert await positions(projections) == [5, 5]

    async def test_a_batch_that_waits_for_one_that_fails_goes_on(
        self, projections: ProjectionStore
    ) -> None:
        async def fail() -> None:
            async with batch_to(projections, segments, 5):
                entered.set()
                await let_fail.wait()
                raise ZeroDivisionError

        entered, let_fail = asyncio.Event(), asyncio.Event()
        segments = await add(projections)
        async with asyncio.timeout(self.deadline):
            failing = asyncio.create_task(fail())
            await entered.wait()
            second = asyncio.create_task(is_refused(projections, segments))
            await let_begin()
            let_fail.set()
            with pytest.raises(ZeroDivisionError):
                await failing
            assert not await second
        assert await positions(projections) == [9, 9]

    async def test_many_workers_count_each_event_once(self, projections: ProjectionStore) -> None:
        async def work(name: str) -> None:
            while (segments := await segments_of(projections))[0].progress.position < 30:
                position = segments[0].progress.position + 1
                try:
                    async with batch_to(projections, segments, position) as batch:
                        counts = await batch.values([name])
                        await asyncio.sleep(0)
                        await batch.put({name: str(int(counts.get(name, "0")) + 1)})
                except (FencedError, OutageError):
                    continue

        await add(projections)
        names = [f"worker-{number}" for number in range(4)]
        async with asyncio.timeout(3 * self.deadline):
            await asyncio.gather(*map(work, names))
        assert await positions(projections) == [30, 30]
        counts = await projections.live_values("orders", names)
        assert sum(map(int, counts.values())) == 30

    async def test_a_batch_reads_what_it_has_put(self, projections: ProjectionStore) -> None:
        segments = await add(projections)
        await put(projections, {"a": "1", "b": "1"})
        async with batch_to(projections, segments, 5) as batch:
            await batch.put({"a": "2", "c": "2"})
            await batch.put({"b": None})
            assert await batch.values(["c", "b", "a", "d"]) == {"a": "2", "c": "2"}

    async def test_a_savepoint_takes_back_what_its_block_did_and_no_more(
        self, projections: ProjectionStore
    ) -> None:
        async def fail(batch: Batch) -> None:
            async with batch.savepoint():
                await batch.put({"a": "2", "b": None, "c": "2"})
                await batch.park("c", [3], "broken", 60)
                await batch.unpark("p", 1)
                raise ZeroDivisionError

        segments = await add(projections)
        await park(projections, "p", 1)
        async with batch_to(projections, segments, 5) as batch:
            async with batch.savepoint():
                await batch.put({"a": "1", "b": "1"})
            with pytest.raises(ZeroDivisionError):
                await fail(batch)
            assert await batch.values(["a", "b", "c"]) == {"a": "1", "b": "1"}
            await batch.put({"d": "3"})
        values = await projections.live_values("orders", ["a", "b", "c", "d"])
        assert values == {"a": "1", "b": "1", "d": "3"}
        assert [*await parked(projections)] == ["p"]
        assert await positions(projections) == [5, 5]

    async def test_builds_are_apart(self, projections: ProjectionStore) -> None:
        one = await add(projections)
        other = ORDERS._replace(version=2)
        two = await add(projections, other)
        async with batch_to(projections, one, 5) as batch:
            await batch.put({"a": "1"})
            await batch.park("p", [1], "broken", 60)
        async with batch_to(projections, two, 3, other) as batch:
            assert await batch.values(["a"]) == {}
            await batch.put({"a": "2"})
        assert await positions(projections) == [5, 5]
        assert {s.progress for s in await segments_of(projections, other)} == {at(3)}
        assert await projections.live_values("orders", ["a"]) == {"a": "1"}
        assert await parked(projections, other) == {}
