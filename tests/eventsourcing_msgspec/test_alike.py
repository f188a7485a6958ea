"""With msgspec everything is written and read as without it, whatever the hint and the damage."""

# Pyright cannot follow hints that are made at run time.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import copy
import dataclasses
import math
from typing import TYPE_CHECKING, Any, Union

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from eventsourcing_core import Event, EventCodec, EventTypes, JsonSerializer
from eventsourcing_core.stores import Row
from eventsourcing_msgpack import MsgpackSerializer
from tests.eventsourcing_msgspec._hints import KINDS, LEAVES, Kind

if TYPE_CHECKING:
    from eventsourcing_core.plugins import Serializer

SERIALIZERS: dict[str, Serializer] = {"json": JsonSerializer(), "msgpack": MsgpackSerializer()}
NAMES = pytest.mark.parametrize("name", SERIALIZERS)
MANY = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],
)


class Both:
    """A class with some fields, and two codecs for it: with msgspec and without."""

    def __init__(self, name: str, fields: list[tuple[Any, Any]]) -> None:
        types = EventTypes()
        made = [
            (f"f{n}", hint) if default is _NONE else (f"f{n}", hint, default)
            for n, (hint, default) in enumerate(fields)
        ]
        self.cls = dataclasses.make_dataclass("Payload", made, frozen=True, slots=True)
        types.register(self.cls)
        self.types = types
        self.serializer = SERIALIZERS[name]
        # A serializer that a program has made itself is left alone.
        self.with_it = EventCodec(name, event_types=types)
        self.without = EventCodec(self.serializer, event_types=types)

    def event(self, values: tuple[Any, ...]) -> Event[Any]:
        return Event.of(self.cls(*values), event_types=self.types)


_NONE = object()
_dict: Any = dict
_list: Any = list
_union: Any = Union  # as a type that is made at run time


def written(codec: EventCodec, event: Event[Any]) -> bytes | str:
    try:
        return codec.encode(event).data
    except Exception as error:  # noqa: BLE001 - of which kind it is, is compared
        return f"{type(error)}: {error}"


def read(codec: EventCodec, data: bytes) -> str:
    name = codec.serializer.name
    row = Row("s", 2, 3, "Payload", data, None, name, bytes(16), 0)
    try:
        (event,) = codec.decode([row])
    except Exception as error:  # noqa: BLE001 - of which kind it is, is compared
        return f"{type(error)}: {error}"
    return _described(event.data)


def _described(value: Any) -> str:
    """Give a text that tells values apart, and types, NaN included, and not the order of sets."""
    kind = type(value).__qualname__
    if isinstance(value, set | frozenset):
        return f"{kind}{sorted(map(_described, value))}"
    if isinstance(value, list | tuple):
        return f"{kind}{list(map(_described, value))}"
    if isinstance(value, dict):
        return f"{kind}{[(_described(key), _described(each)) for key, each in value.items()]}"
    names = getattr(value, "__struct_fields__", None) or getattr(value, "__dataclass_fields__", ())
    if names:
        return f"{kind}{[_described(getattr(value, name)) for name in names]}"
    return f"{kind} {value!r}"


def read_alike(both: Both, data: bytes) -> None:
    assert read(both.with_it, data) == read(both.without, data)


@st.composite
def valued(draw: st.DrawFn, kinds: st.SearchStrategy[Kind] = KINDS) -> tuple[list[Any], Any]:
    """Give the hints of some fields, and a value of each."""
    drawn = draw(st.lists(kinds, min_size=1, max_size=3))
    return [hint for hint, _ in drawn], tuple(draw(values) for _, values in drawn)


@NAMES
@MANY
@given(valued())
def test_what_one_writes_the_other_reads(name: str, sample: tuple[list[Any], Any]) -> None:
    hints, values = sample
    both = Both(name, [(hint, _NONE) for hint in hints])
    event = both.event(values)
    one, other = written(both.with_it, event), written(both.without, event)
    if isinstance(one, str) or isinstance(other, str):
        assert one == other
        return
    assert read(both.without, one) == read(both.without, other)
    read_alike(both, other)
    read_alike(both, one)


