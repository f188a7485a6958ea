"""How values of each supported hint become trees of builtins, and come back.

What the trees look like is stored data: see ``docs/decisions/0003-stored-form-of-payloads.md``.
"""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from eventsourcing_core._errors import SerializationError, shortened, shown
from eventsourcing_core._payloads.nesting import check_depth, too_deep
from eventsourcing_core._payloads.scalars import ATOMS, SCALAR_BY_TYPE, as_base, plain_tree
from eventsourcing_core._payloads.shapes import (
    SELF_REFERRING,
    FixedShape,
    ItemsShape,
    MappingShape,
    OtherShape,
    PairsShape,
    PlainShape,
    Shape,
    WrittenShape,
)
from eventsourcing_core._payloads.tags import TAG, is_tagged, tagged, untagged

if TYPE_CHECKING:
    from enum import Enum

Convert = Callable[[Any], Any]

_EXPECTED = 200
"""How much of what a hint takes a message shows, in characters."""

DICT, LIST, TEXT = frozenset({dict}), frozenset({list}), frozenset({str})


class Conversion(NamedTuple):
    """How values of one hint become trees, and come back."""

    encode: Convert
    """Value to tree; raises ``SerializationError`` naming the field."""
    decode: Convert
    """Tree to value; raises ``ValueError``, ``TypeError`` or ``LookupError`` for other trees."""
    atom: type | None = None
    """The type whose values need no conversion at all, if there is one."""
    forms: frozenset[type] | None = None
    """The types of its trees; None: any."""
    keys: frozenset[str] | None = None
    """All keys that its trees may have, for classes with named fields; former names included."""
    former: frozenset[str] = frozenset()
    """Those of them that are former names, of fields that are called otherwise now."""
    is_plain: bool = False
    """Whether its trees say nothing of what they are: others may look the same."""
    shape: Shape = SELF_REFERRING
    """What is stored, for those who read it without a tree."""


def wrong(value: object, expected: str, where: str) -> SerializationError:
    """Give the error for a value, or a tree, that is something else than its hint says."""
    kind = shortened(type(value).__name__)
    expected = shortened(expected, _EXPECTED)
    return SerializationError(f"{where} must be {expected}, got {kind}: {shown(value)}")


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
        raise wrong(value, kind.__name__, where)

    def decode(tree: Any) -> Any:
        return tree if type(tree) is kind else normalize(untagged(tree, kind.__name__, where))

    forms = {float: {float, int}, int: {int, bool}}.get(kind, {kind})
    shape = PlainShape(kind)
    return Conversion(normalize, decode, kind, frozenset(forms), is_plain=True, shape=shape)


def exact_atom(kind: type, where: str) -> Conversion:
    """Keep these, but for subclasses: a member of a ``StrEnum``, or a bool as an int.

    An int may be where a float is due, as type checkers allow it.
    """
    conversion = atom(kind, where)
    normalize = conversion.encode

    def encode(value: Any) -> Any:
        if isinstance(value, kind) and type(value) is not kind:
            name = shortened(type(value).__name__)
            message = (
                f"{where} is a {name}, which would come back as a plain {kind.__name__}: annotate "
                f"it as {name}, or make it a {kind.__name__}"
            )
            raise SerializationError(message)
        if kind is float and isinstance(value, int) and type(value) is not int:
            raise wrong(value, "float", where)
        return normalize(value)

    return conversion._replace(encode=encode)


def scalar(kind: type, where: str) -> Conversion:
    """Store a scalar as its text; one of a subclass as the scalar it is."""
    scalar = SCALAR_BY_TYPE[kind]
    to_text, from_text = scalar.to_text, scalar.from_text

    def encode(value: Any) -> str:
        if type(value) is not kind:
            plain = as_base(value, kind)
            if plain is None:
                raise wrong(value, kind.__name__, where)
            return to_text(plain)
        return to_text(value)

    def decode(tree: Any) -> Any:
        try:
            return from_text(tree)
        except (ValueError, TypeError, AttributeError):  # no such text, or none at all
            plain = untagged(tree, kind.__name__, where)
        if plain is tree:
            raise wrong(tree, kind.__name__, where)
        return decode(plain)

    return Conversion(encode, decode, forms=TEXT, shape=WrittenShape(TEXT, decode))


