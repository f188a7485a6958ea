"""A hint becomes a union, or is one no more: old values are read as they were, or refused."""

# Pyright cannot follow hints that are made at run time.
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import dataclasses
import typing
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, NamedTuple, NewType, TypedDict
from uuid import UUID, uuid4

import pytest

from eventsourcing_core import Event, EventCodec, EventTypes, SerializationError
from eventsourcing_core.stores import Row


@dataclasses.dataclass(frozen=True)
class Home:
    street: str = ""


@dataclasses.dataclass(frozen=True)
class Box:
    number: int = 0


@dataclasses.dataclass(frozen=True)
class Grown:
    """A home that got a field since."""

    street: str = ""
    town: str = ""


@dataclasses.dataclass(frozen=True)
class Letter:
    to: Home | Box = dataclasses.field(default_factory=Home)
    paid: Decimal = Decimal(0)


@dataclasses.dataclass(frozen=True)
class Nothing:
    pass


@dataclasses.dataclass(frozen=True)
class Chain:
    links: int = 0
    next: Chain | Rope | None = None


@dataclasses.dataclass(frozen=True)
class Rope:
    links: int = 0
    next: Chain | Rope | None = None


class Spot(NamedTuple):
    x: int = 0


class Mark(NamedTuple):
    y: int = 0


class Place(TypedDict, total=False):
    street: str


class Locker(TypedDict, total=False):
    number: int


class Due(TypedDict):
    on: date


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


Amount = NewType("Amount", Decimal)

SCALARS: list[tuple[Any, Any]] = [
    (UUID, UUID(int=7)),
    (datetime, datetime(2026, 3, 1, 12, tzinfo=UTC)),
    (date, date(2026, 3, 1)),
    (time, time(12, 30)),
    (timedelta, timedelta(seconds=5)),
    (Decimal, Decimal("1E+3")),
    (Amount, Decimal("1.10")),
    (Colour, Colour.RED),
]
MEMBERS: list[tuple[Any, Any]] = [
    *SCALARS,
    (Level, Level.HIGH),
    (int, 5),
    (float, 5.0),
    (bool, True),
    (bytes, b"x"),
    (str, "text"),
    (Literal["a", 3], "a"),
    (Home, Home("Mill Lane")),
    (Home, Home()),
    (Nothing, Nothing()),
    (Letter, Letter(Box(3), Decimal("1.1"))),
    (Spot, Spot(4)),
    (Place, Place(street="Mill Lane")),
    (Place, Place()),
    (Due, Due(on=date(2026, 3, 1))),
    (list[Decimal], [Decimal("1.10")]),
    (tuple[int, ...], (1, 2)),
    (set[int], {1, 2}),
    (dict[str, Decimal], {"a": Decimal(1)}),
    (dict[int, str], {1: "a"}),
]


def of(kind: Any, *hints: Any) -> Any:
    """Give a type with these in its brackets."""
    (only, *more) = hints
    return kind[hints if more else only]


def turned(union: Any) -> Any:
    """Give a union with its members in the other order."""
    return reduce(or_, reversed(typing.get_args(union)))


INSIDE: dict[str, tuple[Any, Any]] = {
    "itself": (lambda hint: hint, lambda value: value),
    "Optional": (lambda hint: hint | None, lambda value: value),
    "list": (lambda hint: of(list, hint), lambda value: [value]),
    "tuple": (lambda hint: of(tuple, hint, ...), lambda value: (value,)),
    "pair": (lambda hint: of(tuple, int, hint), lambda value: (1, value)),
    "dict": (lambda hint: of(dict, str, hint), lambda value: {"a": value}),
    "List": (lambda hint: of(typing.List, hint), lambda value: [value]),  # noqa: UP006 - that one is cached
    "class": (
        lambda hint: dataclasses.make_dataclass("Within", [("it", hint)], frozen=True),
        lambda value: value,
    ),
}


def conversion_of(hint: Any) -> tuple[Any, Any]:
    cls = dataclasses.make_dataclass("Payload", [("value", hint)], frozen=True)
    types = EventTypes()
    types.register(cls)
    return cls, types.conversions["Payload"]


