"""Hints that every family stores, with values of them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any, Literal, NamedTuple, NewType
from uuid import UUID

from hypothesis import strategies as st


class Hint(NamedTuple):
    """One type of a field."""

    name: str
    """For the names of tests."""
    hint: Any
    """The type."""
    values: st.SearchStrategy[Any]
    """Values of it that equal themselves."""


class Colour(StrEnum):
    """Members that are texts."""

    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    """Members that are numbers."""

    LOW = 1
    HIGH = 2


class Mixed(Enum):
    """Members whose values are alike."""

    WORD = "1"
    NUMBER = 1


@dataclasses.dataclass(frozen=True)
class Money:
    """A value of another kind."""

    amount: Decimal
    currency: str = "EUR"


class Point(NamedTuple):
    """Another one."""

    x: int
    y: int = 0


Name = NewType("Name", str)

_ZONES = st.sampled_from(
    [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(seconds=1))]
)
_INTEGERS = st.integers() | st.integers(-(2**80), 2**80) | st.sampled_from([2**63, -(2**63) - 1])
_DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
_TIMES = st.datetimes(timezones=st.none() | _ZONES)
_KEPT = st.builds(Money, _DECIMALS, st.text())
_POINTS = st.builds(Point, _INTEGERS, _INTEGERS)

HINTS = (
    Hint("None", None, st.none()),
    Hint("bool", bool, st.booleans()),
    Hint("int", int, _INTEGERS),
    Hint("float", float, st.floats(allow_nan=False)),
    Hint("str", str, st.text()),
    Hint("NewType", Name, st.text()),
    Hint("bytes", bytes, st.binary()),
    Hint("UUID", UUID, st.uuids()),
    Hint("datetime", datetime, _TIMES),
    Hint("date", date, st.dates()),
    Hint("time", time, st.times(timezones=st.none() | _ZONES)),
    Hint("timedelta", timedelta, st.timedeltas()),
    Hint("Decimal", Decimal, _DECIMALS),
    Hint("StrEnum", Colour, st.sampled_from(Colour)),
    Hint("IntEnum", Level, st.sampled_from(Level)),
    Hint("Enum", Mixed, st.sampled_from(Mixed)),
    Hint("Literal", Literal["a", 1], st.sampled_from(["a", 1])),
    Hint("Any", Any, st.sampled_from([None, 1, "x", {"a": [1, UUID(int=1)]}, {"$type": "x"}])),
    Hint("list", list, st.sampled_from([[], [b"", date(2026, 1, 2), 1.5]])),
    Hint("dict", dict, st.sampled_from([{}, {"$bytes": "x"}, {"a": Decimal(1)}])),
    Hint("dataclass", Money, _KEPT),
    Hint("NamedTuple", Point, _POINTS),
    Hint("list of", list[int], st.lists(_INTEGERS)),
    Hint("tuple of", tuple[str, ...], st.lists(st.text()).map(tuple)),
    Hint("fixed tuple", tuple[int, str], st.tuples(_INTEGERS, st.text())),
    Hint("set of", set[Colour], st.sets(st.sampled_from(Colour))),
    Hint("frozenset of", frozenset[UUID], st.frozensets(st.uuids())),
    Hint("dict of", dict[str, Money], st.dictionaries(st.text(), _KEPT, max_size=3)),
    Hint("dict by date", dict[date, int], st.dictionaries(st.dates(), _INTEGERS, max_size=3)),
    Hint("optional", datetime | None, st.none() | _TIMES),
    Hint("union", int | str, _INTEGERS | st.text()),
    Hint("union of classes", Money | Point | None, st.none() | _KEPT | _POINTS),
    Hint("union of scalars", Decimal | UUID, _DECIMALS | st.uuids()),
)
"""Each hint of decision 3, alone and within others."""
