"""Pairs of event classes, the second of which is what somebody made of the first."""

from __future__ import annotations

import itertools
from dataclasses import field, make_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, NamedTuple, TypedDict, Union
from uuid import UUID, uuid4

from hypothesis import strategies as st

union: Any = Union
make: Any = make_dataclass


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Size(Enum):
    SMALL = 1
    LARGE = 2


class Home(NamedTuple):
    street: str
    number: int = 1


class Box(NamedTuple):
    number: int


class Keys(TypedDict, total=False):
    street: str
    colour: Colour


Leaf = make("Leaf", [("home", Home | None), ("at", datetime)], frozen=True)

SCALARS: list[Any] = [
    *(bool, int, float, str, bytes, UUID, datetime, date, time, timedelta, Decimal),
    *(Colour, Size, Literal["red", "green"], Literal[1, 2], Home, Box, Keys, Leaf),
]
LEAVES = st.sampled_from([*SCALARS, Any, list, dict, None])
KEYS = st.sampled_from([str, UUID, int, Colour])


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    listed: Any = list
    paired: Any = dict
    fixed: Any = tuple
    return st.one_of(
        inner.map(lambda hint: listed[hint]),
        inner.map(lambda hint: fixed[hint, ...]),
        st.tuples(inner, inner).map(lambda hints: fixed[hints]),
        st.tuples(KEYS, inner).map(lambda hints: paired[hints]),
        st.lists(inner, min_size=2, max_size=3, unique_by=str).map(lambda some: union[tuple(some)]),
        inner.map(lambda hint: union[hint, None]),
    )


HINTS = st.recursive(LEAVES, _containers, max_leaves=4)
"""Hints; some unions have two members of one name, and are refused when a class is registered."""


@st.composite
def changed(draw: st.DrawFn, hint: Any) -> Any:
    """Give what somebody may make of a hint."""
    change = draw(
        st.sampled_from(["none", "none", "none", "optional", "wider", "narrower", "other"])
    )
    members = getattr(hint, "__args__", ())
    if change == "optional":
        return union[hint, None]
    if change == "wider":
        return union[hint, draw(LEAVES)]
    if change == "narrower" and members and str(hint).find("|") >= 0:
        return draw(st.sampled_from(members))
    return draw(HINTS) if change == "other" else hint


def _default(of: str) -> dict[str, Any]:
    factories: dict[str, Any] = {"same": list, "id": uuid4, "number": itertools.count().__next__}
    return {} if of == "none" else {"default_factory": factories[of]}


DEFAULTS = st.sampled_from(["none", "none", "same", "id", "number"])
FIELDS = st.lists(st.tuples(HINTS, DEFAULTS), max_size=3)


@st.composite
def pairs_of_classes(draw: st.DrawFn) -> tuple[type, type]:
    """Give two classes of one name."""
    fields = [(f"f{n}", *each) for n, each in enumerate(draw(FIELDS))]
    later: list[tuple[str, Any, str]] = []
    for name, hint, default in fields:
        what = draw(st.sampled_from(["keep", "keep", "keep", "drop", "rename"]))
        if what != "drop":
            new = draw(changed(hint))
            later.append((name if what == "keep" else f"{name}_new", new, draw(DEFAULTS)))
        del default
    later += [
        (f"g{n}", *each)
        for n, each in enumerate(draw(st.lists(st.tuples(HINTS, DEFAULTS), max_size=1)))
    ]
    return _class(fields), _class(later)


def _class(fields: list[tuple[str, Any, str]]) -> type:
    found: type = make(
        "Noted",
        [(name, hint, field(kw_only=True, **_default(of))) for name, hint, of in fields],
        frozen=True,
    )
    return found
