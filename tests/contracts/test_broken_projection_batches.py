"""What is wrong with the batches and values of these projection stores, the contract sees."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core.stores import (
    Build,
    FencedError,
    Move,
    ParkedKey,
    ProjectionError,
    Wish,
)
from eventsourcing_core.testing import ProjectionStoreContract
from eventsourcing_inmemory._builds import KeptBuild, KeptKey
from tests.contracts._broken_projections import BrokenBatch, BrokenProjections, new_location_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from eventsourcing_core.stores import Segment
    from eventsourcing_core.testing import NewLocation

    Pages = AsyncIterator[Sequence[tuple[str, str]]]


class Broken(BrokenProjections):
    """A fault of a batch, or of what it writes."""


class ComparesNoPosition(Broken):
    caught_by = (
        "test_a_batch_from_another_position_is_refused",
        "test_many_workers_count_each_event_once",
        "test_a_batch_waits_for_the_one_before_it_and_finds_it_has_moved",
        "test_of_batches_through_two_handles_at_once_one_is_committed",
        "test_one_stale_segment_refuses_all_of_them",
    )

    def is_stale(self, found: Segment, known: Segment, move: Move) -> bool:
        del move
        return found.epoch != known.epoch


class OnlyLaterPositionsAreStale(Broken):
    caught_by = ("test_a_batch_from_another_position_is_refused",)

    def is_stale(self, found: Segment, known: Segment, move: Move) -> bool:
        del move
        behind = found.progress.position > known.progress.position
        return found.epoch != known.epoch or behind


class ComparesNoEpoch(Broken):
    caught_by = (
        "test_a_batch_of_another_epoch_is_refused",
        "test_whoever_was_taken_over_from_writes_nothing_more",
        "test_beginning_takes_claims_off_and_fences_whoever_had_them",
        "test_pausing_takes_claims_off_and_fences_whoever_had_them",
        "test_whoever_knew_a_segment_before_it_was_changed_writes_nothing",
        "test_what_is_fenced_is_fenced_after_a_switch_back",
        "test_rewinding_sets_all_segments_back_and_fences_whoever_had_them",
    )

    def is_stale(self, found: Segment, known: Segment, move: Move) -> bool:
        del move
        return found.progress != known.progress


class OnlyLaterEpochsAreStale(Broken):
    caught_by = ("test_a_batch_of_another_epoch_is_refused",)

    def is_stale(self, found: Segment, known: Segment, move: Move) -> bool:
        del move
        return found.epoch > known.epoch or found.progress != known.progress


class ComparesTheFirst(Broken):
    caught_by = ("test_one_stale_segment_refuses_all_of_them",)

    def is_stale(self, found: Segment, known: Segment, move: Move) -> bool:
        return known.low == move.segments[0].low and super().is_stale(found, known, move)


class MustGoOn(Broken):
    caught_by = ("test_a_batch_may_stay_where_it_is",)

    def is_stale(self, found: Segment, known: Segment, move: Move) -> bool:
        return found.progress == move.to or super().is_stale(found, known, move)


class DoesNotWait(Broken):
    caught_by = (
        "test_a_batch_waits_for_the_one_before_it_and_finds_it_has_moved",
        "test_many_workers_count_each_event_once",
        "test_of_batches_through_two_handles_at_once_one_is_committed",
    )

    def locks_of(self, build: Build, move: Move) -> Sequence[asyncio.Lock]:
        del build, move
        return []


class MovesAtOnce(Broken):
    """Moves the position in a transaction of its own."""

    caught_by = (
        "test_a_batch_moves_its_segments_when_its_block_is_left",
        "test_an_error_in_the_block_takes_everything_back",
        "test_a_batch_that_is_cancelled_leaves_nothing_and_holds_nobody_up",
        "test_a_batch_that_waits_for_one_that_fails_goes_on",
        "test_each_handle_sees_what_the_other_writes",
    )

    class Kind(BrokenBatch):
        def __init__(self, kept: KeptBuild, move: Move, clock: Callable[[], float]) -> None:
            super().__init__(kept, move, clock)
            self.commit()

    batch_kind = Kind


class MovesTheFirstOnly(Broken):
    caught_by = ("test_a_batch_moves_its_segments_when_its_block_is_left",)

    class Kind(BrokenBatch):
        def __init__(self, kept: KeptBuild, move: Move, clock: Callable[[], float]) -> None:
            super().__init__(kept, Move(move.segments[:1], move.to), clock)

    batch_kind = Kind


class WritesAtOnce(Broken):
    """Writes values where everybody sees them."""

    caught_by = (
        "test_what_a_batch_writes_is_seen_when_its_block_is_left",
        "test_an_error_in_the_block_takes_everything_back",
        "test_a_batch_that_is_cancelled_leaves_nothing_and_holds_nobody_up",
    )

    class Kind(BrokenBatch):
        async def put(self, values: Mapping[str, str | None]) -> None:
            await super().put(values)
            self.kept.values.update({k: v for k, v in values.items() if v is not None})

    batch_kind = Kind


class ParksAtOnce(Broken):
    caught_by = (
        "test_what_a_batch_writes_is_seen_when_its_block_is_left",
        "test_an_error_in_the_block_takes_everything_back",
    )

    class Kind(BrokenBatch):
        async def park(
            self, key: str, positions: Sequence[int], error: str, retry_in: float | None
        ) -> None:
            self.kept.parked[key] = KeptKey(tuple(positions), 1, error, retry_in)

    batch_kind = Kind


class CommitsWhatFailed(Broken):
    caught_by = (
        "test_an_error_in_the_block_takes_everything_back",
        "test_a_batch_that_waits_for_one_that_fails_goes_on",
    )

    @asynccontextmanager
    async def batch(self, build: Build, move: Move, *, lease: float) -> AsyncIterator[BrokenBatch]:
        error: Exception | None = None
        async with super().batch(build, move, lease=lease) as batch:
            try:
                yield batch
            except ZeroDivisionError as raised:
                error = raised
        if error:
            raise error


class ReadsWhatWasThere(Broken):
    caught_by = (
        "test_a_batch_reads_what_it_has_put",
        "test_a_savepoint_takes_back_what_its_block_did_and_no_more",
    )

    class Kind(BrokenBatch):
        async def values(self, keys: Sequence[str]) -> Mapping[str, str]:
            return {key: self.kept.values[key] for key in keys if key in self.kept.values}

    batch_kind = Kind


class SavepointsKeepAll(Broken):
    caught_by = ("test_a_savepoint_takes_back_what_its_block_did_and_no_more",)

    class Kind(BrokenBatch):
        @asynccontextmanager
        async def savepoint(self) -> AsyncIterator[None]:
            yield

    batch_kind = Kind


class SavepointsTakeAllBack(Broken):
    caught_by = ("test_a_savepoint_takes_back_what_its_block_did_and_no_more",)

    class Kind(BrokenBatch):
        @asynccontextmanager
        async def savepoint(self) -> AsyncIterator[None]:
            try:
                yield
            except ZeroDivisionError:
                self._values.clear()
                self._parked.clear()
                raise

    batch_kind = Kind


class SavepointsKeepParkedKeys(Broken):
    caught_by = ("test_a_savepoint_takes_back_what_its_block_did_and_no_more",)

    class Kind(BrokenBatch):
        @asynccontextmanager
        async def savepoint(self) -> AsyncIterator[None]:
            values = dict(self._values)
            try:
                yield
            except ZeroDivisionError:
                self._values = values
                raise

    batch_kind = Kind


class OtherKeys(Broken):
    """Takes some keys for others."""

    @classmethod
    def change(cls, key: str) -> str:
        return key

    class Kind(BrokenBatch):
        change: Callable[[str], str]

        async def put(self, values: Mapping[str, str | None]) -> None:
            await super().put({self.change(key): value for key, value in values.items()})

    batch_kind = Kind


class CutsKeys(OtherKeys):
    caught_by = ("test_keys_that_are_alike_have_values_of_their_own",)

    class Kind(OtherKeys.Kind):
        change = staticmethod(lambda key: key[:250])

    batch_kind = Kind


class TrimsKeys(OtherKeys):
    caught_by = ("test_keys_that_are_alike_have_values_of_their_own",)

    class Kind(OtherKeys.Kind):
        change = staticmethod(str.strip)

    batch_kind = Kind


class KeysAsInUtf16(Broken):
    caught_by = ("test_keys_come_in_the_order_of_code_points",)

    async def live_pages(self, name: str, where: Mapping[str, str]) -> Pages:
        found = [each async for page in super().live_pages(name, where) for each in page]
        yield sorted(found, key=lambda each: each[0].encode("utf-16-be"))


class KeepsWhatIsTakenAway(Broken):
    caught_by = ("test_none_takes_a_value_away",)

    class Kind(BrokenBatch):
        async def put(self, values: Mapping[str, str | None]) -> None:
            await super().put({k: v for k, v in values.items() if v is not None})

    batch_kind = Kind


class TruthIsOne(Broken):
    caught_by = ("test_values_are_the_json_that_was_put",)

    class Kind(BrokenBatch):
        async def put(self, values: Mapping[str, str | None]) -> None:
            await super().put({k: v.replace("true", "1") if v else v for k, v in values.items()})

    batch_kind = Kind


class GivesOnePage(Broken):
    caught_by = (
        "test_many_values_come_each_once",
        "test_all_pages_are_of_the_build_that_was_live_at_the_first",
    )

    async def live_pages(self, name: str, where: Mapping[str, str]) -> Pages:
        async for page in super().live_pages(name, where):
            yield page
            break


class RepeatsTheEndsOfPages(Broken):
    caught_by = ("test_many_values_come_each_once",)

    async def live_pages(self, name: str, where: Mapping[str, str]) -> Pages:
        last: list[tuple[str, str]] = []
        async for page in super().live_pages(name, where):
            yield [*last, *page]
            last = [*page[-1:]]


class MixesBuilds(Broken):
    """Asks for each page which build is live."""

    caught_by = (
        "test_all_pages_are_of_the_build_that_was_live_at_the_first",
        "test_pages_of_a_build_that_is_dropped_meanwhile_do_not_just_end",
    )

    async def live_pages(self, name: str, where: Mapping[str, str]) -> Pages:
        del where
        keys = sorted(self._live(name).values)
        for start in range(0, len(keys), 100):
            values = self._live(name).values
            yield [(key, values[key]) for key in keys[start : start + 100] if key in values]


class EndsWhenDropped(Broken):
    caught_by = ("test_pages_of_a_build_that_is_dropped_meanwhile_do_not_just_end",)

    async def live_pages(self, name: str, where: Mapping[str, str]) -> Pages:
        self._live(name)
        try:
            async for page in super().live_pages(name, where):
                yield page
        except ProjectionError:
            return


class Filters(Broken):
    """Tells in another way which values are wanted."""

    def is_wanted(self, value: Any, where: dict[str, Any]) -> bool:
        return isinstance(value, dict) and where.items() <= value.items()  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - any JSON

    async def live_pages(self, name: str, where: Mapping[str, str]) -> Pages:
        wanted = {field: json.loads(value) for field, value in where.items()}
        async for page in super().live_pages(name, {}):
            yield [(k, v) for k, v in page if self.is_wanted(json.loads(v), wanted)]


class OneIsTrue(Filters):
    caught_by = (
        "test_where_tells_values_of_different_types_apart[1-",
        "test_where_tells_values_of_different_types_apart[1]",
        "test_where_tells_values_of_different_types_apart[true",
        "test_where_tells_values_of_different_types_apart[0",
    )


class ComparesTexts(Filters):
    caught_by = ('test_where_tells_values_of_different_types_apart["1"',)

    def is_wanted(self, value: Any, where: dict[str, Any]) -> bool:
        return all(str(value.get(field)) == str(wanted) for field, wanted in where.items())


class AnyFieldWillDo(Filters):
    caught_by = ("test_where_gives_the_values_that_have_all_fields",)

    def is_wanted(self, value: Any, where: dict[str, Any]) -> bool:
        return not where or any(
            super(AnyFieldWillDo, self).is_wanted(value, {f: w}) for f, w in where.items()
        )


class LooksInside(Filters):
    caught_by = ("test_where_gives_the_values_that_have_all_fields",)

    def is_wanted(self, value: Any, where: dict[str, Any]) -> bool:
        return all(json.dumps(wanted) in json.dumps(value) for wanted in where.values())


class CountsNoFirstFailure(Broken):
    caught_by = (
        "test_a_parked_key_says_what_waits_and_why",
        "test_unparking_the_last_event_frees_the_key",
    )

    class Kind(BrokenBatch):
        async def park(
            self, key: str, positions: Sequence[int], error: str, retry_in: float | None
        ) -> None:
            await super().park(key, positions, error, retry_in)
            kept = self._find(key)
            if kept and len(kept.positions) == len(positions):
                self._parked[key] = kept._replace(attempts=0)

    batch_kind = Kind


class ParksInFront(Broken):
    caught_by = ("test_later_events_are_parked_behind_those_that_wait",)

    class Kind(BrokenBatch):
        async def park(
            self, key: str, positions: Sequence[int], error: str, retry_in: float | None
        ) -> None:
            before = self._find(key)
            await super().park(key, positions, error, retry_in)
            if before:
                self._parked[key] = before._replace(positions=(*positions, *before.positions))

    batch_kind = Kind


class ParksAnew(Broken):
    """A later event brings its own error and time."""

    caught_by = (
        "test_later_events_are_parked_behind_those_that_wait",
        "test_a_key_that_is_given_up_is_not_due",
    )

    class Kind(BrokenBatch):
        async def park(
            self, key: str, positions: Sequence[int], error: str, retry_in: float | None
        ) -> None:
            before = self._find(key)
            kept = before.positions if before else ()
            due = None if retry_in is None else self._clock() + retry_in
            self._parked[key] = KeptKey((*kept, *positions), 1, error, due)

    batch_kind = Kind


class KeepsAThousand(Broken):
    caught_by = ("test_many_events_wait_and_the_first_thousand_are_given",)

    class Kind(BrokenBatch):
        async def park(
            self, key: str, positions: Sequence[int], error: str, retry_in: float | None
        ) -> None:
            await super().park(key, positions, error, retry_in)
            if kept := self._find(key):
                self._parked[key] = kept._replace(positions=kept.positions[:1000])

    batch_kind = Kind


class CountsNoFailures(Broken):
    caught_by = ("test_a_failure_is_counted_and_takes_the_wish_off",)

    class Kind(BrokenBatch):
        async def fail_again(self, key: str, error: str, retry_in: float | None) -> None:
            await super().fail_again(key, error, retry_in)
            if kept := self._find(key):
                self._parked[key] = kept._replace(attempts=1)

    batch_kind = Kind


class KeepsWishes(Broken):
    caught_by = (
        "test_a_failure_is_counted_and_takes_the_wish_off",
        "test_unparking_some_events_makes_the_rest_due",
    )

    class Kind(BrokenBatch):
        def commit(self) -> None:
            wishes = {key: kept.wish for key, kept in self.kept.parked.items()}
            super().commit()
            for key, kept in self.kept.parked.items():
                self.kept.parked[key] = kept._replace(wish=wishes.get(key))

    batch_kind = Kind


class ParksAlwaysToRetry(Broken):
    caught_by = ("test_a_key_that_is_parked_for_good_is_given_up",)

    class Kind(BrokenBatch):
        async def park(
            self, key: str, positions: Sequence[int], error: str, retry_in: float | None
        ) -> None:
            await super().park(key, positions, error, retry_in or 0.0)

    batch_kind = Kind


class NeverGivesUp(Broken):
    caught_by = ("test_a_key_that_is_given_up_is_not_due",)

    class Kind(BrokenBatch):
        async def fail_again(self, key: str, error: str, retry_in: float | None) -> None:
            await super().fail_again(key, error, retry_in or 0.0)

    batch_kind = Kind


class NothingIsDue(Broken):
    caught_by = ("test_a_key_is_due_when_its_time_has_come",)

    async def parked(self, build: Build, *, first: int | None = None) -> Sequence[ParkedKey]:
        found = await super().parked(build, first=first)
        return [key._replace(is_due=False) for key in found]


class DueByTheClient(Broken):
    caught_by = ("test_a_key_is_due_by_the_clock_of_the_store",)

    def __init__(self, shelf: Any) -> None:
        super().__init__(shelf)
        self._clock = lambda: time.time()  # noqa: PLW0108 - as a test may have changed it


class UnparksAll(Broken):
    """Goes on behind events that were left out."""

    caught_by = (
        "test_unparking_some_events_makes_the_rest_due",
        "test_many_events_wait_and_the_first_thousand_are_given",
    )

    class Kind(BrokenBatch):
        async def unpark(self, key: str, to_position: int) -> None:
            await super().unpark(key, to_position + 2**62)

    batch_kind = Kind


class TheRestWaits(Broken):
    caught_by = (
        "test_unparking_some_events_makes_the_rest_due",
        "test_a_key_that_is_given_up_begins_anew_with_the_next_event",
    )

    class Kind(BrokenBatch):
        async def unpark(self, key: str, to_position: int) -> None:
            before = self._find(key)
            await super().unpark(key, to_position)
            if before and (kept := self._find(key)):
                self._parked[key] = before._replace(positions=kept.positions)

    batch_kind = Kind


class KeepsEmptyKeys(Broken):
    caught_by = (
        "test_unparking_the_last_event_frees_the_key",
        "test_what_a_batch_writes_is_seen_when_its_block_is_left",
    )

    class Kind(BrokenBatch):
        async def unpark(self, key: str, to_position: int) -> None:
            before = self._find(key)
            await super().unpark(key, to_position)
            if before and not self._find(key):
                self._parked[key] = before._replace(positions=())

    batch_kind = Kind


class ParkedByKey(Broken):
    caught_by = ("test_parked_keys_come_by_hash_and_key",)

    async def parked(self, build: Build, *, first: int | None = None) -> Sequence[ParkedKey]:
        return sorted(await super().parked(build, first=None), key=lambda key: key.key)[:first]


class WishesForAll(Broken):
    caught_by = ("test_a_wish_is_for_one_key_or_for_all",)

    async def wish(self, build: Build, wish: Wish, key: str | None = None) -> int:
        del key
        return await super().wish(build, wish)


class WishesDoNotWait(Broken):
    """Notes a wish on a key that a batch has read, and writes as it was."""

    caught_by = ("test_a_wish_is_not_lost_to_a_batch_that_is_open",)

    async def wish(self, build: Build, wish: Wish, key: str | None = None) -> int:
        parked = self._kept(build).parked
        wanted = [each for each in parked if key is None or each == key]
        parked.update({each: parked[each]._replace(wish=wish) for each in wanted})
        return len(wanted)


class FindsTheFirstOnly(Broken):
    caught_by = (
        "test_keys_are_found_by_the_position_of_an_event",
        "test_many_events_wait_and_the_first_thousand_are_given",
    )

    async def parked_at(self, build: Build, position: int) -> Sequence[ParkedKey]:
        return [key for key in await self.parked(build) if key.positions[0] == position]


class DueByHash(Broken):
    caught_by = ("test_what_is_due_or_wished_for_is_given_by_segment_the_oldest_first",)

    async def due(
        self, build: Build, segments: Sequence[Segment], *, first: int
    ) -> Sequence[ParkedKey]:
        found = await super().due(build, segments, first=first)
        return sorted(found, key=lambda key: (key.hash, key.key))


class DueInAllSegments(Broken):
    caught_by = ("test_what_is_due_or_wished_for_is_given_by_segment_the_oldest_first",)

    async def due(
        self, build: Build, segments: Sequence[Segment], *, first: int
    ) -> Sequence[ParkedKey]:
        everywhere = [s._replace(low=0, high=65535) for s in segments[:1]]
        return await super().due(build, everywhere, first=first)


class CountsEvents(Broken):
    caught_by = ("test_parked_keys_are_counted_by_segment",)

    async def count_parked(self, build: Build) -> Mapping[int, int]:
        return {low: count * 2 for low, count in (await super().count_parked(build)).items()}


class CountsBySegmentsOfOld(Broken):
    """Knows for good in which segment a key was when it was parked."""

    caught_by = ("test_parked_keys_are_those_of_the_segment_with_their_hash",)

    async def count_parked(self, build: Build) -> Mapping[int, int]:
        return {0: len(await self.parked(build))}


class FencesWhoeverWaited(Broken):
    caught_by = ("test_a_batch_that_waits_for_one_that_fails_goes_on",)

    @asynccontextmanager
    async def batch(self, build: Build, move: Move, *, lease: float) -> AsyncIterator[BrokenBatch]:
        if any(lock.locked() for lock in self.locks_of(build, move)):
            message = "somebody else is at work"
            raise FencedError(message)
        async with super().batch(build, move, lease=lease) as batch:
            yield batch


class TestBrokenBatches(ProjectionStoreContract):
    faults = (
        *(fault for fault in Broken.__subclasses__() if fault.caught_by),
        *OtherKeys.__subclasses__(),
        *Filters.__subclasses__(),
    )
    deadline = 1.0

    @pytest.fixture
    def new_location(self, fault: type[Broken]) -> NewLocation:
        return new_location_of(fault)