def read_again(old: Any, new: Any, value: Any, inside: str = "itself") -> Any:
    """Give what is read by a new hint of what was written by an old one."""
    hint, put = INSIDE[inside]
    cls, old_conversion = conversion_of(hint(old))
    given = put(value)
    if inside == "class":
        given = hint(old)
        cls = dataclasses.make_dataclass("Payload", [("value", given)], frozen=True)
        types = EventTypes()
        types.register(cls)
        old_conversion, given = types.conversions["Payload"], given(value)
    found = conversion_of(hint(new))[1].decode(old_conversion.encode(cls(given))).value
    match inside:
        case "list" | "tuple" | "List":
            return found[0]
        case "pair":
            return found[1]
        case "dict":
            return found["a"]
        case "class":
            return found.it
        case _:
            return found


def is_the_same(found: Any, value: Any) -> bool:
    return type(found) is type(value) and found == value


@pytest.mark.parametrize("inside", list(INSIDE))
@pytest.mark.parametrize("other", [str, Nothing, str | bytes], ids=str)
@pytest.mark.parametrize(("hint", "value"), SCALARS, ids=str)
def test_what_was_a_scalar_alone_is_read_as_it_beside_others(
    hint: Any, value: Any, other: Any, inside: str
) -> None:
    for new in (hint | other, other | hint):
        assert is_the_same(read_again(hint, new, value, inside), value)


@pytest.mark.parametrize("text", ["20260301x", "red wine", "1,10", "", "2026-3-1", "x" * 36])
def test_a_text_that_no_scalar_has_written_stays_a_text(text: str) -> None:
    for new in (date | str, str | Decimal | UUID, Colour | str, str | datetime | time):
        assert read_again(str, new, text) == text


@pytest.mark.parametrize(
    ("hint", "value", "new"),
    [
        (Level, Level.HIGH, Level | int),
        (int, 4, int | Level),
        (int, 5, float | int),
        (float, 5.0, int | float),
        (bool, True, int | bool),
        (int, 1, bool | int),
        (bytes, b"x", str | bytes),
        (Literal["a"], "a", Literal["a"] | str),  # noqa: PYI051 - it is, and reads the same
        (str, "20260301", date | str),
        (str, "12:30", time | str),
        (list[Decimal], [Decimal("1.10")], list[Decimal] | str),
        (list[Decimal], [Decimal("1.10")], list[Decimal | str] | Decimal),
        (Home, Home("Mill Lane"), Home | dict[str, str]),
        (Home, Home("Mill Lane"), dict[str, Any] | Home),
        (Due, Due(on=date(2026, 3, 1)), Due | dict[str, str]),
        (dict[str, int], {"other": 1}, Home | dict[str, int]),
        (dict[str, int], {}, dict[str, int] | Home | Box),
        (Home, Home("Mill Lane"), Box | Home),
        (Home, Home("Mill Lane"), Nothing | Home | Spot),
        (Home, Home("Mill Lane"), Letter | Grown),
        (Spot, Spot(4), Mark | Spot),
        (Place, Place(street="Mill Lane"), Locker | Place),
        (Letter, Letter(Box(3)), Home | Letter),
        (dict[str, str], {"$type": "Home", "n": "1"}, dict[str, str] | Home),
        (list[int], [5], list[int | str] | tuple[Decimal, ...]),
        (list[int], [1, 1], list[int] | set[int]),
        (list[Home], [Home("Mill Lane")], list[Home] | tuple[Nothing, ...]),
    ],
    ids=str,
)
def test_the_member_that_can_have_written_it_reads_it(hint: Any, value: Any, new: Any) -> None:
    expected = Grown("Mill Lane") if new == Letter | Grown else value
    for order in (new, turned(new)):
        assert is_the_same(read_again(hint, order, value), expected)


def test_a_number_that_equals_nothing_is_known_again() -> None:
    (found,) = read_again(list[float], list[float] | tuple[Decimal, ...], [float("nan")])
    assert type(found) is float
    assert found != found  # noqa: PLR0124 - NaN


