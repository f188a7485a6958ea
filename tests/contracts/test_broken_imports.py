"""What is wrong with these stores' imports, the contract sees."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import ConcurrencyError, DuplicateEventError
from eventsourcing_core.stores import Imported, Written
from eventsourcing_core.testing._imports.commits import ImportCommitContract
from eventsourcing_core.testing._imports.ids import ImportedIdContract
from eventsourcing_core.testing._imports.imports import ImportContract
from eventsourcing_core.testing._imports.neighbours import ImportNeighbourContract
from eventsourcing_core.testing._imports.refusals import ImportRefusalContract
from tests.contracts._broken import BrokenStorage, opening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import (
        Append,
        EncodedEvent,
        Placed,
        Row,
        Span,
        Verdict,
    )
    from eventsourcing_core.testing import OpenParts
    from eventsourcing_inmemory._log import EventLog
    from tests.contracts._broken import Rows


class Broken(BrokenStorage):
    """The steps of an import, each for a fault to do in another way."""

    def decide(self, append: Append) -> Written:
        if append.imported is None:
            return super().decide(append)
        return self.written(append)

    def written(self, append: Append) -> Written:
        return self.keep_imported(append, self.settled(append))

    def settled(self, append: Append) -> list[Placed]:
        settled = append.settle(self.versions(append), self.known(append))
        return [] if isinstance(settled, Written) else settled

    def known(self, append: Append) -> dict[bytes, Row]:
        return self.places(append)

    def keep_imported(self, append: Append, fresh: Sequence[Placed]) -> Written:
        if fresh:
            streams = {stream_id for stream_id, *_ in fresh}
            writes = [write for write in append.writes if write.stream_id in streams]
            self.keep(append._replace(writes=tuple(writes)), [*map(self.changed, fresh)])
        return Written((), len(fresh))

    def changed(self, placed: Placed) -> Placed:
        stream_id, version, event = placed
        return (stream_id, version, self.event(event))

    def event(self, event: EncodedEvent) -> EncodedEvent:
        return event

    def all_of(self, append: Append) -> list[Placed]:
        """Give all events of an import, whatever is there."""
        return [
            (append.writes[write].stream_id, version, append.writes[write].events[index])
            for write, index, version in append.imported or ()
        ]


# What is kept.


class TimeOfTheImport(Broken):
    caught_by = (
        "test_an_import_keeps_everything_but_the_position",
        "test_each_imported_stream_is_read_as_it_was",
    )

    def event(self, event: EncodedEvent) -> EncodedEvent:
        return event._replace(timestamp=7)


class NewIds(Broken):
    caught_by = (
        "test_an_import_keeps_everything_but_the_position",
        "test_an_interrupted_import_is_repeated[8",
    )

    def event(self, event: EncodedEvent) -> EncodedEvent:
        return event._replace(event_id=event.event_id[::-1])


class NotesWhereItCameFrom(Broken):
    caught_by = ("test_an_imported_event_without_metadata_stays_without",)

    def event(self, event: EncodedEvent) -> EncodedEvent:
        return event._replace(metadata=b'{"imported":true}')


class TypesOfItsOwn(Broken):
    caught_by = ("test_an_imported_typed_payload_comes_back_as_its_class",)

    def event(self, event: EncodedEvent) -> EncodedEvent:
        return event._replace(event_type="imported")


class Backward(Broken):
    caught_by = ("test_each_imported_stream_is_read_as_it_was",)

    def rows(self, stream_id: str, span: Span) -> Rows:
        return super().rows(stream_id, span._replace(backward=True))


class StreamByStream(Broken):
    caught_by = (
        "test_an_import_keeps_everything_but_the_position",
        "test_imported_positions_follow_the_order_that_is_given",
        "test_many_events_of_many_streams_are_imported_at_once",
        "test_imports_and_appends_of_one_batch_are_judged_in_order",
    )

    def keep_imported(self, append: Append, fresh: Sequence[Placed]) -> Written:
        return super().keep_imported(append, sorted(fresh, key=lambda placed: placed[0]))


class InFrontOfTheOthers(Broken):
    caught_by = ("test_imported_positions_come_after_those_that_are_there",)

    def keep_imported(self, append: Append, fresh: Sequence[Placed]) -> Written:
        before = len(self.log.rows)
        written = super().keep_imported(append, fresh)
        rows = self.log.rows[before:] + self.log.rows[:before]
        self.log.rows[:] = [row._replace(position=at) for at, row in enumerate(rows, 1)]
        return written


class AThousandAtMost(Broken):
    caught_by = ("test_many_events_of_many_streams_are_imported_at_once",)

    def keep_imported(self, append: Append, fresh: Sequence[Placed]) -> Written:
        return super().keep_imported(append, fresh[:1000])


# What is skipped.


class CountsWhatItWasGiven(Broken):
    caught_by = (
        "test_an_interrupted_import_is_repeated[1",
        "test_an_interrupted_import_is_repeated[8",
        "test_the_same_import_several_times_at_once_writes_each_event_once",
    )

    def written(self, append: Append) -> Written:
        return super().written(append)._replace(count=len(append.event_ids))


class CountsStreams(Broken):
    caught_by = ("test_the_result_of_an_import_is_how_many_were_written",)

    def written(self, append: Append) -> Written:
        return super().written(append)._replace(count=len(append.keys))


class RepetitionIsAConflict(Broken):
    caught_by = (
        "test_an_interrupted_import_is_repeated[3",
        "test_an_import_passes_over_what_was_appended_here",
        "test_an_imported_stream_may_have_gone_on",
    )

    def known(self, append: Append) -> dict[bytes, Row]:  # noqa: ARG002 - the fault
        return {}


class OnlyWhereTheStreamEnds(Broken):
    caught_by = ("test_an_imported_stream_may_have_gone_on",)

    def settled(self, append: Append) -> list[Placed]:
        last = {stream_id: version for stream_id, version, _ in self.all_of(append)}
        for stream_id, version in self.versions(append).items():
            if version > last[stream_id]:
                raise ConcurrencyError(stream_id, last[stream_id], version, "import")
        return super().settled(append)


class KnowsOnlyWhatItImported(Broken):
    caught_by = ("test_an_import_passes_over_what_was_appended_here",)

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.imported: set[bytes] = set()

    def keep_imported(self, append: Append, fresh: Sequence[Placed]) -> Written:
        self.imported |= {event.event_id for *_, event in fresh}
        return super().keep_imported(append, fresh)

    def known(self, append: Append) -> dict[bytes, Row]:
        places = super().known(append)
        return {key: place for key, place in places.items() if key in self.imported}


# What is refused.


class HolesAreNoMatter(Broken):
    caught_by = (
        "test_an_import_refuses_an_event_that_is_not_the_next_one_of_its_stream",
        "test_an_import_conflicts_with_other_events_in_the_stream",
        "test_an_import_with_a_conflict_writes_nothing",
        "test_an_import_and_appends_at_once_do_each_other_no_harm[3",
        "test_imports_and_appends_of_one_batch_are_judged_in_order",
    )

    def settled(self, append: Append) -> list[Placed]:
        known = self.places(append)
        return [placed for placed in self.all_of(append) if placed[2].event_id not in known]


class WritesUpToTheConflict(Broken):
    caught_by = (
        "test_an_import_with_a_conflict_writes_nothing",
        "test_an_imported_id_that_stands_elsewhere_is_a_duplicate",
        "test_an_id_twice_in_one_import_is_a_duplicate[0",
    )

    def written(self, append: Append) -> Written:
        seen: set[bytes] = set()
        count = 0
        for write, index, version in append.imported or ():
            event = append.writes[write].events[index]
            if event.event_id in seen:
                append.settle(self.versions(append), self.places(append))
            seen.add(event.event_id)
            only = append.writes[write]._replace(events=(event,))
            one = Imported(0, 0, version)
            count += super().written(append._replace(writes=(only,), imported=(one,))).count
        return Written((), count)


class PassesOverWhereverItStands(Broken):
    caught_by = ("test_an_imported_id_that_stands_elsewhere_is_a_duplicate",)

    def settled(self, append: Append) -> list[Placed]:
        known = self.places(append)
        imported = append.imported or ()
        new = [
            each
            for each in imported
            if append.writes[each.write].events[each.event].event_id not in known
        ]
        return super().settled(append._replace(imported=tuple(new)))


class PassesOverTheSecondOfTwo(Broken):
    caught_by = ("test_an_id_twice_in_one_import_is_a_duplicate",)

    def settled(self, append: Append) -> list[Placed]:
        once = {
            append.writes[each.write].events[each.event].event_id: each
            for each in reversed(append.imported or ())
        }
        return super().settled(append._replace(imported=tuple(reversed(once.values()))))


class DuplicateWithoutItsPlace(Broken):
    caught_by = (
        "test_an_imported_id_that_stands_elsewhere_is_a_duplicate",
        "test_an_id_twice_in_one_import_is_a_duplicate",
    )

    def verdict(self, append: Append) -> Verdict:
        verdict = super().verdict(append)
        if isinstance(verdict, DuplicateEventError):
            return DuplicateEventError(verdict.event_id, "", 0)
        return verdict


# Beside everything else.


class UnknownToAppends(Broken):
    caught_by = (
        "test_imported_events_are_like_any_other_to_appends",
        "test_an_imported_id_is_a_duplicate_to_an_append_elsewhere",
    )

    def keep_imported(self, append: Append, fresh: Sequence[Placed]) -> Written:
        written = super().keep_imported(append, fresh)
        for *_, event in fresh:
            del self.log.places[event.event_id]
        return written


class WakesNobody(Broken):
    caught_by = ("test_an_import_wakes_readers_that_wait",)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        await asyncio.sleep(timeout)
        return await super().wait(after_position=after_position, timeout=0)


class LooksThenWrites(Broken):
    """Decides all imports of a batch, and then writes."""

    caught_by = ("test_imports_and_appends_of_one_batch_are_judged_in_order",)

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        fresh = [self.settled(append) if append.imported else [] for append in appends]
        verdicts: list[Verdict] = []
        for append, placed in zip(appends, fresh, strict=True):
            if append.imported:
                verdicts.append(self.keep_imported(append, placed))
            else:
                verdicts += await super().write([append])
        return verdicts


class EventByEvent(Broken):
    """Lets others run between the events of one import."""

    caught_by = (
        "test_a_reader_sees_all_of_an_import_or_nothing",
        "test_a_cancelled_import_is_whole_or_nothing_and_can_be_repeated",
    )

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        verdicts: list[Verdict] = []
        for append in appends:
            fresh = self.settled(append)
            for placed in fresh:
                await asyncio.sleep(0)
                self.keep_imported(append, [placed])
            verdicts.append(Written((), len(fresh)))
        return verdicts


class LooksForFiftyIds(Broken):
    caught_by = (
        "test_an_import_in_commits_is_whole_and_can_be_repeated_in_others[64-7",
        "test_an_import_in_commits_is_whole_and_can_be_repeated_in_others[100-110",
    )

    def known(self, append: Append) -> dict[bytes, Row]:
        known = super().known(append)
        return {key: known[key] for key in [*known][:50]}


class KnowsTheFirstHundredStreams(Broken):
    caught_by = (
        "test_an_import_in_commits_is_whole_and_can_be_repeated_in_others[30-110",
        "test_an_import_in_commits_is_whole_and_can_be_repeated_in_others[100-110",
    )

    def version(self, stream_id: str) -> int:
        return super().version(stream_id) if stream_id in [*self.log.streams][:100] else 0


class PassesOverWhatComesAfterAHole(Broken):
    caught_by = ("test_a_hole_late_in_a_commit_is_found",)

    def settled(self, append: Append) -> list[Placed]:
        try:
            return super().settled(append)
        except ConcurrencyError:
            if len(append.event_ids) < 100:
                raise
            return []


class TestBrokenImports(
    ImportContract,
    ImportRefusalContract,
    ImportedIdContract,
    ImportNeighbourContract,
    ImportCommitContract,
):
    faults = tuple(Broken.__subclasses__())
    deadline = 0.3

    @pytest.fixture
    def open_parts(self, fault: type[Broken]) -> OpenParts:
        return opening(fault)
