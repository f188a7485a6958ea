"""What each hint is stored as, and that it comes back: decision 3."""

# Pyright cannot follow hints that are made at run time.
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import dataclasses
import typing
from collections import namedtuple
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, NamedTuple, NewType, NotRequired, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from eventsourcing_core import EventTypes, SerializationError


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Odd(Enum):
    PAIR = (1, 2)


class Point(NamedTuple):
    x: int
    y: int = 0


class Address(TypedDict):
    street: str
    number: NotRequired[int]


@dataclasses.dataclass(frozen=True)
class Node:
    name: str
    children: list[Node]
    parent: Node | None = None


@dataclasses.dataclass
class Money:
    amount: Decimal
    currency: str = "EUR"


Owner = NewType("Owner", str)
ID = UUID(int=7)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

STORED: list[tuple[Any, Any, Any]] = [
    (None, None, None),
    (bool, True, True),
    (int, 2**70, 2**70),
    (float, 1.5, 1.5),
    (str, "Zoë", "Zoë"),
    (bytes, b"\x00\xff", b"\x00\xff"),
    (UUID, ID, str(ID)),
    (datetime, NOON, "2026-11-23T12:00:00+00:00"),
    (datetime, datetime(2026, 1, 1), "2026-01-01T00:00:00"),  # noqa: DTZ001 - naive is a value, too
    (date, date(2026, 1, 2), "2026-01-02"),
    (time, time(1, 2, 3), "01:02:03"),
    (timedelta, timedelta(days=-1, microseconds=5), "-86399999995"),
    (Decimal, Decimal("1.10"), "1.10"),
    (Colour, Colour.RED, "red"),
    (Level, Level.HIGH, 3),
    (Literal["a", 1], 1, 1),
    (list[int], [1, 2], [1, 2]),
    (list[UUID], [ID], [str(ID)]),
    (tuple[int, ...], (1, 2), [1, 2]),
    (tuple[int, Decimal], (1, Decimal(2)), [1, "2"]),
    (tuple[()], (), []),
    (set[int], {3, 1, 2}, [1, 2, 3]),
    (frozenset[str], frozenset({"b", "a"}), ["a", "b"]),
    (dict[str, Decimal], {"a": Decimal(1)}, {"a": "1"}),
    (dict[int, str], {1: "a"}, [[1, "a"]]),
    (dict[Colour, int], {Colour.RED: 1}, [["red", 1]]),
    (int | None, None, None),
    (int | None, 5, 5),
    (int | str, 5, {"$type": "int", "$value": 5}),
    (int | Decimal | None, Decimal(5), {"$type": "Decimal", "$value": "5"}),
    (Money | Point, Point(1, 2), {"$type": "Point", "$value": {"x": 1, "y": 2}}),
    (list[int] | dict[str, int], {"a": 1}, {"$type": "dict", "$value": {"a": 1}}),
    (Money, Money(Decimal(1)), {"amount": "1", "currency": "EUR"}),
    (Point, Point(1, 2), {"x": 1, "y": 2}),
    (Address, {"street": "A", "number": 1}, {"street": "A", "number": 1}),
    (Address, {"street": "A"}, {"street": "A"}),
    (Node, Node("a", [Node("b", [])]), None),
    (Owner, "Alice", "Alice"),
    (Annotated[int, "positive"], 5, 5),
    (Any, {"a": [1, ID]}, {"a": [1, ID]}),
    (dict, {"a": 1}, {"a": 1}),
    (list, [1, "a"], [1, "a"]),
]


def types_with(hint: Any) -> tuple[EventTypes, type[Any]]:
    cls = dataclasses.make_dataclass("Payload", [("value", hint)], frozen=True)
    types = EventTypes()
    types.register(cls)
    return types, cls


