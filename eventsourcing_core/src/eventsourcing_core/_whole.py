"""What a stored state would lose, although each value in it can be stored.

A tree of values holds neither that two of them are one object, nor what a subclass of ``list`` or
``dict`` can do more, nor attributes beside the fields of a class. An aggregate whose state has any
of these would behave otherwise once it is restored, so it is refused.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING, Any

from eventsourcing_core._errors import SerializationError
from eventsourcing_core._scalars import LEAVES

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONTAINERS = (list, dict, set, frozenset, tuple)


def check_whole(value: Any, where: str, seen: dict[int, str] | None) -> None:
    """Refuse a value that would come back with less than it is.

    Args:
        value: The value.
        where: Its place, for messages.
        seen: The places of the objects that were met, by their ids; they must stay alive. None
            within what never changes: there it makes no difference whether two are one.

    Raises:
        SerializationError: Naming the place and what would be lost.
    """
    kind: type[object] = type(value)
    if kind in {list, dict, set}:
        _check_unshared(value, where, seen)
        _check_items([*value, *value.values()] if kind is dict else value, where, seen)
    elif kind in {tuple, frozenset}:
        _check_items(value, where, seen)
    elif dataclasses.is_dataclass(kind):
        _check_fields(value, where, seen)
    elif isinstance(value, tuple) and hasattr(kind, "_fields"):
        _check_items(value, where, None)
    elif isinstance(value, _CONTAINERS):
        plain = next(container for container in _CONTAINERS if isinstance(value, container))
        message = f"{where} is a {kind.__name__}, which would come back as a plain {plain.__name__}"
        raise SerializationError(message)


def _check_items(items: Iterable[Any], where: str, seen: dict[int, str] | None) -> None:
    inside = f"{where}[…]"
    for item in items:
        if type(item) not in LEAVES:
            check_whole(item, inside, seen)


def _check_fields(value: Any, where: str, seen: dict[int, str] | None) -> None:
    kind: Any = type(value)
    fields = {field.name: field.init for field in dataclasses.fields(value)}
    if kind.__dataclass_params__.frozen:
        seen = None
    else:
        _check_unshared(value, where, seen)
        for name in [*fields, *getattr(value, "__dict__", ())]:
            if not fields.get(name) and not is_cached_property(kind, name):
                message = f"{where}.{name} is no argument of {kind.__name__}, and would be lost"
                raise SerializationError(message)
    for name in fields:
        check_whole(getattr(value, name), f"{where}.{name}", seen)


def _check_unshared(value: object, where: str, seen: dict[int, str] | None) -> None:
    if seen is None:
        return
    if id(value) in seen:
        message = (
            f"{where} and {seen[id(value)]} are one {type(value).__name__}, and would come back as "
            "two: a change of one would no longer be seen in the other"
        )
        raise SerializationError(message)
    seen[id(value)] = where


def is_cached_property(cls: type, name: str) -> bool:
    """Tell whether an attribute is computed of others when it is asked for."""
    return any(isinstance(vars(base).get(name), cached_property) for base in cls.__mro__)
