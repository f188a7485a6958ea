from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from eventsourcing_core import (
    Event,
    EventCodec,
    EventTypes,
    ExpectedVersion,
    InvalidStreamIdError,
    JsonSerializer,
    RecordedEvent,
    SerializationError,
    TransformError,
    UnknownEventTypeError,
    UnknownPluginError,
    event,
)
from eventsourcing_core.stores import EncodedEvent, Row, Write

types = EventTypes()


@event("account.opened", event_types=types)
class Opened:
    owner: str
    limit: Decimal = Decimal(0)


@dataclass(frozen=True)
class Unregistered:
    owner: str


class Deflate:
    name = "deflate"

    def transform(self, data: bytes) -> bytes:
        return zlib.compress(data)

    def restore(self, data: bytes) -> bytes:
        return zlib.decompress(data)


class Shout:
    """Another serializer, to have two."""

    name = "shout"

    def serialize(self, tree: object) -> bytes:
        return JsonSerializer().serialize(tree).upper()

    def deserialize(self, data: bytes) -> object:
        return JsonSerializer().deserialize(data.lower())


def codec(**options: Any) -> EventCodec:
    return EventCodec(event_types=types, **options)


def opened(**options: Any) -> Event[Opened]:
    return Event.of(Opened("alice", Decimal("1.5")), event_types=types, **options)


def read_back(
    codec: EventCodec, encoded: EncodedEvent, stream_id: str, version: int, position: int
) -> RecordedEvent[Any]:
    (event,) = codec.decode([Row(stream_id, version, position, *encoded)])
    return event


def test_a_typed_event_is_stored_readably_and_comes_back() -> None:
    made = opened(
        event_id=UUID(int=1), timestamp=datetime(1970, 1, 2, tzinfo=UTC), metadata={"user": "bob"}
    )
    encoded = codec().encode(made)
    assert encoded == EncodedEvent(
        "account.opened",
        b'{"owner":"alice","limit":"1.5"}',
        b'{"user":"bob"}',
        "json",
        UUID(int=1).bytes,
        86_400_000_000,
    )
    back = read_back(codec(), encoded, "account-1", 2, 3)
    assert (back.event_type, back.data, back.metadata) == (
        made.event_type,
        made.data,
        made.metadata,
    )
    assert (back.event_id, back.timestamp) == (made.event_id, made.timestamp)
    assert (back.stream_id, back.version, back.position) == ("account-1", 2, 3)


def test_no_metadata_are_stored_as_nothing() -> None:
    assert codec().encode(opened()).metadata is None


def test_an_untyped_event_comes_back_as_its_dict() -> None:
    data = {"owner": "alice", "limit": Decimal("1.5"), "ids": [UUID(int=1)], "$uuid": b"\x00"}
    encoded = codec().encode(Event("noted", data))
    assert read_back(codec(), encoded, "s", 1, 1).data == data


def test_a_type_without_a_class_is_read_as_a_dict_unless_the_registry_is_strict() -> None:
    encoded = codec().encode(opened())
    assert read_back(EventCodec(event_types=EventTypes()), encoded, "s", 1, 1).data == {
        "owner": "alice",
        "limit": "1.5",
    }
    strict = EventCodec(event_types=EventTypes(strict=True))
    with pytest.raises(UnknownEventTypeError, match=r"version 1 of stream 's' .*'account.opened'"):
        read_back(strict, encoded, "s", 1, 1)


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_a_type_whose_class_is_gone_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    encoded = EventCodec(event_types=EventTypes()).encode(Event("renamed", {}))
    reading = codec()
    for version in (1, 2):
        read_back(reading, encoded, "s", version, version)
    (warning,) = warnings_of(caplog)
    assert "'renamed' are read as plain dicts" in warning
    assert "register it with @event('renamed'); EventTypes(strict=True)" in warning
    assert caplog.records[0].name == "eventsourcing_core.codec"


def test_dicts_that_are_meant_are_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    without_classes, writing = EventCodec(event_types=EventTypes()), codec()
    for each in (without_classes, writing):
        read_back(each, each.encode(Event("noted", {})), "s", 1, 1)
    read_back(without_classes, codec().encode(opened()), "s", 1, 1)
    assert warnings_of(caplog) == []


