"""Trees of values as msgpack."""

# msgpack has no type hints.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportAssignmentType=false

from __future__ import annotations

from typing import Any

import msgpack

from eventsourcing_core.plugins import SCALARS

_BIG_INTEGER = 127
"""The extension code of an integer of more than 64 bits; its content is decimal text."""

_TO_EXTENSION = {scalar.type: (scalar.code, scalar.to_text) for scalar in SCALARS}
_FROM_EXTENSION = {scalar.code: scalar.from_text for scalar in SCALARS} | {_BIG_INTEGER: int}


class MsgpackSerializer:
    r"""Msgpack, with the scalars it lacks as extension types that hold their text.

    The extension codes are those of ``eventsourcing_core.SCALARS``, and 127 for an integer of
    more than 64 bits.

    >>> MsgpackSerializer().serialize({"n": 7})
    b'\x81\xa1n\x07'
    """

    name = "msgpack"

    def serialize(self, tree: object) -> bytes:
        """Give the bytes of a tree."""
        # As packb does, in half of its time. A packer must not be shared between threads.
        data: bytes = msgpack.Packer(default=_extension, strict_types=True).pack(tree)
        return data

    def deserialize(self, data: bytes) -> object:
        """Give the tree of the bytes."""
        tree: object = msgpack.unpackb(data, ext_hook=_value)
        return tree


def _extension(value: Any) -> msgpack.ExtType:
    """Give the form of a value that msgpack itself has none for."""
    if type(value) is int:
        return msgpack.ExtType(_BIG_INTEGER, str(value).encode())
    try:
        code, to_text = _TO_EXTENSION[type(value)]
    except KeyError:
        message = f"msgpack has no form for {type(value).__name__}"
        raise TypeError(message) from None
    return msgpack.ExtType(code, to_text(value).encode())


def _value(code: int, content: bytes) -> object:
    try:
        from_text = _FROM_EXTENSION[code]
    except KeyError:
        message = f"unknown msgpack extension type {code}"
        raise ValueError(message) from None
    try:
        return from_text(content.decode())
    except ValueError:  # which may hold the whole text
        message = f"the msgpack extension type {code} holds no value of that type"
        raise ValueError(message) from None
