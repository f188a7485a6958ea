"""Bad input is refused, with an error of the right kind, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._errors import (
    InvalidStreamIdError,
    SerializationError,
    UnknownEventTypeError,
)
from eventsourcing_core._events.event import Event
from eventsourcing_core.testing._append_contract import ANY
from eventsourcing_core.testing._contract import OpenedEventStore
from eventsourcing_core.testing._samples import (
    Opened,
    Unregistered,
    collected,
    counted,
    numbers_of,
)

if TYPE_CHECKING:
    from eventsourcing_core._payloads.serializer import Serializer
    from eventsourcing_core.stores._event_store import EventStore
    from eventsourcing_core.testing._contract import OpenEventStore

BAD_STREAM_IDS = (
    "",
    "x" * 256,
    "é" * 256,
    "tab\there",
    "line\n",
    "\0",
    "NUL\0inside",
    "\x1f",
    "\x7f",
    "\x85",
    "half a pair \ud800",
    "\udfff",
)

UNSTORABLE: tuple[object, ...] = (object(), {1}, (1, 2), 1j, {1: "one"}, "\ud800", range(3))


def not_empty(store: EventStore, stream_id: str) -> str:
    """Say what is wrong when a refused append wrote something all the same."""
    return f"{type(store).__name__} refused an append to {stream_id!r} and wrote it"


class InputContract(OpenedEventStore):
    """Arguments that no store accepts, and the largest that every store does."""

    @pytest.mark.parametrize("stream_id", BAD_STREAM_IDS)
    async def test_an_append_refuses_a_bad_stream_id(
        self, store: EventStore, stream_id: str
    ) -> None:
        with pytest.raises(InvalidStreamIdError):
            await store.append(stream_id, counted(1), expected_version=ANY)
        assert await collected(store.read_all()) == [], not_empty(store, stream_id)

    @pytest.mark.parametrize("stream_id", BAD_STREAM_IDS)
    async def test_a_read_refuses_a_bad_stream_id_when_it_is_called(
        self, store: EventStore, stream_id: str
    ) -> None:
        with pytest.raises(InvalidStreamIdError):
            store.read(stream_id)

    @pytest.mark.parametrize("stream_id", [None, 7, b"doc-1"])
    async def test_a_stream_id_is_a_string(self, store: EventStore, stream_id: Any) -> None:
        with pytest.raises(TypeError):
            await store.append(stream_id, counted(1), expected_version=0)
        with pytest.raises(TypeError):
            store.read(stream_id)
        assert await collected(store.read_all()) == []

    @pytest.mark.parametrize("expected", [0, 5, ANY])
    async def test_an_append_of_nothing_is_refused(self, store: EventStore, expected: Any) -> None:
        with pytest.raises(ValueError, match=r"at least one|no events|nothing"):
            await store.append("doc-1", [], expected_version=expected)

    @pytest.mark.parametrize("expected", [-1, -(2**70)])
    async def test_a_negative_expected_version_is_refused(
        self, store: EventStore, expected: int
    ) -> None:
        with pytest.raises(ValueError, match="expected_version"):
            await store.append("doc-1", counted(1), expected_version=expected)
        assert await collected(store.read_all()) == []

    @pytest.mark.parametrize("expected", [True, False, "0", "any", 0.0, None])
    async def test_an_expected_version_of_another_type_is_refused(
        self, store: EventStore, expected: Any
    ) -> None:
        with pytest.raises(TypeError):
            await store.append("doc-1", counted(1), expected_version=expected)
        assert await collected(store.read_all()) == []

    async def test_an_expected_version_is_required(self, store: EventStore) -> None:
        with pytest.raises(TypeError):
            await cast("Any", store).append("doc-1", counted(1))
        assert await collected(store.read_all()) == []

    @pytest.mark.parametrize("stranger", [{"number": 2}, Opened("Zoë"), None, "event"])
    async def test_something_else_than_an_event_is_refused(
        self, store: EventStore, stranger: Any
    ) -> None:
        with pytest.raises(TypeError):
            await store.append("doc-1", [*counted(1), stranger], expected_version=0)
        assert await collected(store.read_all()) == []

    async def test_a_payload_of_an_unregistered_class_is_refused(self, store: EventStore) -> None:
        event = Event("contract.unregistered", Unregistered())
        with pytest.raises(UnknownEventTypeError):
            await store.append("doc-1", [*counted(1), event], expected_version=0)
        assert await collected(store.read_all()) == []

    @pytest.mark.parametrize("value", UNSTORABLE, ids=lambda value: type(value).__name__)
    async def test_a_value_that_cannot_be_stored_is_refused(
        self, store: EventStore, value: object
    ) -> None:
        for event in (
            Event("contract.untyped", {"value": value}),
            Event("contract.untyped", {"value": 1}, metadata={"value": value}),
        ):
            with pytest.raises(SerializationError):
                await store.append("doc-1", [*counted(1), event], expected_version=0)
        assert await collected(store.read_all()) == []

    async def test_an_event_at_the_size_limit_is_stored_and_a_larger_one_refused(
        self, open_store: OpenEventStore, serializer: Serializer
    ) -> None:
        event = Event("contract.untyped", {"text": "é" * 500}, metadata={"user": "x" * 100})
        encoded = EventCodec(serializer).encode(event)
        size = len(encoded.data) + len(encoded.metadata or b"")
        async with open_store(EventCodec(serializer, max_event_bytes=size)) as store:
            await store.append("doc-1", [event], expected_version=0)
            (recorded,) = await collected(store.read("doc-1"))
            assert recorded.data == event.data
        async with open_store(EventCodec(serializer, max_event_bytes=size - 1)) as store:
            with pytest.raises(SerializationError):
                await store.append("doc-1", [*counted(1), event], expected_version=0)
            assert await collected(store.read_all()) == []

    @pytest.mark.parametrize("version", [0, -1, -(2**70)])
    async def test_a_version_below_1_is_refused_when_it_is_called(
        self, store: EventStore, version: int
    ) -> None:
        with pytest.raises(ValueError, match="from_version"):
            store.read("doc-1", from_version=version)
        with pytest.raises(ValueError, match="to_version"):
            store.read("doc-1", to_version=version)

    @pytest.mark.parametrize("limit", [-1, -(2**70)])
    async def test_a_negative_limit_is_refused_when_it_is_called(
        self, store: EventStore, limit: int
    ) -> None:
        with pytest.raises(ValueError, match="limit"):
            store.read("doc-1", limit=limit)
        with pytest.raises(ValueError, match="limit"):
            store.read_all(limit=limit)

    @pytest.mark.parametrize("position", [-1, -(2**70)])
    async def test_a_negative_position_is_refused(self, store: EventStore, position: int) -> None:
        with pytest.raises(ValueError, match="after_position"):
            store.read_all(after_position=position)
        with pytest.raises(ValueError, match="after_position"):
            await store.wait(after_position=position, timeout=0)

    async def test_a_negative_timeout_is_refused(self, store: EventStore) -> None:
        with pytest.raises(ValueError, match="timeout"):
            await store.wait(after_position=0, timeout=-0.1)

    async def test_one_string_is_no_collection_of_event_types(self, store: EventStore) -> None:
        with pytest.raises(TypeError):
            store.read_all(event_types="contract.counted")

    async def test_a_store_works_on_after_refusals(self, store: EventStore) -> None:
        for stream_id, events in (("", counted(1)), ("doc-1", [Event("bad", {"value": object()})])):
            with pytest.raises(ValueError):  # noqa: PT011 - both kinds, each tested above
                await store.append(stream_id, events, expected_version=0)
        await store.append("doc-1", counted(1, 2), expected_version=0)
        assert numbers_of(await collected(store.read("doc-1"))) == [1, 2]
