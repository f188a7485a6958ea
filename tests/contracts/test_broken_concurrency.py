"""What goes wrong in these stores when tasks race, the contract sees."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from eventsourcing_core import AppendResult, ConcurrencyError, DuplicateEventError, ExpectedVersion
from eventsourcing_core.stores import OutageError, RowPage, Written
from eventsourcing_core.testing._appends.concurrency import ConcurrencyContract
from eventsourcing_core.testing._appends.unique_ids import UniqueIdContract
from eventsourcing_core.testing._storage.writes import StorageWriteContract
from tests.contracts._broken import BrokenStorage, changed, expecting, opening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, Parts, Placed, Row, RowQuery, Verdict
    from eventsourcing_core.testing import OpenParts
    from eventsourcing_inmemory._log import EventLog
    from tests.contracts._broken import Pages

ANY = ExpectedVersion.ANY


class Broken(BrokenStorage):
    """A fault judges a batch in another way, or does not keep its appends together."""


class JudgesByTheBeginning(Broken):
    """Judges all appends of a batch by what was there before it."""

    caught_by = (
        "test_one_of_many_racing_appends_wins_each_round",
        "test_appends_to_a_stream_are_judged_by_what_the_earlier_ones_left",
        "test_appends_of_a_batch_are_judged_by_what_the_earlier_ones_leave",
        "test_each_append_of_a_batch_has_its_verdict",
        "test_a_repetition_is_told_by_its_count[True",
    )

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        await asyncio.sleep(0)
        settled: list[Written | list[Placed] | Exception] = []
        for append in appends:
            try:
                settled.append(append.settle(self.versions(append), self.places(append)))
            except (ConcurrencyError, DuplicateEventError) as error:
                settled.append(error)
        return [
            self.keep(append, each) if isinstance(each, list) else each
            for append, each in zip(appends, settled, strict=True)
        ]


class LooksThenWrites(Broken):
    """Looks, lets other batches write, and writes without another look."""

    caught_by = ("test_one_of_two_appends_with_the_same_id_wins",)

    @classmethod
    def parts(cls) -> Parts:
        return replace(super().parts(), max_writes=2)

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        verdicts: list[Verdict] = []
        for append in appends:
            try:
                settled = append.settle(self.versions(append), self.places(append))
            except (ConcurrencyError, DuplicateEventError) as error:
                verdicts.append(error)
                continue
            for _ in range(5):
                await asyncio.sleep(0)
            verdicts.append(settled if isinstance(settled, Written) else self.keep(append, settled))
        return verdicts


class AnyIsTheVersionOfTheBeginning(Broken):
    caught_by = ("test_any_never_conflicts",)

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        any_of = [append.writes[0].expected_version is ANY for append in appends]
        versions = [self.version(append.keys[0]) for append in appends]
        return await super().write(
            [
                expecting(append, version) if is_any else append
                for append, is_any, version in zip(appends, any_of, versions, strict=True)
            ]
        )


class NoStreamIsAny(Broken):
    caught_by = ("test_one_of_many_racing_appends_makes_a_stream",)

    def decide(self, append: Append) -> Written:
        is_any = append.writes[0].expected_version is ExpectedVersion.NO_STREAM
        return super().decide(expecting(append, ANY) if is_any else append)


class RepetitionIsADuplicate(Broken):
    caught_by = (
        "test_an_append_and_its_repetition_at_once_have_one_result",
        "test_an_append_to_any_version_and_its_repetition_at_once_have_one_result",
        "test_a_repetition_in_a_burst_has_the_result_of_the_first",
        "test_a_repetition_is_told_by_its_count",
    )

    def decide(self, append: Append) -> Written:
        for event_id, place in self.places(append).items():
            raise DuplicateEventError(UUID(bytes=event_id), place.stream_id, place.version)
        return super().decide(append)


class EventByEvent(Broken):
    """Lets others run between the events of one append."""

    caught_by = (
        "test_a_cancelled_append_can_be_repeated",
        "test_a_reader_sees_all_of_an_append_or_nothing",
    )

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        verdicts: list[Verdict] = []
        for append in appends:
            settled = append.settle(self.versions(append), self.places(append))
            assert isinstance(settled, list)
            written: list[Verdict] = []
            for placed in settled:
                await asyncio.sleep(0)
                written.append(self.keep(append, [placed]))
            verdicts += written[-1:]
        return verdicts


class LatePosition(Broken):
    """Every other row of a batch can be read a little later than its neighbours."""

    caught_by = ("test_a_reader_that_goes_on_after_the_last_position_misses_nothing",)

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.hidden: set[int] = set()

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        before = len(self.log.rows)
        verdicts = await super().write(appends)
        late = {row.position for row in self.log.rows[before::2]}
        self.hidden |= late
        self.show(late, 20)
        return verdicts

    def show(self, late: set[int], turns: int) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self.show, late, turns - 1)
        else:
            self.hidden -= late

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        async for rows, seen_to in super().rows_of_all(
            after, query, backward=backward, limit=limit
        ):
            yield RowPage([row for row in rows if row.position not in self.hidden], seen_to)


class ResultOfANeighbour(Broken):
    caught_by = ("test_any_never_conflicts",)

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        verdicts = await super().write(appends)
        last = self.log.rows[-1]
        return [
            changed(each, lambda _: AppendResult(last.version, last.position))
            if isinstance(each, Written)
            else each
            for each in verdicts
        ]


class LastComeFirst(Broken):
    """Writes what comes at the same time from the last to the first."""

    caught_by = (
        "test_appends_to_a_stream_are_written_in_the_order_of_the_calls",
        "test_appends_to_a_stream_are_judged_by_what_the_earlier_ones_left",
    )

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        return (await super().write(appends[::-1]))[::-1]


class ConflictOfTheEnd(Broken):
    """Says at which version the stream is when all others have written, too."""

    caught_by = ("test_appends_to_a_stream_are_judged_by_what_the_earlier_ones_left",)

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        return [
            ConcurrencyError(each.stream_id, each.expected, self.version(each.stream_id))
            if isinstance(each, ConcurrencyError)
            else each
            for each in await super().write(appends)
        ]


class RepetitionHasTheResultOfTheEnd(Broken):
    """Gives the place of the stream's last event for one that is there already."""

    caught_by = (
        "test_an_append_that_repeats_an_earlier_one_of_the_burst_has_its_result",
        "test_a_repetition_in_a_burst_has_the_result_of_the_first",
    )

    def decide(self, append: Append) -> Written:
        last = self.log.streams.get(append.keys[0], [])[-1:]
        written = super().decide(append)
        if written.count or not last:
            return written
        return changed(written, lambda _: AppendResult(last[0].version, last[0].position))


