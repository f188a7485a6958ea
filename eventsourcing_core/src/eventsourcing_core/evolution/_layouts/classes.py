"""From a layout to classes that store the same: what asks the library itself how it reads.

So no rule of reading is written a second time: two layouts are compared by reading examples.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections import namedtuple
from dataclasses import field as field_of
from dataclasses import make_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, TypedDict, Union
from uuid import UUID

from eventsourcing_core._payloads.annotations import WasNamed
from eventsourcing_core._payloads.converter import Compiler, compile_conversion
from eventsourcing_core.evolution._layouts.examples import trees_of
from eventsourcing_core.evolution._layouts.layout import (
    CHANGING,
    DEFAULT,
    OPTIONAL,
    REFUSED,
    AliasLayout,
    EnumLayout,
    FieldLayout,
    Layout,
    RecordLayout,
)
from eventsourcing_core.evolution._layouts.shape import LITERAL, LONG_TUPLE, UNION, Shape

if TYPE_CHECKING:
    from eventsourcing_core._payloads.hints import Conversion

_TYPES: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        *(bool, int, float, str, bytes, UUID, datetime, date, time, timedelta, Decimal),
        *(list, dict, set, frozenset, tuple),
    )
} | {"None": type(None), "Any": Any}
# What type checkers take for declarations is data here.
_typed_dict: Any = TypedDict
_named_tuple: Any = namedtuple  # noqa: PYI024 - as above
_not_required: Any = NotRequired
_annotated: Any = Annotated
_union: Any = Union
_literal: Any = Literal
_enums: dict[str, Any] = {"Enum": Enum, "Flag": Flag}
_tuple: Any = tuple


class _Alias:
    """What ``type X = …`` makes, on every Python."""

    def __init__(self) -> None:
        self.__value__: Any = None
        self.__type_params__ = ()

    def __call__(self) -> None:
        """Look like a type: ``Union`` asks for something that can be called."""


def conversion_of(layout: Layout) -> Conversion:
    """Compile the conversion of a class of this layout, as the library would.

    Raises:
        SerializationError: Nothing of this layout can be stored.
    """
    return compile_conversion(_Classes(layout).made[layout.root])


class _Classes:
    """Makes the classes of a layout.

    Each is made first, and gets its hints when all are there, as they may name each other.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.made: dict[str, Any] = {}
        for key, described in layout.classes.items():
            self.made[key] = self._empty(described)
        for key, described in layout.classes.items():
            if isinstance(described, AliasLayout):
                self.made[key].__value__ = self._hint(described.shape)
            elif isinstance(described, RecordLayout):
                self._fill(self.made[key], described)

    def _empty(self, described: RecordLayout | EnumLayout | AliasLayout) -> Any:
        if isinstance(described, AliasLayout):
            return _Alias()
        name = described.name
        if isinstance(described, EnumLayout):
            members = {f"m{n}": value for n, value in enumerate(described.values.values())}
            return _enums[described.kind](name, members)
        names = [field.name for field in described.fields]
        if described.kind == "TypedDict":
            return _typed_dict(name, dict.fromkeys(names, Any))
        if described.kind == "NamedTuple":
            return _named_tuple(name, names)
        fields = [
            (
                field.name,
                Any,
                field_of(kw_only=True)
                if field.if_missing == REFUSED
                else field_of(kw_only=True, default_factory=self._factory(field)),
            )
            for field in described.fields
        ]
        return make_dataclass(name, fields, frozen=True)

    def _factory(self, field: FieldLayout) -> Any:
        return count().__next__ if field.if_missing == CHANGING else partial(self._default, field)

    def _default(self, field: FieldLayout) -> Any:
        """Give a value that the field can have, the same each time."""
        one = RecordLayout("dataclass", "Default", (field,))
        layout = Layout("Default of", {**self._layout.classes, "Default of": one})
        tree = trees_of(layout)[-1][field.name]
        return Compiler().conversion(self._hint(field.shape), field.name).decode(tree)

    def _fill(self, cls: Any, described: RecordLayout) -> None:
        hints = {field.name: self._hint(field.shape) for field in described.fields}
        for each in described.fields:
            if each.former:
                hints[each.name] = _annotated[hints[each.name], WasNamed(*each.former)]
        if described.kind == "TypedDict":
            optional = {each.name for each in described.fields if each.if_missing == OPTIONAL}
            cls.__required_keys__ = frozenset(hints.keys() - optional)
            hints |= {name: _not_required[hints[name]] for name in optional}
        cls.__annotations__ = hints
        if described.kind == "NamedTuple":
            cls._field_defaults = {
                field.name: None for field in described.fields if field.if_missing == DEFAULT
            }
            for name in cls._field_defaults:
                (field,) = [each for each in described.fields if each.name == name]
                cls._field_defaults[name] = self._default(field)

    def _hint(self, shape: Shape) -> Any:
        if shape.kind in self.made:
            return self.made[shape.kind]
        if shape.kind == LITERAL:
            return _literal[shape.allowed]
        inner = tuple(map(self._hint, shape.of))
        if shape.kind == UNION:
            return _union[inner]
        if shape.kind == LONG_TUPLE:
            return _tuple[inner[0], ...]
        if shape.kind == "tuple":
            return _tuple[inner]
        return _TYPES[shape.kind][inner] if inner else _TYPES[shape.kind]
