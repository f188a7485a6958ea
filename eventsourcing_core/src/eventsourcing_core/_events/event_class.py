"""Event classes: what ``@event`` makes of a class, so that nothing in the class is lost."""

from __future__ import annotations

import dataclasses
import inspect
from types import FunctionType, GetSetDescriptorType
from typing import Any, cast

from eventsourcing_core._names import full_name_of
from eventsourcing_core._payloads.annotations import is_named_tuple, is_struct
from eventsourcing_core._payloads.families.registry import extra_for, families
from eventsourcing_core._payloads.records import is_made_by_dataclasses


def as_event_class(cls: type[Any]) -> type[Any]:
    """Make a class a frozen dataclass; one that is a dataclass or the like stays as it is.

    Raises:
        SerializationError: Its payload family refuses it.
        TypeError: If it is a dataclass or the like that can change, or would lose the constructor
            or the checks that it has.
    """
    if is_named_tuple(cls):
        return cls
    if is_struct(cls):
        if not cls.__struct_config__.frozen:
            message = f"{full_name_of(cls)} is a Struct that can change: make it frozen=True"
            raise TypeError(message)
        return cls
    if "__dataclass_fields__" in vars(cls):
        if not cls.__dataclass_params__.frozen:
            message = f"{full_name_of(cls)} is a dataclass that can change: make it frozen"
            raise TypeError(message)
        return cls

    if not dataclasses.is_dataclass(cls):
        described = families.describe(cls)
        if described is not None:
            if described.unfrozen:
                message = f"{full_name_of(cls)} can change: write {described.unfrozen}"
                raise TypeError(message)
            return cls

    _refuse_what_would_be_lost(cls)
    return dataclasses.dataclass(frozen=True, slots=_can_be_made_again(cls))(cls)


def _refuse_what_would_be_lost(cls: type[Any]) -> None:
    extra = extra_for(cls)
    if extra:
        message = (
            f"{full_name_of(cls)} is of a payload family that is not there: {extra}; or write it "
            "as a plain class with annotated fields, and its validators as __post_init__"
        )
        raise TypeError(message)
    if "__slots__" in vars(cls):
        message = (
            f"{full_name_of(cls)} sets __slots__, which @event does itself: leave it out, or make "
            "the class a dataclass with frozen=True and slots=True before it becomes an event"
        )
        raise TypeError(message)
    # A frozen dataclass gets its own of both, which call no other.
    for name in ("__init__", "__setattr__"):
        owner = _owner(cls, name)
        if owner not in {cls, object} and not is_made_by_dataclasses(vars(owner)[name]):
            message = (
                f"{full_name_of(cls)} would lose {full_name_of(owner)}.{name}, and what it checks: "
                "write the fields into a class without this base, and check them in __post_init__"
            )
            raise TypeError(message)


def _owner(cls: type[Any], name: str) -> type[Any]:
    """Give the class that a method comes from; a protocol has a constructor that does nothing."""
    return next(
        base
        for base in cls.__mro__
        if name in vars(base) and not getattr(base, "_is_protocol", False)
    )


def _can_be_made_again(cls: type) -> bool:
    """Tell whether nobody can have seen a class, so that another one may take its place.

    Slots need that: they can be given only to a new class. But the class before it stays in
    ``super()`` and ``__class__``, in the registries of metaclasses and of ``__init_subclass__``,
    and among the subclasses of its base.
    """
    return (
        type(cls) is type
        and cls.__bases__ == (object,)
        and all(_is_plain(member) for member in vars(cls).values())
    )


def _is_plain(member: object) -> bool:
    """Tell whether a member of a class refers to no class, and needs no ``__dict__``.

    What is named ``__class__`` in a function, ``super()`` included, is in its closure, as is what
    a decorator wraps.
    """
    if isinstance(member, FunctionType):
        return not member.__closure__
    if isinstance(member, classmethod | staticmethod):
        return _is_plain(inspect.unwrap(cast("Any", member)))
    if isinstance(member, dataclasses.Field):  # it makes way for its default
        return _is_plain(cast("Any", member).default)
    if isinstance(member, property):
        return all(map(_is_plain, (member.fget, member.fset, member.fdel)))
    kind = type(member)
    is_descriptor = hasattr(kind, "__get__") or hasattr(kind, "__set_name__")
    return isinstance(member, GetSetDescriptorType | type) or not (
        is_descriptor or callable(member)
    )