@pytest.mark.parametrize(
    ("hint", "value", "new"),
    [
        (Home, Home("Mill Lane"), Home | Grown),
        (Home, Home(), Home | Grown),
        (Nothing, Nothing(), Home | Box),
        (Decimal, Decimal(5), Decimal | timedelta),
        (list[int], [1, 2], list[int] | tuple[int, ...]),
        (list[int], [], list[int] | set[int]),
        (int, 3, Level | Literal[3]),
    ],
    ids=str,
)
def test_what_several_members_can_have_written_is_refused(hint: Any, value: Any, new: Any) -> None:
    with pytest.raises(ValueError, match=r"Payload\.value .* can be .* nothing says which"):
        read_again(hint, new, value)


@pytest.mark.parametrize(
    ("hint", "value", "new"),
    [
        (Home, Home("Mill Lane"), Box | Spot),
        (Home, Home("Mill Lane"), Box | str),
        (Decimal, Decimal(5), int | float),
        (str, "hello", Decimal | date),
        (Place, Place(street="Mill Lane"), Locker | str),
        (int, 5, Decimal | str),
    ],
    ids=str,
)
def test_what_no_member_can_have_written_is_refused(hint: Any, value: Any, new: Any) -> None:
    with pytest.raises((SerializationError, ValueError)):
        read_again(hint, new, value)


@pytest.mark.parametrize("inside", list(INSIDE))
@pytest.mark.parametrize(("hint", "value"), MEMBERS, ids=str)
def test_a_union_that_was_narrowed_reads_the_member_that_is_left(
    hint: Any, value: Any, inside: str
) -> None:
    class Gone(NamedTuple):
        z: int = 0

    assert is_the_same(read_again(hint | Gone, hint, value, inside), value)


@pytest.mark.parametrize("inside", list(INSIDE))
@pytest.mark.parametrize(("hint", "value"), MEMBERS, ids=str)
def test_a_union_that_was_narrowed_refuses_the_members_that_are_gone(
    hint: Any, value: Any, inside: str
) -> None:
    class Left(NamedTuple):
        z: int = 0

    class Empty:
        pass

    empty = dataclasses.dataclass(frozen=True)(Empty)
    for new in (Left, empty, dict[str, str], int if hint is not int else str):
        if new != hint and not (new == dict[str, str] and type(value) is dict):
            with pytest.raises(SerializationError, match="was stored as '.*' and now takes"):
                read_again(hint | new, new, value, inside)


@pytest.mark.parametrize("new", [Home | Spot, Spot | str | None], ids=str)
def test_a_member_that_another_union_has_not_is_refused(new: Any) -> None:
    with pytest.raises(SerializationError, match="was stored as 'Box' and now takes"):
        read_again(Home | Box, new, Box(1))


def test_the_order_of_a_union_says_nothing_when_it_is_written() -> None:
    class Flag(IntEnum):
        ON = 1

    values: list[tuple[Any, Any]] = [
        (float | int, True),
        (float | int, Flag.ON),
        (Place | Locker, {}),
        (UUID | str, Colour.RED),
    ]
    for union, value in values:
        orders = (union, turned(union))
        first, second = (conversion_of(order) for order in orders)
        assert first[1].encode(first[0](value)) == second[1].encode(second[0](value))


def test_a_subclass_is_stored_as_its_nearest_base() -> None:
    cls, conversion = conversion_of(float | int)
    assert conversion.encode(cls(True)) == {"value": {"$type": "int", "$value": 1}}  # noqa: FBT003 - a bool


def test_a_dict_beside_a_typed_dict_takes_what_the_other_refuses() -> None:
    value = {"on": date(2026, 3, 1)}
    assert read_again(Due | dict[str, int], Due | dict[str, int], value) == value


