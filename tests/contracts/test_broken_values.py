"""What is wrong with the values that these stores give back, the contract sees."""

from __future__ import annotations

import unicodedata
from contextlib import asynccontextmanager
from datetime import timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

import pytest

from eventsourcing_core import (
    AppendResult,
    Event,
    EventCodec,
    RecordedEvent,
    SerializationError,
    StorageError,
)
from eventsourcing_core.testing._value_contract import ValueContract
from eventsourcing_inmemory import InMemoryEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from eventsourcing_core.testing import OpenEventStore

    Events = AsyncIterator[RecordedEvent[Any]]


class Broken(InMemoryEventStore):
    """A fault changes some fields of every event that is read, or the names that are written."""

    caught_by: ClassVar[tuple[str, ...]] = ()

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:  # noqa: ARG002 - for faults
        return {}

    def name(self, name: str) -> str:
        return name

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        name = self.name(stream_id)
        return await super().append(name, events, expected_version=expected_version)

    def read(self, stream_id: str, **options: Any) -> Events:
        return self.changed(super().read(self.name(stream_id), **options))

    def read_all(self, **options: Any) -> Events:
        return self.changed(super().read_all(**options))

    async def changed(self, events: Events) -> Events:
        fields = ("event_type", "data", "stream_id", "version", "position")
        async for event in events:
            values = {field: getattr(event, field) for field in fields}
            values |= {"event_id": event.event_id, "timestamp": event.timestamp}
            values |= {"metadata": event.metadata}
            yield RecordedEvent(**values | self.changes(event))


class PlaceForgotten(Broken):
    caught_by = ("test_a_recorded_event_knows_its_place",)

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:
        return {"position": event.position + 1}


class StreamIdLowered(Broken):
    caught_by = ("test_a_stream_id_comes_back_as_it_was_spelt",)

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:
        return {"stream_id": event.stream_id.lower()}


class ClassForgotten(Broken):
    caught_by = ("test_a_typed_payload_comes_back_as_its_class",)

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:
        return {"data": {"owner": event.data.owner} if hasattr(event.data, "owner") else event.data}


class DecimalIsAFloat(Broken):
    caught_by = ("test_an_untyped_payload_comes_back_as_its_dict",)

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:
        return {
            "data": {
                key: float(value) if isinstance(value, Decimal) else value
                for key, value in event.data.items()
            }
        }


class MetadataForgotten(Broken):
    caught_by = (
        "test_metadata_come_back",
        "test_text_comes_back",
        "test_events_are_stored_with_the_serializer_of_the_codec",
    )

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:  # noqa: ARG002 - the fault
        return {"metadata": {}}


class MetadataAdded(Broken):
    caught_by = ("test_metadata_come_back", "test_no_metadata_come_back_as_none_at_all")

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:
        return {"metadata": {**event.metadata, "store": "mine"}}


class IdSigned(Broken):
    caught_by = ("test_an_event_id_comes_back[event_id1",)

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:
        return {"event_id": UUID(int=event.event_id.int & (2**127 - 1))}


class IdMadeAnew(Broken):
    caught_by = ("test_an_event_id_comes_back",)

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:
        return {"event_id": UUID(int=event.event_id.int ^ 1)}


class TimeInMilliseconds(Broken):
    caught_by = (
        "test_a_timestamp_comes_back_to_the_microsecond[timestamp0",
        "test_a_timestamp_comes_back_to_the_microsecond[timestamp1",
        "test_a_timestamp_comes_back_to_the_microsecond[timestamp3",
        "test_a_timestamp_comes_back_to_the_microsecond[timestamp5",
        "test_a_timestamp_of_another_zone_comes_back_in_utc",
    )

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:
        milliseconds = event.timestamp.microsecond // 1000
        return {"timestamp": event.timestamp.replace(microsecond=milliseconds * 1000)}


class TimeThroughFloats(Broken):
    """Seconds since 1970 as a float: too few digits far away."""

    caught_by = ("test_a_timestamp_comes_back_to_the_microsecond[timestamp5",)

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:
        return {"timestamp": self.rounded(event.timestamp)}

    def rounded(self, timestamp: datetime) -> datetime:
        lost = round((timestamp.timestamp() % 1) * 1_000_000) != timestamp.microsecond
        return timestamp.replace(microsecond=0) if lost else timestamp


