"""Converters: payload objects to trees of builtins and back, by their type hints.

A class is compiled once, when it is registered: every hint becomes a pair of functions, and the
fields of a class become two generated functions that inline the check of plain fields. So a hint
that cannot be stored is refused before any event exists, and no hint is looked at per event.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import dataclasses
import inspect
import types
from enum import Enum
from typing import (
    Annotated,
    Any,
    Literal,
    NewType,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from eventsourcing_core._errors import SerializationError
from eventsourcing_core._payloads.hints import (
    Conversion,
    atom,
    dict_of,
    enum,
    exact_atom,
    fixed_tuple,
    list_of,
    literal,
    long_tuple,
    scalar,
    set_of,
    tagged_union,
    untyped,
)
from eventsourcing_core._payloads.records import Field, compile_record
from eventsourcing_core._payloads.scalars import ATOMS, SCALAR_BY_TYPE


def compile_conversion(cls: type) -> Conversion:
    """Compile the conversion of a payload class.

    Supported are dataclasses, NamedTuple and TypedDict, with fields of these or of None, bool,
    int, float, str, bytes, UUID, datetime, date, time, timedelta, Decimal, Enum, Literal, list,
    tuple, set, frozenset, dict, Optional, unions, NewType, Annotated and Any.

    Raises:
        SerializationError: For a hint that cannot be stored, naming class and field.
    """
    return Compiler().record(cls, cls.__name__)


class Compiler:
    """Compiles one class and the classes it refers to, each once, recursion included.

    Args:
        exact: Refuse a subclass of ``str``, ``int`` and so on where the base is the hint. Payloads
            become what their hints say; a state must come back as what it is.
    """

    def __init__(self, *, exact: bool = False) -> None:
        self._exact = exact
        self._records: dict[type, Conversion] = {}

    def conversion(self, hint: Any, where: str) -> Conversion:
        """Give the conversion of a hint; ``where`` is the field, for messages."""
        hint = unwrapped(hint)
        origin, arguments = get_origin(hint), get_args(hint)
        if hint is Any:
            return untyped(where)
        if hint is None:
            hint = type(None)
        if isinstance(hint, type) and origin is None:
            return self._plain(hint, where)
        if origin is Literal:
            return literal(arguments, where)
        if origin in {Union, types.UnionType}:
            return self._union(arguments, where)
        if origin in {list, dict} and not arguments:
            return untyped(where, origin)
        if origin in {list, set, frozenset, tuple, dict} and (arguments or hint == tuple[()]):
            return self._container(origin, arguments, where)
        raise _unsupported(hint, where)

    def _plain(self, hint: type, where: str) -> Conversion:
        if hint in ATOMS:
            return exact_atom(hint, where) if self._exact else atom(hint, where)
        if hint in SCALAR_BY_TYPE:
            return scalar(hint, where)
        if hint is list or hint is dict:
            return untyped(where, hint)
        if issubclass(hint, Enum):
            return enum(hint, where)
        if dataclasses.is_dataclass(hint) or is_typeddict(hint) or is_named_tuple(hint):
            return self.record(hint, where)
        raise _unsupported(hint, where)

    def _union(self, arguments: tuple[Any, ...], where: str) -> Conversion:
        members = [unwrapped(member) for member in arguments if member is not type(None)]
        if len(members) > 1:
            converted = [(member, self.conversion(member, where)) for member in members]
            some = tagged_union(converted, where)
        else:
            some = self.conversion(members[0], where)
        if len(members) == len(arguments):
            return some
        encode, decode, _ = some
        return Conversion(
            lambda value: None if value is None else encode(value),
            lambda tree: None if tree is None else decode(tree),
        )

    def _container(self, origin: type, arguments: tuple[Any, ...], where: str) -> Conversion:
        if origin is dict:
            keys = self.conversion(arguments[0], f"{where} (key)")
            return dict_of(keys, self.conversion(arguments[1], f"{where}[…]"), where)
        if origin is not tuple:
            item = self.conversion(arguments[0], f"{where}[…]")
            return list_of(item, where) if origin is list else set_of(origin, item, where)
        if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
            return long_tuple(self.conversion(arguments[0], f"{where}[…]"), where)
        items = [self.conversion(item, f"{where}[{n}]") for n, item in enumerate(arguments)]
        return fixed_tuple(items, where)

    def record(self, cls: type, where: str) -> Conversion:
        """Give the conversion of a class with named fields."""
        if cls not in self._records:
            # A class that refers to itself finds this, which looks the real one up when it is used.
            self._records[cls] = Conversion(
                lambda value: self._records[cls].encode(value),  # noqa: PLW0108 - looked up later
                lambda tree: self._records[cls].decode(tree),  # noqa: PLW0108 - as above
            )
            fields = [self._field(cls, *field) for field in fields_of(cls, where)]
            encode, decode = compile_record(cls, fields, mapping=is_typeddict(cls))
            self._records[cls] = Conversion(encode, decode)
        return self._records[cls]

    def _field(self, cls: type, name: str, hint: Any, options: dict[str, Any]) -> Field:
        return Field(name, *self.conversion(hint, f"{cls.__name__}.{name}"), **options)


def unwrapped(hint: Any) -> Any:
    """Give the hint within NewType, Annotated, Required and NotRequired."""
    while True:
        if isinstance(hint, NewType):
            hint = hint.__supertype__
        elif get_origin(hint) in {Annotated, NotRequired, Required}:
            hint = get_args(hint)[0]
        else:
            return hint


def fields_of(cls: type, where: str) -> list[tuple[str, Any, dict[str, Any]]]:
    """List the stored fields of a class: name, hint, and what ``Field`` must know more."""
    try:
        hints = get_type_hints(cls, localns={cls.__name__: cls}, include_extras=True)
    except (NameError, TypeError) as error:
        message = (
            f"the hints of {cls.__qualname__} ({where}) cannot be evaluated: {error}; the names "
            "they use must be defined, at module level, before the class is registered"
        )
        raise SerializationError(message) from error
    if dataclasses.is_dataclass(cls):
        _check_constructor(cls, {field.name for field in dataclasses.fields(cls) if field.init})
        return [
            (field.name, hints[field.name], _dataclass_options(field))
            for field in dataclasses.fields(cls)
            if field.init
        ]
    if is_typeddict(cls):
        return [
            (name, hint, {"optional": _is_optional(cls, name, hint)})
            for name, hint in hints.items()
        ]
    if is_named_tuple(cls):
        _check_constructor(cls, set(hints))
        defaults: dict[str, Any] = getattr(cls, "_field_defaults", {})
        return [
            (name, hint, {"default": lambda name=name: defaults[name]} if name in defaults else {})
            for name, hint in hints.items()
        ]
    message = (
        f"{cls.__qualname__} has no typed fields: make it an @event class, a dataclass, "
        "a NamedTuple or a TypedDict"
    )
    raise SerializationError(message)


def _check_constructor(cls: Any, stored: set[str]) -> None:
    """Refuse a class that could not be built again from its stored fields."""
    taken = {parameter for parameter in inspect.signature(cls).parameters if parameter != "_cls"}
    if taken != stored:
        odd = ", ".join(sorted(taken ^ stored))
        message = (
            f"{cls.__qualname__} cannot be stored: what its constructor takes and its typed "
            f"fields differ in {odd}; InitVar, untyped fields and an __init__ of its own lose data"
        )
        raise SerializationError(message)


def _is_optional(cls: Any, name: str, hint: Any) -> bool:
    """Tell by the evaluated hint: where hints are strings, ``__optional_keys__`` is wrong."""
    if get_origin(hint) in {NotRequired, Required}:
        return get_origin(hint) is NotRequired
    return name in cls.__optional_keys__


def _dataclass_options(field: dataclasses.Field[Any]) -> dict[str, Any]:
    options: dict[str, Any] = {"keyword": field.kw_only}
    if field.default is not dataclasses.MISSING:
        default = field.default
        options["default"] = lambda: default
    elif field.default_factory is not dataclasses.MISSING:
        options["default"] = field.default_factory
    return options


def is_named_tuple(cls: type) -> bool:
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


def _unsupported(hint: Any, where: str) -> SerializationError:
    return SerializationError(
        f"{where} has the hint {getattr(hint, '__qualname__', hint)!s}, which cannot be stored: "
        "use dataclasses, NamedTuple, TypedDict, Enum, Literal, list, tuple, set, dict, unions, "
        "or the scalars str, int, float, bool, bytes, Decimal, UUID, datetime, date, time, "
        "timedelta",
    )
