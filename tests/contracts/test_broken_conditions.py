"""What is wrong with these stores' conditions, and with what matches, the contract sees."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from eventsourcing_core.stores import Condition, Found, Matched, MissedError, QueryItem, Written
from eventsourcing_core.testing._boundaries.conditions import (
    ConditionContract,
    ConditionTransactionContract,
)
from eventsourcing_core.testing._boundaries.storages import StorageConditionContract
from eventsourcing_core.testing._machine.boundaries import BoundaryMachineContract
from tests.contracts._broken import BrokenStorage, opening
from tests.contracts._wrapped import Wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, Parts, Verdict
    from eventsourcing_core.testing import OpenParts
    from eventsourcing_inmemory._log import EventLog

JUDGED = "test_each_of_a_batch_is_judged_by_what_is_written_before_it"
MODEL = "test_a_store_does_what_the_model_does_across_streams"
ABOUT = "test_a_condition_is_about_what_its_query_matches"


class Broken(Wrapped):
    """A fault gives the storage another condition, or says something else of it."""

    def append(self, append: Append) -> Append:
        condition = append.condition
        if condition is None:
            return append
        return append._replace(condition=self.condition(condition))

    def condition(self, condition: Condition) -> Condition | None:
        """Give what is looked at in place of a condition."""
        return condition


class ConditionsIgnored(Broken):
    caught_by = (
        "test_what_has_changed_is_refused",
        "test_of_racing_decisions_one_wins",
        "test_a_decision_is_right_beside_appends_without_a_condition",
        "test_a_refused_decision_leaves_a_transaction_usable",
        "test_what_a_transaction_wrote_itself_refuses",
        MODEL,
        JUDGED,
    )

    def condition(self, condition: Condition) -> None:
        """Give none."""


class ConditionsOnTypesIgnored(Broken):
    """There is no lock for a type, so nothing is looked at."""

    caught_by = (f"{ABOUT}[a type]", f"{ABOUT}[everything]", f"{JUDGED}[type]")

    def condition(self, condition: Condition) -> Condition:
        items = tuple(item for item in condition.items if item.tags)
        return condition._replace(items=items)


class TypesBesideTagsIgnored(Broken):
    caught_by = (f"{ABOUT}[a tag and a type]", "test_what_does_not_match_does_not_refuse")

    def condition(self, condition: Condition) -> Condition:
        items = [QueryItem(item.tags, None) if item.tags else item for item in condition.items]
        return condition._replace(items=tuple(items))


class AnyTagWillDo(Broken):
    caught_by = (f"{ABOUT}[two tags]", "test_what_does_not_match_does_not_refuse")

    def condition(self, condition: Condition) -> Condition:
        items = [
            item._replace(tags=frozenset({tag})) for item in condition.items for tag in item.tags
        ]
        return condition._replace(items=tuple(items))


class FirstItemOnly(Broken):
    caught_by = (f"{ABOUT}[one or the other]", f"{ABOUT}[a tag or a type]")

    def condition(self, condition: Condition) -> Condition:
        return condition._replace(items=condition.items[:1])


class EverythingIsOneBoundary(Broken):
    caught_by = ("test_decisions_about_other_things_all_pass",)

    def condition(self, condition: Condition) -> Condition:
        return condition._replace(items=(QueryItem(),))


class NoItemIsEveryItem(Broken):
    caught_by = ("test_nothing_matches_no_item",)

    def condition(self, condition: Condition) -> Condition:
        return condition._replace(items=condition.items or (QueryItem(),))


class FromTheBeginning(Broken):
    """Forgets how far the caller has read."""

    caught_by = (
        "test_what_has_not_changed_passes",
        "test_events_that_were_read_do_not_refuse",
        "test_the_new_marker_passes_once_the_missed_events_are_read",
    )

    def condition(self, condition: Condition) -> Condition:
        return condition._replace(horizon=0)


class SeenIgnored(Broken):
    caught_by = ("test_what_was_seen_above_the_horizon_does_not_refuse",)

    def condition(self, condition: Condition) -> Condition:
        return condition._replace(seen=frozenset())


class AnyHorizonWillDo(Broken):
    caught_by = ("test_a_horizon_that_was_never_given_is_refused",)

    def condition(self, condition: Condition) -> Condition:
        return condition._replace(horizon=condition.horizon % 10**6)


class WitnessIgnored(Broken):
    caught_by = ("test_a_witness_that_is_not_there_is_refused",)

    def condition(self, condition: Condition) -> Condition:
        return condition._replace(witness=None)


class ConditionBeforeRepetition(Broken):
    """Looks at the condition before it looks whether all of it is there already."""

    caught_by = ("test_a_decision_that_is_repeated_gives_its_first_result",)

    def verdict(self, append: Append, verdict: Verdict) -> Verdict:
        is_repeated = isinstance(verdict, Written) and not verdict.count
        return MissedError([], 0) if is_repeated and append.condition else verdict


class ChecksAfterwards(Broken):
    """Writes, and then says that it must not."""

    caught_by = ("test_a_refusal_writes_nothing",)

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        verdicts = await self.inner.write(appends)
        for append, verdict in zip(appends, verdicts, strict=True):
            if isinstance(verdict, MissedError):
                await self.inner.write([append._replace(condition=None)])
        return verdicts


class LastHundred(Broken):
    """Gives the last ones that were missed, and none of those before."""

    caught_by = ("test_a_refusal_has_the_first_hundred_missed_events",)

    def verdict(self, append: Append, verdict: Verdict) -> Verdict:
        del append
        if not isinstance(verdict, MissedError):
            return verdict
        return MissedError(verdict.rows[-50:], verdict.horizon)


class HorizonAtTheEnd(Broken):
    """Counts all as read, of which it gives the first hundred."""

    caught_by = ("test_a_refusal_has_the_first_hundred_missed_events",)

    def verdict(self, append: Append, verdict: Verdict) -> Verdict:
        del append
        if not isinstance(verdict, MissedError):
            return verdict
        return MissedError(verdict.rows, verdict.horizon + 200)


class DecisionsDoNotCount(Broken):
    """Looks only at what was written without a condition."""

    caught_by = (
        "test_a_marker_is_used_up_by_a_decision_that_matches",
        "test_of_racing_decisions_one_wins",
    )

    def append(self, append: Append) -> Append:
        if append.condition is None:
            return append
        write = append.writes[0]
        events = tuple(event._replace(tags=None) for event in write.events)
        return append._replace(writes=(write._replace(events=events),))


class RemembersWhatWasTakenBack(Broken):
    caught_by = ("test_a_decision_that_is_rolled_back_was_never_made",)

    made: ClassVar[set[Condition]] = set()

    def verdict(self, append: Append, verdict: Verdict) -> Verdict:
        if append.condition is None or isinstance(verdict, Exception):
            return verdict
        if append.condition in self.made:
            return MissedError([], 0)
        self.made.add(append.condition)
        return verdict


class NeverInATransaction(Broken):
    """Takes a condition in a transaction for one that nobody has read for."""

    caught_by = ("test_a_decision_in_a_transaction_is_stored_with_it",)

    def verdict(self, append: Append, verdict: Verdict) -> Verdict:
        return MissedError([], 0) if append.condition else verdict


class TurnedRound(Broken):
    caught_by = ("test_all_that_matches_is_given_in_order",)

    async def matching(self, items: Sequence[QueryItem]) -> Matched:
        matched = await super().matching(items)
        return matched._replace(rows=matched.rows[::-1])


class HorizonAhead(Broken):
    """Counts on positions that are not given yet."""

    caught_by = ("test_the_horizon_is_not_above_what_is_decided",)

    async def matching(self, items: Sequence[QueryItem]) -> Matched:
        matched = await super().matching(items)
        return matched._replace(horizon=matched.horizon + 1)


class NoWitness(Broken):
    caught_by = ("test_the_witness_is_the_last_event_up_to_the_horizon",)

    async def matching(self, items: Sequence[QueryItem]) -> Matched:
        return (await super().matching(items))._replace(witness=None)


class HorizonAfterTheRead(Broken):
    """Asks how far all is decided once it has read."""

    caught_by = ("test_a_decision_is_right_beside_appends_without_a_condition",)

    async def matching(self, items: Sequence[QueryItem]) -> Matched:
        rows = (await super().matching(items)).rows
        for _ in range(5):
            await asyncio.sleep(0)
        return (await super().matching(items))._replace(rows=rows)


class BrokenJudge(BrokenStorage):
    """A fault looks at another time."""


class JudgesByTheBeginning(BrokenJudge):
    """Judges all conditions of a batch by what was there before it."""

    caught_by = (JUDGED, "test_of_racing_decisions_one_wins")

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        await asyncio.sleep(0)
        self.looked_up = {id(each): super(BrokenJudge, self).found(each) for each in appends}
        return [self.verdict(append) for append in appends]

    def found(self, append: Append) -> Found | None:
        return self.looked_up[id(append)]


class HalfBehindARefusal(BrokenJudge):
    """Stops at a stream that a refused append of the batch requires, and keeps what it has."""

    caught_by = ("test_a_group_behind_a_refused_one_that_requires_the_same_is_whole_or_nothing",)

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        refused: set[str] = set()
        verdicts: list[Verdict] = []
        for append in appends:
            stops = [each.stream_id for each in append.requires if each.stream_id in refused]
            if stops:
                writes = tuple(each for each in append.writes if each.stream_id < stops[0])
                append = append._replace(writes=writes, requires=())  # noqa: PLW2901 - the fault
            verdicts += await super().write([append])
            if isinstance(verdicts[-1], Exception):
                refused.update(each.stream_id for each in append.requires)
        return verdicts


class ChecksBeforeTheLocks(BrokenJudge):
    """Looks at a condition, and then waits for its turn to write."""

    caught_by = ("test_of_racing_decisions_one_wins",)

    @classmethod
    def parts_on(cls, log: EventLog) -> Parts:
        return replace(super().parts_on(log), max_writes=2)

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        before = len(self.log.rows)
        for _ in range(5):
            await asyncio.sleep(0)
        after = len(self.log.rows)
        self.unseen = {row.position for row in self.log.rows[before:after]}
        return [self.verdict(append) for append in appends]

    def found(self, append: Append) -> Found | None:
        found = super().found(append)
        if found is None:
            return None
        return found._replace(rows=[row for row in found.rows if row.position not in self.unseen])


class TestBrokenConditions(
    ConditionContract,
    StorageConditionContract,
    ConditionTransactionContract,
    BoundaryMachineContract,
):
    faults = (*Broken.__subclasses__(), *BrokenJudge.__subclasses__())
    deadline = 1

    @pytest.fixture
    def open_parts(self, fault: type[Broken | BrokenJudge]) -> OpenParts:
        RemembersWhatWasTakenBack.made.clear()
        return opening(fault)
