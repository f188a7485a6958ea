"""What is wrong with how these projection stores keep builds, the contract sees."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.stores import (
    Build,
    BuildState,
    ProjectionError,
    ProjectionKind,
    registered,
)
from eventsourcing_core.testing import ProjectionStoreContract
from eventsourcing_inmemory._builds import KeptBuild
from tests.contracts._broken_projections import BrokenProjections, new_location_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import Any

    from eventsourcing_core.stores import (
        Arrangement,
        BuildRecord,
        BuildSpec,
        Progress,
        Segment,
        Worker,
    )
    from eventsourcing_core.testing import NewLocation


class Broken(BrokenProjections):
    """A fault of registering, of telling what is to be done, or of upkeep."""


class AllAreLive(Broken):
    caught_by = ("test_the_first_build_of_a_name_is_live_and_the_next_is_building",)

    def new_record(
        self, spec: BuildSpec, records: Sequence[BuildRecord], segments: int
    ) -> BuildRecord:
        return super().new_record(spec, records, segments)._replace(state=BuildState.LIVE)


class LastIsNoWider(Broken):
    caught_by = ("test_the_segments_of_a_new_build_are_all_hashes_at_its_start[3",)

    def new_segments(self, count: int, start: Progress) -> Sequence[Segment]:
        *others, last = super().new_segments(count, start)
        return [*others, last._replace(high=last.low + 65536 // count - 1)]


class WithoutCheckpoint(Broken):
    caught_by = ("test_the_segments_of_a_new_build_are_all_hashes_at_its_start",)

    def new_segments(self, count: int, start: Progress) -> Sequence[Segment]:
        return super().new_segments(count, start._replace(checkpoint=None))


class RegistersAnew(Broken):
    caught_by = ("test_what_is_registered_is_found_as_it_is",)

    def registered(self, spec: BuildSpec, records: Sequence[BuildRecord]) -> BuildRecord | None:
        registered(spec, records)
        return None


class FindsWhatIsAskedFor(Broken):
    caught_by = ("test_what_is_registered_as_something_else_is_refused",)

    def registered(self, spec: BuildSpec, records: Sequence[BuildRecord]) -> BuildRecord | None:
        found = [record for record in records if record.spec.build == spec.build]
        return found[0] if found else registered(spec, records)


class OnlyTheClassCounts(Broken):
    caught_by = (
        "test_what_is_registered_as_something_else_is_refused[kind",
        "test_what_is_registered_as_something_else_is_refused[indexes",
    )

    def registered(self, spec: BuildSpec, records: Sequence[BuildRecord]) -> BuildRecord | None:
        alike = [
            record._replace(spec=record.spec._replace(kind=spec.kind, indexes=spec.indexes))
            for record in records
        ]
        return registered(spec, alike)


class ForgetsWhichEvents(Broken):
    caught_by = ("test_processes_that_are_given_other_events_are_refused",)

    def registered(self, spec: BuildSpec, records: Sequence[BuildRecord]) -> BuildRecord | None:
        return registered(spec._replace(event_types=()), records)


class NamesAreForAll(Broken):
    caught_by = ("test_a_name_is_not_for_another_class",)

    def registered(self, spec: BuildSpec, records: Sequence[BuildRecord]) -> BuildRecord | None:
        return registered(
            spec,
            [
                r._replace(spec=r.spec._replace(class_name=spec.class_name))
                if r.spec.build != spec.build
                else r
                for r in records
            ],
        )


class AnyVersionIsNew(Broken):
    caught_by = ("test_a_new_build_below_the_live_one_is_refused",)

    def registered(self, spec: BuildSpec, records: Sequence[BuildRecord]) -> BuildRecord | None:
        return registered(spec, [r for r in records if r.spec.build == spec.build])


class RegistersWithoutLock(Broken):
    caught_by = (
        "test_all_that_register_a_build_at_once_get_the_same",
        "test_a_build_is_made_once_through_two_handles",
    )

    def lock_of_names(self, spec: BuildSpec) -> asyncio.Lock:
        del spec
        return asyncio.Lock()


class RegistersBeforeItCreates(Broken):
    caught_by = ("test_a_build_whose_tables_cannot_be_made_is_not_registered",)

    async def create(self, spec: BuildSpec, create: Callable[[Any], Awaitable[None]]) -> None:
        self.keep(spec.build, KeptBuild(self.new_record(spec, [], 1), {}))
        await create(None)


class HidesWhatCreateRaises(Broken):
    caught_by = ("test_a_build_whose_tables_cannot_be_made_is_not_registered",)

    async def create(self, spec: BuildSpec, create: Callable[[Any], Awaitable[None]]) -> None:
        try:
            await create(None)
        except Exception as error:
            raise ProjectionError(str(spec)) from error


class VersionsAsText(Broken):
    caught_by = ("test_builds_are_given_by_name_and_version",)

    async def builds(self) -> Sequence[BuildRecord]:
        return sorted(await super().builds(), key=lambda r: [str(x) for x in r.spec.build])


class MakesWhatIsMissing(Broken):
    caught_by = (
        "test_what_is_not_registered_is_an_error[arrangement",
        "test_what_is_not_registered_is_an_error[wish",
        "test_what_is_not_registered_is_an_error[beat",
        "test_what_is_not_registered_is_an_error[rewind",
    )

    def _kept(self, build: Build) -> KeptBuild:
        kept = next(iter(self.shelf.builds.values()))
        return self.shelf.builds.setdefault(build, KeptBuild(kept.record, kept.segments))


class UnknownNamesAreEmpty(Broken):
    caught_by = ("test_a_name_that_is_not_registered_is_an_error",)

    def _live(self, name: str) -> KeptBuild:
        try:
            return super()._live(name)
        except ProjectionError:
            return KeptBuild(next(iter(self.shelf.builds.values())).record, {})


class NobodyCalls(Broken):
    caught_by = (
        "test_segments_that_nobody_has_claimed_call",
        "test_segments_call_when_a_lease_has_run_out",
    )

    def _is_calling(self, kept: KeptBuild) -> bool:
        return super()._is_calling(kept) and bool(kept.claims) and not kept.owners(0.0)


class CallsUntilAnyIsTaken(Broken):
    caught_by = ("test_segments_that_nobody_has_claimed_call",)

    def _is_calling(self, kept: KeptBuild) -> bool:
        return super()._is_calling(kept) and not kept.owners(self._clock())


class DeadClaimsCount(Broken):
    caught_by = ("test_segments_call_when_a_lease_has_run_out",)

    def _is_calling(self, kept: KeptBuild) -> bool:
        return super()._is_calling(kept) and kept.claims.keys() != kept.segments.keys()


class ParkedKeysAreSilent(Broken):
    caught_by = ("test_parked_keys_call_when_they_are_due_or_wished_for",)

    def _is_calling(self, kept: KeptBuild) -> bool:
        return super()._is_calling(kept) and kept.owners(self._clock()) != kept.claims


class WishesAreSilent(Broken):
    caught_by = ("test_parked_keys_call_when_they_are_due_or_wished_for",)

    def _is_calling(self, kept: KeptBuild) -> bool:
        silent = any(key.wish and key.due is None for key in kept.parked.values())
        return super()._is_calling(kept) and not silent


class CallsForWhatIsPaused(Broken):
    caught_by = ("test_nothing_calls_of_a_build_that_is_paused_or_switching",)

    def _is_calling(self, kept: KeptBuild) -> bool:
        return super()._is_calling(kept) or kept.record.is_paused


class CallsForWhatIsSwitching(Broken):
    caught_by = ("test_nothing_calls_of_a_build_that_is_paused_or_switching",)

    def _is_calling(self, kept: KeptBuild) -> bool:
        return super()._is_calling(kept) or self._record(kept).is_switching


class CallsForAllReactors(Broken):
    caught_by = (
        "test_of_builds_that_are_not_live_only_reactors_do_not_call[ProjectionKind.REACTOR",
    )

    def _is_calling(self, kept: KeptBuild) -> bool:
        return super()._is_calling(kept) or kept.record.spec.kind is ProjectionKind.REACTOR


class OnlyLiveBuildsCall(Broken):
    caught_by = ("test_of_builds_that_are_not_live_only_reactors_do_not_call[ProjectionKind.VIEW",)

    def _is_calling(self, kept: KeptBuild) -> bool:
        return super()._is_calling(kept) and kept.record.state is BuildState.LIVE


class PausesWithoutFence(Broken):
    caught_by = (
        "test_pausing_takes_claims_off_and_fences_whoever_had_them",
        "test_what_an_operator_does_reaches_the_other_handle",
    )

    async def set_paused(self, build: Build, *, paused: bool) -> None:
        kept = self._kept(build)
        kept.record = kept.record._replace(is_paused=paused)


class PausesTheName(Broken):
    caught_by = ("test_what_is_resumed_goes_on",)

    async def set_paused(self, build: Build, *, paused: bool) -> None:
        for other in [each for each in self.shelf.builds if each.name == build.name]:
            await super().set_paused(other, paused=paused)


class IsNeverResumed(Broken):
    caught_by = ("test_what_is_resumed_goes_on",)

    async def set_paused(self, build: Build, *, paused: bool) -> None:
        if paused:
            await super().set_paused(build, paused=paused)


class SegmentsAreAsTheyWere(Broken):
    caught_by = ("test_the_number_of_segments_that_are_wanted_is_kept",)

    async def set_segments(self, build: Build, segments: int) -> None:
        del build, segments


class RewindsWithoutFence(Broken):
    caught_by = ("test_rewinding_sets_all_segments_back_and_fences_whoever_had_them",)

    async def rewind(self, build: Build, to: Progress) -> None:
        kept = self._kept(build)
        kept.parked.clear()
        kept.segments = {low: s._replace(progress=to) for low, s in kept.segments.items()}


class RewindsPastParkedKeys(Broken):
    caught_by = ("test_rewinding_sets_all_segments_back_and_fences_whoever_had_them",)

    async def rewind(self, build: Build, to: Progress) -> None:
        kept = self._kept(build)
        parked = dict(kept.parked)
        await super().rewind(build, to)
        kept.parked.update(parked)


class DropsNothing(Broken):
    caught_by = ("test_what_is_dropped_is_gone",)

    async def drop(self, build: Build) -> None:
        self._kept(build)


class DropsTheRecordOnly(Broken):
    caught_by = ("test_what_was_dropped_can_be_registered_anew",)

    def keep(self, build: Build, kept: KeptBuild) -> None:
        kept.values = self.values.setdefault(build, kept.values)
        super().keep(build, kept)

    @property
    def values(self) -> dict[Build, dict[str, str]]:
        kept: dict[Build, dict[str, str]] = vars(self).setdefault("dropped", {})
        return kept


class DropsWhatIsLive(Broken):
    caught_by = ("test_the_live_build_is_not_dropped_before_the_others",)

    async def drop(self, build: Build) -> None:
        self._kept(build)
        del self.shelf.builds[build]


class DropsTheName(Broken):
    caught_by = (
        "test_a_build_that_was_live_is_dropped_alone",
        "test_the_live_build_is_not_dropped_before_the_others",
    )

    async def drop(self, build: Build) -> None:
        await super().drop(build)
        for other in [each for each in self.shelf.builds if each.name == build.name]:
            del self.shelf.builds[other]


class KeysAreOfAllVersions(Broken):
    """Has one set of values for a name."""

    caught_by = (
        "test_builds_are_apart",
        "test_only_the_values_of_the_live_build_are_read",
        "test_a_build_takes_the_place_of_the_live_one",
    )

    def keep(self, build: Build, kept: KeptBuild) -> None:
        for other, first in self.shelf.builds.items():
            if other.name == build.name:
                kept.values = first.values
        super().keep(build, kept)


class NamesRunTogether(Broken):
    caught_by = ("test_builds_of_names_that_are_alike_have_values_of_their_own",)

    def keep(self, build: Build, kept: KeptBuild) -> None:
        for other, first in self.shelf.builds.items():
            if f"{other.name}-{other.version}" in (build.name, f"{build.name}-{build.version}"):
                kept.values = first.values
        super().keep(build, kept)


class ReadsTheNewest(Broken):
    caught_by = ("test_only_the_values_of_the_live_build_are_read",)

    def _live(self, name: str) -> KeptBuild:
        found = [kept for build, kept in self.shelf.builds.items() if build.name == name]
        return found[-1] if found else super()._live(name)


class Remembers(Broken):
    """Keeps values that it has read."""

    caught_by = ("test_each_handle_sees_what_the_other_writes",)

    async def live_values(self, name: str, keys: Sequence[str]) -> Mapping[str, str]:
        known: dict[str, str] = vars(self).setdefault("known", {})
        known.update(
            (key, value)
            for key, value in (await super().live_values(name, keys)).items()
            if key not in known
        )
        return {key: known[key] for key in keys if key in known}


class RemembersWhatIsLive(Broken):
    caught_by = ("test_what_an_operator_does_reaches_the_other_handle",)

    def _live(self, name: str) -> KeptBuild:
        known: dict[str, KeptBuild] = vars(self).setdefault("live", {})
        return known.setdefault(name, super()._live(name))


class KnowsItsOwnWorkersOnly(Broken):
    caught_by = ("test_a_claim_is_that_of_both_handles",)

    def _arrangement(self, kept: KeptBuild) -> Arrangement:
        arrangement = super()._arrangement(kept)
        mine = vars(self).get("mine", "")
        owners = {low: owner for low, owner in arrangement.owners.items() if owner == mine}
        return arrangement._replace(owners=owners)

    async def renew(self, build: Build, kept: KeptBuild, worker: Worker, lease: float) -> None:
        vars(self)["mine"] = worker.owner
        await super().renew(build, kept, worker, lease)


class Forgets(Broken):
    """Has nothing of what was there when it is opened again."""

    caught_by = (
        "test_builds_are_there_when_it_is_opened_again",
        "test_values_are_there_when_it_is_opened_again",
        "test_parked_keys_are_there_when_it_is_opened_again",
        "test_closing_one_handle_leaves_the_builds_of_the_other",
    )

    @classmethod
    def closing(cls, shelf: Any) -> None:
        shelf.builds.clear()


class ForgetsEpochs(Broken):
    caught_by = (
        "test_builds_are_there_when_it_is_opened_again",
        "test_whoever_worked_before_it_was_opened_again_is_fenced_in_the_end",
    )

    @classmethod
    def closing(cls, shelf: Any) -> None:
        for kept in shelf.builds.values():
            kept.segments = {low: s._replace(epoch=0) for low, s in kept.segments.items()}


class ForgetsWishes(Broken):
    caught_by = ("test_parked_keys_are_there_when_it_is_opened_again",)

    @classmethod
    def closing(cls, shelf: Any) -> None:
        for kept in shelf.builds.values():
            kept.parked = {key: each._replace(wish=None) for key, each in kept.parked.items()}


class RevivesValues(Broken):
    """Has values that were taken away, when it is opened again."""

    caught_by = ("test_values_are_there_when_it_is_opened_again",)

    @classmethod
    def closing(cls, shelf: Any) -> None:
        for kept in shelf.builds.values():
            kept.values = {"b": "1"} | kept.values


class TestBrokenBuilds(ProjectionStoreContract):
    faults = tuple(Broken.__subclasses__())
    deadline = 1.0

    @pytest.fixture
    def new_location(self, fault: type[Broken]) -> NewLocation:
        return new_location_of(fault)
