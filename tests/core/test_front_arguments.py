"""What the front of every store refuses, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from eventsourcing_core import (
    Event,
    EventCodec,
    ExpectedVersion,
    InvalidStreamIdError,
    SerializationError,
    StorageEventStore,
    UnknownEventTypeError,
)
from eventsourcing_core._events.event import new_recorded_event
from eventsourcing_core.testing._imports.samples import at_place
from eventsourcing_core.testing._samples import (
    COUNTED,
    EVENT_TYPES,
    Unregistered,
    collected,
    counted,
    numbers_of,
)
from tests.contracts._broken import BrokenStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANY = ExpectedVersion.ANY

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


@pytest.fixture
async def store() -> AsyncIterator[StorageEventStore]:
    """Open the front over a storage in memory."""
    async with opened() as store:
        yield store


def opened(codec: EventCodec | None = None) -> StorageEventStore:
    codec = codec or EventCodec(event_types=EVENT_TYPES)
    return StorageEventStore(BrokenStorage.parts(), codec)


@pytest.mark.parametrize("stream_id", BAD_STREAM_IDS)
async def test_an_append_refuses_a_bad_stream_id(store: StorageEventStore, stream_id: str) -> None:
    with pytest.raises(InvalidStreamIdError):
        await store.append(stream_id, counted(1), expected_version=ANY)
    assert await collected(store.read_all()) == []


@pytest.mark.parametrize("stream_id", BAD_STREAM_IDS)
async def test_a_read_refuses_a_bad_stream_id_when_it_is_called(
    store: StorageEventStore, stream_id: str
) -> None:
    with pytest.raises(InvalidStreamIdError):
        store.read(stream_id)


@pytest.mark.parametrize("stream_id", [None, 7, b"doc-1"])
async def test_a_stream_id_is_a_string(store: StorageEventStore, stream_id: Any) -> None:
    with pytest.raises(TypeError):
        await store.append(stream_id, counted(1), expected_version=0)
    with pytest.raises(TypeError):
        store.read(stream_id)
    assert await collected(store.read_all()) == []


@pytest.mark.parametrize("expected", [0, 5, ANY])
async def test_an_append_of_nothing_is_refused(store: StorageEventStore, expected: Any) -> None:
    with pytest.raises(ValueError, match=r"at least one|no events|nothing"):
        await store.append("doc-1", [], expected_version=expected)


@pytest.mark.parametrize("expected", [-1, -(2**70)])
async def test_a_negative_expected_version_is_refused(
    store: StorageEventStore, expected: int
) -> None:
    with pytest.raises(ValueError, match="expected_version"):
        await store.append("doc-1", counted(1), expected_version=expected)
    assert await collected(store.read_all()) == []


@pytest.mark.parametrize("expected", [True, False, "0", "any", 0.0, None])
async def test_an_expected_version_of_another_type_is_refused(
    store: StorageEventStore, expected: Any
) -> None:
    with pytest.raises(TypeError):
        await store.append("doc-1", counted(1), expected_version=expected)
    assert await collected(store.read_all()) == []


async def test_an_expected_version_is_required(store: StorageEventStore) -> None:
    with pytest.raises(TypeError):
        await cast("Any", store).append("doc-1", counted(1))
    assert await collected(store.read_all()) == []


@pytest.mark.parametrize("stranger", [{"number": 2}, Unregistered(), None, "event"])
async def test_something_else_than_an_event_is_refused(
    store: StorageEventStore, stranger: Any
) -> None:
    with pytest.raises(TypeError):
        await store.append("doc-1", [*counted(1), stranger], expected_version=0)
    assert await collected(store.read_all()) == []


async def test_a_payload_of_an_unregistered_class_is_refused(store: StorageEventStore) -> None:
    event = Event("contract.unregistered", Unregistered())
    with pytest.raises(UnknownEventTypeError):
        await store.append("doc-1", [*counted(1), event], expected_version=0)
    assert await collected(store.read_all()) == []


@pytest.mark.parametrize("value", UNSTORABLE, ids=lambda value: type(value).__name__)
async def test_a_value_that_cannot_be_stored_is_refused(
    store: StorageEventStore, value: object
) -> None:
    for event in (
        Event("contract.untyped", {"value": value}),
        Event("contract.untyped", {"value": 1}, metadata={"value": value}),
    ):
        with pytest.raises(SerializationError):
            await store.append("doc-1", [*counted(1), event], expected_version=0)
    assert await collected(store.read_all()) == []


async def test_an_event_at_the_size_limit_is_stored_and_a_larger_one_refused() -> None:
    event = Event("contract.untyped", {"text": "é" * 500}, metadata={"user": "x" * 100})
    encoded = EventCodec().encode(event)
    size = len(encoded.data) + len(encoded.metadata or b"")
    async with opened(EventCodec(max_event_bytes=size)) as store:
        await store.append("doc-1", [event], expected_version=0)
        (recorded,) = await collected(store.read("doc-1"))
        assert recorded.data == event.data
    async with opened(EventCodec(max_event_bytes=size - 1)) as store:
        with pytest.raises(SerializationError):
            await store.append("doc-1", [*counted(1), event], expected_version=0)
        assert await collected(store.read_all()) == []


@pytest.mark.parametrize("version", [0, -1, -(2**70)])
async def test_a_version_below_1_is_refused_when_it_is_called(
    store: StorageEventStore, version: int
) -> None:
    with pytest.raises(ValueError, match="from_version"):
        store.read("doc-1", from_version=version)
    with pytest.raises(ValueError, match="to_version"):
        store.read("doc-1", to_version=version)


@pytest.mark.parametrize("limit", [-1, -(2**70)])
async def test_a_negative_limit_is_refused_when_it_is_called(
    store: StorageEventStore, limit: int
) -> None:
    with pytest.raises(ValueError, match="limit"):
        store.read("doc-1", limit=limit)
    with pytest.raises(ValueError, match="limit"):
        store.read_all(limit=limit)


@pytest.mark.parametrize("position", [-1, -(2**70)])
async def test_a_negative_position_is_refused(store: StorageEventStore, position: int) -> None:
    with pytest.raises(ValueError, match="after_position"):
        store.read_all(after_position=position)
    with pytest.raises(ValueError, match="after_position"):
        await store.wait(after_position=position, timeout=0)


async def test_a_negative_timeout_is_refused(store: StorageEventStore) -> None:
    with pytest.raises(ValueError, match="timeout"):
        await store.wait(after_position=0, timeout=-0.1)


async def test_one_string_is_no_collection_of_event_types(store: StorageEventStore) -> None:
    with pytest.raises(TypeError):
        store.read_all(event_types="contract.counted")


async def test_a_store_works_on_after_refusals(store: StorageEventStore) -> None:
    for stream_id, events in (("", counted(1)), ("doc-1", [Event("bad", {"value": object()})])):
        with pytest.raises(ValueError):  # noqa: PT011 - both kinds, each tested above
            await store.append(stream_id, events, expected_version=0)
    await store.append("doc-1", counted(1, 2), expected_version=0)
    assert numbers_of(await collected(store.read("doc-1"))) == [1, 2]


@pytest.mark.parametrize("bound", ["from_version", "to_version"])
async def test_pages_before_version_1_are_refused_at_once(
    store: StorageEventStore, bound: str
) -> None:
    with pytest.raises(ValueError, match=bound):
        store.read_pages("doc-1", **{bound: 0})


@pytest.mark.parametrize("after", [-1, -(2**70)])
async def test_a_follower_after_a_negative_position_is_refused_when_it_is_called(
    store: StorageEventStore, after: int
) -> None:
    with pytest.raises(ValueError, match="after"):
        store.follow(after)


@pytest.mark.parametrize("method", ["read_all", "follow"])
async def test_a_filter_by_a_class_that_is_not_registered_is_refused_when_it_is_called(
    store: StorageEventStore, method: str
) -> None:
    with pytest.raises(UnknownEventTypeError, match="Unregistered"):
        getattr(store, method)(event_types={Unregistered})


@pytest.mark.parametrize("prefix", [1, b"doc", ["doc"]])
async def test_a_prefix_that_is_no_text_is_refused_at_once(
    store: StorageEventStore, prefix: Any
) -> None:
    for method in (store.read_all, store.follow):
        with pytest.raises(TypeError, match="prefix"):
            method(stream_prefix=prefix)
    with pytest.raises(TypeError, match="prefix"):
        store.streams(prefix=prefix)


async def test_the_version_of_a_bad_stream_id_is_refused(store: StorageEventStore) -> None:
    with pytest.raises(InvalidStreamIdError):
        await store.stream_version("")


@pytest.mark.parametrize("stream_id", ["", "x" * 256, "tab\there", "half a pair \ud800"])
async def test_an_import_refuses_a_bad_stream_id(store: StorageEventStore, stream_id: str) -> None:
    bad = new_recorded_event(COUNTED, {"number": 1}, bytes(16), 0, {}, stream_id, 1, 1)
    with pytest.raises(InvalidStreamIdError):
        await store.import_events([at_place("a", 1), bad])
    assert await collected(store.read_all()) == []


@pytest.mark.parametrize("event_type", ["", "x" * 256, "tab\there", "half a pair \ud800"])
async def test_an_import_refuses_a_bad_event_type(
    store: StorageEventStore, event_type: str
) -> None:
    bad = new_recorded_event(event_type, {"number": 1}, bytes(16), 0, {}, "a", 2, 1)
    with pytest.raises(ValueError, match="event type"):
        await store.import_events([at_place("a", 1), bad])
    assert await collected(store.read_all()) == []


@pytest.mark.parametrize("version", [0, -1])
async def test_an_import_refuses_a_version_below_1(store: StorageEventStore, version: int) -> None:
    bad = new_recorded_event(COUNTED, {"number": 1}, bytes(16), 0, {}, "b", version, 1)
    with pytest.raises(ValueError, match="version"):
        await store.import_events([at_place("a", 1), bad])
    assert await collected(store.read_all()) == []


@pytest.mark.parametrize("stranger", [Event(COUNTED, {"number": 1}), {"number": 1}, None])
async def test_an_import_refuses_something_else_than_a_recorded_event(
    store: StorageEventStore, stranger: Any
) -> None:
    with pytest.raises(TypeError):
        await store.import_events([at_place("a", 1), stranger])
    assert await collected(store.read_all()) == []


async def test_an_import_names_the_place_of_a_value_that_cannot_be_stored(
    store: StorageEventStore,
) -> None:
    bad = at_place("a", 2, data={"value": object()})
    with pytest.raises(SerializationError, match="version 2 of stream 'a'"):
        await store.import_events([at_place("a", 1), bad])
    assert await collected(store.read_all()) == []


async def test_an_import_refuses_a_larger_event_than_the_store_allows() -> None:
    event = at_place("a", 2, data={"text": "x" * 500})
    encoded = EventCodec().encode(event)
    size = len(encoded.data) + len(encoded.metadata or b"")
    async with opened(EventCodec(max_event_bytes=size)) as store:
        assert await store.import_events([at_place("a", 1), event]) == 2
    async with opened(EventCodec(max_event_bytes=size - 1)) as store:
        with pytest.raises(SerializationError):
            await store.import_events([at_place("a", 1), event])
        assert await collected(store.read_all()) == []


NO_NUMBERS = (None, True, "1", 1.0, object())
"""What is sometimes given in place of a whole number; None by readers without a position yet."""


@pytest.mark.parametrize("number", NO_NUMBERS)
async def test_a_position_is_a_whole_number(store: StorageEventStore, number: Any) -> None:
    with pytest.raises(TypeError, match="after_position must be an int, got"):
        store.read_all(after_position=number)
    with pytest.raises(TypeError, match="after_position must be an int, got"):
        await store.wait(after_position=number, timeout=0)
    with pytest.raises(TypeError, match="after must be an int, got"):
        store.follow(number)


async def test_a_reader_without_a_position_is_told_where_to_begin(store: StorageEventStore) -> None:
    nothing: Any = None
    with pytest.raises(TypeError, match="got None; to begin at the beginning, give 0"):
        store.read_all(after_position=nothing)
    with pytest.raises(TypeError, match="got None; to begin at the beginning, give 1"):
        store.read("doc-1", from_version=nothing)


@pytest.mark.parametrize("seconds", [None, True, "1", object()])
async def test_a_timeout_is_a_number(store: StorageEventStore, seconds: Any) -> None:
    with pytest.raises(TypeError, match="timeout must be a number of seconds, got"):
        await store.wait(after_position=0, timeout=seconds)


@pytest.mark.parametrize("number", [True, "1", 1.0, object()])
async def test_versions_and_limits_are_whole_numbers(store: StorageEventStore, number: Any) -> None:
    for name in ("from_version", "to_version", "limit"):
        with pytest.raises(TypeError, match=f"{name} must be an int, got"):
            store.read("doc-1", **{name: number})
    with pytest.raises(TypeError, match="limit must be an int, got"):
        store.read_all(limit=number)


@pytest.mark.parametrize("events", [None, True, 1, Event("Noted", {"a": 1})])
async def test_what_is_no_sequence_of_events_is_refused(
    store: StorageEventStore, events: Any
) -> None:
    with pytest.raises(TypeError, match="append takes a sequence of events, got"):
        await store.append("doc-1", events, expected_version=0)
    with pytest.raises(TypeError, match="import_events takes a sequence of events, got"):
        await store.import_events(events)
