"""What is stored is copied without its classes, through any serializer, and stays what it is.

So a store can be exported and imported by a program that has none of the application's classes.
"""

from __future__ import annotations

import dataclasses
import math
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NotRequired, TypedDict
from uuid import UUID  # noqa: TC003 - the registry evaluates the hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsourcing_core import Event, EventCodec, EventTypes, JsonSerializer, RecordedEvent, event
from eventsourcing_core.stores import EncodedEvent, Row
from eventsourcing_msgpack import MsgpackSerializer

if TYPE_CHECKING:
    from eventsourcing_core.plugins import Serializer

types = EventTypes()


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = -1
    HIGH = 2**70


class Side(Enum):
    LEFT = "left"
    RIGHT = 7


class Point(NamedTuple):
    x: int
    y: float = 0.0


class Address(TypedDict):
    street: str
    number: NotRequired[int]


@dataclasses.dataclass(frozen=True)
class Money:
    amount: Decimal
    currency: str = "EUR"


@dataclasses.dataclass(frozen=True)
class Node:
    name: str
    children: list[Node]


@event("copied.atoms", event_types=types)
class Atoms:
    nothing: None
    yes: bool
    whole: int
    real: float
    text: str
    raw: bytes


@event("copied.scalars", event_types=types)
class Scalars:
    id: UUID
    moment: datetime
    day: date
    clock: time
    span: timedelta
    amount: Decimal


@event("copied.choices", event_types=types)
class Choices:
    colour: Colour
    level: Level
    side: Side
    literal: Literal["a", 1, True, b"x", None]  # noqa: PYI061 - None in it is the point
    maybe: Decimal | None
    union: int | str | Decimal | bytes | None
    record: Money | Point | list[int] | dict[str, int]


@event("copied.containers", event_types=types)
class Containers:
    items: list[Decimal]
    pair: tuple[int, bytes]
    many: tuple[UUID, ...]
    numbers: set[int]
    words: frozenset[str]
    by_name: dict[str, bytes]
    by_number: dict[int, str]
    by_side: dict[Side, float]
    by_point: dict[Point, list[date]]


@event("copied.records", event_types=types)
class Records:
    money: Money
    point: Point
    address: Address
    tree: Node


@event("copied.untyped", event_types=types)
class Untyped:
    anything: Any
    some: dict  # type: ignore[type-arg] # the bare form is one of those that are supported
    others: list  # type: ignore[type-arg] # as above


zones = st.none() | st.integers(-86399, 86399).map(lambda s: timezone(timedelta(seconds=s)))
texts = st.text() | st.sampled_from(["$type", "$uuid", "$$uuid", "$", "\0", "NaN"])
wholes = st.integers() | st.sampled_from([2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**400])
reals = st.floats(allow_nan=False)
# Equal to themselves, unlike NaN.
decimals = st.decimals(allow_nan=False)
moments = st.datetimes(timezones=zones)
clocks = st.times(timezones=zones)
leaves = st.one_of(
    *(st.none(), st.booleans(), wholes, reals, texts, st.binary(), st.uuids(), moments),
    *(st.dates(), clocks, st.timedeltas(), decimals),
)
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
dicts = st.dictionaries(texts, trees, max_size=4)
moneys = st.builds(Money, decimals, texts)
points = st.builds(Point, wholes, reals)
nodes = st.recursive(
    st.builds(Node, texts, st.just([])),
    lambda inner: st.builds(Node, texts, st.lists(inner, max_size=3)),
    max_leaves=6,
)
addresses: Any = st.fixed_dictionaries({"street": texts}, optional={"number": wholes})

payloads = st.one_of(
    st.builds(Atoms, st.none(), st.booleans(), wholes, reals, texts, st.binary()),
    st.builds(Scalars, st.uuids(), moments, st.dates(), clocks, st.timedeltas(), decimals),
    st.builds(
        Choices,
        st.sampled_from(Colour),
        st.sampled_from(Level),
        st.sampled_from(Side),
        st.sampled_from(["a", 1, True, b"x", None]),
        st.none() | decimals,
        st.none() | wholes | texts | decimals | st.binary(),
        moneys | points | st.lists(wholes) | st.dictionaries(texts, wholes),
    ),
    st.builds(
        Containers,
        st.lists(decimals),
        st.tuples(wholes, st.binary()),
        st.lists(st.uuids(), max_size=4).map(tuple),
        st.sets(wholes, max_size=5),
        st.frozensets(texts, max_size=5),
        st.dictionaries(texts, st.binary(), max_size=4),
        st.dictionaries(wholes, texts, max_size=4),
        st.dictionaries(st.sampled_from(Side), reals),
        st.dictionaries(points, st.lists(st.dates(), max_size=2), max_size=3),
    ),
    st.builds(Records, moneys, points, addresses, nodes),
    st.builds(Untyped, trees, dicts, st.lists(trees, max_size=4)),
)
serializers: list[Serializer] = [JsonSerializer(), MsgpackSerializer()]


def typed(serializer: Serializer) -> EventCodec:
    return EventCodec(serializer, event_types=types)


def read(codec: EventCodec, stored: EncodedEvent) -> RecordedEvent[Any]:
    (recorded,) = codec.decode([Row("s", 1, 1, *stored)])
    return recorded


def copied(stored: EncodedEvent, serializer: Serializer) -> EncodedEvent:
    """Copy what is stored, by a codec that knows no classes."""
    codec = EventCodec(serializer, event_types=EventTypes())
    append = codec.encode_import([read(codec, stored)])
    assert append is not None
    ((_, (copy,), _),) = append.writes
    return copy


def there_and_back(stored: EncodedEvent, way: list[Serializer]) -> EncodedEvent:
    for serializer in way:
        stored = copied(stored, serializer)
    return stored


@pytest.mark.parametrize("way", [serializers, serializers[::-1]], ids=["json", "msgpack"])
@given(payload=payloads, metadata=dicts)
@settings(deadline=None)  # how long it takes says how busy the machine is
def test_a_payload_that_is_copied_without_classes_stays_what_it_is(
    way: list[Serializer], payload: object, metadata: dict[str, object]
) -> None:
    first, second = way
    original = Event.of(payload, metadata=metadata, event_types=types)
    stored = typed(first).encode(original)
    abroad = copied(stored, second)
    assert read(typed(first), abroad).data == payload
    back = copied(abroad, first)
    assert back == stored
    assert read(typed(first), back).data == payload
    assert dict(read(typed(first), back).metadata) == metadata


@given(data=dicts)
@settings(deadline=None)  # as above
def test_an_untyped_payload_that_is_copied_stays_what_it_is(data: dict[str, object]) -> None:
    stored = EventCodec(event_types=EventTypes()).encode(Event("untyped", data))
    assert there_and_back(stored, [MsgpackSerializer(), JsonSerializer()]) == stored


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -0.0, 5e-324])
@pytest.mark.parametrize("way", [serializers, serializers[::-1]], ids=["json", "msgpack"])
def test_a_number_at_the_edge_that_is_copied_stays_what_it_is(
    way: list[Serializer], number: float
) -> None:
    first, second = way
    payload = Untyped(number, {"n": number, "d": Decimal(number)}, [Decimal("sNaN"), -Decimal(0)])
    stored = typed(first).encode(Event.of(payload, event_types=types))
    assert there_and_back(stored, [second, first]) == stored
