"""Which classes msgspec reads and writes: decided by their hints, and shown by a call."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from eventsourcing_core import (
    Event,
    EventCodec,
    EventTypes,
    JsonSerializer,
    SerializationError,
    UnknownEventTypeError,
    event,
)
from eventsourcing_core.plugins import TypedCodec, installed_plugins
from eventsourcing_core.stores import Row
from eventsourcing_msgspec import JsonTypedCodec, MsgpackTypedCodec
from tests.eventsourcing_msgspec._hints import Address, Checked, Line, Money, Node, Point, Trimmed

types = EventTypes()


@event("account.opened", event_types=types)
class Opened:
    owner: str
    limit: Decimal = Decimal(0)
    since: datetime | None = None
    labels: frozenset[str] = frozenset()


@event("line.written", event_types=types)
class Written(msgspec.Struct, frozen=True):
    line: Line
    number: int = 1


def registered(hint: Any) -> tuple[EventTypes, type]:
    cls = dataclasses.make_dataclass("Payload", [("value", hint)], frozen=True, slots=True)
    types = EventTypes()
    types.register(cls)
    return types, cls


def read(codec: EventCodec, data: bytes, event_type: str = "account.opened") -> Any:
    encoding = codec.serializer.name
    (found,) = codec.decode([Row("s", 2, 3, event_type, data, None, encoding, bytes(16), 0)])
    return found.data


@pytest.mark.parametrize("codec", [JsonTypedCodec(), MsgpackTypedCodec()], ids=lambda c: c.name)
def test_it_is_a_typed_codec(codec: TypedCodec) -> None:
    assert isinstance(codec, TypedCodec)


@pytest.mark.parametrize("name", ["json", "msgpack"])
def test_it_is_found_by_the_name_of_the_serializer(name: str) -> None:
    offer = installed_plugins().find("typed codec", name)
    assert offer is not None
    assert (offer.plugin, offer.factory().name) == ("msgspec", name)


@pytest.mark.parametrize(
    "hint",
    [
        str,
        int,
        bool,
        None,
        float,
        Decimal,
        UUID,
        datetime,
        list[Money],
        tuple[int, str],
        set[int],
        dict[str, Decimal],
        dict[int, str],
        Point,
        Line,
        Trimmed,
        int | None,
        list[Line | None],
    ],
    ids=lambda hint: repr(hint)[:40],
)
@pytest.mark.parametrize("name", ["json", "msgpack"])
def test_msgspec_does_it(name: str, hint: Any) -> None:
    types, cls = registered(hint)
    decision = EventCodec(name, event_types=types).typed(cls)
    assert decision == (True, f"eventsourcing_msgspec does it, for {name!r}")


@pytest.mark.parametrize(
    ("hint", "reason"),
    [
        (Any, "Payload.value is untyped"),
        (list[dict[str, list[Any]]], "Payload.value[…][…][…] is untyped"),
        (list, "Payload.value is untyped"),
        (int | str, "Payload.value is a union"),
        (list[Money | Point | None], "Payload.value[…] is a union"),
        (Address, "Address is a TypedDict"),
        (Checked, "Checked computes fields or defaults"),
        (Node, "it refers to itself"),
    ],
    ids=lambda value: repr(value)[:40],
)
@pytest.mark.parametrize("name", ["json", "msgpack"])
def test_the_converter_does_it_for_a_reason(name: str, hint: Any, reason: str) -> None:
    types, cls = registered(hint)
    assert EventCodec(name, event_types=types).typed(cls) == (False, reason)


def test_bytes_have_a_form_of_their_own_in_msgpack_only() -> None:
    types, cls = registered(bytes)
    assert EventCodec("msgpack", event_types=types).typed(cls).is_typed
    assert EventCodec("json", event_types=types).typed(cls) == (
        False,
        "the format has no form of its own for bytes",
    )


def test_a_serializer_that_a_program_made_is_left_alone() -> None:
    decision = EventCodec(JsonSerializer(allow_nan=False), event_types=types).typed(Opened)
    assert not decision.is_typed
    assert 'pip install "eventsourcing-core[msgspec]"' in decision.reason


def test_a_class_that_is_not_registered_is_named() -> None:
    codec = EventCodec(event_types=EventTypes())
    with pytest.raises(UnknownEventTypeError, match="Opened is not a registered event class"):
        codec.typed(Opened)


# Written by the build of commit 1b6c58d, which had no plugin of that kind.
FROZEN = [
    ("json", b'{"owner":"Zo\xc3\xab","limit":"1.10","since":null,"labels":["a","b"]}'),
    (
        "msgpack",
        bytes.fromhex("84a56f776e6572a45a6fc3aba56c696d6974a4312e3130a573696e6365c0")
        + bytes.fromhex("a66c6162656c7392a161a162"),
    ),
]


@pytest.mark.parametrize(("name", "data"), FROZEN, ids=["json", "msgpack"])
def test_the_bytes_are_those_of_the_serializer(name: str, data: bytes) -> None:
    codec = EventCodec(name, event_types=types)
    payload = Opened("Zoë", Decimal("1.10"), None, frozenset("ba"))
    assert codec.typed(Opened).is_typed
    assert codec.encode(Event.of(payload, event_types=types)).data == data
    found = read(codec, data)
    assert found == payload
    assert type(found) is Opened


def test_a_field_that_was_added_takes_its_default() -> None:
    since = datetime(2026, 1, 2, tzinfo=UTC)
    found = read(EventCodec(event_types=types), b'{"owner":"A","since":"2026-01-02T00:00:00Z"}')
    assert found == Opened("A", since=since)


def test_a_field_that_was_dropped_is_passed_over() -> None:
    assert read(EventCodec(event_types=types), b'{"owner":"A","age":5}') == Opened("A")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"limit":"1"}', "the field 'owner' is missing"),
        (b'{"owner":5}', "Opened.owner must be str, got int: 5"),
        (b'{"owner":"A","labels":[1]}', r"Opened.labels\[…\] must be str, got int: 1"),
        (b'{"owner":"A"', "JSONDecodeError"),
    ],
    ids=["missing", "wrong", "within", "cut"],
)
def test_errors_are_those_of_the_converter(data: bytes, message: str) -> None:
    codec = EventCodec(event_types=types)
    with pytest.raises(SerializationError, match=message) as caught:
        read(codec, data)
    assert str(caught.value).startswith("version 2 of stream 's' (type 'account.opened', encoding")
    with pytest.raises(SerializationError) as other:
        read(EventCodec(JsonSerializer(), event_types=types), data)
    assert str(other.value) == str(caught.value)


def test_what_cannot_be_stored_is_refused_as_by_the_converter() -> None:
    codec = EventCodec(event_types=types)
    wrong: Any = 5
    with pytest.raises(SerializationError, match="Opened.owner must be str, got int: 5"):
        codec.encode(Event.of(Opened(wrong), event_types=types))


class Reversed:
    """A transformer."""

    name = "reversed"

    def transform(self, data: bytes) -> bytes:
        return data[::-1]

    def restore(self, data: bytes) -> bytes:
        return data[::-1]


def test_transformers_stand_behind_it() -> None:
    codec = EventCodec(transformers=[Reversed()], event_types=types)
    assert codec.typed(Opened).is_typed
    encoded = codec.encode(Event.of(Opened("A"), event_types=types))
    assert json.loads(encoded.data[::-1]) == {
        "owner": "A",
        "limit": "0",
        "since": None,
        "labels": [],
    }
    (found,) = codec.decode([Row("s", 2, 3, *encoded)])
    assert found.data == Opened("A")


@pytest.mark.parametrize("serializer", ["json", JsonSerializer()], ids=["with it", "without it"])
def test_a_struct_is_a_payload(serializer: Any) -> None:
    codec = EventCodec(serializer, event_types=types)
    payload = Written(Line("a", [1]), 2)
    encoded = codec.encode(Event.of(payload, event_types=types))
    assert encoded.data == b'{"line":{"text":"a","counts":[1],"ends":false},"number":2}'
    assert read(codec, encoded.data, "line.written") == payload
    assert read(codec, b'{"line":{"text":"a"}}', "line.written") == Written(Line("a", []), 1)


def test_a_struct_that_can_change_is_no_event() -> None:
    class Open(msgspec.Struct):
        owner: str

    with pytest.raises(TypeError, match="Open is a Struct that can change: make it frozen=True"):
        event(event_types=EventTypes())(Open)


def test_a_class_that_is_defined_again_is_compiled_again() -> None:
    registry = EventTypes()
    codec = EventCodec(event_types=registry)

    def define(hint: Any) -> type:
        cls = dataclasses.make_dataclass("Again", [("value", hint)], frozen=True)
        registry.register(cls, "again")
        return cls

    first = define(int)
    assert read(codec, b'{"value":1}', "again") == first(1)
    second = define(float)
    found = read(codec, b'{"value":1}', "again")
    assert type(found) is second
    assert repr(found) == "Again(value=1.0)"
    encoded = codec.encode(Event("again", first(2)))
    assert encoded.data == b'{"value":2.0}'


def test_texts_that_are_the_same_in_many_events_are_kept_once() -> None:
    codec = EventCodec(event_types=types)
    rows = [
        Row(f"s{end}", 1, 1, f"account.{end}", b'{"owner":"A b"}', None, "json", bytes(16), 0)
        for end in ["opened"] * 2  # texts that Python makes anew for each
    ]
    one, other = codec.decode(rows)
    assert one.stream_id is other.stream_id
    assert one.event_type is other.event_type
    assert one.data.owner is other.data.owner


def test_without_its_bounds_msgspec_would_read_another_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tests of likeness would see it."""
    data = b'{"value":9007199254740993}'
    registry, _ = registered(float)
    with pytest.raises(SerializationError, match="Payload.value must be float, got int"):
        read(EventCodec(event_types=registry), data, "Payload")
    monkeypatch.setattr("eventsourcing_msgspec._reading._FLOAT", float)
    registry, cls = registered(float)
    assert read(EventCodec(event_types=registry), data, "Payload") == cls(2.0**53)


def test_only_classes_are_asked_about() -> None:
    name: Any = "a.plain"
    with pytest.raises(TypeError, match="typed takes an event class, got 'a.plain'"):
        EventCodec(event_types=types).typed(name)
