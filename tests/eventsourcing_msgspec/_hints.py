"""Every hint of decision 3, with values of it."""

# Pyright cannot follow hints that are made at run time.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import dataclasses
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag, StrEnum
from typing import Annotated, Any, Literal, NamedTuple, NewType, NotRequired, TypedDict, Union
from uuid import UUID

import msgspec
from hypothesis import strategies as st

_dict: Any = dict
_frozenset: Any = frozenset
_list: Any = list
_set: Any = set
_tuple: Any = tuple
_union: Any = Union  # as types that is made at run time

Values = st.SearchStrategy[Any]
Kind = tuple[Any, Values]
"""A hint, and values of it."""


class Colour(StrEnum):
    RED = "red"
    MARK = "$red"


class Level(IntEnum):
    LOW = 0
    HIGH = 3


class Mode(IntFlag):
    READ = 1
    WRITE = 2


class Mixed(Enum):
    WORD = "1"
    NUMBER = 1


@dataclasses.dataclass
class Money:
    amount: Decimal
    currency: str = "EUR"
    rate: float = 1.0


class Point(NamedTuple):
    x: int
    y: int = 0


class Address(TypedDict):
    street: str
    number: NotRequired[int]


class Line(msgspec.Struct, frozen=True):
    text: str
    counts: list[int] = []
    ends: bool = False


class Renamed(msgspec.Struct, rename="camel", tag=True, array_like=True, kw_only=True):
    first_name: str = "A"
    birth_day: date


@dataclasses.dataclass(frozen=True)
class Checked:
    radius: int
    area: int = dataclasses.field(init=False, default=-1)

    def __post_init__(self) -> None:
        if self.radius < 0:
            message = "a radius is not negative"
            raise ValueError(message)
        object.__setattr__(self, "area", 3 * self.radius**2)


@dataclasses.dataclass(frozen=True)
class Trimmed:
    name: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.strip())


@dataclasses.dataclass(frozen=True)
class Node:
    name: str
    children: list[Node]


def _has_hash(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


Name = NewType("Name", str)
_OFFSETS = st.integers(-86_399, 86_399).map(lambda seconds: timezone(timedelta(seconds=seconds)))
_ZONES = st.none() | st.just(UTC) | _OFFSETS
_INTEGERS = (
    st.integers()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([2**53, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**400])
)
_TEXTS = st.text() | st.sampled_from(["$uuid", "null", '"$', "\x00\x1f\x7f\u2028\\/", "NaN", "1"])
_FLOATS = st.floats() | st.sampled_from([1e22, 1e16, 1e-7, -0.0, 2.0**53, math.nan, math.inf])

LEAVES: list[Kind] = [
    (None, st.none()),
    (bool, st.booleans()),
    (int, _INTEGERS),
    (float, _FLOATS),
    (str, _TEXTS),
    (Name, _TEXTS),
    (Annotated[str, msgspec.Meta(max_length=1)], _TEXTS),
    (bytes, st.binary()),
    (UUID, st.uuids()),
    (datetime, st.datetimes(timezones=_ZONES)),
    (date, st.dates()),
    (time, st.times(timezones=_ZONES)),
    (timedelta, st.timedeltas()),
    (
        Decimal,
        st.decimals() | st.sampled_from([Decimal(t) for t in ("sNaN", "1E+5", "-0", "1.10")]),
    ),
    (Colour, st.sampled_from(Colour)),
    (Level, st.sampled_from(Level)),
    (Mode, st.sampled_from([Mode.READ, Mode.WRITE, Mode.READ | Mode.WRITE, Mode(0)])),
    (Mixed, st.sampled_from(Mixed)),
    (Literal["a", 1], st.sampled_from(["a", 1])),
    (Literal[True, 2] | None, st.sampled_from([True, None, 2])),
    (Literal[b"a", "b"], st.sampled_from([b"a", "b"])),
    (Any, st.sampled_from([None, {"a": [1, UUID(int=1)]}, {"$uuid": 1}, math.nan, {"$type": "x"}])),
    (dict, st.sampled_from([{}, {"$bytes": "x"}, {"a": Decimal(1)}])),
    (list, st.sampled_from([[], [b"", date(2026, 1, 2), 1.5]])),
    (Money, st.builds(Money, st.decimals(), _TEXTS, _FLOATS)),
    (Point, st.builds(Point, _INTEGERS, _INTEGERS)),
    (Address, st.fixed_dictionaries({"street": _TEXTS}, optional={"number": _INTEGERS})),
    (Line, st.builds(Line, _TEXTS, st.lists(_INTEGERS), st.booleans())),
    (Renamed, st.builds(Renamed, first_name=_TEXTS, birth_day=st.dates())),
    (Checked, st.builds(Checked, st.integers(0, 9))),
    (Trimmed, st.builds(Trimmed, st.sampled_from(["a", "b"]))),
    (Node, st.just(Node("a", [Node("b", [])]))),
]
_KEYS = [kind for kind in LEAVES if kind[0] in {bool, int, UUID, date, Colour, Level, Decimal}]
_IN_SETS = [*_KEYS, (str, _TEXTS), (float, _FLOATS), (Point, st.builds(Point, _INTEGERS))]

# A NaN of Decimal that signals has no hash.
_HASHED = [(hint, values.filter(_has_hash)) for hint, values in _IN_SETS]
_TEXT_KEYS = _TEXTS | st.sampled_from(["$uuid", "$$", "$type", "$value"])


def _containers(kinds: st.SearchStrategy[Kind]) -> st.SearchStrategy[Kind]:
    return st.one_of(
        kinds.map(lambda kind: (_list[kind[0]], st.lists(kind[1], max_size=3))),
        kinds.map(lambda kind: (_tuple[kind[0], ...], st.lists(kind[1], max_size=3).map(tuple))),
        st.lists(kinds, max_size=3).map(
            lambda kinds: (_tuple[tuple(k[0] for k in kinds)], st.tuples(*(k[1] for k in kinds)))
        ),
        st.sampled_from(_HASHED).map(lambda k: (_set[k[0]], st.sets(k[1], max_size=3))),
        st.sampled_from(_HASHED).map(lambda k: (_frozenset[k[0]], st.frozensets(k[1], max_size=3))),
        kinds.map(
            lambda kind: (_dict[str, kind[0]], st.dictionaries(_TEXT_KEYS, kind[1], max_size=3))
        ),
        st.tuples(st.sampled_from(_HASHED), kinds).map(
            lambda pair: (
                _dict[pair[0][0], pair[1][0]],
                st.dictionaries(pair[0][1], pair[1][1], max_size=3),
            )
        ),
        kinds.map(lambda kind: (_union[kind[0], None], st.none() | kind[1])),
        st.sampled_from(
            [
                (int | str, _INTEGERS | _TEXTS),
                (Money | Point, st.just(Money(Decimal(1))) | st.just(Point(1))),
                (Decimal | UUID | None, st.none() | st.uuids() | st.decimals()),
            ]
        ),
    )


KINDS: st.SearchStrategy[Kind] = st.recursive(st.sampled_from(LEAVES), _containers, max_leaves=4)
"""Hints, nested, each with its values."""
