"""What a stored state would lose, although each value in it can be stored.

A tree of values holds neither that two of them are one object, nor what a subclass of ``list`` or
``dict`` can do more, nor attributes beside the fields of a class, nor the zone of a time. An
aggregate whose state has any of these would behave otherwise once it is restored, so it is refused.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import dataclasses
from datetime import datetime, time, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from eventsourcing_core._errors import SerializationError
from eventsourcing_core._payloads.annotations import is_struct
from eventsourcing_core._payloads.families.registry import families
from eventsourcing_core._payloads.scalars import LEAVES
from eventsourcing_core._state.per_class import once_per_class

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONTAINERS = (list, dict, set, frozenset, tuple)
_TIMES = frozenset({datetime, time})
_WHOLE = LEAVES - _TIMES


class _Shape(NamedTuple):
    """What there is to know of a dataclass, asked for once."""

    fields: tuple[str, ...]
    """The names of its fields."""
    is_frozen: bool
    """Whether its instances never change."""
    is_value: bool
    """Whether they never change, and one is as good as another that is equal."""
    lost: str
    """A field that its constructor does not take, and that would not be the same again."""
    known: frozenset[str]
    """What an instance may hold: these fields, and what is computed of them."""


def check_whole(value: Any, where: str, seen: dict[int, str]) -> None:
    """Refuse a value that would come back with less than it is.

    What never changes may be in two places, but not what is inside it and does.

    Args:
        value: The value.
        where: Its place, for messages.
        seen: The places of what can change and was met, by its id; it must stay alive.

    Raises:
        SerializationError: Naming the place and what would be lost.
    """
    kind: type[object] = type(value)
    if kind in _WHOLE:
        return
    if isinstance(value, datetime | time):  # of a subclass, too
        _check_time(value, where)
    elif kind is dict:
        _check_unshared(value, where, seen)
        _check_items(value, where, seen)
        _check_items(value.values(), where, seen)
    elif kind in {list, set}:
        _check_unshared(value, where, seen)
        _check_items(value, where, seen)
    elif kind in {tuple, frozenset} or (isinstance(value, tuple) and hasattr(kind, "_fields")):
        _check_items(value, where, seen)
    elif dataclasses.is_dataclass(kind):
        _check_fields(value, where, seen)
    elif isinstance(value, _CONTAINERS):
        plain = next(container for container in _CONTAINERS if isinstance(value, container))
        message = f"{where} is a {kind.__name__}, which would come back as a plain {plain.__name__}"
        raise SerializationError(message)
    elif _described(kind) is not None:
        _check_described(value, where, seen)


def _check_items(items: Iterable[Any], where: str, seen: dict[int, str]) -> None:
    for item in items:
        if type(item) not in _WHOLE:
            check_whole(item, f"{where}[…]", seen)


def _check_fields(value: Any, where: str, seen: dict[int, str]) -> None:
    kind: Any = type(value)
    shape = _shape(kind)
    lost = shape.lost
    if not shape.is_value:
        _check_unshared(value, where, seen)
    if not shape.is_frozen:
        lost = lost or next(iter(getattr(value, "__dict__", {}).keys() - shape.known), "")
    if lost:
        message = f"{where}.{lost} is no argument of {kind.__name__}, and would be lost"
        raise SerializationError(message)
    for name in shape.fields:
        item = getattr(value, name)
        if type(item) not in _WHOLE:
            check_whole(item, f"{where}.{name}", seen)


def _check_described(value: Any, where: str, seen: dict[int, str]) -> None:
    kind: Any = type(value)
    names, is_value = _described(kind) or ((), True)
    if not is_value:
        _check_unshared(value, where, seen)
    for name in getattr(value, "__dict__", {}):
        if name not in names and not is_cached_property(kind, name):
            message = f"{where}.{name} is no field of {kind.__name__}, and would be lost"
            raise SerializationError(message)
    for name in names:
        check_whole(getattr(value, name), f"{where}.{name}", seen)


def _check_unshared(value: object, where: str, seen: dict[int, str]) -> None:
    if id(value) in seen:
        message = (
            f"{where} and {seen[id(value)]} are one {type(value).__name__}, and would come back as "
            "two: a change of one would no longer be seen in the other, and without __eq__ they "
            "would not be equal; make a copy, or use a tuple or a frozen dataclass"
        )
        raise SerializationError(message)
    seen[id(value)] = where


def _check_time(value: datetime | time, where: str) -> None:
    zone = value.tzinfo
    if zone is not None and type(zone) is not timezone:
        message = (
            f"{where} is in the zone {zone}, of which only its offset from UTC would come back: "
            "keep it in UTC, and the name of the zone beside it"
        )
        raise SerializationError(message)
    if zone is None and value.fold:
        message = f"{where} is the second of two equal times (fold=1), and would be the first one"
        raise SerializationError(message)


@once_per_class
def _shape(cls: Any) -> _Shape:
    fields = {field.name: field for field in dataclasses.fields(cls)}
    is_frozen: bool = cls.__dataclass_params__.frozen
    # What never changes is computed by __post_init__ again, but a factory may make another.
    lost = [
        name
        for name, field in fields.items()
        if not field.init and not (is_frozen and field.default_factory is dataclasses.MISSING)
    ]
    cached = {name for base in cls.__mro__ for name in vars(base) if is_cached_property(cls, name)}
    return _Shape(
        tuple(fields),
        is_frozen,
        is_frozen and cls.__eq__ is not object.__eq__,
        (lost or [""])[0],
        frozenset(cached | fields.keys()),
    )


@once_per_class
def _described(cls: Any) -> tuple[tuple[str, ...], bool] | None:
    """Name the fields of a Struct or a class of a family; tell if equal ones are as good."""
    if is_struct(cls):
        return cls.__struct_fields__, cls.__struct_config__.frozen and cls.__struct_config__.eq
    described = families.describe(cls)
    if described is None:
        return None
    return tuple(field.name for field in described.fields), not described.unfrozen


def is_cached_property(cls: type, name: str) -> bool:
    """Tell whether an attribute is computed of others when it is asked for."""
    return any(isinstance(vars(base).get(name), cached_property) for base in cls.__mro__)
