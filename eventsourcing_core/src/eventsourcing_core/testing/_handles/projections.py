"""A projection store that is closed and opened again, or open twice at the same time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core._errors import OutageError
from eventsourcing_core.stores._builds import FencedError, Plan, Wish
from eventsourcing_core.testing._projections.samples import (
    LONG,
    NEXT,
    ORDERS,
    SHORT,
    OpenProjections,
    ProjectionChapter,
    add,
    at,
    batch_to,
    carry_out,
    eventually,
    owned,
    pages,
    park,
    parked,
    put,
    segments_of,
    spec_of,
    take,
)

if TYPE_CHECKING:
    from eventsourcing_core.stores._projection_store import ProjectionStore


class ReopenedProjectionContract(ProjectionChapter, needs=("is_durable",)):
    """Builds outlive the store; claims need not."""

    async def test_builds_are_there_when_it_is_opened_again(self, handles: OpenProjections) -> None:
        async with handles() as one:
            await add(one, start=1)
            await add(one, NEXT, segments=3)
            await one.set_paused(NEXT, paused=True)
            await one.set_segments(ORDERS, 5)
            async with batch_to(one, (await segments_of(one))[:1], 7):
                pass
            await carry_out(one, Plan(split=frozenset({0})))
            builds, segments = await one.builds(), await segments_of(one)
        for _ in range(2):
            async with handles() as one:
                assert await one.builds() == builds
                found = await segments_of(one)
                assert [(s.low, s.high, s.progress) for s in found] == [
                    (s.low, s.high, s.progress) for s in segments
                ]
                assert all(s.epoch >= t.epoch for s, t in zip(found, segments, strict=True))
                record = await one.register(spec_of(), segments=9, start=at(0), create=None)
                assert record == builds[0]

    async def test_values_are_there_when_it_is_opened_again(self, handles: OpenProjections) -> None:
        async with handles() as one:
            await add(one)
            await put(one, {"a": "1", "b": "1", "c": "1"})
            await put(one, {"b": None, "c": "2"})
        for _ in range(2):
            async with handles() as one:
                assert await pages(one) == [("a", "1"), ("c", "2")]
                assert await one.live_values("orders", ["a", "b"]) == {"a": "1"}

    async def test_parked_keys_are_there_when_it_is_opened_again(
        self, handles: OpenProjections
    ) -> None:
        async with handles() as one:
            await add(one)
            await park(one, "a", 3, 5)
            await park(one, "b", 4, retry_in=0)
            await one.wish(ORDERS, Wish.SKIP, "a")
            keys = await parked(one)
        for _ in range(2):
            async with handles() as one:
                assert await parked(one) == keys

    async def test_whoever_worked_before_it_was_opened_again_is_fenced_in_the_end(
        self, handles: OpenProjections
    ) -> None:
        async with handles() as one:
            await add(one)
            before = await take(one, lease=SHORT)
        async with handles() as one:
            await eventually(lambda: take(one, "b"), self.deadline)
            with pytest.raises(FencedError):
                await batch_to(one, before, 5).__aenter__()


class SharedProjectionContract(ProjectionChapter, needs=("is_shared",)):
    """No handle holds on to what another one has changed."""

    async def test_each_handle_sees_what_the_other_writes(self, handles: OpenProjections) -> None:
        async with handles() as one, handles() as other:
            await add(one)
            for number in range(1, 5):
                writer, reader = (one, other) if number % 2 else (other, one)
                async with batch_to(writer, await segments_of(writer), number) as batch:
                    await batch.put({"a": str(number)})
                    await batch.park("b", [number], "broken", LONG)
                    assert (await segments_of(reader))[0].progress == at(number - 1)
                assert (await segments_of(reader))[0].progress == at(number)
                assert await reader.live_values("orders", ["a"]) == {"a": str(number)}
                assert await pages(reader) == [("a", str(number))]
                assert (await parked(reader))["b"].waiting == number
            assert await other.builds() == await one.builds()

    async def test_a_claim_is_that_of_both_handles(self, handles: OpenProjections) -> None:
        async with handles() as one, handles() as other:
            await add(one)
            mine = await take(one, "a")
            assert await take(other, "b") == ()
            assert owned(await other.arrangement(ORDERS), "a") == mine
            assert await other.calls() == frozenset()
            await one.leave(ORDERS, "a")
            assert await other.calls() == {ORDERS}
            assert len(await take(other, "b")) == 2
            with pytest.raises(FencedError):
                await batch_to(one, mine, 5).__aenter__()

    async def test_what_an_operator_does_reaches_the_other_handle(
        self, handles: OpenProjections
    ) -> None:
        async with handles() as one, handles() as other:
            await add(one)
            await add(other, NEXT)
            await put(one, {"a": "1"})
            await put(other, {"a": "2"}, NEXT)
            mine = await take(one)
            await other.set_paused(ORDERS, paused=True)
            assert (await one.arrangement(ORDERS)).record.is_paused
            with pytest.raises(FencedError):
                await batch_to(one, mine, 5).__aenter__()
            await one.set_paused(ORDERS, paused=False)
            await one.live_values("orders", ["a"])
            await other.begin_switch(ORDERS, seconds=LONG)
            assert await one.finish_switch(NEXT, copy_progress=False)
            assert await other.live_values("orders", ["a"]) == {"a": "2"}
            assert await pages(one) == [("a", "2")]
            await other.drop(ORDERS)
            assert await one.builds() == await other.builds()

    async def test_of_batches_through_two_handles_at_once_one_is_committed(
        self, handles: OpenProjections
    ) -> None:
        async def move(projections: ProjectionStore, number: int) -> bool:
            try:
                async with batch_to(projections, segments, segments[0].progress.position + 1) as b:
                    await b.put({"a": str(number)})
            except (FencedError, OutageError):
                return False
            return True

        async with handles() as one, handles() as other:
            await add(one)
            for _ in range(5):
                segments = await segments_of(one)
                async with asyncio.timeout(self.deadline):
                    moved = await asyncio.gather(
                        *(move(each, n) for n, each in enumerate((one, other, one, other)))
                    )
                assert sum(moved) == 1
                winner = {"a": str(moved.index(True))}
                assert await other.live_values("orders", ["a"]) == winner

    async def test_a_build_is_made_once_through_two_handles(self, handles: OpenProjections) -> None:
        async def create(connection: Any) -> None:
            del connection
            await asyncio.sleep(0)

        async with handles() as one, handles() as other:
            registering = [
                each.register(spec_of(), segments=number, start=at(0), create=create)
                for number, each in enumerate((one, other, one, other), start=1)
            ]
            async with asyncio.timeout(self.deadline):
                records = await asyncio.gather(*registering)
            assert len(set(records)) == 1
            assert await other.builds() == await one.builds() == [records[0]]

    async def test_closing_one_handle_leaves_the_builds_of_the_other(
        self, handles: OpenProjections
    ) -> None:
        async with handles() as one:
            await add(one)
            mine = await take(one)
            async with handles() as other:
                await put(other, {"a": "1"})
            async with batch_to(one, mine, 5):
                pass
            assert owned(await one.arrangement(ORDERS), "a") == await segments_of(one)
            assert await pages(one) == [("a", "1")]
