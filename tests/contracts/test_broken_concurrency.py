"""What goes wrong in these stores when tasks race, or a store is closed, the contract sees."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from eventsourcing_core import (
    AppendResult,
    ConcurrencyError,
    DuplicateEventError,
    Event,
    EventCodec,
    ExpectedVersion,
    RecordedEvent,
    StorageError,
)
from eventsourcing_core.testing._concurrency_contract import ConcurrencyContract
from eventsourcing_core.testing._lifetime_contract import LifetimeContract
from eventsourcing_inmemory import InMemoryEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.testing import OpenEventStore

ANY = ExpectedVersion.ANY


class Broken(InMemoryEventStore):
    """A fault appends in another way, or lives longer than it should."""

    caught_by: ClassVar[tuple[str, ...]] = ()

    def version(self, stream_id: str) -> int:
        return len(self._log.streams.get(stream_id, ()))


class LooksThenWrites(Broken):
    """Checks, lets others run, and writes without another look."""

    caught_by = (
        "test_one_of_many_racing_appends_wins_each_round",
        "test_one_of_many_racing_appends_makes_a_stream",
        "test_one_of_two_appends_with_the_same_id_wins",
        "test_an_append_and_its_repetition_at_once_have_one_result",
    )

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        append = self._codec.encode_append(stream_id, events, expected_version)
        self._check_usable()
        known = {event.event_id for event in append.events} & self._log.places.keys()
        places = {event_id: self._log.places[event_id] for event_id in known}
        settled = append.settle(self.version(stream_id), places)
        await asyncio.sleep(0)
        return settled or self._log.write(stream_id, append.events)


class AnyIsTheVersionOfAMomentAgo(Broken):
    caught_by = (
        "test_any_never_conflicts",
        "test_a_cancelled_append_does_not_harm_its_neighbours",
    )

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        if expected_version is ANY:
            expected_version = self.version(stream_id)
            await asyncio.sleep(0)
        return await super().append(stream_id, events, expected_version=expected_version)


class EventByEvent(Broken):
    """Lets others run between the events of one append."""

    caught_by = (
        "test_any_never_conflicts",
        "test_one_bad_append_among_good_ones_fails_alone",
        "test_one_of_two_appends_with_the_same_id_wins",
        "test_a_cancelled_append_can_be_repeated",
        "test_a_reader_sees_all_of_an_append_or_nothing",
    )

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        for event in events[:-1]:
            result = await super().append(stream_id, [event], expected_version=expected_version)
            if expected_version is not ANY:
                expected_version = result.version
        return await super().append(stream_id, events[-1:], expected_version=expected_version)


class LatePosition(Broken):
    """Every other append can be read a little later than it was given its position."""

    caught_by = ("test_a_reader_that_goes_on_after_the_last_position_misses_nothing",)

    def __init__(self, codec: EventCodec) -> None:
        super().__init__(codec)
        self.hidden: set[int] = set()

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        result = await super().append(stream_id, events, expected_version=expected_version)
        if result.position % 2:
            self.hidden.add(result.position)
            for _ in range(5):
                await asyncio.sleep(0)
            self.hidden.discard(result.position)
        return result

    async def read_all(self, **options: Any) -> AsyncIterator[RecordedEvent[Any]]:
        async for event in super().read_all(**options):
            if event.position not in self.hidden:
                yield event


class ResultOfANeighbour(Broken):
    caught_by = ("test_any_never_conflicts",)

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        await super().append(stream_id, events, expected_version=expected_version)
        await asyncio.sleep(0)
        return AppendResult(self.version(stream_id), len(self._log.rows))


class LastComeFirst(Broken):
    """Writes what comes at the same time from the last to the first."""

    caught_by = (
        "test_appends_to_a_stream_are_written_in_the_order_of_the_calls",
        "test_appends_to_a_stream_are_judged_by_what_the_earlier_ones_left",
    )

    def __init__(self, codec: EventCodec) -> None:
        super().__init__(codec)
        self.came = 0

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        self.came += 1
        for _ in range(100 - self.came):
            await asyncio.sleep(0)
        return await super().append(stream_id, events, expected_version=expected_version)


class ConflictOfTheEnd(Broken):
    """Says at which version the stream is when all others have written, too."""

    caught_by = ("test_appends_to_a_stream_are_judged_by_what_the_earlier_ones_left",)

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        try:
            return await super().append(stream_id, events, expected_version=expected_version)
        except ConcurrencyError as error:
            await asyncio.sleep(0)
            actual = self.version(stream_id)
            raise ConcurrencyError(stream_id, error.expected, actual) from error


class RepetitionHasTheResultOfTheEnd(Broken):
    """Gives the place of the stream's last event for one that is there already."""

    caught_by = ("test_an_append_that_repeats_an_earlier_one_of_the_burst_has_its_result",)

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        await super().append(stream_id, events, expected_version=expected_version)
        return AppendResult(self.version(stream_id), len(self._log.rows))


