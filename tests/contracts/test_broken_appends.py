"""What is wrong with these stores' appends, the contract sees."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from eventsourcing_core import (
    AppendResult,
    ConcurrencyError,
    DuplicateEventError,
    EncodedEvent,
    Event,
    EventCodec,
    ExpectedVersion,
    Place,
    StorageError,
)
from eventsourcing_core.testing._append_contract import AppendContract
from eventsourcing_core.testing._event_store_machine import EventStoreMachineContract
from eventsourcing_core.testing._idempotency_contract import IdempotencyContract
from eventsourcing_inmemory import InMemoryEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core import Append
    from eventsourcing_core.testing import OpenEventStore

ANY = ExpectedVersion.ANY
MODEL = "test_a_store_does_what_the_model_does"


class Broken(InMemoryEventStore):
    """The in-memory store with its append taken apart, so that a fault is one step of it."""

    caught_by: ClassVar[tuple[str, ...]] = ()

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        append = self._codec.encode_append(stream_id, events, expected_version)
        self._check_usable()
        await asyncio.sleep(0)
        return self.decide(append)

    def decide(self, append: Append) -> AppendResult:
        return append.settle(self.version(append), self.places(append)) or self.write(append)

    def version(self, append: Append) -> int:
        return len(self._log.streams.get(append.stream_id, ()))

    def places(self, append: Append) -> dict[bytes, Place]:
        ids = [event.event_id for event in append.events]
        return {key: self._log.places[key] for key in ids if key in self._log.places}

    def write(self, append: Append) -> AppendResult:
        return self._log.write(append.stream_id, append.events)


class ResultOffByOne(Broken):
    caught_by = (
        "test_a_new_stream_begins_at_version_1",
        "test_an_append_goes_on_after_the_last_version",
        "test_events_of_a_conflict_can_be_appended_afterwards",
        "test_a_result_is_the_place_of_the_last_event",
        MODEL,
    )

    def write(self, append: Append) -> AppendResult:
        result = super().write(append)
        return result._replace(version=result.version + 1)


class VersionsFromZero(Broken):
    caught_by = (
        "test_a_new_stream_begins_at_version_1",
        "test_an_append_goes_on_after_the_last_version",
        "test_versions_have_no_holes",
        MODEL,
    )

    def write(self, append: Append) -> AppendResult:
        result = super().write(append)
        for back in range(len(append.events)):
            index = self._log.streams[append.stream_id][result.version - 1 - back]
            event, place = self._log.rows[index]
            self._log.rows[index] = (event, place._replace(version=place.version - 1))
        return result


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

    def decide(self, append: Append) -> AppendResult:
        return super().decide(append._replace(expected_version=append.expected_version or ANY))


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

    def decide(self, append: Append) -> AppendResult:
        try:
            return super().decide(append)
        except ConcurrencyError:
            return super().decide(append._replace(expected_version=ANY))


class HigherVersionsPass(Broken):
    caught_by = (
        "test_another_version_is_a_conflict[3]",
        "test_another_version_is_a_conflict[4]",
        "test_a_version_of_an_unknown_stream_is_a_conflict",
        MODEL,
    )

    def decide(self, append: Append) -> AppendResult:
        expected, version = append.expected_version, self.version(append)
        if isinstance(expected, int) and expected > version:
            append = append._replace(expected_version=version)
        return super().decide(append)


class ConflictWithoutFacts(Broken):
    caught_by = (
        "test_a_conflict_carries_the_facts",
        "test_a_conflict_with_a_missing_stream_says_version_0",
    )

    def decide(self, append: Append) -> AppendResult:
        try:
            return super().decide(append)
        except ConcurrencyError:
            raise ConcurrencyError(append.stream_id, append.expected_version, -1) from None


class ConflictWritten(Broken):
    caught_by = (
        "test_a_conflict_writes_nothing",
        "test_versions_have_no_holes",
        MODEL,
    )

    def decide(self, append: Append) -> AppendResult:
        try:
            return super().decide(append)
        except ConcurrencyError:
            self.write(append)
            raise


class ConflictUsesIdsUp(Broken):
    caught_by = ("test_events_of_a_conflict_can_be_appended_afterwards",)

    def decide(self, append: Append) -> AppendResult:
        try:
            return super().decide(append)
        except ConcurrencyError:
            for event in append.events:
                self._log.places.setdefault(event.event_id, Place("refused", 1, 1))
            raise


class HalfApplied(Broken):
    caught_by = (
        "test_several_events_are_written_all_or_none",
        "test_an_id_twice_in_one_append_is_a_duplicate",
        "test_stored_ids_with_a_new_one_are_duplicates",
        MODEL,
    )

    def decide(self, append: Append) -> AppendResult:
        for event in append.events[:-1]:
            result = super().decide(append._replace(events=(event,)))
            append = append._replace(expected_version=result.version)
        return super().decide(append._replace(events=append.events[-1:]))


class PlaceOfTheFirst(Broken):
    caught_by = (
        "test_an_append_goes_on_after_the_last_version",
        "test_a_result_is_the_place_of_the_last_event",
        MODEL,
    )

    def write(self, append: Append) -> AppendResult:
        version, position = super().write(append)
        before = len(append.events) - 1
        return AppendResult(version - before, position - before)


class EventsTurnedRound(Broken):
    caught_by = (
        "test_an_append_goes_on_after_the_last_version[3]",
        "test_a_tuple_of_events_is_a_sequence_too",
        MODEL,
    )

    def write(self, append: Append) -> AppendResult:
        return super().write(append._replace(events=append.events[::-1]))


class OneVersionForAllStreams(Broken):
    caught_by = (
        "test_each_stream_has_versions_of_its_own",
        "test_versions_have_no_holes",
        "test_a_result_is_the_place_of_the_last_event",
    )

    def version(self, append: Append) -> int:  # noqa: ARG002 - the fault
        return len(self._log.rows)


class PositionsByStream(Broken):
    caught_by = ("test_positions_increase_over_all_streams", MODEL)

    def write(self, append: Append) -> AppendResult:
        version, _ = super().write(append)
        event, place = self._log.rows[-1]
        self._log.rows[-1] = (event, place._replace(position=version))
        return AppendResult(version, version)


class ListsOnly(Broken):
    caught_by = ("test_a_tuple_of_events_is_a_sequence_too",)

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        if type(events) is not list:
            raise StorageError
        return await super().append(stream_id, events, expected_version=expected_version)


class RetryIsAConflict(Broken):
    caught_by = (
        "test_a_repeated_append_gives_the_original_result",
        "test_a_repeated_append_to_an_existing_stream_gives_the_original_result",
        "test_an_append_is_repeated_after_later_appends",
        "test_the_beginning_of_an_append_counts_as_repeated",
        "test_any_repeats_ids_that_stand_apart",
        MODEL,
    )

    def decide(self, append: Append) -> AppendResult:
        if self.places(append):
            raise ConcurrencyError(append.stream_id, append.expected_version, self.version(append))
        return super().decide(append)


class IdsUnchecked(Broken):
    caught_by = (
        "test_several_events_are_written_all_or_none",
        "test_a_repeated_append_gives_the_original_result",
        "test_ids_in_another_order_are_duplicates",
        "test_an_id_of_another_stream_is_a_duplicate",
        "test_stored_ids_with_a_new_one_are_duplicates",
        "test_stored_ids_at_the_expected_end_are_duplicates",
        "test_a_duplicate_carries_the_facts",
        MODEL,
    )

    def places(self, append: Append) -> dict[bytes, Place]:  # noqa: ARG002 - the fault
        return {}


class RetryGivesTheNewest(Broken):
    caught_by = (
        "test_an_append_is_repeated_after_later_appends",
        "test_the_beginning_of_an_append_counts_as_repeated",
        MODEL,
    )

    def decide(self, append: Append) -> AppendResult:
        result = super().decide(append)
        place = self._log.rows[self._log.streams[append.stream_id][-1]][1]
        return result._replace(version=place.version, position=place.position)


class AnyPlaceWillDo(Broken):
    caught_by = (
        "test_ids_at_another_place_than_expected_are_a_conflict",
        "test_stored_ids_at_the_expected_end_are_duplicates",
        MODEL,
    )

    def decide(self, append: Append) -> AppendResult:
        if self.places(append) and self.version(append):
            append = append._replace(expected_version=ANY)
        return super().decide(append)


class FirstIdDecides(Broken):
    caught_by = (
        "test_stored_events_followed_by_a_new_one_are_a_conflict",
        "test_a_stored_event_before_a_different_one_is_a_conflict",
        "test_stored_ids_with_a_new_one_are_duplicates",
        MODEL,
    )

    def decide(self, append: Append) -> AppendResult:
        place = self._log.places.get(append.events[0].event_id)
        if place is None or place.stream_id != append.stream_id:
            return super().decide(append)
        return AppendResult(place.version, place.position)


class OrderIgnored(Broken):
    caught_by = ("test_ids_in_another_order_are_duplicates", MODEL)

    def decide(self, append: Append) -> AppendResult:
        places = self.places(append).values()
        stand = [place for place in places if place.stream_id == append.stream_id]
        if len(stand) == len(append.events):
            return AppendResult(stand[-1].version, stand[-1].position)
        return super().decide(append)


class OnlyNeighboursRepeat(Broken):
    caught_by = ("test_any_repeats_ids_that_stand_apart",)

    def decide(self, append: Append) -> AppendResult:
        versions = [place.version for place in self.places(append).values()]
        if versions and versions[-1] - versions[0] >= len(versions):
            raise self.duplicate(append.events[0])
        return super().decide(append)

    @staticmethod
    def duplicate(event: EncodedEvent) -> DuplicateEventError:
        return DuplicateEventError(Event("x", {}).event_id, event.event_type, 0)


class TwinsAreOne(Broken):
    caught_by = ("test_an_id_twice_in_one_append_is_a_duplicate", MODEL)

    def decide(self, append: Append) -> AppendResult:
        twinless = {event.event_id: event for event in append.events}
        return super().decide(append._replace(events=tuple(twinless.values())))


class DuplicateWithoutFacts(Broken):
    caught_by = ("test_a_duplicate_carries_the_facts",)

    def decide(self, append: Append) -> AppendResult:
        try:
            return super().decide(append)
        except DuplicateEventError as error:
            raise DuplicateEventError(error.event_id, append.stream_id, 1) from None


class TestBrokenAppends(AppendContract, IdempotencyContract, EventStoreMachineContract):
    faults = tuple(Broken.__subclasses__())

    @pytest.fixture
    def open_store(self, fault: type[Broken]) -> OpenEventStore:
        @asynccontextmanager
        async def opened(codec: EventCodec) -> AsyncIterator[Broken]:
            yield fault(codec)

        return opened
