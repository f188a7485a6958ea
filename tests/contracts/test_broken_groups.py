"""What is wrong with these stores' groups, and with their holding of tags, the contract sees."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from eventsourcing_core import ConcurrencyError, ExpectedVersion
from eventsourcing_core.stores import LocalHolding, Span, Written
from eventsourcing_core.testing._boundaries.groups import GroupContract, GroupTransactionContract
from eventsourcing_core.testing._boundaries.holding import HoldContract
from eventsourcing_core.testing._machine.boundaries import BoundaryMachineContract
from eventsourcing_inmemory._backend import parts_of
from eventsourcing_inmemory._log import EventLog
from tests.contracts._broken import opening
from tests.contracts._wrapped import Wrapped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core.stores import Append, Parts, Verdict
    from eventsourcing_core.testing import OpenParts

ANY = ExpectedVersion.ANY
_ALL = Span()


class Broken(Wrapped):
    """A fault writes groups in another way."""


class HalfAGroup(Broken):
    """Writes stream by stream, up to the one that is refused."""

    caught_by = (
        "test_a_conflict_in_one_stream_refuses_all_of_a_group[b",
        "test_a_conflict_in_one_stream_refuses_all_of_a_group[c",
        "test_an_id_that_is_taken_refuses_all_of_a_group",
        "test_no_reader_sees_half_a_group",
        "test_a_group_of_which_a_part_stands_is_refused",
    )

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        return [await self._one(append) for append in appends]

    async def _one(self, append: Append) -> Verdict:
        written = Written((), 0)
        for write in append.writes:
            (verdict,) = await self.inner.write([append._replace(writes=(write,))])
            if isinstance(verdict, Exception):
                return verdict
            written = Written(written.results + verdict.results, written.count + verdict.count)
        return written


class LosesAStream(Broken):
    caught_by = ("test_a_group_is_written_to_all_its_streams",)

    def append(self, append: Append) -> Append:
        return append._replace(writes=append.writes[: max(len(append.writes) - 1, 1)])

    def verdict(self, append: Append, verdict: Verdict) -> Verdict:
        if isinstance(verdict, Exception):
            return verdict
        lost = len(append.writes) - len(verdict.results)
        return verdict._replace(results=verdict.results + verdict.results[-1:] * lost)


class ResultsTurnedRound(Broken):
    caught_by = (
        "test_the_results_of_a_group_are_in_the_order_given",
        "test_a_group_in_a_transaction_is_stored_with_it",
    )

    def verdict(self, append: Append, verdict: Verdict) -> Verdict:
        if isinstance(verdict, Exception) or append.imported:
            return verdict
        return verdict._replace(results=verdict.results[::-1])


class RequiresIgnored(Broken):
    caught_by = (
        "test_a_required_stream_that_has_moved_refuses_a_group",
        "test_of_groups_that_require_each_others_streams_one_wins",
        "test_a_store_does_what_the_model_does_across_streams",
        "test_a_group_that_is_refused_leaves_a_transaction_usable",
    )

    def append(self, append: Append) -> Append:
        return append._replace(requires=())


class RequiredIsMade(Broken):
    """Keeps the row that holds the place of a stream which is not there."""

    caught_by = (
        "test_a_group_passes_where_required_streams_stand",
        "test_a_required_stream_can_be_made_and_written_afterwards",
    )

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        verdicts = await super().write(appends)
        for append in appends:
            for stream_id, version in append.requires:
                if version == 0:
                    event = append.writes[0].events[0]._replace(event_id=stream_id.encode())
                    write = append.writes[0]._replace(stream_id=stream_id, events=(event,))
                    await self.inner.write([append._replace(writes=(write,), requires=())])
        return verdicts


class RequiredMustBeThere(Broken):
    caught_by = (
        "test_a_group_passes_where_required_streams_stand",
        "test_a_required_stream_can_be_made_and_written_afterwards",
    )

    def verdict(self, append: Append, verdict: Verdict) -> Verdict:
        missing = [each for each in append.requires if not each.version]
        return ConcurrencyError(*missing[0], 0) if missing else verdict


class RequiresBeforeRepetition(Broken):
    """Looks at what is required before it looks whether all of it is there already."""

    caught_by = ("test_a_group_that_is_repeated_gives_its_first_results",)

    def verdict(self, append: Append, verdict: Verdict) -> Verdict:
        is_repeated = isinstance(verdict, Written) and not verdict.count
        if is_repeated and append.requires:
            return ConcurrencyError(*append.requires[0], 99)
        return verdict


class FirstStreamTellsOfAll(Broken):
    """Takes a group for a repetition if its first stream has its events."""

    caught_by = ("test_a_group_of_which_a_part_stands_is_refused",)

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        return [await self._one(append) for append in appends]

    async def _one(self, append: Append) -> Verdict:
        first = append.writes[0]
        ids = [
            row.event_id async for page in self.inner.rows(first.stream_id, _ALL) for row in page
        ]
        if len(append.writes) > 1 and first.events[0].event_id in ids:
            (verdict,) = await self.inner.write([append._replace(writes=(first,))])
            if isinstance(verdict, Exception):
                return verdict
            return verdict._replace(results=verdict.results * len(append.writes))
        (verdict,) = await self.inner.write([append])
        return verdict


class ExpectsNothingOfGroups(Broken):
    caught_by = (
        "test_a_conflict_in_one_stream_refuses_all_of_a_group",
        "test_of_racing_groups_on_one_stream_one_wins",
        "test_a_group_that_is_refused_leaves_a_transaction_usable",
    )

    def append(self, append: Append) -> Append:
        if len(append.writes) == 1:
            return append
        writes = [write._replace(expected_version=ANY) for write in append.writes]
        return append._replace(writes=tuple(writes))


class RefusesKnownStreams(Broken):
    """Has a place for each pair of streams once."""

    caught_by = ("test_groups_that_overlap_are_all_written",)

    known: ClassVar[set[str]] = set()

    def verdict(self, append: Append, verdict: Verdict) -> Verdict:
        streams = {write.stream_id for write in append.writes}
        if len(streams) > 1 and streams <= self.known:
            return ConcurrencyError(append.writes[0].stream_id, 0, 1)
        self.known.update(streams)
        return verdict


class TestBrokenGroups(GroupContract, GroupTransactionContract, BoundaryMachineContract):
    faults = tuple(Broken.__subclasses__())
    deadline = 1

    @pytest.fixture
    def open_parts(self, fault: type[Broken]) -> OpenParts:
        RefusesKnownStreams.known.clear()
        return opening(fault)


class BrokenHolding:
    """A fault holds tags in another way."""

    caught_by: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def parts(cls) -> Parts:
        """Give the parts of a new backend with this fault."""
        log = EventLog()
        return replace(parts_of(log), holding=cls(log))

    def __init__(self, log: EventLog) -> None:
        self.local = LocalHolding()
        self.log = log

    def hold(self, tag: str) -> AbstractAsyncContextManager[None]:
        return self.local.hold(tag)


class HoldsNothing(BrokenHolding):
    caught_by = (
        "test_one_task_at_a_time_holds_a_tag",
        "test_a_task_that_holds_a_tag_is_refused_it",
    )

    def hold(self, tag: str) -> AbstractAsyncContextManager[None]:
        del tag
        return nullcontext()


class OneTurnForAllTags(BrokenHolding):
    caught_by = (
        "test_tags_are_held_beside_each_other",
        "test_tags_in_any_order_are_held_without_a_circle",
    )

    def hold(self, tag: str) -> AbstractAsyncContextManager[None]:
        del tag
        return super().hold("any")


class KeepsTheTurn(BrokenHolding):
    """Lets go only of a block that ends well."""

    caught_by = ("test_a_tag_is_free_after_an_error",)

    @asynccontextmanager
    async def hold(self, tag: str) -> AsyncIterator[None]:
        holding = super().hold(tag)
        await holding.__aenter__()
        yield
        await holding.__aexit__(None, None, None)


class LosesTheTurn(BrokenHolding):
    """Gives the turn to whoever waits, whether they still do or not."""

    caught_by = ("test_a_tag_is_free_after_its_waiter_was_cancelled",)

    @asynccontextmanager
    async def hold(self, tag: str) -> AsyncIterator[None]:
        async def take() -> AbstractAsyncContextManager[None]:
            holding = self.local.hold(tag)
            await holding.__aenter__()
            return holding

        holding = await asyncio.shield(asyncio.ensure_future(take()))
        try:
            yield
        finally:
            await holding.__aexit__(None, None, None)


class HoldsTheStore(BrokenHolding):
    caught_by = ("test_events_can_be_appended_while_a_tag_is_held",)

    @asynccontextmanager
    async def hold(self, tag: str) -> AsyncIterator[None]:
        del tag
        turn = await self.log.turns.take(1)
        yield
        if turn is not None:
            turn.release()


class TestBrokenHolding(HoldContract):
    faults = tuple(BrokenHolding.__subclasses__())
    deadline = 0.3

    @pytest.fixture
    def open_parts(self, fault: type[BrokenHolding]) -> OpenParts:
        return opening(fault)