def anything(where: str) -> Conversion:
    """Keep a tree as it is, once it is checked."""
    shape = OtherShape(f"{where} is untyped")
    return Conversion(
        lambda value: plain_tree(value, where), lambda tree: tree, is_plain=True, shape=shape
    )


def untyped(kind: type[list[Any] | dict[Any, Any]], where: str) -> Conversion:
    """Keep a list or a dict as it is, once it is checked."""

    def encode(value: Any) -> Any:
        if type(value) is not kind:
            raise wrong(value, kind.__name__, where)
        tree = plain_tree(value, where)
        return tagged("dict", tree) if TAG in tree and is_tagged(tree) else tree

    def decode(tree: Any) -> Any:
        if type(tree) is not kind or TAG in tree:
            tree = untagged(tree, kind.__name__, where)
            if type(tree) is not kind:
                raise wrong(tree, kind.__name__, where)
        return tree

    shape = OtherShape(f"{where} is untyped")
    return Conversion(encode, decode, forms=frozenset({kind}), is_plain=True, shape=shape)


def enum(kind: type[Enum], where: str) -> Conversion:
    """Store an enum member as its value."""
    odd = [member for member in kind if type(member.value) not in {str, int}]
    if odd:
        message = f"{where}: {shown(odd[0])} has a value that is neither str nor int"
        raise SerializationError(message)
    by_value = {member.value: member for member in kind}

    def encode(value: Any) -> Any:
        if type(value) is not kind:
            raise wrong(value, kind.__name__, where)
        return value.value

    def decode(tree: Any) -> Any:
        try:
            return by_value[tree]
        except (KeyError, TypeError):  # also flags that are combined, and what _missing_ finds
            tree = untagged(tree, kind.__name__, where)
        try:
            if type(tree) in {str, int}:
                return kind(tree)
        except ValueError:
            pass
        raise wrong(tree, kind.__name__, where)

    forms = frozenset({str, int})
    return Conversion(encode, decode, forms=forms, shape=WrittenShape(forms, decode))


def literal(allowed: tuple[Any, ...], where: str) -> Conversion:
    """Keep one of the allowed values."""
    if any(type(value) not in ATOMS for value in allowed):
        message = f"{where} has a Literal of something else than str, int, bool, bytes or None"
        raise SerializationError(message)
    exact = {(type(value), value) for value in allowed}
    expected = " or ".join(map(shown, allowed))

    def check(value: Any) -> Any:
        if type(value) in ATOMS and (type(value), value) in exact:
            return value
        raise wrong(value, expected, where)

    def decode(tree: Any) -> Any:
        return check(untagged(tree, "Literal", where))

    forms = frozenset(map(type, allowed))
    return Conversion(check, decode, forms=forms, shape=WrittenShape(forms, decode))


