"""How values of each supported hint become trees of builtins, and come back.

What the trees look like is stored data: see ``docs/decisions/0003-stored-form-of-payloads.md``.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, get_origin

from eventsourcing_core._errors import SerializationError
from eventsourcing_core._payloads.scalars import ATOMS, SCALAR_BY_TYPE, as_base, plain_tree

if TYPE_CHECKING:
    from enum import Enum

Convert = Callable[[Any], Any]


_SHOWN = 80
"""How much of a wrong value a message shows, in characters."""

_TAG, _VALUE = "$type", "$value"
"""The keys under which a union stores the member's name and its tree; no field is called so."""


class Conversion(NamedTuple):
    """How values of one hint become trees, and come back."""

    encode: Convert
    """Value to tree; raises ``SerializationError`` naming the field."""
    decode: Convert
    """Tree to value; raises ``ValueError``, ``TypeError`` or ``LookupError`` for other trees."""
    atom: type | None = None
    """The type whose values need no conversion at all, if there is one."""


def _wrong(value: object, expected: str, where: str) -> SerializationError:
    shown = repr(value)
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]}…"
    return SerializationError(f"{where} must be {expected}, got {type(value).__name__}: {shown}")


def atom(kind: type, where: str) -> Conversion:
    """Keep None, bool, int, float, str and bytes as they are; a subclass becomes its base."""

    def normalize(value: Any) -> Any:
        if type(value) is kind:
            return value
        widened = kind is float and isinstance(value, int)
        if isinstance(value, kind) or widened:
            plain = str.__str__(value) if isinstance(value, str) else kind(value)
            if plain == value:
                return plain
        raise _wrong(value, kind.__name__, where)

    return Conversion(normalize, normalize, kind)


def exact_atom(kind: type, where: str) -> Conversion:
    """Keep these, but for subclasses: a member of a ``StrEnum``, or a bool as an int.

    An int may be where a float is due, as type checkers allow it.
    """
    _, decode, _ = atom(kind, where)

    def encode(value: Any) -> Any:
        if isinstance(value, kind) and type(value) is not kind:
            name = type(value).__name__
            message = (
                f"{where} is a {name}, which would come back as a plain {kind.__name__}: annotate "
                f"it as {name}, or make it a {kind.__name__}"
            )
            raise SerializationError(message)
        if kind is float and isinstance(value, int) and type(value) is not int:
            raise _wrong(value, "float", where)
        return decode(value)

    return Conversion(encode, decode, kind)


def scalar(kind: type, where: str) -> Conversion:
    """Store a scalar as its text; one of a subclass as the scalar it is."""
    scalar = SCALAR_BY_TYPE[kind]
    to_text = scalar.to_text

    def encode(value: Any) -> str:
        if type(value) is not kind:
            plain = as_base(value, kind)
            if plain is None:
                raise _wrong(value, kind.__name__, where)
            return to_text(plain)
        return to_text(value)

    return Conversion(encode, scalar.from_text)


def untyped(where: str, kind: type | None = None) -> Conversion:
    """Keep a tree (of a kind) as it is, once it is checked."""

    def encode(value: Any) -> Any:
        if kind is not None and type(value) is not kind:
            raise _wrong(value, kind.__name__, where)
        return plain_tree(value, where)

    return Conversion(encode, lambda tree: tree)


def enum(kind: type[Enum], where: str) -> Conversion:
    """Store an enum member as its value."""
    odd = [member for member in kind if type(member.value) not in {str, int}]
    if odd:
        message = f"{where}: the value of {odd[0]} cannot be stored: give it a str or an int"
        raise SerializationError(message)

    def encode(value: Any) -> Any:
        if type(value) is not kind:
            raise _wrong(value, kind.__name__, where)
        return value.value

    return Conversion(encode, kind)