class LosesSome(Broken):
    caught_by = ("test_appends_to_many_streams_are_all_stored",)

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        if len(self._log.rows) == 100:
            stream_id = "lost"
            expected_version = ANY
        return await super().append(stream_id, events, expected_version=expected_version)


class OneForAll(Broken):
    """A batch that fails as a whole, for the fault of one."""

    caught_by = ("test_one_bad_append_among_good_ones_fails_alone",)

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        await asyncio.sleep(0)
        try:
            return await super().append(stream_id, events, expected_version=expected_version)
        except DuplicateEventError:
            self._closed = True
            raise


class SecondOfTwoForgotten(Broken):
    """Takes the repetition of what is under way for a duplicate."""

    caught_by = ("test_an_append_and_its_repetition_at_once_have_one_result",)

    def __init__(self, codec: EventCodec) -> None:
        super().__init__(codec)
        self.under_way: set[bytes] = set()

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        ids = {event.raw_event_id for event in events}
        if ids & self.under_way:
            raise DuplicateEventError(events[0].event_id, stream_id, 1)
        self.under_way |= ids
        try:
            return await super().append(stream_id, events, expected_version=expected_version)
        finally:
            self.under_way -= ids


class LockIsLost(Broken):
    """A cancelled append never gives its lock back."""

    caught_by = (
        "test_a_cancelled_append_can_be_repeated",
        "test_a_cancelled_append_does_not_harm_its_neighbours[0",
        "test_a_cancelled_append_does_not_harm_its_neighbours[2",
    )

    def __init__(self, codec: EventCodec) -> None:
        super().__init__(codec)
        self.lock = asyncio.Lock()

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        await self.lock.acquire()
        try:
            result = await super().append(stream_id, events, expected_version=expected_version)
        except Exception:
            self.lock.release()
            raise
        self.lock.release()
        return result


class CancelSpreads(Broken):
    caught_by = ("test_a_cancelled_append_does_not_harm_its_neighbours",)

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        try:
            return await super().append(stream_id, events, expected_version=expected_version)
        except asyncio.CancelledError:
            self._closed = True
            raise
        finally:
            await asyncio.sleep(0)
            if self._closed:
                message = "a neighbour was cancelled"
                raise StorageError(message)


class ClosedWorksOn(Broken):
    caught_by = ("test_a_closed_store_refuses",)

    def close(self) -> None:
        """Stay open."""


class ClosedHangs(Broken):
    caught_by = ("test_a_closed_store_refuses[append", "test_a_closed_store_refuses[wait")

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        await asyncio.sleep(3600 if self._closed else 0)
        return await super().append(stream_id, events, expected_version=expected_version)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        await asyncio.sleep(3600 if self._closed else 0)
        return await super().wait(after_position=after_position, timeout=timeout)


class NotNewEachTime(Broken):
    caught_by = ("test_each_opened_store_is_new_and_empty",)

    logs: ClassVar[list[Any]] = []

    def __init__(self, codec: EventCodec) -> None:
        super().__init__(codec)
        self.logs.append(self._log)
        self._log = self.logs[0]


class EveryLoopWillDo(Broken):
    caught_by = ("test_another_event_loop_is_refused",)

    def _check_usable(self) -> None:
        self._log.loop = None
        super()._check_usable()


class HangsInAnotherLoop(Broken):
    caught_by = ("test_another_event_loop_is_refused[append",)

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        if self._log.loop not in {None, asyncio.get_running_loop()}:
            await asyncio.sleep(3600)
        return await super().append(stream_id, events, expected_version=expected_version)


class HasNoWait:
    """Three of the four methods."""

    caught_by = ("test_a_store_has_the_methods_of_the_port",)

    def __init__(self, codec: EventCodec) -> None:
        store = InMemoryEventStore(codec)
        self.append, self.read, self.read_all = store.append, store.read, store.read_all

    def close(self) -> None:
        """Nothing to close."""


class TestBrokenConcurrency(ConcurrencyContract, LifetimeContract):
    faults = (*Broken.__subclasses__(), HasNoWait)
    deadline = 0.3

    @pytest.fixture
    def open_store(self, fault: type[Broken]) -> OpenEventStore:
        @asynccontextmanager
        async def opened(codec: EventCodec) -> AsyncIterator[Broken]:
            store = fault(codec)
            yield store
            store.close()

        return opened
