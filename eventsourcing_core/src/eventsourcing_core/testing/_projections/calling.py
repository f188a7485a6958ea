"""What somebody should do at once is told in one question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.stores._builds import Build, Plan, ProjectionKind, Wish
from eventsourcing_core.testing._projections.samples import (
    LONG,
    NEXT,
    ORDERS,
    SHORT,
    ProjectionChapter,
    add,
    batch_to,
    carry_out,
    eventually,
    park,
    segments_of,
    take,
)

if TYPE_CHECKING:
    from eventsourcing_core.stores._projection_store import ProjectionStore


async def are_all_calling(projections: ProjectionStore, *builds: Build) -> bool:
    """Tell whether these builds call for somebody, and no others."""
    return await projections.calls() == frozenset(builds)


class CallContract(ProjectionChapter):
    """``ProjectionStore.calls``."""

    async def test_segments_that_nobody_has_claimed_call(
        self, projections: ProjectionStore
    ) -> None:
        assert await are_all_calling(projections)
        first, second = await add(projections)
        other = Build("names", 1)
        await add(projections, other)
        assert await are_all_calling(projections, ORDERS, other)
        await carry_out(projections, Plan(take=frozenset({first.low})))
        assert await are_all_calling(projections, ORDERS, other)
        await take(projections)
        assert await are_all_calling(projections, other)
        await carry_out(projections, Plan(give=frozenset({second.low})))
        assert await are_all_calling(projections, ORDERS, other)

    async def test_segments_call_when_a_lease_has_run_out(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await take(projections, lease=SHORT)
        await eventually(lambda: are_all_calling(projections, ORDERS), self.deadline)
        await take(projections, "b")
        assert await are_all_calling(projections)

    async def test_parked_keys_call_when_they_are_due_or_wished_for(
        self, projections: ProjectionStore
    ) -> None:
        async def fail_again(retry_in: float | None) -> None:
            async with batch_to(projections, await segments_of(projections), 0) as batch:
                await batch.fail_again("a", "broken", retry_in)

        await add(projections)
        await take(projections)
        await park(projections, "a", 1)
        assert await are_all_calling(projections)
        await fail_again(SHORT)
        await eventually(lambda: are_all_calling(projections, ORDERS), self.deadline)
        for wish, retry_in in ((Wish.RETRY, None), (Wish.SKIP, LONG)):
            await fail_again(retry_in)
            assert await are_all_calling(projections)
            await projections.wish(ORDERS, wish)
            assert await are_all_calling(projections, ORDERS)

    async def test_nothing_calls_of_a_build_that_is_paused_or_switching(
        self, projections: ProjectionStore
    ) -> None:
        await add(projections)
        await park(projections, "a", 1, retry_in=0)
        await projections.set_paused(ORDERS, paused=True)
        assert await are_all_calling(projections)
        await projections.set_paused(ORDERS, paused=False)
        assert await are_all_calling(projections, ORDERS)
        await projections.begin_switch(ORDERS, seconds=LONG)
        assert await are_all_calling(projections)
        await projections.cancel_switch("orders")
        assert await are_all_calling(projections, ORDERS)

    @pytest.mark.parametrize("kind", ProjectionKind)
    async def test_of_builds_that_are_not_live_only_reactors_do_not_call(
        self, projections: ProjectionStore, kind: ProjectionKind
    ) -> None:
        await add(projections, kind=kind)
        await add(projections, NEXT, kind=kind)
        copied = kind is ProjectionKind.REACTOR
        assert await are_all_calling(projections, *([ORDERS] if copied else [ORDERS, NEXT]))
        await projections.begin_switch(ORDERS, seconds=LONG)
        assert await projections.finish_switch(NEXT, copy_progress=copied)
        assert await are_all_calling(projections, *([NEXT] if copied else [ORDERS, NEXT]))
