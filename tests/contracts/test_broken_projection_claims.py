"""What is wrong with the claims and switches of these projection stores, the contract sees."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.stores import (
    BuildState,
    Plan,
    ProjectionError,
    Worker,
    rearranged,
)
from eventsourcing_core.testing import ProjectionStoreContract
from tests.contracts._broken_projections import BrokenProjections, new_location_of

if TYPE_CHECKING:
    from eventsourcing_core.stores import Arrangement, Build
    from eventsourcing_core.testing import NewLocation
    from eventsourcing_inmemory._builds import KeptBuild, ProjectionShelf


class Broken(BrokenProjections):
    """A fault of a beat, a plan or a switch."""


class TakesWithoutEpoch(Broken):
    caught_by = (
        "test_a_claim_raises_the_epoch_and_says_whose_it_is",
        "test_whoever_was_taken_over_from_writes_nothing_more",
        "test_what_is_given_is_free_at_once",
        "test_a_claim_is_that_of_both_handles",
    )

    def rearranged(
        self, kept: KeptBuild, before: Arrangement, owner: str, plan: Plan
    ) -> Arrangement:
        after = super().rearranged(kept, before, owner, plan)
        if not plan.take or plan.split or plan.merge:
            return after
        return after._replace(segments=before.segments)


class PlansWithoutItself(Broken):
    caught_by = ("test_a_plan_is_asked_with_things_as_they_are",)

    def planned_with(self, before: Arrangement, worker: Worker) -> Arrangement:
        return before._replace(workers=tuple(w for w in before.workers if w != worker))


class ForgetsErrors(Broken):
    caught_by = ("test_a_worker_shows_its_limit_and_what_it_last_failed_with",)

    async def renew(self, build: Build, kept: KeptBuild, worker: Worker, lease: float) -> None:
        await super().renew(build, kept, worker._replace(last_error=None), lease)


class KeepsErrors(Broken):
    caught_by = ("test_a_worker_shows_its_limit_and_what_it_last_failed_with",)

    async def renew(self, build: Build, kept: KeptBuild, worker: Worker, lease: float) -> None:
        _, known = kept.workers.get(worker.owner, (0, worker))
        error = worker.last_error or known.last_error
        await super().renew(build, kept, worker._replace(last_error=error), lease)


class LeasesAreForEver(Broken):
    caught_by = ("test_a_claim_ends_when_its_lease_runs_out",)

    async def renew(self, build: Build, kept: KeptBuild, worker: Worker, lease: float) -> None:
        await super().renew(build, kept, worker, lease + 3600)


class WorkersStayWithoutLease(Broken):
    caught_by = ("test_a_claim_ends_when_its_lease_runs_out",)

    def _arrangement(self, kept: KeptBuild) -> Arrangement:
        workers = sorted((w for _, w in kept.workers.values()), key=lambda w: w.owner)
        return super()._arrangement(kept)._replace(workers=tuple(workers))


class RenewsNothing(Broken):
    caught_by = (
        "test_a_beat_renews_what_a_process_has",
        "test_a_process_stays_alive_while_its_batch_is_open",
    )

    async def renew(self, build: Build, kept: KeptBuild, worker: Worker, lease: float) -> None:
        if worker.owner not in kept.workers:
            await super().renew(build, kept, worker, lease)


class RenewsNothingInABatch(Broken):
    caught_by = ("test_a_process_stays_alive_while_its_batch_is_open",)

    async def renew(self, build: Build, kept: KeptBuild, worker: Worker, lease: float) -> None:
        if not await self.is_in_the_way(build, {*kept.segments}):
            await super().renew(build, kept, worker, lease)


class RevivesClaims(Broken):
    """Renews what a process had, whoever has it now."""

    caught_by = ("test_a_beat_does_not_take_back_what_another_has_taken",)

    async def renew(self, build: Build, kept: KeptBuild, worker: Worker, lease: float) -> None:
        await super().renew(build, kept, worker, lease)
        had: dict[str, set[int]] = vars(self).setdefault("had", {})
        kept.claims.update(dict.fromkeys(had.get(worker.owner, ()), worker.owner))

    def rearranged(
        self, kept: KeptBuild, before: Arrangement, owner: str, plan: Plan
    ) -> Arrangement:
        had: dict[str, set[int]] = vars(self).setdefault("had", {})
        had.setdefault(owner, set()).update(plan.take)
        return super().rearranged(kept, before, owner, plan)


class GivesNothing(Broken):
    caught_by = ("test_what_is_given_is_free_at_once",)

    def rearranged(
        self, kept: KeptBuild, before: Arrangement, owner: str, plan: Plan
    ) -> Arrangement:
        return super().rearranged(kept, before, owner, plan._replace(give=frozenset()))


class LeavesItsClaims(Broken):
    caught_by = (
        "test_leaving_frees_all_of_a_process_and_nothing_else",
        "test_a_claim_is_that_of_both_handles",
    )

    async def leave(self, build: Build, owner: str) -> None:
        del build, owner


class LeavesForAll(Broken):
    caught_by = ("test_leaving_frees_all_of_a_process_and_nothing_else",)

    async def leave(self, build: Build, owner: str) -> None:
        await super().leave(build, owner)
        self._kept(build).claims.clear()


class PlansAtOnce(Broken):
    caught_by = ("test_plans_of_many_at_once_are_carried_out_one_by_one",)

    async def planned(self) -> None:
        await asyncio.sleep(0)


class ClockOfTheClient(Broken):
    caught_by = ("test_a_process_with_another_clock_takes_nothing",)

    def __init__(self, shelf: ProjectionShelf) -> None:
        super().__init__(shelf)
        self._clock = lambda: time.time()  # noqa: PLW0108 - as a test may have changed it


class WaitsForBatches(Broken):
    caught_by = (
        "test_a_beat_waits_for_no_batch_and_takes_nothing_of_it",
        "test_a_process_stays_alive_while_its_batch_is_open",
    )

    async def renew(self, build: Build, kept: KeptBuild, worker: Worker, lease: float) -> None:
        async with self.alone(build):
            await super().renew(build, kept, worker, lease)


class TakesDespiteABatch(Broken):
    caught_by = ("test_a_beat_waits_for_no_batch_and_takes_nothing_of_it",)

    async def is_in_the_way(self, build: Build, touched: set[int]) -> bool:
        del build, touched
        return False


class ArrangesWithoutEpoch(Broken):
    """Splits and merges, and leaves the epoch as it was."""

    caught_by = (
        "test_a_split_makes_two_halves_with_progress_and_owner",
        "test_a_merge_joins_two_segments_with_progress_and_owner",
        "test_segments_are_all_hashes_however_they_are_changed",
        "test_whoever_knew_a_segment_before_it_was_changed_writes_nothing",
    )

    def rearranged(
        self, kept: KeptBuild, before: Arrangement, owner: str, plan: Plan
    ) -> Arrangement:
        after = super().rearranged(kept, before, owner, plan)
        if not plan.split and not plan.merge:
            return after
        return after._replace(segments=tuple(s._replace(epoch=1) for s in after.segments))


class SplitsWithAHole(Broken):
    caught_by = (
        "test_a_split_makes_two_halves_with_progress_and_owner",
        "test_segments_are_all_hashes_however_they_are_changed",
    )

    def rearranged(
        self, kept: KeptBuild, before: Arrangement, owner: str, plan: Plan
    ) -> Arrangement:
        after = super().rearranged(kept, before, owner, plan)
        known = {s.low for s in before.segments}
        return after._replace(
            segments=tuple(
                s if s.low in known else s._replace(low=s.low + 1) for s in after.segments
            )
        )


class SplitLosesTheOwner(Broken):
    caught_by = ("test_a_split_makes_two_halves_with_progress_and_owner",)

    def rearranged(
        self, kept: KeptBuild, before: Arrangement, owner: str, plan: Plan
    ) -> Arrangement:
        after = super().rearranged(kept, before, owner, plan)
        return after._replace(owners=before.owners) if plan.split else after


class ArrangesOnlyWhatIsOwned(Broken):
    caught_by = ("test_what_nobody_has_claimed_is_split_and_merged",)

    def rearranged(
        self, kept: KeptBuild, before: Arrangement, owner: str, plan: Plan
    ) -> Arrangement:
        owned = before.owners.keys()
        return super().rearranged(
            kept, before, owner, plan._replace(split=plan.split & owned, merge=plan.merge & owned)
        )


class MergesAnything(Broken):
    caught_by = (
        "test_segments_at_different_progress_are_not_merged",
        "test_segments_of_different_owners_are_not_merged",
        "test_a_plan_is_carried_out_as_a_whole_or_not_at_all",
    )

    def rearranged(
        self, kept: KeptBuild, before: Arrangement, owner: str, plan: Plan
    ) -> Arrangement:
        if not plan.merge:
            return super().rearranged(kept, before, owner, plan)
        alike = before.segments[0].progress
        return rearranged(
            before._replace(
                segments=tuple(s._replace(progress=alike) for s in before.segments),
                owners=dict.fromkeys(before.owners, owner),
            ),
            owner,
            plan,
        )


class CarriesOutWhatItCan(Broken):
    caught_by = ("test_a_plan_is_carried_out_as_a_whole_or_not_at_all",)

    def rearranged(
        self, kept: KeptBuild, before: Arrangement, owner: str, plan: Plan
    ) -> Arrangement:
        after = rearranged(before, owner, Plan(take=plan.take, give=plan.give))
        kept.segments = {segment.low: segment for segment in after.segments}
        kept.claims = dict(after.owners)
        return rearranged(after, owner, Plan(split=plan.split, merge=plan.merge))


class BeginsWithoutFence(Broken):
    caught_by = ("test_beginning_takes_claims_off_and_fences_whoever_had_them",)

    async def begin_switch(self, build: Build, *, seconds: float) -> Arrangement:
        kept = self._kept(build)
        segments, claims = kept.segments, dict(kept.claims)
        await super().begin_switch(build, seconds=seconds)
        kept.segments, kept.claims = segments, claims
        return self._arrangement(kept)


class BeginsAnywhere(Broken):
    caught_by = ("test_only_what_is_live_is_switched_from",)

    async def begin_switch(self, build: Build, *, seconds: float) -> Arrangement:
        self._kept(build).switching_until = self._clock() + seconds
        return self._arrangement(self._kept(build))


class BothAreLive(Broken):
    caught_by = (
        "test_a_build_takes_the_place_of_the_live_one",
        "test_the_build_that_was_live_goes_on_and_can_be_live_again",
    )

    async def set_states(self, live: KeptBuild, kept: KeptBuild) -> None:
        del live
        kept.record = kept.record._replace(state=BuildState.LIVE)


class TheOldOneIsForgotten(Broken):
    """Keeps what was live no longer than it is."""

    caught_by = ("test_the_build_that_was_live_goes_on_and_can_be_live_again",)

    async def set_states(self, live: KeptBuild, kept: KeptBuild) -> None:
        await super().set_states(live, kept)
        live.segments = {low: s._replace(epoch=s.epoch + 1) for low, s in live.segments.items()}
        del self.shelf.builds[live.record.spec.build]


class SwitchesAnyhow(Broken):
    caught_by = ("test_a_build_that_is_behind_is_not_switched_to",)

    def has_caught_up(self, kept: KeptBuild, live: KeptBuild) -> bool:
        del kept, live
        return True


class OneThatIsFarEnoughWillDo(Broken):
    caught_by = ("test_a_build_that_is_behind_is_not_switched_to",)

    def has_caught_up(self, kept: KeptBuild, live: KeptBuild) -> bool:
        farthest = max(s.progress.position for s in kept.segments.values())
        return farthest >= max(s.progress.position for s in live.segments.values())


class ComparesTheFirst(Broken):
    caught_by = (
        "test_a_build_that_is_behind_is_not_switched_to[1",
        "test_a_build_that_is_behind_is_not_switched_to[2",
    )

    def has_caught_up(self, kept: KeptBuild, live: KeptBuild) -> bool:
        return kept.segments[0].progress.position >= live.segments[0].progress.position


class ComparesExtremes(Broken):
    caught_by = ("test_segments_of_different_width_are_compared_hash_by_hash",)

    def has_caught_up(self, kept: KeptBuild, live: KeptBuild) -> bool:
        last = min(s.progress.position for s in kept.segments.values())
        return last >= max(s.progress.position for s in live.segments.values())


class SwitchesBeforeItCompares(Broken):
    caught_by = ("test_a_build_that_is_behind_is_not_switched_to",)

    def has_caught_up(self, kept: KeptBuild, live: KeptBuild) -> bool:
        live.switching_until = 0
        return super().has_caught_up(kept, live)


class CopiesNothing(Broken):
    caught_by = ("test_a_reactor_takes_over_segments_and_progress",)

    def copy_progress(self, live: KeptBuild, kept: KeptBuild) -> None:
        del live
        kept.fence()


class CopiesInEpochOne(Broken):
    caught_by = (
        "test_a_reactor_takes_over_segments_and_progress",
        "test_what_is_fenced_is_fenced_after_a_switch_back",
    )

    def copy_progress(self, live: KeptBuild, kept: KeptBuild) -> None:
        super().copy_progress(live, kept)
        kept.segments = {low: s._replace(epoch=1) for low, s in kept.segments.items()}


class LeavesParkedKeysBehind(Broken):
    caught_by = ("test_a_reactor_takes_over_segments_and_progress",)

    def copy_progress(self, live: KeptBuild, kept: KeptBuild) -> None:
        parked = kept.parked
        super().copy_progress(live, kept)
        kept.parked = parked


class CopiesWithoutClaims(Broken):
    """Leaves claims on segments that are gone."""

    caught_by = ("test_a_reactor_takes_over_segments_and_progress",)

    def copy_progress(self, live: KeptBuild, kept: KeptBuild) -> None:
        claims = dict(kept.claims)
        super().copy_progress(live, kept)
        kept.claims = claims


class CancelsNothing(Broken):
    caught_by = ("test_a_switch_that_is_cancelled_changes_nothing",)

    async def cancel_switch(self, name: str) -> None:
        self._live(name)


class SwitchesForEver(Broken):
    caught_by = ("test_a_switch_that_is_not_finished_runs_out",)

    async def begin_switch(self, build: Build, *, seconds: float) -> Arrangement:
        return await super().begin_switch(build, seconds=seconds + 3600)


class KeepsTheLongerSwitch(Broken):
    caught_by = ("test_a_switch_that_is_not_finished_runs_out",)

    async def begin_switch(self, build: Build, *, seconds: float) -> Arrangement:
        until = self._kept(build).switching_until
        await super().begin_switch(build, seconds=seconds)
        self._kept(build).switching_until = max(until, self._kept(build).switching_until)
        return self._arrangement(self._kept(build))


class NeedsNoBeginning(Broken):
    caught_by = (
        "test_a_switch_is_not_finished_that_nobody_has_begun",
        "test_a_switch_that_is_cancelled_changes_nothing",
        "test_a_switch_that_is_not_finished_runs_out",
    )

    def check_switch(self, live: KeptBuild) -> None:
        del live


class SwitchesFromWhatIsPaused(Broken):
    caught_by = ("test_what_is_paused_is_not_switched_from",)

    def check_switch(self, live: KeptBuild) -> None:
        if not self._record(live).is_switching:
            message = "orders: nobody has begun"
            raise ProjectionError(message)


class SwitchesInSteps(Broken):
    caught_by = ("test_readers_see_one_build_or_the_other",)

    async def set_states(self, live: KeptBuild, kept: KeptBuild) -> None:
        live.record = live.record._replace(state=BuildState.RETIRED)
        for _ in range(10):
            await asyncio.sleep(0)
        kept.record = kept.record._replace(state=BuildState.LIVE)


class SwitchesValueByValue(Broken):
    caught_by = ("test_readers_see_one_build_or_the_other",)

    async def set_states(self, live: KeptBuild, kept: KeptBuild) -> None:
        values = dict(live.values)
        for key, value in kept.values.items():
            live.values[key] = value
            await asyncio.sleep(0)
        await super().set_states(live, kept)
        live.values = values


class ClosesForAll(Broken):
    caught_by = ("test_closing_one_handle_leaves_the_builds_of_the_other",)

    @classmethod
    def closing(cls, shelf: ProjectionShelf) -> None:
        for kept in shelf.builds.values():
            kept.claims.clear()


class TestBrokenClaims(ProjectionStoreContract):
    faults = tuple(Broken.__subclasses__())
    deadline = 2.0

    @pytest.fixture
    def new_location(self, fault: type[Broken]) -> NewLocation:
        return new_location_of(fault)