class TimeUnsigned(Broken):
    caught_by = (
        "test_a_timestamp_comes_back_to_the_microsecond[timestamp3",
        "test_a_timestamp_comes_back_to_the_microsecond[timestamp4",
    )

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:
        return {"timestamp": event.timestamp.replace(year=max(1970, event.timestamp.year))}


class ZoneIsThatOfTheServer(Broken):
    caught_by = ("test_a_timestamp_of_another_zone_comes_back_in_utc",)

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:
        return {"timestamp": event.timestamp.replace(tzinfo=timezone(timedelta(hours=1)))}


class TextEndsAtNul(Broken):
    caught_by = ("test_text_comes_back[NUL",)

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:
        return {"data": self.cut(event.data), "metadata": self.cut(event.metadata)}

    def cut(self, tree: Any) -> dict[str, Any]:
        return {
            key.partition("\0")[0]: value.partition("\0")[0] if isinstance(value, str) else value
            for key, value in tree.items()
        }


class TextNormalised(Broken):
    caught_by = (
        "test_text_comes_back[e\\u0301",
        "test_names_that_look_alike_are_different_streams[\\xe9-e\\u0301",
    )

    def name(self, name: str) -> str:
        return unicodedata.normalize("NFC", name)

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:
        text = event.data.get("text", "")
        return {"data": {**event.data, "text": unicodedata.normalize("NFC", text)}}


class TextInOneByte(Broken):
    caught_by = (
        "test_text_comes_back[\\u65e5",
        "test_text_comes_back[\\U0001f389",
        "test_names_come_back[\\U0001f389",
    )

    def name(self, name: str) -> str:
        return name.encode("latin-1", "replace").decode("latin-1")

    def changes(self, event: RecordedEvent[Any]) -> dict[str, Any]:
        text = event.data.get("text", "")
        return {"data": {**event.data, "text": self.name(text)}}


class NamesCut(Broken):
    caught_by = ("test_names_come_back[xxxxx", "test_names_come_back[\\xe9\\xe9")

    def name(self, name: str) -> str:
        return name.encode()[:254].decode(errors="ignore")


class NamesTrimmed(Broken):
    caught_by = ("test_names_that_look_alike_are_different_streams[a-a ",)

    def name(self, name: str) -> str:
        return name.rstrip() or name


class NamesInLowerCase(Broken):
    caught_by = (
        "test_names_that_look_alike_are_different_streams[doc",
        "test_names_that_look_alike_are_different_streams[\\xe9-\\xc9",
    )

    def name(self, name: str) -> str:
        return name.lower()


class NamesCaseFolded(Broken):
    caught_by = ("test_names_that_look_alike_are_different_streams[\\xdf",)

    def name(self, name: str) -> str:
        return name.casefold()


class NamesAreNumbers(Broken):
    caught_by = ("test_names_that_look_alike_are_different_streams[1",)

    def name(self, name: str) -> str:
        return str(int(name)) if name.isdecimal() else name


class SmallEventsOnly(Broken):
    caught_by = ("test_a_large_event_comes_back",)

    async def append(
        self, stream_id: str, events: Sequence[Event[object]], *, expected_version: Any
    ) -> AppendResult:
        if any(len(self._codec.encode(event).data) > 1_000_000 for event in events):
            raise StorageError
        return await super().append(stream_id, events, expected_version=expected_version)


class CodecOfItsOwn(Broken):
    caught_by = (
        "test_events_are_stored_with_the_serializer_of_the_codec",
        "test_bytes_that_cannot_be_read_are_an_error_that_says_which",
        "test_the_registry_of_the_codec_is_used",
    )

    def __init__(self, codec: EventCodec) -> None:
        super().__init__(EventCodec(max_event_bytes=codec.max_event_bytes))


class UnreadableSkipped(Broken):
    caught_by = ("test_bytes_that_cannot_be_read_are_an_error_that_says_which",)

    async def changed(self, events: Events) -> Events:
        try:
            async for event in super().changed(events):
                yield event
        except SerializationError:
            return


class TestBrokenValues(ValueContract):
    faults = tuple(Broken.__subclasses__())

    @pytest.fixture
    def open_store(self, fault: type[Broken]) -> OpenEventStore:
        @asynccontextmanager
        async def opened(codec: EventCodec) -> AsyncIterator[Broken]:
            yield fault(codec)

        return opened
