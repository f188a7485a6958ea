"""What is wrong with these stores' reads, the contract sees."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from eventsourcing_core import AppendResult, Event, EventCodec, RecordedEvent, StorageError
from eventsourcing_core.testing._event_store_machine import EventStoreMachineContract
from eventsourcing_core.testing._read_all_contract import ReadAllContract
from eventsourcing_core.testing._read_contract import ReadContract
from eventsourcing_inmemory import InMemoryEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from eventsourcing_core.testing import OpenEventStore

    Events = AsyncIterator[RecordedEvent[Any]]

INT64 = 2**63
MODEL = "test_a_store_does_what_the_model_does"


class Broken(InMemoryEventStore):
    """A fault changes the arguments of a read, or the events that come of it."""

    caught_by: ClassVar[tuple[str, ...]] = ()

    def read(self, stream_id: str, **options: Any) -> Events:
        return super().read(stream_id, **options)

    def read_all(self, **options: Any) -> Events:
        return super().read_all(**options)

    async def changed(
        self, events: Events, change: Callable[[list[RecordedEvent[Any]]], Iterable[Any]]
    ) -> Events:
        for event in change([event async for event in events]):
            yield event

    def stream_ids(self) -> list[str]:
        return list(self._log.streams)


class UpperBoundExclusive(Broken):
    caught_by = (
        "test_bounds_are_inclusive[1-4",
        "test_bounds_are_inclusive[3-3",
        "test_a_limit_counts_within_the_bounds",
        MODEL,
    )

    def read(self, stream_id: str, *, to_version: int | None = None, **options: Any) -> Events:
        if to_version is not None and to_version > 1:
            to_version -= 1
        return super().read(stream_id, to_version=to_version, **options)


class LowerBoundExclusive(Broken):
    caught_by = ("test_bounds_are_inclusive[2-", "test_a_limit_counts_within_the_bounds", MODEL)

    def read(self, stream_id: str, *, from_version: int = 1, **options: Any) -> Events:
        from_version += from_version > 1
        return super().read(stream_id, from_version=from_version, **options)


class BoundsSwapped(Broken):
    caught_by = ("test_bounds_are_inclusive[4-2",)

    def read(
        self,
        stream_id: str,
        *,
        from_version: int = 1,
        to_version: int | None = None,
        **options: Any,
    ) -> Events:
        if to_version is not None:
            from_version, to_version = sorted((from_version, to_version))
        options |= {"from_version": from_version, "to_version": to_version}
        return super().read(stream_id, **options)


class LimitIgnored(Broken):
    caught_by = (
        "test_a_limit_counts_from_the_lowest_version[0",
        "test_a_limit_counts_from_the_lowest_version[1",
        "test_a_limit_counts_from_the_lowest_version[3",
        "test_a_limit_counts_from_the_highest_version_backward",
        "test_a_limit_counts_within_the_bounds",
        "test_all_events_up_to_a_limit",
        "test_all_events_backward_up_to_a_limit",
        "test_filters_work_together_and_before_the_limit",
        MODEL,
    )

    def read(self, stream_id: str, **options: Any) -> Events:
        return super().read(stream_id, **options | {"limit": None})

    def read_all(self, **options: Any) -> Events:
        return super().read_all(**options | {"limit": None})


class LimitZeroIsFalsy(Broken):
    caught_by = (
        "test_a_limit_counts_from_the_lowest_version[0",
        "test_a_limit_counts_from_the_highest_version_backward[0",
        "test_all_events_up_to_a_limit[0",
        "test_all_events_backward_up_to_a_limit[0",
        MODEL,
    )

    def read(self, stream_id: str, *, limit: int | None = None, **options: Any) -> Events:
        return super().read(stream_id, limit=limit or None, **options)

    def read_all(self, *, limit: int | None = None, **options: Any) -> Events:
        return super().read_all(limit=limit or None, **options)


class LimitBeforeFilters(Broken):
    caught_by = (
        "test_a_limit_counts_within_the_bounds",
        "test_filters_work_together_and_before_the_limit",
        MODEL,
    )

    def read(self, stream_id: str, *, from_version: int = 1, **options: Any) -> Events:
        return self.changed(
            super().read(stream_id, **options),
            lambda events: [event for event in events if event.version >= from_version],
        )

    def read_all(self, *, event_types: Any = None, **options: Any) -> Events:
        return self.changed(
            super().read_all(**options),
            lambda events: [
                e for e in events if event_types is None or e.event_type in event_types
            ],
        )


class NaiveBackward(Broken):
    caught_by = (
        "test_a_limit_counts_from_the_highest_version_backward[1",
        "test_a_limit_counts_from_the_highest_version_backward[3",
        "test_a_limit_counts_within_the_bounds",
        "test_all_events_backward_up_to_a_limit[1",
        "test_all_events_backward_up_to_a_limit[4",
        MODEL,
    )

    def read(self, stream_id: str, *, backward: bool = False, **options: Any) -> Events:
        events = super().read(stream_id, **options)
        return self.changed(events, lambda read: read[::-1] if backward else read)

    def read_all(self, *, backward: bool = False, **options: Any) -> Events:
        events = super().read_all(**options)
        return self.changed(events, lambda read: read[::-1] if backward else read)


class BackwardIgnored(Broken):
    caught_by = (
        "test_bounds_are_inclusive[1-4",
        "test_a_limit_counts_from_the_highest_version_backward[3",
        "test_a_long_stream_is_read_whole",
        "test_backward_begins_at_the_end_and_stops_before_the_position",
        "test_all_events_backward_up_to_a_limit[4",
        "test_a_long_log_is_read_whole",
        MODEL,
    )

    def read(self, stream_id: str, **options: Any) -> Events:
        return super().read(stream_id, **options | {"backward": False})

    def read_all(self, **options: Any) -> Events:
        return super().read_all(**options | {"backward": False})


class NothingIsAnError(Broken):
    caught_by = (
        "test_an_unknown_stream_reads_as_empty",
        "test_an_empty_store_reads_as_empty",
        MODEL,
    )

    def read(self, stream_id: str, **options: Any) -> Events:
        if stream_id not in self.stream_ids():
            raise StorageError
        return super().read(stream_id, **options)

    def read_all(self, **options: Any) -> Events:
        if not self.stream_ids():
            raise StorageError
        return super().read_all(**options)


class StreamIdIsAPrefix(Broken):
    caught_by = ("test_a_stream_is_read_by_version_without_its_neighbours", MODEL)

    def read(self, stream_id: str, **options: Any) -> Events:  # noqa: ARG002 - part of the fault
        return super().read_all(stream_prefix=stream_id)


class CaseIgnored(Broken):
    caught_by = (
        "test_a_stream_is_read_by_version_without_its_neighbours",
        "test_event_types_are_matched_exactly[event_types5",
        "test_every_character_of_a_prefix_means_itself[Doc",
        "test_every_character_of_a_prefix_means_itself[doc",
        MODEL,
    )

    def read(self, stream_id: str, **options: Any) -> Events:
        events = super().read_all()
        return self.changed(
            super().read(stream_id, **options) if stream_id != "doc-1" else events,
            lambda read: [e for e in read if e.stream_id.lower() == stream_id.lower()],
        )

    def read_all(
        self, *, stream_prefix: str | None = None, event_types: Any = None, **options: Any
    ) -> Events:
        types = None if event_types is None else {name.lower() for name in event_types}
        return self.changed(
            super().read_all(**options),
            lambda events: [
                event
                for event in events
                if event.stream_id.lower().startswith((stream_prefix or "").lower())
                and (types is None or event.event_type.lower() in types)
            ],
        )


class OnePageOnly(Broken):
    caught_by = ("test_a_long_stream_is_read_whole", "test_a_long_log_is_read_whole")

    def read(self, stream_id: str, **options: Any) -> Events:
        return self.changed(super().read(stream_id, **options), lambda events: events[:1000])

    def read_all(self, **options: Any) -> Events:
        return self.changed(super().read_all(**options), lambda events: events[:1000])


class Numbers64BitsOnly(Broken):
    caught_by = (
        "test_bounds_far_away_are_bounds[9223372036854775808",
        "test_bounds_far_away_are_bounds[1180591620717411303424",
        "test_positions_and_limits_far_away_are_bounds[9223372036854775808",
        "test_positions_and_limits_far_away_are_bounds[1180591620717411303424",
    )

    def read(self, stream_id: str, **options: Any) -> Events:
        self.check(*options.values())
        return super().read(stream_id, **options)

    def read_all(self, **options: Any) -> Events:
        self.check(*options.values())
        return super().read_all(**options)

    def check(self, *arguments: object) -> None:
        if any(isinstance(argument, int) and argument >= INT64 for argument in arguments):
            raise OverflowError


class NumbersAreSmall(Broken):
    caught_by = ("test_bounds_far_away_are_bounds", "test_positions_and_limits_far_away_are_bounds")

    def read(self, stream_id: str, **options: Any) -> Events:
        options = {k: v % 2**31 if isinstance(v, int) else v for k, v in options.items()}
        return super().read(stream_id, **options | {"from_version": 1})

    def read_all(self, **options: Any) -> Events:
        options = {k: 0 if isinstance(v, int) else v for k, v in options.items()}
        return super().read_all(**options)


class ReadersHoldALock(Broken):
    caught_by = (
        "test_many_readers_half_way_do_not_block_an_append",
        "test_a_reader_may_append_to_what_it_reads",
        "test_a_reader_of_all_may_append_meanwhile",
    )

    def __init__(self, codec: EventCodec) -> None:
        super().__init__(codec)
        self.readers = 0
        self.free = asyncio.Event()
        self.free.set()

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        await self.free.wait()
        return await super().append(stream_id, events, expected_version=expected_version)

    def read(self, stream_id: str, **options: Any) -> Events:
        return self.locked(super().read(stream_id, **options))

    def read_all(self, **options: Any) -> Events:
        return self.locked(super().read_all(**options))

    async def locked(self, events: Events) -> Events:
        self.readers += 1
        self.free.clear()
        try:
            async for event in events:
                yield event
        finally:
            self.unlock()

    def unlock(self) -> None:
        self.readers -= 1
        if not self.readers:
            self.free.set()


class ConnectionsAreLost(Broken):
    """Only a reader that comes to its end gives its connection back, and there is only one."""

    caught_by = (
        "test_a_reader_that_stops_half_way_does_no_harm",
        "test_a_cancelled_reader_does_no_harm",
    )

    def __init__(self, codec: EventCodec) -> None:
        super().__init__(codec)
        self.free = asyncio.Event()
        self.free.set()

    def read(self, stream_id: str, **options: Any) -> Events:
        return self.connected(super().read(stream_id, **options))

    def read_all(self, **options: Any) -> Events:
        return self.connected(super().read_all(**options))

    async def connected(self, events: Events) -> Events:
        await self.free.wait()
        self.free.clear()
        async for event in events:
            yield event
        self.free.set()


class AppendsDisturbReaders(Broken):
    caught_by = (
        "test_a_reader_may_append_to_what_it_reads",
        "test_a_reader_of_all_may_append_meanwhile",
    )

    def read(self, stream_id: str, **options: Any) -> Events:
        return self.undisturbed(super().read(stream_id, **options))

    def read_all(self, **options: Any) -> Events:
        return self.undisturbed(super().read_all(**options))

    async def undisturbed(self, events: Events) -> Events:
        count = len(self._log.rows)
        async for event in events:
            if len(self._log.rows) != count:
                message = "the log changed during iteration"
                raise RuntimeError(message)
            yield event


class TestBrokenReads(ReadContract, ReadAllContract, EventStoreMachineContract):
    faults = tuple(Broken.__subclasses__())
    deadline = 0.3

    @pytest.fixture
    def open_store(self, fault: type[Broken]) -> OpenEventStore:
        @asynccontextmanager
        async def opened(codec: EventCodec) -> AsyncIterator[Broken]:
            yield fault(codec)

        return opened
