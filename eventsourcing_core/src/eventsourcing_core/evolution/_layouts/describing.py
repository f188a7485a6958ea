"""From a class to its layout, by the hints that the codec goes by."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from enum import Enum, Flag
from typing import Any, Literal, get_args, get_origin

from eventsourcing_core._payloads.annotations import (
    former_names_of,
    is_alias,
    is_named_tuple,
    is_typed_dict,
    is_union,
    members_of,
    unwrapped,
    value_of,
)
from eventsourcing_core._payloads.converter import Compiler, fields_of
from eventsourcing_core._payloads.defaults import ChangingDefaultError
from eventsourcing_core._payloads.scalars import ATOMS, SCALAR_BY_TYPE
from eventsourcing_core.evolution._layouts.examples import trees_of
from eventsourcing_core.evolution._layouts.layout import (
    CHANGING,
    DEFAULT,
    OPTIONAL,
    REFUSED,
    AliasLayout,
    ClassLayout,
    EnumLayout,
    FieldLayout,
    Layout,
    RecordLayout,
)
from eventsourcing_core.evolution._layouts.shape import LITERAL, LONG_TUPLE, UNION, Shape, parsed

_PLAIN = (ATOMS | SCALAR_BY_TYPE.keys() | {list, dict, set, frozenset, tuple}) - {type(None)}
_NAMES = frozenset({kind.__name__ for kind in _PLAIN} | {"None", "Any", LITERAL})


def layout_of(cls: type) -> Layout:
    """Describe what a class stores: its fields, and every class that their hints lead to.

    The same class gives the same layout in every process. Where the class is defined says nothing.

    Raises:
        SerializationError: A hint cannot be stored; it names the field.
    """
    describer = _Describer()
    root = describer.key(cls)
    layout = Layout(root, describer.classes)
    return layout._replace(classes=_with_changing_defaults(layout, describer.found))


class _Describer:
    """Collects what hints lead to."""

    def __init__(self) -> None:
        self.classes: dict[str, ClassLayout] = {}
        self.found: dict[str, Any] = {}
        self._keys: dict[Any, str] = {}
        self._within: list[Any] = []  # aliases that are being described: one may name itself

    def key(self, cls: type) -> str:
        """Describe a class, if need be, and give its key."""
        if cls in self._keys:
            return self._keys[cls]
        key = self._new_key(cls)
        if issubclass(cls, Enum):
            kind = "Flag" if issubclass(cls, Flag) else "Enum"
            values = {str(member.name): member.value for member in cls}
            self.classes[key] = EnumLayout(kind, cls.__name__, values)
            return key
        kind = "dataclass"
        if is_typed_dict(cls):
            kind = "TypedDict"
        elif is_named_tuple(cls):
            kind = "NamedTuple"
        fields = [
            FieldLayout(name, self._shape(hint), _if_missing(options), former_names_of(hint))
            for name, hint, options in fields_of(cls, cls.__name__)
        ]
        self.classes[key] = RecordLayout(kind, cls.__name__, tuple(fields))
        return key

    def _new_key(self, named: Any) -> str:
        name: str = named.__name__ if named.__name__.isidentifier() else "Class"
        key, number = name, 1
        while key in self.classes or key in _NAMES or key in self.found:
            number += 1
            key = f"{name}_{number}"
        self._keys[named] = key
        self.found[key] = named
        return key

    def _shape(self, hint: Any) -> Shape:  # noqa: PLR0911 - a table of kinds
        hint = unwrapped(hint)
        if is_alias(hint):
            return self._alias(hint)
        origin, arguments = get_origin(hint), get_args(hint)
        if hint is None or hint is type(None):
            return Shape("None")
        if hint is Any:
            return Shape("Any")
        if origin is Literal:
            return Shape(LITERAL, values=tuple(sorted(map(repr, arguments))))
        if is_union(hint):
            members = [self._shape(member) for member in members_of(hint)]
            return parsed(Shape(UNION, tuple(set(members))).text)  # in its own order
        if origin is tuple and arguments[1:] == (Ellipsis,):
            return Shape(LONG_TUPLE, (self._shape(arguments[0]),))
        if origin is not None:
            return Shape(origin.__name__, tuple(map(self._shape, arguments)))
        return Shape(hint.__name__ if hint in _PLAIN else self.key(hint))

    def _alias(self, alias: Any) -> Shape:
        if alias in self._within:  # only now it is known to need a name
            return Shape(self._keys.get(alias) or self._new_key(alias))
        self._within.append(alias)
        shape = self._shape(value_of(alias))
        self._within.pop()
        if alias not in self._keys:
            return shape
        key = self._keys[alias]
        self.classes[key] = AliasLayout(shape)
        return Shape(key)


def _if_missing(options: dict[str, Any]) -> str:
    if options.get("optional"):
        return OPTIONAL
    return DEFAULT if options.keys() & {"default", "factory"} else REFUSED


def _with_changing_defaults(layout: Layout, found: dict[str, Any]) -> dict[str, ClassLayout]:
    """Find the defaults that reading refuses, by reading an example without the field."""
    classes = dict(layout.classes)
    for key, described in layout.classes.items():
        if isinstance(described, RecordLayout):
            fields = [
                field._replace(if_missing=CHANGING)
                if field.if_missing == DEFAULT and _changes(layout, key, field.name, found[key])
                else field
                for field in described.fields
            ]
            classes[key] = described._replace(fields=tuple(fields))
    return classes


def _changes(layout: Layout, key: str, name: str, cls: Any) -> bool:
    decode = Compiler().record(cls, cls.__name__).decode
    for tree in trees_of(layout._replace(root=key)):
        try:
            decode({field: item for field, item in tree.items() if field != name})
        except ChangingDefaultError:
            return True
        except Exception:  # noqa: BLE001, S112 - the class's own checks may refuse an example
            continue
        return False
    return False