@pytest.mark.parametrize(("hint", "value", "tree"), STORED, ids=lambda value: repr(value)[:11])
def test_each_hint_has_its_stored_form_and_comes_back(hint: Any, value: Any, tree: Any) -> None:
    types, cls = types_with(hint)
    conversion = types.conversions["Payload"]
    stored = conversion.encode(cls(value))
    if hint is not Node:
        assert stored == {"value": tree}
        assert type(stored["value"]) is type(tree)
    back = conversion.decode(stored)
    assert back == cls(value)
    assert type(back.value) is type(value)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, "5"),
        (int, 5.5),
        (int, None),
        (str, 5),
        (str, b"x"),
        (float, 2**53 + 1),
        (bool, 1),
        (bytes, "x"),
        (Decimal, "1.1"),
        (Decimal, 1),
        (UUID, str(ID)),
        (datetime, "2026-01-01"),
        (date, NOON),
        (timedelta, 5),
        (Colour, "red"),
        (Literal["a"], "b"),
        (Literal[1], True),
        (Literal["a"], ["a"]),
        (list[int], (1, 2)),
        (list[int], [1, "2"]),
        (tuple[int, ...], [1]),
        (tuple[int, int], (1, 2, 3)),
        (set[int], [1]),
        (dict[str, int], {1: 1}),
        (dict[str, int], [("a", 1)]),
        (int | str, 1.5),
        (Money, Point(1, 2)),
        (Money, {"amount": Decimal(1)}),
        (Point, (1, 2)),
        (Address, {"number": 1}),
        (Address, {"street": "A", "city": "B"}),
        (Address, "street"),
        (Any, (1, 2)),
        (Any, {1: 2}),
        (Any, {"a": [object()]}),
        (dict, {"a": {1}}),
        (dict, [1]),
    ],
    ids=lambda value: repr(value)[:11],
)
def test_a_value_that_would_come_back_different_is_refused(hint: Any, value: Any) -> None:
    types, cls = types_with(hint)
    with pytest.raises(SerializationError, match=r"Payload\.value|Money|Point|Address"):
        types.conversions["Payload"].encode(cls(value))


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("hint", "value", "stored"),
    [
        (str, Colour.RED, "red"),
        (str, Text("a"), "a"),
        (int, Level.HIGH, 3),
        (int, True, 1),
        (float, 2, 2.0),
    ],
)
def test_a_subclass_of_a_plain_type_is_stored_as_the_plain_value(
    hint: Any, value: Any, stored: Any
) -> None:
    types, cls = types_with(hint)
    tree = types.conversions["Payload"].encode(cls(value))
    assert tree == {"value": stored}
    assert type(tree["value"]) is hint


def test_the_error_names_the_field_and_the_value() -> None:
    types, cls = types_with(dict[str, list[int]])
    with pytest.raises(
        SerializationError, match=r"Payload\.value\[…\]\[…\] must be int, got str: '1'"
    ):
        types.conversions["Payload"].encode(cls({"a": ["1"]}))


@pytest.mark.parametrize("hint", [Odd, Literal["a", Odd.PAIR], typing.Tuple, typing.Set])  # noqa: UP006 - the bare forms are the point
def test_a_hint_that_has_no_stored_form_is_refused(hint: Any) -> None:
    with pytest.raises(SerializationError, match=r"Payload\.value"):
        types_with(hint)


class Untyped(namedtuple("Untyped", "x y")):  # noqa: PYI024  # pyright: ignore[reportUntypedNamedTuple] - that is the point
    __slots__ = ()


@dataclasses.dataclass(frozen=True)
class Initial:
    a: int
    b: dataclasses.InitVar[int]


@dataclasses.dataclass(frozen=True, init=False)
class Own:
    a: int

    def __init__(self, x: int, y: int) -> None:
        object.__setattr__(self, "a", x + y)


@pytest.mark.parametrize("cls", [Untyped, Initial, Own])
def test_a_class_that_could_not_be_built_again_is_refused(cls: type) -> None:
    with pytest.raises(SerializationError, match="what its constructor takes"):
        types_with(cls)
    with pytest.raises(SerializationError, match="what its constructor takes"):
        EventTypes().register(cls)


@dataclasses.dataclass(frozen=True)
class Note:
    text: str = "x"


@dataclasses.dataclass(frozen=True)
class Item:
    n: int


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        (list[Item], list[Item] | str, [Item(1), Item(2)]),
        (list[Item], list[Item] | str, [Item(1)]),
        (str, Note | str, "my precious note"),
        (list[int], Note | list[int], [1]),
        (list[str], list[str] | str, ["str", "x"]),
        (int, float | int, 5),
        (str, date | str, "20240102"),
        (Item, Item | Note, Item(3)),
        (int, int | None, 5),
        (int | str, int | str | Decimal, "a"),
    ],
    ids=repr,
)
def test_a_hint_can_become_a_union_later(old: Any, new: Any, value: Any) -> None:
    types, cls = types_with(old)
    tree = types.conversions["Payload"].encode(cls(value))
    back = types_with(new)[0].conversions["Payload"].decode(tree).value
    assert back == value
    assert type(back) is type(value)


