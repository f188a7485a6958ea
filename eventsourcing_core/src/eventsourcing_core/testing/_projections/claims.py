"""Who works on what, by the store's clock."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.stores._builds import Arrangement, FencedError, Plan, Worker
from eventsourcing_core.testing._projections.samples import (
    LONG,
    ORDERS,
    RENEWED,
    SHORT,
    ProjectionChapter,
    add,
    batch_to,
    beat,
    carry_out,
    eventually,
    nothing,
    owned,
    segments_of,
    take,
    take_free,
)

if TYPE_CHECKING:
    from eventsourcing_core.stores._projection_store import ProjectionStore


def shift_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let this process believe that it is earlier or later; the store's clock stays."""
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds)


async def has_gone(projections: ProjectionStore, owner: str) -> bool:
    """Tell whether somebody's lease has run out."""
    workers = (await projections.arrangement(ORDERS)).workers
    return owner not in {worker.owner for worker in workers}


class ClaimContract(ProjectionChapter):
    """``ProjectionStore.beat`` and ``leave``: claims and workers."""

    async def test_a_claim_raises_the_epoch_and_says_whose_it_is(
        self, projections: ProjectionStore
    ) -> None:
        first, second, third = await add(projections, segments=3)
        plan = Plan(take=frozenset({first.low, third.low}))
        given = await carry_out(projections, plan, "a")
        assert given == await projections.arrangement(ORDERS)
        assert given.segments == (first._replace(epoch=1), second, third._replace(epoch=1))
        assert given.owners == {first.low: "a", third.low: "a"}
        given = await beat(projections, "b", take_free)
        assert given.owners == {first.low: "a", second.low: "b", third.low: "a"}
        assert given.segments[1] == second._replace(epoch=1)

    async def test_a_plan_is_asked_with_things_as_they_are(
        self, projections: ProjectionStore
    ) -> None:
        def note(arrangement: Arrangement) -> Plan:
            seen.append(arrangement)
            return Plan()

        seen: list[Arrangement] = []
        await add(projections)
        await take(projections, "a")
        given = await beat(projections, "b", note)
        assert seen == [given]
        assert given.workers == (Worker("a", None, None), Worker("b", None, None))
        assert owned(given, "a") == given.segments

    async def test_a_worker_shows_its_limit_and_what_it_last_failed_with(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        for limit, error in ((None, "broken"), (3, "broken again: é"), (4, None)):
            given = await projections.beat(ORDERS, Worker("a", limit, error), LONG, nothing)
            assert given.workers == (Worker("a", limit, error),)
            assert (await projections.arrangement(ORDERS)).workers == given.workers

    async def test_a_claim_ends_when_its_lease_runs_out(self, projections: ProjectionStore) -> None:
        first, second = await add(projections)
        await carry_out(projections, Plan(take=frozenset({first.low})), "long")
        await take(projections, "short", lease=SHORT)
        await eventually(lambda: has_gone(projections, "short"), self.deadline)
        arrangement = await projections.arrangement(ORDERS)
        assert arrangement.owners == {first.low: "long"}
        assert arrangement.workers == (Worker("long", None, None),)
        assert [s.low for s in await take(projections, "other")] == [second.low]

    async def test_a_beat_renews_what_a_process_has(self, projections: ProjectionStore) -> None:
        await add(projections)
        await take(projections, "a", lease=RENEWED)
        await beat(projections, "witness", lease=RENEWED)
        await beat(projections, "a")
        await eventually(lambda: has_gone(projections, "witness"), self.deadline)
        arrangement = await projections.arrangement(ORDERS)
        assert owned(arrangement, "a") == arrangement.segments

    async def test_a_beat_does_not_take_back_what_another_has_taken(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await take(projections, "a", lease=SHORT)
        await eventually(lambda: has_gone(projections, "a"), self.deadline)
        taken = await take(projections, "b")
        given = await beat(projections, "a")
        assert owned(given, "a") == ()
        assert owned(given, "b") == taken == given.segments

    async def test_whoever_was_taken_over_from_writes_nothing_more(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        mine = await take(projections, "a", lease=SHORT)
        await eventually(lambda: has_gone(projections, "a"), self.deadline)
        theirs = await take(projections, "b")
        with pytest.raises(FencedError):
            await batch_to(projections, mine, 5).__aenter__()
        async with batch_to(projections, theirs, 6):
            pass

    async def test_what_is_given_is_free_at_once(self, projections: ProjectionStore) -> None:
        first, second = await add(projections)
        before = await take(projections, "a")
        given = await carry_out(projections, Plan(give=frozenset({second.low})), "a")
        assert given.owners == {first.low: "a"}
        (taken,) = await take(projections, "b")
        assert (taken.low, taken.epoch) == (second.low, before[1].epoch + 1)

    async def test_leaving_frees_all_of_a_process_and_nothing_else(
        self, projections: ProjectionStore
    ) -> None:
        first, second, _ = await add(projections, segments=3)
        await carry_out(projections, Plan(take=frozenset({second.low})), "b")
        await take(projections, "a")
        await projections.leave(ORDERS, "a")
        arrangement = await projections.arrangement(ORDERS)
        assert arrangement.owners == {second.low: "b"}
        assert arrangement.workers == (Worker("b", None, None),)
        assert first.low in {segment.low for segment in await take(projections, "c")}

    async def test_plans_of_many_at_once_are_carried_out_one_by_one(
        self, projections: ProjectionStore
    ) -> None:
        def take_one(arrangement: Arrangement) -> Plan:
            return Plan(take=frozenset(sorted(take_free(arrangement).take)[:1]))

        names = [f"worker-{number}" for number in range(8)]
        await add(projections, segments=8)
        async with asyncio.timeout(self.deadline):
            await asyncio.gather(*(beat(projections, name, take_one) for name in names))
        arrangement = await projections.arrangement(ORDERS)
        assert sorted(arrangement.owners.values()) == names
        assert [segment.epoch for segment in arrangement.segments] == [1] * 8

    @pytest.mark.parametrize("seconds", [-3600.0, 3600.0])
    async def test_a_process_with_another_clock_takes_nothing(
        self, projections: ProjectionStore, monkeypatch: pytest.MonkeyPatch, seconds: float
    ) -> None:
        await add(projections)
        mine = await take(projections, "a")
        shift_clock(monkeypatch, seconds)
        assert await take(projections, "b") == ()
        monkeypatch.undo()
        arrangement = await projections.arrangement(ORDERS)
        assert owned(arrangement, "a") == mine
        assert [worker.owner for worker in arrangement.workers] == ["a", "b"]

    async def test_a_beat_waits_for_no_batch_and_takes_nothing_of_it(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        mine = await take(projections, "a", lease=SHORT)
        await eventually(lambda: has_gone(projections, "a"), self.deadline)
        async with asyncio.timeout(self.deadline), batch_to(projections, mine, 5):
            given = await beat(projections, "b", take_free)
            assert (given.segments, given.owners) == (mine, {})
        assert [segment.progress.position for segment in await segments_of(projections)] == [5, 5]
        assert len(await take(projections, "b")) == 2

    async def test_a_process_stays_alive_while_its_batch_is_open(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        mine = await take(projections, "a", lease=RENEWED)
        await beat(projections, "witness", lease=RENEWED)
        async with asyncio.timeout(self.deadline), batch_to(projections, mine, 5):
            await beat(projections, "a")
            await eventually(lambda: has_gone(projections, "witness"), self.deadline)
            assert owned(await projections.arrangement(ORDERS), "a") == mine