NUMBERS = [0, 1, -1, 3, 2**53 + 1, -(2**53) - 1, 2**64, 1.0, 1.5, 1e400, math.nan, True, None]
TEXTS = ["", "1", "red", "a", "1.10", "1_0", " 1 ", "NaN", "2026-01-02", "03:04:05.0000009"]
TIMES = ["2026-01-02T03:04:05.1234567Z", "2026-01-02t03:04:05z", "9999-12-31T23:59:59.9999999Z"]
IDS = ["00000000000000000000000000000001", "{00000000-0000-0000-0000-000000000001}", bytes(16), b""]
LISTS = [[], [1], [[1, 2]], ["a"], [None]]
DICTS = [{}, {"a": 1}, {"$uuid": "x"}, {"$$uuid": 1}, {"amount": "1"}, {"amount": 1.1}, {"x": 1}]
TAGS = [{"$type": "int", "$value": 1}, {"$type": "dict", "$value": {}}, {"$type": "UUID"}]
RECORDS = [{"x": 1, "z": 2}, {"text": "a", "ends": 1}, {"radius": -1}, {"name": " a "}]
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [*NUMBERS, *TEXTS, *TIMES, *IDS, *LISTS, *DICTS, *TAGS, *RECORDS]
)


@st.composite
def damaged(draw: st.DrawFn, tree: Any) -> Any:
    """Change something in a tree: a value, a field that is missing, one that nobody knows."""
    places: list[tuple[Any, Any]] = []

    def collect(container: Any) -> None:
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            places.append((container, key))
            if isinstance(container[key], dict | list):
                collect(container[key])

    tree = copy.deepcopy(tree)
    collect(tree)
    if not places:
        return tree
    container, key = draw(st.sampled_from(places))
    match draw(st.sampled_from(["replace", "drop", "add", "add"])):
        case "replace":
            container[key] = draw(ODD)
        case "drop":
            del container[key]
        case _ if isinstance(container, dict):
            container[draw(st.sampled_from(["more", "", "f9", "$type", "f0 "]))] = draw(ODD)
        case _:
            container.append(draw(ODD))
    return tree


@NAMES
@MANY
@given(st.data())
def test_damaged_fields_are_read_or_refused_alike(name: str, data: st.DataObject) -> None:
    hints, values = data.draw(valued())
    both = Both(name, [(hint, _NONE) for hint in hints])
    try:
        tree = both.types.conversions["Payload"].encode(both.event(values).data)
        found = both.serializer.serialize(data.draw(damaged(tree)))
    except ValueError:
        assume(False)  # noqa: FBT003 - what cannot be written is compared above
        return
    read_alike(both, found)
    place, more = data.draw(st.integers(0, len(found))), data.draw(st.binary(max_size=3))
    read_alike(both, found[:place] + more)
    read_alike(both, found[:place] + more + found[place + 1 :])


@NAMES
@pytest.mark.parametrize("hint", [hint for hint, _ in LEAVES], ids=lambda hint: repr(hint)[:40])
@settings(MANY, max_examples=30)
@given(ODD, ODD)
def test_any_value_in_any_field_is_read_or_refused_alike(
    name: str, hint: Any, value: Any, more: Any
) -> None:
    both = Both(name, [(hint, None)])
    for tree in (
        {"f0": value},
        {},
        {"f0": value, "f1": more},
        {"$type": "Payload", "$value": more},
    ):
        read_alike(both, both.serializer.serialize(tree))
    several = Both(
        name, [(_list[hint], _NONE), (_dict[str, hint], _NONE), (_union[hint, None], "lacking")]
    )
    tree = {"f0": [value, more], "f1": {"a": value}}
    read_alike(several, several.serializer.serialize(tree))
    read_alike(several, several.serializer.serialize(tree | {"f2": more}))
