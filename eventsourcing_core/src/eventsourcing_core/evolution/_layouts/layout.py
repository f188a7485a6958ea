"""The layout of a class: its fields and those of every class that its hints lead to."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from eventsourcing_core.evolution._layouts.shape import LONG_TUPLE, Shape, parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

REFUSED, DEFAULT, CHANGING, OPTIONAL = "refused", "default", "changing", "optional"
"""What becomes of an event without a field: see ``FieldLayout.if_missing``."""


class FieldLayout(NamedTuple):
    """A stored field of a class."""

    name: str
    """Its name, in the class and in what is stored."""
    shape: Shape
    """Its hint."""
    if_missing: str = REFUSED
    """What reading makes of an event without it.

    ``refused``: an error. ``default``: its default. ``changing``: an error, since its default would
    be another one each time. ``optional``: a TypedDict may lack it.
    """
    former: tuple[str, ...] = ()
    """What it was called in events that were stored before: see ``WasNamed``."""


class RecordLayout(NamedTuple):
    """A class with named fields."""

    kind: str
    """``dataclass``, ``NamedTuple`` or ``TypedDict``."""
    name: str
    """Its name, which a union stores."""
    fields: tuple[FieldLayout, ...]
    """In the order of the class."""


class EnumLayout(NamedTuple):
    """An enum, which is stored by value."""

    kind: str
    """``Enum``, or ``Flag``, whose values may be combined."""
    name: str
    """Its name, which a union stores."""
    values: Mapping[str, str | int]
    """The stored values by the names of the members, which are not stored."""


class AliasLayout(NamedTuple):
    """What ``type X = …`` stands for, if it refers to itself; else the hint has it in its place."""

    shape: Shape
    """The hint."""


ClassLayout = RecordLayout | EnumLayout | AliasLayout
"""What a name in a shape stands for."""


class Layout(NamedTuple):
    """What an event class stores."""

    root: str
    """The key of the class itself."""
    classes: Mapping[str, ClassLayout]
    """Everything that shapes name, by key: the class's name, with a number if there are several."""

    @property
    def record(self) -> RecordLayout:
        """The class itself."""
        record = self.classes[self.root]
        if not isinstance(record, RecordLayout):
            message = f"{self.root} has no fields"
            raise TypeError(message)
        return record

    def tag_of(self, shape: Shape) -> str:
        """Give the name that a union stores for one of its members."""
        described = self.classes.get(shape.kind)
        if isinstance(described, RecordLayout | EnumLayout):
            return described.name
        return "tuple" if shape.kind == LONG_TUPLE else shape.kind

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON has it; the same for the same layout."""
        others = sorted(self.classes.keys() - {self.root})
        classes = {key: _class_as_json(self.classes[key]) for key in (self.root, *others)}
        return {"root": self.root, "classes": classes}


def layout_from_json(found: Any) -> Layout:
    """Give the layout that ``as_json`` gave.

    Raises:
        ValueError: It is none.
    """
    try:
        classes = {key: _class_from_json(each) for key, each in found["classes"].items()}
        layout = Layout(found["root"], classes)
        layout.record  # noqa: B018 - it is looked up to see that it is there
    except (KeyError, TypeError, AttributeError) as error:
        message = "not a layout"
        raise ValueError(message) from error
    return layout


def _class_as_json(layout: ClassLayout) -> dict[str, Any]:
    if isinstance(layout, AliasLayout):
        return {"kind": "alias", "type": layout.shape.text}
    head = {"kind": layout.kind, "name": layout.name}
    if isinstance(layout, EnumLayout):
        return head | {"values": dict(layout.values)}
    return head | {"fields": {field.name: _field_as_json(field) for field in layout.fields}}


def _field_as_json(field: FieldLayout) -> dict[str, Any]:
    rest: dict[str, Any] = {}
    if field.if_missing != REFUSED:
        rest["if_missing"] = field.if_missing
    if field.former:
        rest["was_named"] = list(field.former)
    return {"type": field.shape.text} | rest


def _class_from_json(found: Any) -> ClassLayout:
    if found["kind"] == "alias":
        return AliasLayout(parsed(found["type"]))
    if "values" in found:
        return EnumLayout(found["kind"], found["name"], dict(found["values"]))
    fields = [
        FieldLayout(
            name,
            parsed(field["type"]),
            field.get("if_missing", REFUSED),
            tuple(field.get("was_named", ())),
        )
        for name, field in found["fields"].items()
    ]
    return RecordLayout(found["kind"], found["name"], tuple(fields))