def list_of(items: Conversion, where: str) -> Conversion:
    """Store a list as a list."""
    encode_item, decode_item = items.encode, items.decode

    def encode(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise wrong(value, "list", where)
        return [encode_item(item) for item in value]

    def decode(tree: Any) -> list[Any]:
        return [decode_item(item) for item in _listed(tree, "list", where)]

    return Conversion(encode, decode, forms=LIST, shape=ItemsShape(items.shape, list))


def set_of(kind: Any, items: Conversion, where: str) -> Conversion:
    """Store a set as a list."""
    encode_item, decode_item = items.encode, items.decode
    name = kind.__name__

    def encode(value: Any) -> list[Any]:
        if not isinstance(value, kind):
            raise wrong(value, name, where)
        # Sorted, so that equal sets give equal bytes.
        return sorted((encode_item(item) for item in value), key=repr)

    def decode(tree: Any) -> Any:
        return kind(decode_item(item) for item in _listed(tree, name, where))

    return Conversion(encode, decode, forms=LIST, shape=ItemsShape(items.shape, kind))


def long_tuple(items: Conversion, where: str) -> Conversion:
    """Store a tuple of any length as a list."""
    encode_item, decode_item = items.encode, items.decode

    def encode(value: Any) -> list[Any]:
        if type(value) is not tuple:
            raise wrong(value, "tuple", where)
        return [encode_item(item) for item in value]

    def decode(tree: Any) -> tuple[Any, ...]:
        return tuple([decode_item(item) for item in _listed(tree, "tuple", where)])

    return Conversion(encode, decode, forms=LIST, shape=ItemsShape(items.shape, tuple))


def fixed_tuple(items: list[Conversion], where: str) -> Conversion:
    """Store a tuple of a fixed length as a list."""

    def encode(value: Any) -> list[Any]:
        if type(value) is not tuple or len(value) != len(items):
            raise wrong(value, f"a tuple of {len(items)}", where)
        return [convert.encode(item) for convert, item in zip(items, value, strict=True)]

    def decode(tree: Any) -> tuple[Any, ...]:
        pairs = zip(items, _listed(tree, "tuple", where), strict=True)
        return tuple([convert.decode(item) for convert, item in pairs])

    shape = FixedShape(tuple([item.shape for item in items]))
    return Conversion(encode, decode, forms=LIST, shape=shape)


def dict_of(  # noqa: C901 - four closures over the same tables
    keys: Conversion, values: Conversion, where: str
) -> Conversion:
    """Store a dict as a dict where its keys are ``str``, else as a list of pairs."""
    encode_key, decode_key = keys.encode, keys.decode
    encode_value, decode_value = values.encode, values.decode

    def encode_pairs(value: Any) -> list[list[Any]]:
        if not isinstance(value, dict):
            raise wrong(value, "dict", where)
        return [[encode_key(key), encode_value(item)] for key, item in value.items()]

    def decode_pairs(tree: Any) -> dict[Any, Any]:
        tree = untagged(tree, "dict", where)
        if type(tree) is dict:  # its keys were of the hint str alone, and not what they look like
            tree = [[tagged("str", key), item] for key, item in tree.items()]
        return {decode_key(key): decode_value(item) for key, item in _listed(tree, "dict", where)}

    def encode(value: Any) -> dict[str, Any]:
        tree = dict(encode_pairs(value))
        return tagged("dict", tree) if TAG in tree and is_tagged(tree) else tree

    def decode(tree: Any) -> dict[str, Any]:
        if type(tree) is dict and TAG in tree:
            tree = untagged(tree, "dict", where)
        if type(tree) is list and all(map(_has_tagged_key, tree)):  # they were a union
            return decode_pairs(tree)
        if type(tree) is not dict:
            raise wrong(tree, "dict", where)
        return {key: decode_value(item) for key, item in tree.items()}

    if keys.atom is not str:
        pairs = PairsShape(keys.shape, values.shape)
        return Conversion(encode_pairs, decode_pairs, forms=LIST, shape=pairs)
    shape = MappingShape(values.shape)
    return Conversion(encode, decode, forms=DICT, is_plain=True, shape=shape)


def bounded(conversion: Conversion, where: str) -> Conversion:
    """Give a conversion that refuses what is nested too deeply."""
    encode_any = conversion.encode

    def encode(value: Any) -> Any:
        try:
            tree = encode_any(value)
        except RecursionError:
            raise too_deep(where) from None
        check_depth(tree, where)
        return tree

    return conversion._replace(encode=encode)


def _has_tagged_key(pair: Any) -> bool:
    return type(pair) is list and len(pair) == 2 and is_tagged(pair[0])  # noqa: PLR2004 - a pair


def _listed(tree: Any, name: str, where: str) -> list[Any]:
    if type(tree) is list:
        return tree
    plain = untagged(tree, name, where)
    if type(plain) is not list:
        raise wrong(tree, name, where)
    return plain
