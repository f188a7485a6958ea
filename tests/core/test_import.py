"""The one place where an import is decided; the contract shows that stores obey it."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from eventsourcing_core import (
    ConcurrencyError,
    DuplicateEventError,
    Event,
    EventCodec,
    ExpectedVersion,
    RecordedEvent,
    SerializationError,
    TransformError,
)
from eventsourcing_core.stores import (
    Append,
    EncodedEvent,
    Imported,
    Place,
    Placed,
    Write,
    Written,
)


def imported(*events: str) -> Append:
    """Make an import: ``a2`` is the event of that id, at version 2 of stream ``a``.

    ``a2=b1`` is at version 2 of ``a`` and has the id of ``b1``.
    """
    streams: dict[str, list[EncodedEvent]] = {event[0]: [] for event in sorted(events)}
    order: list[Imported] = []
    for event in events:
        place, _, same = event.partition("=")
        stream = streams[place[0]]
        order.append(Imported([*streams].index(place[0]), len(stream), int(place[1:])))
        stream.append(EncodedEvent("x", b"", None, "json", id_of(same or place), 0))
    writes = [Write(name, tuple(stream), ExpectedVersion.ANY) for name, stream in streams.items()]
    return Append(tuple(writes), 0, tuple(order))


def id_of(event: str) -> bytes:
    return event.encode().rjust(16, b"\0")


def at(**places: str) -> dict[bytes, Place]:
    """Give places by id: ``at(a1="b3")`` is event ``a1`` at version 3 of stream ``b``."""
    return {id_of(key): Place(place[0], int(place[1:]), 7) for key, place in places.items()}


def written(settled: Written | list[Placed]) -> list[str]:
    if isinstance(settled, Written):
        assert settled == Written((), 0)
        return []
    for stream_id, version, event in settled:
        assert event.event_id == id_of(f"{stream_id}{version}")
    return [f"{stream_id}{version}" for stream_id, version, _ in settled]


@pytest.mark.parametrize(
    ("events", "versions"),
    [
        ([], {}),
        (["a1", "b1", "a2", "b2"], {}),
        (["a3", "b1"], {"a": 2}),
        (["a3", "c1", "a4"], {"a": 2, "b": 9}),
    ],
)
def test_events_that_continue_their_streams_are_written_in_their_order(
    events: list[str], versions: dict[str, int]
) -> None:
    assert written(imported(*events).settle(versions, {})) == events


@pytest.mark.parametrize(
    ("versions", "places", "expected"),
    [
        ({"a": 1}, at(a1="a1"), ["b1", "a2", "a3"]),
        ({"a": 2, "b": 1}, at(a1="a1", b1="b1", a2="a2"), ["a3"]),
        ({"a": 3, "b": 1}, at(a1="a1", b1="b1", a2="a2", a3="a3"), []),
        ({"a": 3}, at(a1="a1", a2="a2", a3="a3"), ["b1"]),
        ({"a": 9}, at(a1="a1", a2="a2", a3="a3"), ["b1"]),
    ],
)
def test_what_is_there_already_is_passed_over(
    versions: dict[str, int], places: dict[bytes, Place], expected: list[str]
) -> None:
    assert written(imported("a1", "b1", "a2", "a3").settle(versions, places)) == expected


@pytest.mark.parametrize(
    ("events", "versions", "expected", "actual"),
    [
        (["b1", "a2"], {}, 1, 0),
        (["a1", "a3"], {}, 2, 1),
        (["a1", "b1", "a3", "a2"], {}, 2, 1),
        (["a1"], {"a": 1}, 0, 1),
        (["a2"], {"a": 5}, 1, 5),
        (["a9"], {"a": 5}, 8, 5),
    ],
)
def test_an_event_that_is_not_the_next_one_is_a_conflict_with_the_facts(
    events: list[str], versions: dict[str, int], expected: int, actual: int
) -> None:
    with pytest.raises(ConcurrencyError) as caught:
        imported(*events).settle(versions, {})
    facts = caught.value
    assert (facts.stream_id, facts.expected, facts.actual) == ("a", expected, actual)
    assert facts.doing == "import"


def test_a_new_event_among_those_that_were_passed_over_is_a_conflict() -> None:
    places = at(a1="a1", a3="a3")
    with pytest.raises(ConcurrencyError):
        imported("a1", "a2", "a3").settle({"a": 3}, places)


@pytest.mark.parametrize("place", ["b1", "a3", "a1"])
def test_an_id_that_stands_elsewhere_is_a_duplicate(place: str) -> None:
    with pytest.raises(DuplicateEventError) as caught:
        imported("a1", "a2").settle({"a": 3, "b": 3}, at(a1="a1", a2=place))
    facts = caught.value
    assert facts.event_id.bytes == id_of("a2")
    assert (facts.stream_id, facts.version) == (place[0], int(place[1]))


@pytest.mark.parametrize("places", [{}, at(a1="a1")])
@pytest.mark.parametrize("again", ["a1", "a2=a1", "b1=a1"])
def test_an_id_twice_in_one_import_is_a_duplicate(places: dict[bytes, Place], again: str) -> None:
    with pytest.raises(DuplicateEventError, match="taken by stream 'a', version 1"):
        imported("a1", again).settle({"a": len(places)}, places)


def test_what_a_store_knows_is_not_changed() -> None:
    versions = {"a": 1}
    imported("a2", "b1").settle(versions, {})
    assert versions == {"a": 1}


# Encoding.


def recorded(data: object = None, **options: Any) -> RecordedEvent[object]:
    place: dict[str, Any] = {"stream_id": "doc-1", "version": 2, "position": 9, **options}
    return RecordedEvent("x", {} if data is None else data, **place)


def encoded(*events: RecordedEvent[object]) -> Append:
    append = EventCodec().encode_import(events)
    assert append is not None
    return append


def test_an_event_is_encoded_as_for_an_append() -> None:
    event = recorded({"n": 1}, metadata={"user": "Zoë"})
    as_appended = EventCodec().encode(event)
    size = len(as_appended.data) + len(as_appended.metadata or b"")
    write = Write("doc-1", (as_appended,), ExpectedVersion.ANY)
    assert encoded(event) == Append((write,), size, (Imported(0, 0, 2),))


def test_each_stream_is_named_once_in_the_order_of_bytes() -> None:
    ids = ["ß", "a", "\U0001f389", "B", "\uffff", "a"]
    append = encoded(*(recorded(stream_id=stream_id) for stream_id in ids))
    assert [*append.keys] == sorted(set(ids), key=str.encode)


def test_events_keep_their_order_across_streams() -> None:
    places = [("b", 1), ("a", 3), ("b", 2), ("a", 4)]
    events = [recorded(stream_id=stream_id, version=version) for stream_id, version in places]
    append = encoded(*events)
    assert append.imported is not None
    found = [
        (append.writes[write].stream_id, version, append.writes[write].events[index].event_id)
        for write, index, version in append.imported
    ]
    assert found == [(event.stream_id, event.version, event.event_id.bytes) for event in events]


def test_an_import_of_nothing_is_no_append() -> None:
    assert EventCodec().encode_import([]) is None


def test_one_event_that_is_no_sequence_is_named_as_the_mistake() -> None:
    stray: Any = recorded()
    with pytest.raises(TypeError, match="put the one into a list"):
        EventCodec().encode_import(stray)


def test_an_event_that_was_never_recorded_is_refused() -> None:
    stray: Any = Event("x", {})
    with pytest.raises(TypeError, match="takes recorded events, got Event"):
        EventCodec().encode_import([stray])


class Refusing:
    name = "refusing"

    def transform(self, data: bytes) -> bytes:
        message = f"no key for {len(data)} bytes"
        raise ValueError(message)

    def restore(self, data: bytes) -> bytes:
        return zlib.decompress(data)


@pytest.mark.parametrize(
    ("codec", "data", "error"),
    [
        (EventCodec(), {"a": object()}, SerializationError),
        (EventCodec(max_event_bytes=10), {"text": "x" * 10}, SerializationError),
        (EventCodec(transformers=[Refusing()]), {}, TransformError),
    ],
    ids=["value", "size", "transformer"],
)
def test_an_event_that_cannot_be_stored_is_named_by_its_place(
    codec: EventCodec, data: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match="^version 2 of stream 'doc-1': ") as caught:
        codec.encode_import([recorded(data)])
    assert type(caught.value) is error