def test_new_type_and_annotated_are_seen_through_in_unions() -> None:
    user_id = NewType("user_id", int)
    types, cls = types_with(float | user_id | Annotated[str, "short"])
    conversion = types.conversions["Payload"]
    assert conversion.encode(cls(5)) == {"value": {"$type": "int", "$value": 5}}
    assert type(conversion.decode(conversion.encode(cls(5))).value) is int
    assert conversion.encode(cls("a")) == {"value": {"$type": "str", "$value": "a"}}


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (time, time(12, tzinfo=ZoneInfo("Europe/Amsterdam"))),
        (datetime, datetime(2026, 1, 1, tzinfo=timezone(timedelta(microseconds=1)))),
    ],
    ids=repr,
)
def test_a_time_without_a_whole_offset_is_refused(hint: Any, value: Any) -> None:
    types, cls = types_with(hint)
    with pytest.raises(ValueError, match="has no offset from UTC in whole seconds"):
        types.conversions["Payload"].encode(cls(value))


def test_a_time_zone_is_kept_as_its_offset() -> None:
    types, cls = types_with(datetime)
    value = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Amsterdam"))
    tree = types.conversions["Payload"].encode(cls(value))
    assert tree == {"value": "2026-07-01T12:00:00+02:00"}
    assert types.conversions["Payload"].decode(tree).value == value


def test_a_wrong_value_is_not_shown_whole() -> None:
    types, cls = types_with(int)
    with pytest.raises(SerializationError) as caught:
        types.conversions["Payload"].encode(cls("x" * 5_000_000))
    assert len(str(caught.value)) < 200


def test_a_union_of_two_types_with_one_name_is_refused() -> None:
    other = dataclasses.make_dataclass("Money", [("amount", int)])
    with pytest.raises(SerializationError, match="two types with one name"):
        types_with(Money | other)


def test_a_missing_field_takes_its_default() -> None:
    decode = types_with(Money)[0].conversions["Payload"].decode
    assert decode({"value": {"amount": "1"}}).value == Money(Decimal(1), "EUR")


def test_a_missing_field_with_a_factory_takes_a_new_value_each_time() -> None:
    cls = dataclasses.make_dataclass(
        "P", [("tags", list[str], dataclasses.field(default_factory=list))]
    )
    types = EventTypes()
    types.register(cls)
    first, second = (types.conversions["P"].decode({}) for _ in range(2))
    assert first.tags == second.tags == []
    assert first.tags is not second.tags


def test_a_missing_field_of_a_named_tuple_takes_its_default() -> None:
    decode = types_with(Point)[0].conversions["Payload"].decode
    assert decode({"value": {"x": 1}}).value == Point(1, 0)


def test_a_field_that_the_class_no_longer_has_is_passed_over() -> None:
    decode = types_with(int)[0].conversions["Payload"].decode
    assert decode({"value": 1, "gone": 2}).value == 1


def test_keyword_only_fields_and_computed_fields_work() -> None:
    @dataclasses.dataclass(frozen=True)
    class P:
        a: int = dataclasses.field(kw_only=True)
        b: int
        c: int = dataclasses.field(init=False, default=9)

    types = EventTypes()
    types.register(P)
    tree = types.conversions["P"].encode(P(2, a=1))
    assert tree == {"a": 1, "b": 2}
    assert types.conversions["P"].decode(tree) == P(2, a=1)


def test_a_tree_from_before_the_union_is_read_as_the_member_it_fits() -> None:
    decode = types_with(int | str)[0].conversions["Payload"].decode
    assert [decode({"value": tree}).value for tree in (5, "a")] == [5, "a"]
    with pytest.raises(ValueError, match="must be int or str, got float"):
        decode({"value": 1.5})


@pytest.mark.parametrize(
    ("hint", "tree"),
    [
        (int, "5"),
        (str, None),
        (Decimal, "abc"),
        (UUID, "abc"),
        (list[int], {"a": 1}),
        (Colour, "blue"),
        (tuple[int, int], [1]),
        (Money, [1]),
        (Address, {}),
        (Literal["a"], "b"),
    ],
    ids=repr,
)
def test_a_tree_that_does_not_fit_the_hint_is_refused_when_read(hint: Any, tree: Any) -> None:
    decode = types_with(hint)[0].conversions["Payload"].decode
    with pytest.raises((ValueError, TypeError, LookupError)):
        decode({"value": tree})


def test_hints_as_strings_are_evaluated() -> None:
    cls = dataclasses.make_dataclass(
        "Payload", [("value", "Decimal | None")], namespace={"__module__": __name__}
    )
    types = EventTypes()
    types.register(cls)
    assert types.conversions["Payload"].encode(cls(Decimal(1))) == {"value": "1"}