def literal(allowed: tuple[Any, ...], where: str) -> Conversion:
    """Keep one of the allowed values."""
    if any(type(value) not in ATOMS for value in allowed):
        message = f"{where} has a Literal of something else than str, int, bool, bytes or None"
        raise SerializationError(message)
    exact = {(type(value), value) for value in allowed}

    def check(value: Any) -> Any:
        if type(value) in ATOMS and (type(value), value) in exact:
            return value
        raise _wrong(value, " or ".join(map(repr, allowed)), where)

    return Conversion(check, check)


def tagged_union(  # noqa: C901 - two closures over the same tables
    members: list[tuple[Any, Conversion]], where: str
) -> Conversion:
    """Store the name of the member beside its tree, so that a member added later changes nothing.

    Trees without a tag are those of the time when the hint was one of the members alone.
    """
    kinds = [get_origin(hint) or hint for hint, _ in members]
    names = [getattr(kind, "__name__", str(kind)) for kind in kinds]
    if len(set(names)) < len(names):
        message = f"{where} is a union of two types with one name ({', '.join(names)}): rename one"
        raise SerializationError(message)
    conversions = [conversion for _, conversion in members]
    decoders = dict(zip(names, (conversion.decode for conversion in conversions), strict=True))
    encoders = [(name, c.encode) for name, c in zip(names, conversions, strict=True)]
    exact = dict(zip(kinds, encoders, strict=True))
    atoms = {conversion.atom for conversion in conversions}
    expected = " or ".join(names)

    def encode(value: Any) -> dict[str, Any]:
        if type(value) in exact:
            name, convert = exact[type(value)]
            return {_TAG: name, _VALUE: convert(value)}
        for name, convert in encoders:
            try:
                return {_TAG: name, _VALUE: convert(value)}
            except SerializationError:
                continue
        raise _wrong(value, expected, where)

    def decode(tree: Any) -> Any:
        if type(tree) is dict and _TAG in tree:
            return decoders[tree[_TAG]](tree[_VALUE])
        if type(tree) in atoms:
            return tree
        for convert in decoders.values():
            try:
                return convert(tree)
            except (ValueError, TypeError, LookupError):
                continue
        raise _wrong(tree, expected, where)

    return Conversion(encode, decode)


def list_of(items: Conversion, where: str) -> Conversion:
    """Store a list as a list."""
    encode_item, decode_item, _ = items

    def encode(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise _wrong(value, "list", where)
        return [encode_item(item) for item in value]

    return Conversion(encode, lambda tree: [decode_item(item) for item in _listed(tree)])


def set_of(kind: Any, items: Conversion, where: str) -> Conversion:
    """Store a set as a list."""
    encode_item, decode_item, _ = items

    def encode(value: Any) -> list[Any]:
        if not isinstance(value, kind):
            raise _wrong(value, kind.__name__, where)
        # Sorted, so that equal sets give equal bytes.
        return sorted((encode_item(item) for item in value), key=repr)

    return Conversion(encode, lambda tree: kind(decode_item(item) for item in _listed(tree)))


def long_tuple(items: Conversion, where: str) -> Conversion:
    """Store a tuple of any length as a list."""
    encode_item, decode_item, _ = items

    def encode(value: Any) -> list[Any]:
        if type(value) is not tuple:
            raise _wrong(value, "tuple", where)
        return [encode_item(item) for item in value]

    return Conversion(encode, lambda tree: tuple([decode_item(item) for item in _listed(tree)]))


def fixed_tuple(items: list[Conversion], where: str) -> Conversion:
    """Store a tuple of a fixed length as a list."""

    def encode(value: Any) -> list[Any]:
        if type(value) is not tuple or len(value) != len(items):
            raise _wrong(value, f"a tuple of {len(items)}", where)
        return [convert.encode(item) for convert, item in zip(items, value, strict=True)]

    def decode(tree: Any) -> tuple[Any, ...]:
        pairs = zip(items, _listed(tree), strict=True)
        return tuple([convert.decode(item) for convert, item in pairs])

    return Conversion(encode, decode)


def dict_of(keys: Conversion, values: Conversion, where: str) -> Conversion:
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