def test_an_unregistered_class_is_refused() -> None:
    with pytest.raises(UnknownEventTypeError, match="Unregistered is not a registered event class"):
        codec().encode(Event("noted", Unregistered("alice")))


def test_a_payload_under_another_name_than_its_class_has_is_refused() -> None:
    with pytest.raises(SerializationError, match=r"registered as 'account.opened': use Event.of"):
        codec().encode(Event("opened", Opened("alice")))


def test_a_dict_under_the_name_of_a_class_is_refused() -> None:
    with pytest.raises(SerializationError, match="expected Opened itself, got dict"):
        codec().encode(Event("account.opened", {"owner": "alice"}))


def test_metadata_that_cannot_be_stored_are_refused_by_name() -> None:
    with pytest.raises(SerializationError, match=r"metadata\['user'\] is a Unregistered"):
        codec().encode(opened(metadata={"user": Unregistered("bob")}))


def test_text_that_is_no_text_is_refused() -> None:
    with pytest.raises(SerializationError, match="cannot be stored: UnicodeEncodeError"):
        codec().encode(Event("noted", {"text": "\ud800"}))


def test_a_value_within_itself_is_refused() -> None:
    endless: dict[str, object] = {}
    endless["self"] = endless
    with pytest.raises(SerializationError, match="cannot be stored: data is nested more than 200"):
        codec().encode(Event("noted", endless))


def test_an_event_may_be_as_large_as_the_limit_and_not_larger() -> None:
    made = Event("noted", {"text": "x" * 89}, metadata={"a": 1})
    assert len(b'{"text":""}') + 89 + len(b'{"a":1}') == 107
    codec(max_event_bytes=107).encode(made)
    with pytest.raises(SerializationError, match="takes 107 bytes, at most 106 are allowed"):
        codec(max_event_bytes=106).encode(made)


def test_the_limit_is_16_mebibytes_unless_given() -> None:
    assert codec().max_event_bytes == 16 * 1024 * 1024
    with pytest.raises(ValueError, match="must be 1 or more"):
        codec(max_event_bytes=0)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[1]", b"{}", b'{"owner":5}', b'{"$odd":1}'])
def test_damaged_bytes_are_an_error_that_says_where(data: bytes) -> None:
    encoded = codec().encode(opened())._replace(data=data)
    with pytest.raises(
        SerializationError,
        match=r"version 2 of stream 's' \(type 'account.opened', encoding 'json'\) cannot be read",
    ):
        read_back(codec(), encoded, "s", 2, 3)


def test_a_missing_field_is_named() -> None:
    encoded = codec().encode(opened())._replace(data=b'{"limit":"1"}')
    with pytest.raises(SerializationError, match="the field 'owner' is missing"):
        read_back(codec(), encoded, "s", 1, 1)


def test_untyped_bytes_that_hold_no_dict_are_damaged() -> None:
    encoded = codec().encode(Event("noted", {}))._replace(data=b"[1]")
    with pytest.raises(SerializationError, match="cannot be read: expected a dict, found list"):
        read_back(codec(), encoded, "s", 1, 1)


def test_transformers_change_the_stored_bytes_and_their_name_is_stored() -> None:
    squeezing = codec(transformers=[Deflate()])
    encoded = squeezing.encode(opened(metadata={"user": "bob"}))
    assert encoded.encoding == "json+deflate"
    assert zlib.decompress(encoded.data) == b'{"owner":"alice","limit":"1.5"}'
    back = read_back(squeezing, encoded, "s", 1, 1)
    assert (back.data, back.metadata) == (Opened("alice", Decimal("1.5")), {"user": "bob"})


def test_a_transformer_that_fails_is_a_transform_error() -> None:
    squeezing = codec(transformers=[Deflate()])
    encoded = squeezing.encode(opened())._replace(data=b"not deflated")
    with pytest.raises(TransformError, match="version 1 of stream 's'.* 'deflate' failed: error"):
        read_back(squeezing, encoded, "s", 1, 1)


@pytest.mark.parametrize("name", ["Deflate", "de+flate", "", "-deflate", "d" * 65, "dé", 5])
def test_a_name_that_cannot_be_stored_is_refused(name: Any) -> None:
    odd_transformer, odd_serializer = Deflate(), Shout()
    odd_transformer.name = odd_serializer.name = name
    with pytest.raises(ValueError, match="Deflate is called .*: a name is 1 to 64 of a-z"):
        codec(transformers=[odd_transformer])
    with pytest.raises(ValueError, match="Shout is called .*: a name is 1 to 64 of a-z"):
        codec(serializer=odd_serializer)


