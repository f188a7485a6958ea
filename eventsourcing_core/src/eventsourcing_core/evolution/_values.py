"""Values as trees that tell them apart, and what has become of one that is read again."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import TYPE_CHECKING, Any

from eventsourcing_core._errors import shown
from eventsourcing_core._payloads.annotations import is_struct
from eventsourcing_core._payloads.families.registry import families

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_CLASS, _SET, _PAIRS = "<class>", "<set>", "<pairs>"
"""Keys that no field has."""


def portrayed(value: Any) -> Any:  # noqa: PLR0911 - a table of types
    """Give a value as a tree of what serializers take.

    An object of a class is a dict with its class's name; an enum its value; a set is sorted; a dict
    whose keys are not all texts is a list of pairs.
    """
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        fields = [field.name for field in dataclasses.fields(value) if field.init]
        return _object(value, fields)
    if is_struct(type(value)):
        return _object(value, value.__struct_fields__)
    names: Any = getattr(value, "_fields", None)
    if isinstance(value, tuple) and names is not None:
        return _object(value, names)
    if isinstance(value, list | tuple):
        return [portrayed(item) for item in value]
    if isinstance(value, set | frozenset):
        return {_SET: sorted((portrayed(item) for item in value), key=repr)}
    if isinstance(value, dict):
        if all(isinstance(key, str) and not isinstance(key, Enum) for key in value):
            return {key: portrayed(item) for key, item in value.items()}
        return {_PAIRS: [[portrayed(key), portrayed(item)] for key, item in value.items()]}
    described = families.describe(type(value))
    if described is not None:
        return _object(value, [field.name for field in described.fields])
    return value


def _object(value: Any, names: Collection[str]) -> dict[str, Any]:
    fields = {name: portrayed(getattr(value, name)) for name in names}
    return {_CLASS: type(value).__name__} | fields


def differences(old: Any, new: Any, classes: Collection[str], where: str) -> Iterator[str]:
    """Say where two portrayed values differ.

    A field that only one of them has is no difference: it was dropped, or added. Nor is another
    name of a class, if the old one is gone.

    Args:
        old: What it was.
        new: What it is now.
        classes: The names of the classes that the hints of today lead to.
        where: The place, for messages.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        was, now = old.get(_CLASS), new.get(_CLASS)
        if was != now and was in classes and now is not None:
            yield f"{where} was of class {was}, and is read as one of {now}"
            return
        if any((mark in old) is not (mark in new) for mark in (_SET, _PAIRS)):
            yield _differ(old, new, where)
            return
        for key in old.keys() & new.keys() - {_CLASS}:
            inside = where if key in {_SET, _PAIRS} else f"{where}.{key}"
            yield from differences(old[key], new[key], classes, inside)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, classes, f"{where}[{number}]")
    elif old != new and not (old != old and new != new):  # noqa: PLR0124 - NaN
        yield _differ(old, new, where)


def _differ(old: Any, new: Any, where: str) -> str:
    return f"{where} was {shown(old)}, and is read as {shown(new)}"
