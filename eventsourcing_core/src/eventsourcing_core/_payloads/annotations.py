"""What type hints say: through aliases and marks, of ``typing`` and of ``typing_extensions``.

``typing_extensions`` has classes and marks of its own where the interpreter has none yet. They are
told by their form, since the core depends on nothing.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Annotated, Any, NewType, Union, get_args, get_origin

_MARKS = frozenset({"Required", "NotRequired", "ReadOnly"})


@dataclass(frozen=True, init=False)
class WasNamed:
    """Says in a field's hint what the field was called when older values were stored.

    ``sku: Annotated[str, WasNamed("item")]`` is written as ``sku``, and read from either. What is
    stored under both names is refused.

    Args:
        names: The older names, one or more.

    Raises:
        TypeError: There is none, or one is no text.
    """

    names: tuple[str, ...]
    """The older names."""

    def __init__(self, *names: str) -> None:
        if not names or not all(isinstance(name, str) for name in names):
            message = 'WasNamed takes the older names of a field: WasNamed("item")'
            raise TypeError(message)
        object.__setattr__(self, "names", names)


def former_names_of(hint: Any) -> tuple[str, ...]:
    """Give what ``WasNamed`` says in the hint of a field, within its marks."""
    names: tuple[str, ...] = ()
    while get_origin(hint) is Annotated or mark_of(hint):
        if get_origin(hint) is Annotated:
            for each in hint.__metadata__:
                names += each.names if isinstance(each, WasNamed) else ()
        hint = get_args(hint)[0]
    return names


def unwrapped(hint: Any) -> Any:
    """Give the hint within NewType, Annotated, Required, NotRequired and ReadOnly."""
    while True:
        if isinstance(hint, NewType):
            hint = hint.__supertype__
        elif get_origin(hint) is Annotated or mark_of(hint):
            hint = get_args(hint)[0]
        else:
            return hint


def mark_of(hint: Any) -> str:
    """Give the name of the mark of a TypedDict's key, such as ``NotRequired``; empty if none."""
    origin = get_origin(hint)
    name = getattr(origin, "_name", "")
    is_mark = name in _MARKS and not isinstance(origin, type)
    return name if is_mark else ""


def is_required(hint: Any, default: bool) -> bool:  # noqa: FBT001 - what holds without a mark
    """Tell whether a key of a TypedDict is required, by the marks of its hint."""
    while get_origin(hint) is Annotated or mark_of(hint):
        if mark_of(hint) in {"Required", "NotRequired"}:
            return mark_of(hint) == "Required"
        hint = get_args(hint)[0]
    return default


def is_alias(hint: Any) -> bool:
    """Tell whether a hint is ``X``, or ``X[int]``, of ``type X = …``."""
    alias = _alias_of(hint)
    return hasattr(alias, "__value__") and hasattr(alias, "__type_params__")


def value_of(alias: Any) -> Any:
    """Give the hint that an alias stands for, with its parameters filled in.

    Raises:
        NameError: A name in it is not there, or anything else that the hint's own code raises.
    """
    arguments = get_args(alias)
    alias = _alias_of(alias)
    value = alias.__value__
    if not arguments:
        return value
    by_parameter = dict(zip(alias.__type_params__, arguments, strict=True))
    if value in by_parameter:
        return by_parameter[value]
    taken = tuple(by_parameter[parameter] for parameter in value.__parameters__)
    return value[taken] if taken else value


def members_of(union: Any) -> tuple[Any, ...]:
    """Give the members of a union, unwrapped, and those of the unions that it names in their place.

    In which order is not to be relied on: ``typing`` caches what it makes, and gives
    ``list[int | str]`` where ``list[str | int]`` is written.
    """
    found = dict[Any, None]()
    _collect(union, found, frozenset())
    return tuple(found)


def is_union(hint: Any) -> bool:
    return get_origin(hint) in {Union, types.UnionType}


def is_typed_dict(cls: Any) -> bool:
    """Tell whether a class is a TypedDict, of ``typing`` or ``typing_extensions``."""
    return isinstance(cls, type) and issubclass(cls, dict) and hasattr(cls, "__required_keys__")


def is_named_tuple(cls: type) -> bool:
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


def is_struct(cls: Any) -> bool:
    """Tell whether a class is a ``msgspec.Struct``."""
    return isinstance(cls, type) and hasattr(cls, "__struct_config__")


def _collect(hint: Any, found: dict[Any, None], within: frozenset[Any]) -> None:
    hint = unwrapped(hint)
    if is_alias(hint):
        if hint not in within:
            _collect(value_of(hint), found, within | {hint})
    elif is_union(hint):
        for member in get_args(hint):
            _collect(member, found, within)
    else:
        found[type(None) if hint is None else hint] = None


def _alias_of(hint: Any) -> Any:
    origin = get_origin(hint)
    return hint if origin is None else origin