def test_events_are_read_with_what_wrote_them() -> None:
    old = codec(transformers=[Deflate()]).encode(opened())
    plain = codec(serializer=Shout(), transformers=[Deflate()])
    assert plain.encoding == "shout+deflate"
    assert read_back(plain, old, "s", 1, 1).data == Opened("alice", Decimal("1.5"))


def test_an_encoding_that_nobody_offers_is_named_when_it_is_read() -> None:
    encoded = codec(serializer=Shout()).encode(opened())
    with pytest.raises(SerializationError, match="encoding 'shout'.*no serializer for 'shout'"):
        read_back(codec(), encoded, "s", 1, 1)


def test_a_serializer_that_nobody_offers_is_refused_at_once() -> None:
    with pytest.raises(UnknownPluginError, match=r"no serializer for 'yaml' \(installed: json"):
        EventCodec("yaml")


def test_an_append_is_checked_and_encoded_as_a_whole() -> None:
    events = [opened(), opened(metadata={"a": 1})]
    append = codec().encode_append("s", events, 0)
    encoded = tuple(codec().encode(event) for event in events)
    assert append.writes == (Write("s", encoded, 0),)
    assert (append.keys, append.imported) == (("s",), None)
    assert append.event_ids == [event.event_id.bytes for event in events]
    assert append.size == 2 * len(b'{"owner":"alice","limit":"1.5"}') + len(b'{"a":1}')


@pytest.mark.parametrize(
    ("stream_id", "events", "expected", "error", "message"),
    [
        ("", [opened()], 0, InvalidStreamIdError, "it is empty"),
        ("s", [], 0, ValueError, "nothing to append to stream 's'"),
        ("s", iter(()), 0, ValueError, "nothing to append to stream 's'"),
        ("s", [opened()], -1, ValueError, "must be 0 or more, got -1"),
        ("s", [opened()], True, TypeError, "an int or an ExpectedVersion, got True"),
        ("s", [opened()], "any", TypeError, "an int or an ExpectedVersion, got 'any'"),
        ("s", [opened()], None, TypeError, "an int or an ExpectedVersion, got None"),
        ("s", [Unregistered("a")], 0, TypeError, "events or payloads .*, got Unregistered: decor"),
        ("s", [{"owner": "a"}], 0, TypeError, r"got dict: .* or give Event\('name', {…}\)"),
        ("s", [Opened], 0, TypeError, "got type: decorate its class with @event"),
        ("s", [opened(), Event("x", {1: 2})], ExpectedVersion.ANY, SerializationError, "key 1"),
    ],
)
def test_a_bad_append_is_refused(
    stream_id: str, events: Any, expected: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        codec().encode_append(stream_id, events, expected)


def test_a_strict_registry_refuses_to_write_what_it_would_not_read() -> None:
    strict = EventCodec(event_types=EventTypes(strict=True))
    with pytest.raises(UnknownEventTypeError, match="'noted', and the registry is strict"):
        strict.encode(Event("noted", {"a": 1}))


def test_one_event_in_place_of_a_list_is_refused() -> None:
    with pytest.raises(TypeError, match="put the one into a list"):
        codec().encode_append("s", opened(), 0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the mistake


def test_a_store_takes_a_codec_or_a_serializer() -> None:
    assert EventCodec.given(None, None).encoding == "json"
    assert EventCodec.given(None, Shout()).encoding == "shout"
    given = codec()
    assert EventCodec.given(given, None) is given
    with pytest.raises(ValueError, match="give a codec or a serializer"):
        EventCodec.given(given, "json")


def test_a_set_of_classes_is_not_a_registry() -> None:
    wrong: Any = {str}
    with pytest.raises(TypeError, match="event_types is the registry, an EventTypes, got"):
        EventCodec(event_types=wrong)


@pytest.mark.parametrize("part", [None, 1, b"json"], ids=repr)
def test_a_serializer_is_an_object_or_a_name(part: Any) -> None:
    with pytest.raises(TypeError, match="a serializer or a transformer is an object or a name"):
        EventCodec(part)
    with pytest.raises(TypeError, match="a serializer or a transformer is an object or a name"):
        EventCodec(transformers=[part])
