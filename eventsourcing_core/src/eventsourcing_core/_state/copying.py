"""Copies of a state that share with it nothing that can change.

A state that is kept for later is never given away, only copies of it are. Most of a state never
changes, and is taken as it is: only so a copy costs little.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import dataclasses
import sys
from copy import deepcopy
from enum import Enum
from types import ModuleType
from typing import Any, TypeVar

from eventsourcing_core._errors import said_of
from eventsourcing_core._payloads.scalars import LEAVES
from eventsourcing_core._state.per_class import once_per_class
from eventsourcing_core._state.state import attributes_of, passed_over

T = TypeVar("T")


def copy_state(source: T, target: T) -> None:
    """Give an aggregate that was just made the state of another one.

    What is no state, ``Transient`` attributes included, stays as ``__init__`` has set it.

    Raises:
        TypeError: An attribute cannot be copied; it says which, and what to do.
    """
    skipped = passed_over(type(source))
    memo: dict[int, Any] | None = None  # most states need none
    values = {name: value for name, value in attributes_of(source) if name not in skipped}
    for name, _ in [*attributes_of(target)]:
        if name not in values and name not in skipped:
            delattr(target, name)
    for name, value in values.items():
        try:
            if not never_changes(value):
                if memo is None:
                    # What refers to the aggregate itself, and what may be compared by identity,
                    # stays that.
                    memo = {**_constants_of(type(source)), id(source): target}
                value = _copied(value, memo)  # noqa: PLW2901 - each is put into its place
            setattr(target, name, value)
        except Exception as error:
            message = (
                f"{type(source).__name__}.{name} cannot be copied, so it cannot be kept in a cache "
                f"({said_of(error)}): mark it as Transient[…] if it is no state, or make the "
                "repository without cache="
            )
            raise TypeError(message) from error


def unshared(value: Any) -> Any:
    """Give a value itself if it never changes, and else a deep copy."""
    return value if never_changes(value) else _copied(value, {})


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    """Give a deep copy.

    Args:
        value: What can change.
        memo: What was copied already, by identity: two names of one object stay so.
    """
    if id(value) in memo:
        return memo[id(value)]
    kind = type(value)
    is_flat = (kind is list or kind is set or kind is dict) and (
        _never_change(value) and (kind is not dict or _never_change(value.values()))
    )
    if not is_flat:
        return deepcopy(value, memo)
    memo[id(value)] = copied = value.copy()  # a tenth of the time of a deep one
    return copied


def _never_change(values: Any) -> bool:
    return {*map(type, values)} <= LEAVES or all(map(never_changes, values))


def never_changes(value: Any) -> bool:
    """Tell whether neither a value nor anything in it can be changed."""
    kind = type(value)
    if kind in LEAVES or kind is object or isinstance(value, Enum):
        return True
    if kind is tuple or kind is frozenset:
        return _never_change(value)
    fields = _frozen_fields(kind)
    if fields is None or len(getattr(value, "__dict__", ())) > len(fields):
        return False
    return all(never_changes(getattr(value, name)) for name in fields)


def _constants_of(cls: type[Any]) -> dict[int, Any]:
    """Give the objects that a class, its module and its bases' have names for, by identity."""
    constants = dict(_module_constants(cls))
    for name in _constant_attributes(cls):  # these may refer to the class
        value = getattr(cls, name, None)
        constants[id(value)] = value
    return constants


@once_per_class
def _module_constants(cls: Any) -> dict[int, Any]:
    modules = {base.__module__ for base in cls.__mro__ if base is not object}
    return {
        id(value): value
        for module in sorted(modules)
        for value in [*vars(sys.modules.get(module, object)).values()]
        if _is_constant(value)
    }


@once_per_class
def _constant_attributes(cls: Any) -> tuple[str, ...]:
    names = {name: value for base in cls.__mro__ for name, value in vars(base).items()}
    return tuple(name for name, value in names.items() if _is_constant(value))


def _is_constant(value: object) -> bool:
    """Tell whether only its identity says what an object is."""
    kind = type(value)
    is_code = callable(value) or isinstance(value, ModuleType) or hasattr(kind, "__get__")
    return kind.__eq__ is object.__eq__ and not is_code


@once_per_class
def _frozen_fields(cls: Any) -> tuple[str, ...] | None:
    """Name the fields of a frozen dataclass; None: it is another class."""
    if not dataclasses.is_dataclass(cls):
        return None
    parameters: Any = vars(cls).get("__dataclass_params__")
    if parameters is None or not parameters.frozen:  # a class below a dataclass may change
        return None
    return tuple(field.name for field in dataclasses.fields(cls))
