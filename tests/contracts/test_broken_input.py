"""What these stores should have refused, the contract sees."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from eventsourcing_core import (
    AppendResult,
    EncodedEvent,
    Event,
    EventCodec,
    ExpectedVersion,
    RecordedEvent,
    SerializationError,
    StorageError,
)
from eventsourcing_core.testing._input_contract import InputContract
from eventsourcing_inmemory import InMemoryEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.testing import OpenEventStore

    Events = AsyncIterator[RecordedEvent[Any]]

ANY = ExpectedVersion.ANY


class Broken(InMemoryEventStore):
    """A fault accepts what it should refuse, or refuses it too late."""

    caught_by: ClassVar[tuple[str, ...]] = ()


class WritesBeforeItChecks(Broken):
    """Refuses everything as it should, after it wrote something."""

    caught_by = (
        "test_an_append_refuses_a_bad_stream_id",
        "test_a_stream_id_is_a_string",
        "test_a_negative_expected_version_is_refused",
        "test_an_expected_version_of_another_type_is_refused",
        "test_something_else_than_an_event_is_refused",
        "test_a_payload_of_an_unregistered_class_is_refused",
        "test_a_value_that_cannot_be_stored_is_refused",
        "test_an_event_at_the_size_limit_is_stored_and_a_larger_one_refused",
    )

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        try:
            return await super().append(stream_id, events, expected_version=expected_version)
        except Exception:
            self._log.write("refused", [EncodedEvent("x", b"{}", None, "json", b"0" * 16, 0)])
            raise


class StreamIdsUnchecked(Broken):
    caught_by = (
        "test_an_append_refuses_a_bad_stream_id",
        "test_a_read_refuses_a_bad_stream_id_when_it_is_called",
        "test_a_stream_id_is_a_string",
    )

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        append = self._codec.encode_append("unchecked", events, expected_version)
        return self._log.write(stream_id, append.events)

    def read(self, stream_id: str, **options: Any) -> Events:  # noqa: ARG002 - the fault
        return super().read("unchecked", **options)


class ReadsCheckLate(Broken):
    """The arguments of a generator function are looked at when the first event is asked for."""

    caught_by = (
        "test_a_read_refuses_a_bad_stream_id_when_it_is_called",
        "test_a_stream_id_is_a_string",
        "test_a_version_below_1_is_refused_when_it_is_called",
        "test_a_negative_limit_is_refused_when_it_is_called",
        "test_a_negative_position_is_refused",
        "test_one_string_is_no_collection_of_event_types",
    )

    async def read(self, stream_id: str, **options: Any) -> Events:
        async for event in super().read(stream_id, **options):
            yield event

    async def read_all(self, **options: Any) -> Events:
        async for event in super().read_all(**options):
            yield event


class NegativeIsNone(Broken):
    caught_by = (
        "test_a_negative_expected_version_is_refused",
        "test_a_version_below_1_is_refused_when_it_is_called",
        "test_a_negative_limit_is_refused_when_it_is_called",
        "test_a_negative_position_is_refused",
        "test_a_negative_timeout_is_refused",
    )

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        if isinstance(expected_version, int) and expected_version < 0:
            expected_version = ANY
        return await super().append(stream_id, events, expected_version=expected_version)

    def read(self, stream_id: str, **options: Any) -> Events:
        return super().read(stream_id, **{k: v for k, v in options.items() if v > 0})

    def read_all(self, **options: Any) -> Events:
        return super().read_all(**{k: v for k, v in options.items() if v >= 0})

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        return await super().wait(after_position=abs(after_position), timeout=abs(timeout))


class NothingIsAppended(Broken):
    caught_by = ("test_an_append_of_nothing_is_refused",)

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        if not events:
            return AppendResult(0, 0)
        return await super().append(stream_id, events, expected_version=expected_version)


class EveryExpectationWillDo(Broken):
    caught_by = (
        "test_an_expected_version_of_another_type_is_refused",
        "test_an_expected_version_is_required",
    )

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any = None
    ) -> AppendResult:
        if type(expected_version) is not int:
            expected_version = ANY
        return await super().append(stream_id, events, expected_version=expected_version)


class StrangersSkipped(Broken):
    caught_by = ("test_something_else_than_an_event_is_refused",)

    async def append(
        self, stream_id: str, events: Sequence[Any], *, expected_version: Any
    ) -> AppendResult:
        known = [event for event in events if isinstance(event, Event)]
        return await super().append(stream_id, known or events, expected_version=expected_version)


class UnstorableSkipped(Broken):
    caught_by = (
        "test_a_payload_of_an_unregistered_class_is_refused",
        "test_a_value_that_cannot_be_stored_is_refused",
        "test_an_event_at_the_size_limit_is_stored_and_a_larger_one_refused",
        "test_a_store_works_on_after_refusals",
    )

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        storable = [event for event in events if self.is_storable(event)]
        if events and not storable:
            return AppendResult(0, 0)
        return await super().append(stream_id, storable, expected_version=expected_version)

    def is_storable(self, event: Any) -> bool:
        try:
            self._codec.encode(event)
        except SerializationError:
            return False
        return True


class SizeLimitExclusive(Broken):
    caught_by = ("test_an_event_at_the_size_limit_is_stored_and_a_larger_one_refused",)

    def __init__(self, codec: EventCodec) -> None:
        super().__init__(
            EventCodec(
                "json", event_types=codec.event_types, max_event_bytes=codec.max_event_bytes - 1
            )
        )


class StringIsACollection(Broken):
    caught_by = ("test_one_string_is_no_collection_of_event_types",)

    def read_all(self, *, event_types: Any = None, **options: Any) -> Events:
        types = None if event_types is None else list(event_types)
        return super().read_all(event_types=types, **options)


class BrokenByARefusal(Broken):
    caught_by = ("test_a_store_works_on_after_refusals",)

    refused = False

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        if self.refused:
            raise StorageError
        try:
            return await super().append(stream_id, events, expected_version=expected_version)
        except ValueError:
            self.refused = True
            raise


class TestBrokenInput(InputContract):
    faults = tuple(Broken.__subclasses__())

    @pytest.fixture
    def open_store(self, fault: type[Broken]) -> OpenEventStore:
        @asynccontextmanager
        async def opened(codec: EventCodec) -> AsyncIterator[Broken]:
            yield fault(codec)

        return opened
