"""Converters: payload objects to trees of builtins and back, by their type hints.

A class is compiled once, when it is registered: every hint becomes a pair of functions, and the
fields of a class become two generated functions that inline the check of plain fields. So a hint
that cannot be stored is refused before any event exists, and no hint is looked at per event.

What the tree looks like is stored data: see ``docs/decisions/0003-stored-form-of-payloads.md``.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from enum import Enum
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NewType,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from eventsourcing_core._errors import SerializationError
from eventsourcing_core._records import Field, compile_record
from eventsourcing_core._scalars import ATOMS, SCALAR_BY_TYPE, check_tree

Convert = Callable[[Any], Any]


class Conversion(NamedTuple):
    """How values of one hint become trees, and come back."""

    encode: Convert
    """Value to tree; raises ``SerializationError`` naming the field."""
    decode: Convert
    """Tree to value; raises ``ValueError``, ``TypeError`` or ``LookupError`` for other trees."""
    atom: type | None = None
    """The type whose values need no conversion at all, if there is one."""


def compile_conversion(cls: type) -> Conversion:
    """Compile the conversion of a payload class.

    Supported are dataclasses, NamedTuple and TypedDict, with fields of these or of None, bool,
    int, float, str, bytes, UUID, datetime, date, time, timedelta, Decimal, Enum, Literal, list,
    tuple, set, frozenset, dict, Optional, unions, NewType, Annotated and Any.

    Raises:
        SerializationError: For a hint that cannot be stored, naming class and field.
    """
    return _Compiler().record(cls, cls.__name__)


class _Compiler:
    """Compiles one class and the classes it refers to, each once, recursion included."""

    def __init__(self) -> None:
        self._records: dict[type, Conversion] = {}

    def conversion(self, hint: Any, where: str) -> Conversion:
        """Give the conversion of a hint; ``where`` is the field, for messages."""
        while isinstance(hint, NewType):
            hint = hint.__supertype__
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self.conversion(arguments[0], where)
        if hint is None:
            hint = type(None)
        if isinstance(hint, type) and origin is None:
            return self._plain(hint, where)
        if hint is Any:
            return _untyped(where)
        if origin is Literal:
            return _literal(arguments, where)
        if origin in {Union, types.UnionType}:
            return self._union(arguments, where)
        if origin in {list, set, frozenset, tuple, dict}:
            return self._container(origin, arguments, where)
        raise _unsupported(hint, where)

    def _plain(self, hint: type, where: str) -> Conversion:
        if hint in ATOMS:
            return _atom(hint, where)
        if hint in SCALAR_BY_TYPE:
            return _scalar(hint, where)
        if hint is list or hint is dict:
            return _untyped(where, hint)
        if issubclass(hint, Enum):
            return _enum(hint, where)
        if dataclasses.is_dataclass(hint) or is_typeddict(hint) or _is_named_tuple(hint):
            return self.record(hint, where)
        raise _unsupported(hint, where)

    def _union(self, arguments: tuple[Any, ...], where: str) -> Conversion:
        members = [member for member in arguments if member is not type(None)]
        if len(members) > 1:
            converted = [(member, self.conversion(member, where)) for member in members]
            some = _tagged_union(converted, where)
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
            return _dict(keys, self.conversion(arguments[1], f"{where}[…]"), where)
        if origin is not tuple:
            items = self.conversion(arguments[0], f"{where}[…]")
            return _list(items, where) if origin is list else _set(origin, items, where)
        if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
            return _long_tuple(self.conversion(arguments[0], f"{where}[…]"), where)
        items = [self.conversion(item, f"{where}[{n}]") for n, item in enumerate(arguments)]
        return _fixed_tuple(items, where)

    def record(self, cls: type, where: str) -> Conversion:
        """Give the conversion of a class with named fields."""
        if cls not in self._records:
            functions: list[Convert] = []
            # A class that refers to itself finds this, which is bound when all is compiled.
            self._records[cls] = Conversion(lambda v: functions[0](v), lambda t: functions[1](t))
            fields = [self._field(cls, *field) for field in _fields(cls, where)]
            functions.extend(compile_record(cls, fields, mapping=is_typeddict(cls)))
            self._records[cls] = Conversion(*functions)
        return self._records[cls]

    def _field(self, cls: type, name: str, hint: Any, options: dict[str, Any]) -> Field:
        encode, decode, atom = self.conversion(hint, f"{cls.__name__}.{name}")
        return Field(name, encode, decode, atom, **options)


def _fields(cls: type, where: str) -> list[tuple[str, Any, dict[str, Any]]]:
    """List the stored fields of a class: name, hint, and what ``Field`` must know more."""
    try:
        hints = get_type_hints(cls, localns={cls.__name__: cls})
    except (NameError, TypeError) as error:
        message = (
            f"the hints of {cls.__qualname__} ({where}) cannot be evaluated: {error}; the names "
            "they use must be defined, at module level, before the class is registered"
        )
        raise SerializationError(message) from error
    if dataclasses.is_dataclass(cls):
        return [
            (field.name, hints[field.name], _dataclass_options(field))
            for field in dataclasses.fields(cls)
            if field.init
        ]
    if is_typeddict(cls):
        optional: frozenset[str] = getattr(cls, "__optional_keys__", frozenset())
        return [(name, hint, {"optional": name in optional}) for name, hint in hints.items()]
    if _is_named_tuple(cls):
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


def _dataclass_options(field: dataclasses.Field[Any]) -> dict[str, Any]:
    options: dict[str, Any] = {"keyword": field.kw_only}
    if field.default is not dataclasses.MISSING:
        default = field.default
        options["default"] = lambda: default
    elif field.default_factory is not dataclasses.MISSING:
        options["default"] = field.default_factory
    return options


def _is_named_tuple(cls: type) -> bool:
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


def _unsupported(hint: Any, where: str) -> SerializationError:
    return SerializationError(
        f"{where} has the hint {getattr(hint, '__qualname__', hint)!s}, which cannot be stored: "
        "use dataclasses, NamedTuple, TypedDict, Enum, Literal, list, tuple, set, dict, unions, "
        "or the scalars str, int, float, bool, bytes, Decimal, UUID, datetime, date, time, "
        "timedelta",
    )


def _wrong(value: object, expected: str, where: str) -> SerializationError:
    return SerializationError(f"{where} must be {expected}, got {type(value).__name__}: {value!r}")


def _atom(kind: type, where: str) -> Conversion:
    def normalize(value: Any) -> Any:
        if type(value) is kind:
            return value
        widened = kind is float and isinstance(value, int)
        if isinstance(value, kind) or widened:
            plain = str.__str__(value) if kind is str else kind(value)
            if plain == value:
                return plain
        raise _wrong(value, kind.__name__, where)

    return Conversion(normalize, normalize, kind)


def _scalar(kind: type, where: str) -> Conversion:
    scalar = SCALAR_BY_TYPE[kind]
    to_text = scalar.to_text

    def encode(value: Any) -> str:
        if type(value) is not kind:
            raise _wrong(value, kind.__name__, where)
        return to_text(value)

    return Conversion(encode, scalar.from_text)


def _untyped(where: str, kind: type | None = None) -> Conversion:
    def encode(value: Any) -> Any:
        if kind is not None and type(value) is not kind:
            raise _wrong(value, kind.__name__, where)
        check_tree(value, where)
        return value

    return Conversion(encode, lambda tree: tree)


def _enum(kind: type[Enum], where: str) -> Conversion:
    odd = [member for member in kind if type(member.value) not in {str, int}]
    if odd:
        message = f"{where}: the value of {odd[0]} cannot be stored: give it a str or an int"
        raise SerializationError(message)

    def encode(value: Any) -> Any:
        if type(value) is not kind:
            raise _wrong(value, kind.__name__, where)
        return value.value

    return Conversion(encode, kind)


def _literal(allowed: tuple[Any, ...], where: str) -> Conversion:
    if any(type(value) not in ATOMS for value in allowed):
        message = f"{where} has a Literal of something else than str, int, bool, bytes or None"
        raise SerializationError(message)
    exact = {(type(value), value) for value in allowed}

    def check(value: Any) -> Any:
        if type(value) in ATOMS and (type(value), value) in exact:
            return value
        raise _wrong(value, " or ".join(map(repr, allowed)), where)

    return Conversion(check, check)


def _tagged_union(members: list[tuple[Any, Conversion]], where: str) -> Conversion:
    """Store ``[name of the member, tree]``, so that a member added later changes nothing.

    Trees without a tag are those of the time when the hint was one of the members alone.
    """
    names = [getattr(get_origin(hint) or hint, "__name__", str(hint)) for hint, _ in members]
    if len(set(names)) < len(names):
        message = f"{where} is a union of two types with one name ({', '.join(names)}): rename one"
        raise SerializationError(message)
    decoders = dict(zip(names, (conversion.decode for _, conversion in members), strict=True))
    by_type = {
        get_origin(hint) or hint: (name, conversion.encode)
        for name, (hint, conversion) in zip(names, members, strict=True)
    }
    expected = " or ".join(names)

    def encode(value: Any) -> list[Any]:
        exact = by_type.get(type(value))
        for name, convert in [exact] if exact else by_type.values():
            try:
                return [name, convert(value)]
            except SerializationError:
                if exact:
                    raise
        raise _wrong(value, expected, where)

    def decode(tree: Any) -> Any:
        if type(tree) is list and len(tree) == 2 and tree[0] in decoders:  # noqa: PLR2004 - a pair
            return decoders[tree[0]](tree[1])
        for convert in decoders.values():
            try:
                return convert(tree)
            except (ValueError, TypeError, LookupError):
                continue
        raise _wrong(tree, expected, where)

    return Conversion(encode, decode)


def _list(items: Conversion, where: str) -> Conversion:
    encode_item, decode_item, _ = items

    def encode(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise _wrong(value, "list", where)
        return [encode_item(item) for item in value]

    return Conversion(encode, lambda tree: [decode_item(item) for item in _listed(tree)])


def _set(kind: type, items: Conversion, where: str) -> Conversion:
    encode_item, decode_item, _ = items

    def encode(value: Any) -> list[Any]:
        if not isinstance(value, kind):
            raise _wrong(value, kind.__name__, where)
        # Sorted, so that equal sets give equal bytes.
        return sorted((encode_item(item) for item in value), key=repr)

    return Conversion(encode, lambda tree: kind(decode_item(item) for item in _listed(tree)))


def _long_tuple(items: Conversion, where: str) -> Conversion:
    encode_item, decode_item, _ = items

    def encode(value: Any) -> list[Any]:
        if type(value) is not tuple:
            raise _wrong(value, "tuple", where)
        return [encode_item(item) for item in value]

    return Conversion(encode, lambda tree: tuple([decode_item(item) for item in _listed(tree)]))


def _fixed_tuple(items: list[Conversion], where: str) -> Conversion:
    def encode(value: Any) -> list[Any]:
        if type(value) is not tuple or len(value) != len(items):
            raise _wrong(value, f"a tuple of {len(items)}", where)
        return [convert.encode(item) for convert, item in zip(items, value, strict=True)]

    def decode(tree: Any) -> tuple[Any, ...]:
        pairs = zip(items, _listed(tree), strict=True)
        return tuple([convert.decode(item) for convert, item in pairs])

    return Conversion(encode, decode)


def _dict(keys: Conversion, values: Conversion, where: str) -> Conversion:
    """Store a dict as a dict where its keys are ``str``, else as a list of pairs."""
    encode_key, decode_key, key_atom = keys
    encode_value, decode_value, _ = values

    def encode_pairs(value: Any) -> list[list[Any]]:
        if not isinstance(value, dict):
            raise _wrong(value, "dict", where)
        return [[encode_key(key), encode_value(item)] for key, item in value.items()]

    def decode_pairs(tree: Any) -> dict[Any, Any]:
        return {decode_key(key): decode_value(item) for key, item in _listed(tree)}

    if key_atom is not str:
        return Conversion(encode_pairs, decode_pairs)
    return Conversion(
        lambda value: dict(encode_pairs(value)),
        lambda tree: {key: decode_value(item) for key, item in tree.items()},
    )


def _listed(tree: Any) -> list[Any]:
    if type(tree) is not list:
        message = f"expected a list, found {type(tree).__name__}"
        raise TypeError(message)
    return tree
