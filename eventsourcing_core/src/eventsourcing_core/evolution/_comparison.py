"""Whether programs with two layouts of one event type can read each other's events."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from eventsourcing_core._errors import said_of, shortened
from eventsourcing_core.evolution._layouts.classes import conversion_of
from eventsourcing_core.evolution._layouts.examples import trees_of
from eventsourcing_core.evolution._layouts.layout import (
    AliasLayout,
    ClassLayout,
    EnumLayout,
    FieldLayout,
    Layout,
    RecordLayout,
)
from eventsourcing_core.evolution._layouts.shape import Shape
from eventsourcing_core.evolution._values import differences, portrayed

if TYPE_CHECKING:
    from collections.abc import Iterator

_AROUND, _INSIDE = "around", "around.value "
"""The name of a class that is made to have something in a field, and how texts on that begin."""


class Compatibility(Enum):
    """Who can read whose events, in the words of Avro and of schema registries."""

    FULL = "full"
    """Both can."""
    BACKWARD = "backward"
    """New code reads old events; old code does not read new ones."""
    FORWARD = "forward"
    """Old code reads new events; new code does not read old ones."""
    NONE = "none"
    """Neither can."""

    @classmethod
    def of(cls, *, backward: bool, forward: bool) -> Compatibility:
        """Give the one that holds."""
        if backward:
            return cls.FULL if forward else cls.BACKWARD
        return cls.FORWARD if forward else cls.NONE

    def covers(self, wanted: Compatibility) -> bool:
        """Tell whether what is wanted holds.

        >>> Compatibility.FULL.covers(Compatibility.BACKWARD)
        True
        """
        return wanted in {self, Compatibility.NONE} or self is Compatibility.FULL


class Change(NamedTuple):
    """What became of one field, of one enum, or of a whole type."""

    place: str
    """The field, as ``Opened.owner``; or the name of an enum."""
    old: str
    """What it was; empty if it was not there."""
    new: str
    """What it is now; empty if it is gone."""
    new_code: str
    """Why new code cannot read it in an old event; empty if it can."""
    old_code: str
    """Why old code cannot read it in a new event; empty if it can."""


class Comparison(NamedTuple):
    """Two layouts of an event type."""

    compatibility: Compatibility
    """Who can read whose events."""
    changes: tuple[Change, ...]
    """What differs, sorted by place; nothing if the layouts are equal."""


def compare_layouts(old: Layout, new: Layout) -> Comparison:
    """Tell who can read whose events, and why.

    The library itself is asked: examples of one layout are read by classes of the other. An event
    is read if each value that both layouts have comes out equal. Checks in a class's own
    constructor are not part of a layout, nor is what a default is.

    >>> from dataclasses import make_dataclass
    >>> old = layout_of(make_dataclass("Opened", [("owner", str)]))
    >>> new = layout_of(make_dataclass("Opened", [("owner", str), ("limit", int, 0)]))
    >>> compare_layouts(old, new).compatibility
    <Compatibility.FULL: 'full'>
    """
    new_code, old_code = refusal(old, new), refusal(new, old)
    changes = sorted(_changes(old, new))
    for number, fault in ((3, new_code), (4, old_code)):
        if fault and not any(change[number] for change in changes):
            reasons = (fault, "") if number == 3 else ("", fault)  # noqa: PLR2004 - as above
            changes.append(Change(new.root, old.root, new.root, *reasons))
    verdict = Compatibility.of(backward=not new_code, forward=not old_code)
    return Comparison(verdict, tuple(changes))


def refusal(writer: Layout, reader: Layout) -> str:
    """Say why a class of one layout cannot read what another has written; empty if it can."""
    written, read = conversion_of(writer), conversion_of(reader)
    names = {each.name for each in reader.classes.values() if not isinstance(each, AliasLayout)}
    for tree in trees_of(writer):
        try:
            value = read.decode(tree)
        except KeyError as error:
            return f"the field {shortened(str(error))} is missing, and has no default"
        except (ValueError, TypeError, LookupError) as error:
            return said_of(error)
        old, new = portrayed(written.decode(tree)), portrayed(value)
        for difference in differences(old, new, names, reader.root):
            return difference
    return ""


def _changes(old: Layout, new: Layout) -> Iterator[Change]:
    pairs = {key: key for key in old.classes.keys() & new.classes.keys()} | {old.root: new.root}
    for was, now in pairs.items():
        one, other = old.classes[was], new.classes[now]
        if isinstance(one, RecordLayout) and isinstance(other, RecordLayout):
            for name in {field.name for field in (*one.fields, *other.fields)}:
                before, after = _field(one, name), _field(other, name)
                if before != after:
                    faults = _faults(_only(old, was, before), _only(new, now, after))
                    yield Change(f"{now}.{name}", _said(before), _said(after), *faults)
        elif one != other:
            new_code, old_code = _faults(_around(old, was), _around(new, now))
            faults = new_code.removeprefix(_INSIDE), old_code.removeprefix(_INSIDE)
            yield Change(now, _described(one), _described(other), *faults)


def _faults(old: Layout, new: Layout) -> tuple[str, str]:
    return refusal(old, new), refusal(new, old)


def _field(record: RecordLayout, name: str) -> FieldLayout | None:
    return next((field for field in record.fields if field.name == name), None)


def _only(layout: Layout, key: str, field: FieldLayout | None) -> Layout:
    """Give a layout of a class with one of its fields only, or none."""
    record: Any = layout.classes[key]
    fields = () if field is None else (field,)
    return Layout(key, {**layout.classes, key: record._replace(fields=fields)})


def _around(layout: Layout, key: str) -> Layout:
    """Give a layout of a class that has something in its only field."""
    record = RecordLayout("dataclass", _AROUND, (FieldLayout("value", Shape(key)),))
    return Layout(_AROUND, {**layout.classes, _AROUND: record})


def _said(field: FieldLayout | None) -> str:
    if field is None:
        return ""
    marks = {"default": ", with a default", "changing": ", with a default that changes"}
    marks["optional"] = ", may be missing"
    return f"{field.shape.text}{marks.get(field.if_missing, '')}"


def _described(layout: ClassLayout) -> str:
    if isinstance(layout, EnumLayout):
        return " or ".join(map(repr, layout.values.values()))
    return layout.shape.text if isinstance(layout, AliasLayout) else layout.kind
