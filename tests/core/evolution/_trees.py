"""Random trees of a layout, as the library would store them."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from eventsourcing_core._payloads.scalars import SCALARS
from eventsourcing_core.evolution import AliasLayout, EnumLayout, Layout, Shape
from eventsourcing_core.evolution._layouts.layout import OPTIONAL

if TYPE_CHECKING:
    from collections.abc import Callable

_TEXTS = st.text(alphabet="abc ", max_size=5)  # none that may be read as a scalar
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "UUID": st.uuids(),
    "datetime": st.datetimes(timezones=st.none() | st.just(UTC)),
    "date": st.dates(),
    "time": st.times(),
    "timedelta": st.timedeltas(),
    "Decimal": st.decimals(allow_nan=False),
}
_LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "None": st.none(),
    "bool": st.booleans(),
    "int": st.integers(-(2**53), 2**53),  # the others are no floats
    "float": st.floats(allow_nan=False),
    "str": _TEXTS,
    "bytes": st.binary(max_size=3),
    "Any": st.none() | st.booleans() | _TEXTS,
    "list": st.lists(_TEXTS, max_size=2),
    "dict": st.dictionaries(_TEXTS, st.none(), max_size=2),
} | {each.type.__name__: _VALUES[each.type.__name__].map(each.to_text) for each in SCALARS}


def trees(layout: Layout) -> st.SearchStrategy[Any]:
    """Give a strategy for trees of a layout."""
    return _of(Shape(layout.root), layout)


def _of(shape: Shape, layout: Layout) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - a table
    if shape.kind in layout.classes:
        return _named(shape.kind, layout)
    if shape.kind == "Literal":
        return st.sampled_from(shape.allowed)
    if shape.kind == "|":
        return _union(shape, layout)
    inner = [_of(each, layout) for each in shape.of]
    if shape.kind == "tuple":
        return st.tuples(*inner).map(list)
    if not inner:
        return _LEAVES[shape.kind]
    if shape.kind == "dict":
        pairs = st.lists(st.tuples(*inner).map(list), max_size=2)
        as_dict: Callable[[Any], Any] = dict
        return pairs.map(as_dict) if shape.of[0].kind == "str" else pairs
    return st.lists(inner[0], max_size=2)


def _named(key: str, layout: Layout) -> st.SearchStrategy[Any]:
    described = layout.classes[key]
    if isinstance(described, AliasLayout):
        return _of(described.shape, layout)
    if isinstance(described, EnumLayout):
        return st.sampled_from(list(described.values.values()))
    fields = {each.name: _of(each.shape, layout) for each in described.fields}
    optional = {each.name for each in described.fields if each.if_missing == OPTIONAL}
    return st.fixed_dictionaries(
        {name: each for name, each in fields.items() if name not in optional},
        optional={name: each for name, each in fields.items() if name in optional},
    )


def _union(shape: Shape, layout: Layout) -> st.SearchStrategy[Any]:
    some = [each for each in shape.of if each.kind != "None"]
    members = [
        _of(each, layout)
        if len(some) == 1
        else st.fixed_dictionaries(
            {"$type": st.just(layout.tag_of(each)), "$value": _of(each, layout)}
        )
        for each in some
    ]
    return st.one_of(*members, *([st.none()] if len(some) < len(shape.of) else []))
