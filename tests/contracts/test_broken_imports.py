"""What is wrong with these stores' imports, the contract sees."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from eventsourcing_core import (
    ConcurrencyError,
    DuplicateEventError,
    EventCodec,
    Import,
    ImportedEvent,
    Place,
    RecordedEvent,
)
from eventsourcing_core.testing import ImportingEventStoreContract
from eventsourcing_inmemory import InMemoryEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.testing import OpenEventStore


class Broken(InMemoryEventStore):
    """The steps of an import, each for a fault to do in another way."""

    caught_by: ClassVar[tuple[str, ...]] = ()

    async def import_events(self, events: Sequence[RecordedEvent[object]]) -> int:
        imported = self.encoded(events)
        self._check_usable()
        await asyncio.sleep(0)
        return await self.written(imported)

    async def written(self, imported: Import) -> int:
        fresh = self.settled(imported)
        self.keep(fresh)
        return len(fresh)

    def encoded(self, events: Sequence[RecordedEvent[object]]) -> Import:
        return self._codec.encode_import(events)

    def settled(self, imported: Import) -> list[ImportedEvent]:
        return imported.settle(self.versions(), self.places())

    def versions(self) -> dict[str, int]:
        return {stream_id: len(indexes) for stream_id, indexes in self._log.streams.items()}

    def places(self) -> dict[bytes, Place]:
        return dict(self._log.places)

    def keep(self, fresh: Sequence[ImportedEvent]) -> None:
        self._log.write_imported(fresh)


class WithoutImport(InMemoryEventStore):
    caught_by = ("test_a_store_that_imports_is_one_of_the_port",)
    import_events: Any = None


# What is kept.


class TimeOfTheImport(Broken):
    caught_by = (
        "test_an_import_keeps_everything_but_the_position",
        "test_each_imported_stream_is_read_as_it_was",
    )

    def keep(self, fresh: Sequence[ImportedEvent]) -> None:
        super().keep([each._replace(event=each.event._replace(timestamp=7)) for each in fresh])


class NewIds(Broken):
    caught_by = (
        "test_an_import_keeps_everything_but_the_position",
        "test_an_import_with_a_conflict_writes_nothing",
    )

    def encoded(self, events: Sequence[RecordedEvent[object]]) -> Import:
        changed = [
            each._replace(event=each.event._replace(event_id=each.event.event_id[::-1]))
            for each in super().encoded(events).events
        ]
        return Import(tuple(changed))

    def settled(self, imported: Import) -> list[ImportedEvent]:
        try:
            return super().settled(imported)
        except ConcurrencyError:
            return list(imported.events)


class NotesWhereItCameFrom(Broken):
    caught_by = ("test_an_imported_event_without_metadata_stays_without",)

    def keep(self, fresh: Sequence[ImportedEvent]) -> None:
        noted = [each.event._replace(metadata=b'{"imported":true}') for each in fresh]
        super().keep([each._replace(event=event) for each, event in zip(fresh, noted, strict=True)])


class TypesOfItsOwn(Broken):
    caught_by = ("test_an_imported_typed_payload_comes_back_as_its_class",)

    def keep(self, fresh: Sequence[ImportedEvent]) -> None:
        super().keep(
            [each._replace(event=each.event._replace(event_type="imported")) for each in fresh]
        )


class AlwaysJson(Broken):
    caught_by = ("test_imported_events_are_encoded_by_the_store_that_takes_them",)

    def encoded(self, events: Sequence[RecordedEvent[object]]) -> Import:
        return EventCodec(event_types=self._codec.event_types).encode_import(events)


class Backward(Broken):
    caught_by = ("test_each_imported_stream_is_read_as_it_was",)

    def keep(self, fresh: Sequence[ImportedEvent]) -> None:
        super().keep(fresh)
        for stream in self._log.streams.values():
            stream.reverse()


class StreamByStream(Broken):
    caught_by = (
        "test_an_import_keeps_everything_but_the_position",
        "test_imported_positions_follow_the_order_that_is_given",
        "test_many_events_of_many_streams_are_imported_at_once",
    )

    def keep(self, fresh: Sequence[ImportedEvent]) -> None:
        super().keep(sorted(fresh, key=lambda each: each.stream_id))


class ByOldPosition(Broken):
    caught_by = ("test_imported_positions_follow_the_order_that_is_given",)

    def encoded(self, events: Sequence[RecordedEvent[object]]) -> Import:
        self.order = {event.raw_event_id: event.position for event in events}
        return super().encoded(events)

    def keep(self, fresh: Sequence[ImportedEvent]) -> None:
        super().keep(sorted(fresh, key=lambda each: self.order[each.event.event_id]))
        self._log.rows.sort(key=lambda row: self.order.get(row[0].event_id, 0))


class InFrontOfTheOthers(Broken):
    caught_by = ("test_imported_positions_come_after_those_that_are_there",)

    def keep(self, fresh: Sequence[ImportedEvent]) -> None:
        before = len(self._log.rows)
        super().keep(fresh)
        self._log.rows = self._log.rows[before:] + self._log.rows[:before]


class AThousandAtMost(Broken):
    caught_by = ("test_many_events_of_many_streams_are_imported_at_once",)

    def keep(self, fresh: Sequence[ImportedEvent]) -> None:
        super().keep(fresh[:1000])


# What is passed over.


class CountsWhatItWasGiven(Broken):
    caught_by = (
        "test_an_interrupted_import_is_repeated[1",
        "test_an_interrupted_import_is_repeated[8",
        "test_the_same_import_several_times_at_once_writes_each_event_once",
    )

    async def written(self, imported: Import) -> int:
        await super().written(imported)
        return len(imported.events)


class CountsStreams(Broken):
    caught_by = ("test_the_result_of_an_import_is_how_many_were_written",)

    async def written(self, imported: Import) -> int:
        await super().written(imported)
        return len(imported.stream_ids)


class NothingIsAnError(Broken):
    caught_by = ("test_nothing_to_import_is_no_error",)

    async def written(self, imported: Import) -> int:
        if not imported.events:
            message = "nothing to import"
            raise ValueError(message)
        return await super().written(imported)


class RepetitionIsAConflict(Broken):
    caught_by = (
        "test_an_interrupted_import_is_repeated[3",
        "test_an_import_passes_over_what_was_appended_here",
        "test_an_imported_stream_may_have_gone_on",
    )

    def places(self) -> dict[bytes, Place]:
        return {}


class OnlyWhereTheStreamEnds(Broken):
    caught_by = ("test_an_imported_stream_may_have_gone_on",)

    def settled(self, imported: Import) -> list[ImportedEvent]:
        last = {each.stream_id: each.version for each in imported.events}
        for stream_id, version in self.versions().items():
            if version > last.get(stream_id, version):
                raise ConcurrencyError(stream_id, last[stream_id], version, "import")
        return super().settled(imported)


class KnowsOnlyWhatItImported(Broken):
    caught_by = ("test_an_import_passes_over_what_was_appended_here",)

    def __init__(self, codec: EventCodec) -> None:
        super().__init__(codec)
        self.imported: set[bytes] = set()

    def keep(self, fresh: Sequence[ImportedEvent]) -> None:
        super().keep(fresh)
        self.imported |= {each.event.event_id for each in fresh}

    def places(self) -> dict[bytes, Place]:
        return {key: place for key, place in super().places().items() if key in self.imported}


# What is refused.


class HolesAreNoMatter(Broken):
    caught_by = (
        "test_an_import_refuses_an_event_that_is_not_the_next_one_of_its_stream",
        "test_an_import_conflicts_with_other_events_in_the_stream",
        "test_an_import_with_a_conflict_writes_nothing",
    )

    def settled(self, imported: Import) -> list[ImportedEvent]:
        return [each for each in imported.events if each.event.event_id not in self._log.places]


class WritesUpToTheConflict(Broken):
    caught_by = (
        "test_an_import_with_a_conflict_writes_nothing",
        "test_an_imported_id_that_stands_elsewhere_is_a_duplicate",
        "test_an_id_twice_in_one_import_is_a_duplicate[0",
    )

    async def written(self, imported: Import) -> int:
        seen: set[bytes] = set()
        count = 0
        for each in imported.events:
            if each.event.event_id in seen:
                imported.settle(self.versions(), self.places())
            seen.add(each.event.event_id)
            count += await super().written(Import((each,)))
        return count


class PassesOverWhereverItStands(Broken):
    caught_by = ("test_an_imported_id_that_stands_elsewhere_is_a_duplicate",)

    def settled(self, imported: Import) -> list[ImportedEvent]:
        new = [each for each in imported.events if each.event.event_id not in self._log.places]
        return Import(tuple(new)).settle(self.versions(), {})


class PassesOverTheSecondOfTwo(Broken):
    caught_by = ("test_an_id_twice_in_one_import_is_a_duplicate",)

    def settled(self, imported: Import) -> list[ImportedEvent]:
        once = {each.event.event_id: each for each in reversed(imported.events)}
        return super().settled(Import(tuple(reversed(once.values()))))


class DuplicateWithoutItsPlace(Broken):
    caught_by = (
        "test_an_imported_id_that_stands_elsewhere_is_a_duplicate",
        "test_an_id_twice_in_one_import_is_a_duplicate",
    )

    def settled(self, imported: Import) -> list[ImportedEvent]:
        try:
            return super().settled(imported)
        except DuplicateEventError as error:
            raise DuplicateEventError(error.event_id, "", 0) from None


class Unchecked(Broken):
    caught_by = (
        "test_an_import_refuses_a_bad_stream_id",
        "test_an_import_refuses_a_bad_event_type",
        "test_an_import_refuses_a_version_below_1",
        "test_an_import_names_the_place_of_a_value_that_cannot_be_stored",
    )

    def encoded(self, events: Sequence[RecordedEvent[object]]) -> Import:
        return Import(
            tuple(
                ImportedEvent(self._codec.encode(event), event.stream_id, event.version)
                for event in events
            )
        )


class StrangersPassedOver(Broken):
    caught_by = ("test_an_import_refuses_something_else_than_a_recorded_event",)

    def encoded(self, events: Sequence[RecordedEvent[object]]) -> Import:
        given: Sequence[Any] = events
        return super().encoded([event for event in given if isinstance(event, RecordedEvent)])


class LimitForgotten(Broken):
    caught_by = ("test_an_import_refuses_a_larger_event_than_the_store_allows",)

    def encoded(self, events: Sequence[RecordedEvent[object]]) -> Import:
        return EventCodec(self._codec.serializer).encode_import(events)


# Beside everything else.


class UnknownToAppends(Broken):
    caught_by = ("test_imported_events_are_like_any_other_to_appends",)

    def keep(self, fresh: Sequence[ImportedEvent]) -> None:
        super().keep(fresh)
        for each in fresh:
            del self._log.places[each.event.event_id]


class WakesNobody(Broken):
    caught_by = ("test_an_import_wakes_readers_that_wait",)

    def keep(self, fresh: Sequence[ImportedEvent]) -> None:
        waiting, self._log.waiting = self._log.waiting, set()
        super().keep(fresh)
        self._log.waiting = waiting


class LooksThenWrites(Broken):
    """Decides, lets others run, and writes without another look."""

    caught_by = (
        "test_the_same_import_several_times_at_once_writes_each_event_once",
        "test_an_import_and_appends_at_once_do_each_other_no_harm[0",
    )

    async def written(self, imported: Import) -> int:
        fresh = self.settled(imported)
        await asyncio.sleep(0)
        self.keep(fresh)
        return len(fresh)


class EventByEvent(Broken):
    """Lets others run between the events of one import."""

    caught_by = (
        "test_a_reader_sees_all_of_an_import_or_nothing",
        "test_a_cancelled_import_is_whole_or_nothing_and_can_be_repeated",
    )

    async def written(self, imported: Import) -> int:
        fresh = self.settled(imported)
        for each in fresh:
            self.keep([each])
            await asyncio.sleep(0)
        return len(fresh)


class ClosedImports(Broken):
    caught_by = ("test_a_closed_store_imports_nothing",)

    async def import_events(self, events: Sequence[RecordedEvent[object]]) -> int:
        return await self.written(self.encoded(events))


class NothingIsForClosedStores(Broken):
    caught_by = ("test_a_closed_store_imports_nothing",)

    async def import_events(self, events: Sequence[RecordedEvent[object]]) -> int:
        return await super().import_events(events) if events else 0


class EveryLoopWillDo(Broken):
    caught_by = ("test_another_event_loop_imports_nothing",)

    async def import_events(self, events: Sequence[RecordedEvent[object]]) -> int:
        loop, self._log.loop = self._log.loop, None
        try:
            return await super().import_events(events)
        finally:
            self._log.loop = loop


class TestBrokenImports(ImportingEventStoreContract):
    faults = (WithoutImport, *Broken.__subclasses__())
    deadline = 0.3

    @pytest.fixture
    def open_store(self, fault: type[InMemoryEventStore]) -> OpenEventStore:
        @asynccontextmanager
        async def opened(codec: EventCodec) -> AsyncIterator[InMemoryEventStore]:
            store = fault(codec)
            yield store
            store.close()

        return opened