@pytest.mark.parametrize("hint", [dict, dict[str, Any], dict[str, object | None] | None, Any])
@pytest.mark.parametrize(
    "value",
    [
        {"$type": "Home", "$value": "Mill Lane"},
        {"$type": "dict", "$value": {"$type": "dict", "$value": {}}},
        {"$type": "Company.Id, Company", "$value": "7"},
        {"$type": "dict", "$value": 1, "more": 1},
        {"$type": "str", "$value": "a", "more": "b"},
        {"$type": 5, "$value": "a"},
    ],
    ids=str,
)
@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_a_dict_that_looks_like_a_tag_comes_back(encoding: str, hint: Any, value: Any) -> None:
    if hint == dict[str, object | None] | None:
        hint = dict[str, Any] | None
    cls = dataclasses.make_dataclass("Payload", [("value", hint)], frozen=True)
    types = EventTypes()
    types.register(cls)
    codec = EventCodec(encoding, event_types=types)
    encoded = codec.encode(Event.of(cls(value), event_types=types))
    (found,) = codec.decode([Row("s", 1, 1, *encoded)])
    assert found.data == cls(value)


def test_json_of_others_that_was_stored_before_is_still_read() -> None:
    tree = {"value": {"$type": "Company.Id, Company", "$value": "7"}}
    for hint in (dict, dict[str, str], dict[str, str] | Home):
        assert conversion_of(hint)[1].decode(tree).value == tree["value"]
    larger = {"value": {"$type": "str", "$value": "a", "more": "b"}}
    for hint in (dict, dict[str, str], dict[str, str] | str):
        assert conversion_of(hint)[1].decode(larger).value == larger["value"]


@pytest.mark.parametrize("tag", ["Union", "UnionType"])
def test_a_union_within_a_union_is_read_as_it_was_stored_before(tag: str) -> None:
    tree = {"value": {"$type": tag, "$value": {"$type": "int", "$value": 5}}}
    for hint in (Annotated[int | str, "x"] | float, int):
        assert conversion_of(hint)[1].decode(tree).value == 5


def test_a_deep_tree_that_is_unclear_everywhere_is_refused_at_once() -> None:
    types = EventTypes()
    types.register(Chain)
    tree: Any = None
    for _ in range(100):
        tree = {"links": 1, "next": tree}
    with pytest.raises(ValueError, match="nothing says which"):
        types.conversions["Chain"].decode(tree)


@pytest.mark.parametrize(
    ("hint", "value", "new"),
    [
        (dict[str, int], {"a": 1, "1.10": 2}, dict[str | Decimal, int]),
        (dict[str | int, int], {"a": 1}, dict[str, int]),
        (dict[str | int, int], {}, dict[str, int]),
        (dict[str, int] | int, {"a": 1}, dict[str | int, int]),
        (dict[Colour | str, int], {Colour.RED: 1}, dict[Colour, int]),
    ],
    ids=str,
)
def test_the_keys_of_a_dict_become_a_union_or_end_to_be_one(
    hint: Any, value: Any, new: Any
) -> None:
    found = read_again(hint, new, value)
    assert found == value
    assert list(map(type, found)) == list(map(type, value))


@pytest.mark.parametrize(
    ("hint", "value", "new"),
    [
        (dict[str | int, int], {"a": 1, 2: 1}, dict[str, int]),
        (dict[str, int], {"red": 1}, dict[Colour, int]),
        (dict[str, int], {"1": 1}, dict[int, int]),
        (list[str], ["ab"], dict[str, str]),
        (list[list[str]], [["a", "b"]], dict[str, str]),
    ],
    ids=str,
)
def test_what_is_no_dict_of_such_keys_is_refused(hint: Any, value: Any, new: Any) -> None:
    with pytest.raises(SerializationError):
        read_again(hint, new, value)


@dataclasses.dataclass(frozen=True)
class Numbered:
    """A home that got an id since, which is another one each time."""

    street: str = ""
    id: UUID = dataclasses.field(default_factory=uuid4)


@pytest.mark.parametrize("other", [Grown, dict[str, str]], ids=str)
def test_a_member_that_lacks_an_id_leaves_its_value_to_no_other(other: Any) -> None:
    with pytest.raises(ValueError, match=r"Numbered\.id is missing in what is stored"):
        read_again(Home, Numbered | other, Home("Mill Lane"))