class LosesSome(Broken):
    caught_by = ("test_appends_to_many_streams_are_all_stored",)

    def add(self, rows: Sequence[Row]) -> None:
        is_lost = len(self.log.rows) == 100
        super().add([row._replace(stream_id="lost") if is_lost else row for row in rows])


class OneForAll(Broken):
    """A batch that is refused as a whole, for the fault of one."""

    caught_by = (
        "test_a_conflict_among_good_appends_fails_alone",
        "test_one_bad_append_among_good_ones_fails_alone",
    )

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        verdicts = await super().write(appends)
        bad = [each for each in verdicts if isinstance(each, Exception)]
        return [OutageError("the batch was refused") for _ in verdicts] if bad else verdicts


class LockIsLost(Broken):
    """A cancelled write never gives its lock back."""

    caught_by = (
        "test_a_cancelled_append_can_be_repeated",
        "test_a_cancelled_append_does_not_harm_its_neighbours[0",
    )

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.lock = asyncio.Lock()

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        try:
            async with asyncio.timeout(1.2 * TestBrokenConcurrency.deadline):  # for closing
                await self.lock.acquire()
        except TimeoutError as error:
            raise OutageError from error
        verdicts = await super().write(appends)
        self.lock.release()
        return verdicts


class CancelSpreads(Broken):
    caught_by = ("test_a_cancelled_append_does_not_harm_its_neighbours[0",)

    is_dead = False

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        if self.is_dead:
            message = "a neighbour was cancelled"
            raise OutageError(message)
        try:
            return await super().write(appends)
        except asyncio.CancelledError:
            self.is_dead = True
            raise


class TestBrokenConcurrency(StorageWriteContract, ConcurrencyContract, UniqueIdContract):
    faults = tuple(Broken.__subclasses__())
    deadline = 0.3

    @pytest.fixture
    def open_parts(self, fault: type[Broken]) -> OpenParts:
        return opening(fault)
