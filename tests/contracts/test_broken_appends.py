"""What is wrong with these stores' appends, the contract sees."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from eventsourcing_core import AppendResult, ConcurrencyError, DuplicateEventError, ExpectedVersion
from eventsourcing_core.stores import Row, Written
from eventsourcing_core.testing._appends.append import AppendContract
from eventsourcing_core.testing._appends.repetition import RepetitionContract
from eventsourcing_core.testing._appends.unique_ids import UniqueIdContract
from eventsourcing_core.testing._machine.machine import MachineContract
from tests.contracts._broken import BrokenStorage, changed, expecting, opening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, Placed, Verdict
    from eventsourcing_core.testing import OpenParts

ANY = ExpectedVersion.ANY
MODEL = "test_a_store_does_what_the_model_does"


class Broken(BrokenStorage):
    """A fault decides, or writes, in another way; each append is to one stream."""


class ResultOffByOne(Broken):
    caught_by = (
        "test_a_new_stream_begins_at_version_1",
        "test_an_append_goes_on_after_the_last_version",
        "test_events_of_a_conflict_can_be_appended_afterwards",
        "test_a_result_is_the_place_of_the_last_event",
        MODEL,
    )

    def keep(self, append: Append, placed: Sequence[Placed]) -> Written:
        written = super().keep(append, placed)
        return changed(written, lambda result: result._replace(version=result.version + 1))


class VersionsFromZero(Broken):
    caught_by = (
        "test_a_new_stream_begins_at_version_1",
        "test_an_append_goes_on_after_the_last_version",
        "test_versions_have_no_holes",
        MODEL,
    )

    def add(self, rows: Sequence[Row]) -> None:
        super().add([row._replace(version=row.version - 1) for row in rows])


class ZeroIsFalsy(Broken):
    caught_by = (
        "test_expected_version_0_is_checked",
        "test_a_conflict_carries_the_facts[0]",
        "test_a_conflict_writes_nothing",
        "test_events_of_a_conflict_can_be_appended_afterwards",
        "test_versions_have_no_holes",
        "test_ids_at_another_place_than_expected_are_a_conflict",
        "test_stored_events_followed_by_a_new_one_are_a_conflict",
        "test_a_stored_event_before_a_different_one_is_a_conflict",
        MODEL,
    )

    def decide(self, append: Append) -> Written:
        return super().decide(expecting(append, append.writes[0].expected_version or ANY))


class ConflictIgnored(Broken):
    caught_by = (
        "test_no_stream_is_a_conflict_where_there_is_one",
        "test_stream_exists_is_a_conflict_where_there_is_none",
        "test_another_version_is_a_conflict",
        "test_a_version_of_an_unknown_stream_is_a_conflict",
        "test_a_conflict_carries_the_facts",
        "test_a_conflict_with_a_missing_stream_says_version_0",
        MODEL,
    )

    def decide(self, append: Append) -> Written:
        try:
            return super().decide(append)
        except ConcurrencyError:
            return super().decide(expecting(append, ANY))


class HigherVersionsPass(Broken):
    caught_by = (
        "test_another_version_is_a_conflict[3]",
        "test_another_version_is_a_conflict[4]",
        "test_a_version_of_an_unknown_stream_is_a_conflict",
        MODEL,
    )

    def decide(self, append: Append) -> Written:
        (write,) = append.writes
        version = self.version(write.stream_id)
        if isinstance(write.expected_version, int) and write.expected_version > version:
            append = expecting(append, version)
        return super().decide(append)


class ConflictWithoutFacts(Broken):
    caught_by = (
        "test_a_conflict_carries_the_facts",
        "test_a_conflict_with_a_missing_stream_says_version_0",
    )

    def verdict(self, append: Append) -> Verdict:
        verdict = super().verdict(append)
        if isinstance(verdict, ConcurrencyError):
            return ConcurrencyError(verdict.stream_id, verdict.expected, -1)
        return verdict


class ConflictWritten(Broken):
    caught_by = (
        "test_a_conflict_writes_nothing",
        "test_versions_have_no_holes",
        MODEL,
    )

    def verdict(self, append: Append) -> Verdict:
        verdict = super().verdict(append)
        if isinstance(verdict, ConcurrencyError):
            super().verdict(expecting(append, ANY))
        return verdict


class ConflictUsesIdsUp(Broken):
    caught_by = ("test_events_of_a_conflict_can_be_appended_afterwards",)

    def verdict(self, append: Append) -> Verdict:
        verdict = super().verdict(append)
        if isinstance(verdict, ConcurrencyError):
            for event in append.writes[0].events:
                self.log.places.setdefault(event.event_id, Row("refused", 1, 1, *event))
        return verdict


class HalfApplied(Broken):
    caught_by = (
        "test_several_events_are_written_all_or_none",
        "test_an_id_twice_in_one_append_is_a_duplicate",
        "test_stored_ids_with_a_new_one_are_duplicates",
        MODEL,
    )

    def decide(self, append: Append) -> Written:
        (write,) = append.writes
        for event in write.events[:-1]:
            only = append._replace(writes=(write._replace(events=(event,)),))
            version = super().decide(only).results[0].version
            write = write._replace(expected_version=version)
        return super().decide(append._replace(writes=(write._replace(events=write.events[-1:]),)))


class PlaceOfTheFirst(Broken):
    caught_by = (
        "test_an_append_goes_on_after_the_last_version",
        "test_a_result_is_the_place_of_the_last_event",
        MODEL,
    )

    def keep(self, append: Append, placed: Sequence[Placed]) -> Written:
        before = len(placed) - 1
        written = super().keep(append, placed)
        return changed(
            written, lambda result: AppendResult(result.version - before, result.position - before)
        )


class EventsTurnedRound(Broken):
    caught_by = ("test_an_append_goes_on_after_the_last_version[3]", MODEL)

    def keep(self, append: Append, placed: Sequence[Placed]) -> Written:
        turned = zip(placed, reversed(placed), strict=True)
        return super().keep(append, [(key, at, event) for (key, at, _), (*_, event) in turned])


class OneVersionForAllStreams(Broken):
    caught_by = (
        "test_each_stream_has_versions_of_its_own",
        "test_versions_have_no_holes",
        "test_a_result_is_the_place_of_the_last_event",
    )

    def versions(self, append: Append) -> dict[str, int]:
        return {key: len(self.log.rows) for key in append.keys}


class PositionsByStream(Broken):
    caught_by = ("test_positions_increase_over_all_streams", MODEL)

    def add(self, rows: Sequence[Row]) -> None:
        super().add([row._replace(position=row.version) for row in rows])


class RetryIsAConflict(Broken):
    caught_by = (
        "test_a_repeated_append_gives_the_original_result",
        "test_a_repeated_append_to_an_existing_stream_gives_the_original_result",
        "test_an_append_is_repeated_after_later_appends",
        "test_the_beginning_of_an_append_counts_as_repeated",
        "test_any_repeats_ids_that_stand_apart",
        "test_an_append_to_any_version_is_repeated",
        "test_an_append_to_any_version_of_an_existing_stream_is_repeated",
        "test_an_append_to_any_version_is_repeated_after_later_appends",
        MODEL,
    )

    def decide(self, append: Append) -> Written:
        if self.places(append):
            (write,) = append.writes
            version = self.version(write.stream_id)
            raise ConcurrencyError(write.stream_id, write.expected_version, version)
        return super().decide(append)


class IdsUnchecked(Broken):
    caught_by = (
        "test_several_events_are_written_all_or_none",
        "test_a_repeated_append_gives_the_original_result",
        "test_an_append_to_any_version_is_repeated",
        "test_an_append_to_any_version_of_an_existing_stream_is_repeated",
        "test_ids_in_another_order_are_duplicates",
        "test_an_id_of_another_stream_is_a_duplicate",
        "test_stored_ids_with_a_new_one_are_duplicates",
        "test_stored_ids_at_the_expected_end_are_duplicates",
        "test_a_duplicate_carries_the_facts",
        MODEL,
    )

    def places(self, append: Append) -> dict[bytes, Row]:  # noqa: ARG002 - the fault
        return {}


class RetryGivesTheNewest(Broken):
    caught_by = (
        "test_an_append_is_repeated_after_later_appends",
        "test_an_append_to_any_version_is_repeated_after_later_appends",
        "test_the_beginning_of_an_append_counts_as_repeated",
        MODEL,
    )

    def decide(self, append: Append) -> Written:
        written = super().decide(append)
        newest = self.log.streams[append.keys[0]][-1]
        return changed(written, lambda _: AppendResult(newest.version, newest.position))


class AnyPlaceWillDo(Broken):
    caught_by = (
        "test_ids_at_another_place_than_expected_are_a_conflict",
        "test_stored_ids_at_the_expected_end_are_duplicates",
        MODEL,
    )

    def decide(self, append: Append) -> Written:
        is_known = self.places(append) and self.versions(append)
        return super().decide(expecting(append, ANY) if is_known else append)


class FirstIdDecides(Broken):
    caught_by = (
        "test_stored_events_followed_by_a_new_one_are_a_conflict",
        "test_a_stored_event_before_a_different_one_is_a_conflict",
        "test_stored_ids_with_a_new_one_are_duplicates",
        MODEL,
    )

    def decide(self, append: Append) -> Written:
        place = self.log.places.get(append.event_ids[0])
        if place is None or place.stream_id != append.keys[0]:
            return super().decide(append)
        return Written((AppendResult(place.version, place.position),), 0)


class OrderIgnored(Broken):
    caught_by = ("test_ids_in_another_order_are_duplicates", MODEL)

    def decide(self, append: Append) -> Written:
        places = self.places(append).values()
        stand = [place for place in places if place.stream_id == append.keys[0]]
        if len(stand) == len(append.event_ids):
            return Written((AppendResult(stand[-1].version, stand[-1].position),), 0)
        return super().decide(append)


class OnlyNeighboursRepeat(Broken):
    caught_by = ("test_any_repeats_ids_that_stand_apart",)

    def decide(self, append: Append) -> Written:
        versions = [place.version for place in self.places(append).values()]
        if versions and versions[-1] - versions[0] >= len(versions):
            raise DuplicateEventError(UUID(bytes=append.event_ids[0]), append.keys[0], 0)
        return super().decide(append)


class TwinsAreOne(Broken):
    caught_by = ("test_an_id_twice_in_one_append_is_a_duplicate", MODEL)

    def decide(self, append: Append) -> Written:
        (write,) = append.writes
        twinless = {event.event_id: event for event in write.events}
        write = write._replace(events=tuple(twinless.values()))
        return super().decide(append._replace(writes=(write,)))


class DuplicateWithoutFacts(Broken):
    caught_by = ("test_a_duplicate_carries_the_facts",)

    def verdict(self, append: Append) -> Verdict:
        verdict = super().verdict(append)
        if isinstance(verdict, DuplicateEventError):
            return DuplicateEventError(verdict.event_id, append.keys[0], 1)
        return verdict


class TestBrokenAppends(AppendContract, RepetitionContract, UniqueIdContract, MachineContract):
    faults = tuple(Broken.__subclasses__())

    @pytest.fixture
    def open_parts(self, fault: type[Broken]) -> OpenParts:
        return opening(fault)
