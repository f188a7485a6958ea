"""Aliases, marks, and classes of ``typing_extensions`` are what they stand for."""

from __future__ import annotations

import dataclasses
import sys
import typing
from decimal import Decimal
from typing import Any

import pytest
import typing_extensions

from eventsourcing_core import Event, EventCodec, EventTypes, SerializationError
from eventsourcing_core._state.layout import layout_of
from eventsourcing_core.stores import Row


class Address(typing_extensions.TypedDict, total=False):
    street: typing_extensions.Required[str]
    town: typing_extensions.ReadOnly[str]
    number: typing_extensions.Required[typing_extensions.ReadOnly[int]]
    floor: typing_extensions.ReadOnly[typing_extensions.NotRequired[Decimal]]


class Moved(typing_extensions.NamedTuple):
    to: Address
    since: typing_extensions.Annotated[int, "a year"] = 0


class Held(typing.TypedDict):
    place: typing_extensions.NotRequired[Address]


def there_and_back(cls: type, payload: Any, encoding: str = "json") -> Any:
    types = EventTypes()
    types.register(cls)
    codec = EventCodec(encoding, event_types=types)
    encoded = codec.encode(Event.of(payload, event_types=types))
    (found,) = codec.decode([Row("s", 1, 1, *encoded)])
    return found.data


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
@pytest.mark.parametrize(
    "address",
    [
        {"street": "Mill Lane", "number": 3},
        {"street": "Mill Lane", "number": 3, "town": "Delft", "floor": Decimal("1.5")},
    ],
    ids=["less", "all"],
)
def test_a_typed_dict_of_typing_extensions_comes_back(encoding: str, address: Any) -> None:
    moved = Moved(address)
    assert there_and_back(Moved, moved, encoding) == moved


@pytest.mark.parametrize(
    "address",
    [
        {"street": "Mill Lane"},
        {"number": 3},
        {"street": "Mill Lane", "number": "3"},
        {"street": "Mill Lane", "number": 3, "floor": 1},
        {"street": "Mill Lane", "number": 3, "other": 1},
    ],
    ids=str,
)
def test_a_typed_dict_of_typing_extensions_is_checked(address: Any) -> None:
    with pytest.raises(SerializationError, match="Address"):
        there_and_back(Moved, Moved(address))


def test_a_typed_dict_may_lack_what_a_mark_of_typing_extensions_lets_it() -> None:
    cls = dataclasses.make_dataclass("Kept", [("held", Held)], frozen=True)
    assert there_and_back(cls, cls({})).held == {}


# As text, since type checkers know aliases only where they are made by the statement.
SOURCE = """
K, V = TypeVar("K"), TypeVar("V")
Money = TypeAliasType("Money", Decimal)
Prices = TypeAliasType("Prices", dict[str, Money])
Either = TypeAliasType("Either", int | Money)
Pair = TypeAliasType("Pair", tuple[V, V], type_params=(V,))
Turned = TypeAliasType("Turned", dict[K, list[V]], type_params=(V, K))
Same = TypeAliasType("Same", V, type_params=(V,))
ALIASES = [
    (Money, Decimal("1.10"), "1.10"),
    (Money | None, None, None),
    (Prices, {"a": Decimal(1)}, {"a": "1"}),
    (Prices | None, {"a": Decimal(1)}, {"a": "1"}),
    (list[Money], [Decimal(1)], ["1"]),
    (Either, Decimal(1), {"$type": "Decimal", "$value": "1"}),
    (Either | str, Decimal(1), {"$type": "Decimal", "$value": "1"}),
    (Pair[Money], (Decimal(1), Decimal(2)), ["1", "2"]),
    (Turned[int, str], {"a": [1]}, {"a": [1]}),
    (Same[Pair[int]], (1, 2), [1, 2]),
]
LAYOUTS = [
    {"prices": Prices, "either": Either | None, "pair": Pair[int]},
    {"prices": dict[str, Decimal], "either": int | Decimal | None, "pair": tuple[int, int]},
]
"""
NAMES: dict[str, Any] = {
    "Decimal": Decimal,
    "TypeVar": typing.TypeVar,
    "TypeAliasType": typing_extensions.TypeAliasType,
}
exec(SOURCE, NAMES)  # noqa: S102 - see above


@pytest.mark.parametrize(("hint", "value", "tree"), NAMES["ALIASES"], ids=str)
def test_an_alias_is_what_it_names(hint: Any, value: Any, tree: Any) -> None:
    cls = dataclasses.make_dataclass("Named", [("value", hint)], frozen=True)
    types = EventTypes()
    types.register(cls)
    conversion = types.conversions["Named"]
    assert conversion.encode(cls(value)) == {"value": tree}
    assert conversion.decode({"value": tree}) == cls(value)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the statement is of Python 3.12")
def test_the_statement_makes_aliases_also_recursive_ones() -> None:
    source = """
type Data = dict[str, Data] | list[Data] | str | Decimal | None
type Two[T] = tuple[T, T] | None
Named = typing.NamedTuple("Named", [("data", Data), ("two", Two[int])])
"""
    names: dict[str, Any] = {"Decimal": Decimal, "typing": typing}
    exec(source, names)  # noqa: S102 - Python 3.11 cannot parse it
    named = names["Named"]({"a": ["x", {"b": Decimal("1.10")}, None]}, (1, 2))
    for encoding in ("json", "msgpack"):
        assert there_and_back(names["Named"], named, encoding) == named
    assert "dict[str, Data]" in layout_of({"data": names["Data"]})


def test_an_alias_without_its_parameters_is_refused() -> None:
    cls = dataclasses.make_dataclass("Named", [("value", NAMES["Pair"])], frozen=True)
    with pytest.raises(SerializationError, match=r"Named.value.* has the hint .*V"):
        EventTypes().register(cls)


def test_an_alias_changes_nothing_in_the_layout_of_a_state() -> None:
    named, plain = NAMES["LAYOUTS"]
    assert layout_of(named) == layout_of(plain)
