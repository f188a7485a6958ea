"""Serializers and transformers: the two steps between a tree of values and stored bytes."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import base64
import json
from typing import Any, Protocol, runtime_checkable

from eventsourcing_core._errors import shown
from eventsourcing_core._payloads.scalars import SCALAR_BY_NAME, SCALAR_BY_TYPE


@runtime_checkable
class Serializer(Protocol):
    """Turns a tree of values into bytes; JSON is in the core, others are plugins.

    A tree is None, bool, int, float, str, bytes, UUID, datetime, date, time, timedelta or Decimal,
    or a list or a dict (with ``str`` keys) of trees. What goes in comes out, of the same types:
    ``eventsourcing_core.testing.SerializerContract`` says so in tests.
    """

    @property
    def name(self) -> str:
        """The stored name of the format: lower case, no ``+``, never changed.

        It has 1 to 64 of a-z, 0-9, ``.``, ``_`` and ``-``, a letter or a digit first.
        """
        ...

    def serialize(self, tree: object) -> bytes:
        """Give the bytes of a tree; raises ``ValueError`` or ``TypeError`` where it cannot."""
        ...

    def deserialize(self, data: bytes) -> object:
        """Give the tree of the bytes; raises ``ValueError`` where they are damaged."""
        ...


@runtime_checkable
class Transformer(Protocol):
    """Changes serialized bytes (compression, encryption) and brings them back.

    Bytes that another object of the plugin's factory has transformed, in another process and at
    another time, are restored by this one: ``eventsourcing_core.testing.TransformerContract``
    says so in tests.
    """

    @property
    def name(self) -> str:
        """The stored name; the rule of ``Serializer.name``."""
        ...

    def transform(self, data: bytes) -> bytes:
        """Change the bytes that will be stored."""
        ...

    def restore(self, data: bytes) -> bytes:
        """Give back the bytes that were transformed; raises anything where they are damaged."""
        ...


class JsonSerializer:
    r"""Compact JSON in UTF-8.

    What JSON lacks is an object of one key that begins with a dollar sign, such as
    ``{"$uuid": "…"}`` or ``{"$bytes": "<base64>"}``; a dict of the caller's that looks like that
    gets a second dollar sign, which reading takes off again. NaN and infinities are written as
    Python writes them (``NaN``, ``Infinity``), which not every other reader accepts.

    Args:
        allow_nan: Whether NaN and infinities are written; else they are a ``ValueError``.

    >>> JsonSerializer().serialize({"owner": "Zoë", "photo": b"..."})
    b'{"owner":"Zo\xc3\xab","photo":{"$bytes":"Li4u"}}'
    """

    name = "json"

    def __init__(self, *, allow_nan: bool = True) -> None:
        # Encoder and decoder are built once; both are reused for every event.
        self._encode = json.JSONEncoder(
            ensure_ascii=False,
            allow_nan=allow_nan,
            separators=(",", ":"),
            check_circular=False,
        ).encode
        decoder = json.JSONDecoder(object_hook=_untagged)
        self._decode, self._decode_bare = decoder.decode, decoder.raw_decode

    def serialize(self, tree: object) -> bytes:
        """Give the bytes of a tree."""
        try:
            return self._encode(_tagged(tree)).encode()
        except Exception as error:
            # Since Python 3.14 they name whole keys, which may be long or secret.
            vars(error).pop("__notes__", None)
            raise

    def deserialize(self, data: bytes) -> object:
        """Give the tree of the bytes."""
        text = data.decode()
        try:
            if text[:1] not in _SPACE:  # of which we write none: to look for it takes a third
                tree, end = self._decode_bare(text)
                if end == len(text):
                    return tree
            return self._decode(text)
        except RecursionError:
            message = "the JSON is nested too deeply"
            raise ValueError(message) from None


_SPACE = " \t\n\r"
_PLAIN = frozenset({type(None), bool, int, float, str})


def _tagged(tree: Any) -> Any:
    """Replace what JSON lacks; a container without any is returned as it is, not copied."""
    kind: type[object] = type(tree)
    if kind in _PLAIN:
        return tree
    if kind is dict:
        return _tagged_dict(tree)
    if kind is list:
        return [item if type(item) in _PLAIN else _tagged(item) for item in tree]
    if kind is bytes:
        return {"$bytes": base64.b64encode(tree).decode()}
    if kind in SCALAR_BY_TYPE:
        scalar = SCALAR_BY_TYPE[kind]
        return {f"${scalar.name}": scalar.to_text(tree)}
    message = f"JSON has no form for {kind.__name__}"
    raise TypeError(message)


def _tagged_dict(tree: dict[str, Any]) -> dict[str, Any]:
    copy = tree
    for key, item in tree.items():
        if type(key) is not str:
            message = f"JSON has no form for a key that is {type(key).__name__}: {shown(key)}"
            raise TypeError(message)
        if copy is tree and type(item) not in _PLAIN:
            copy = {key: _tagged(item) for key, item in tree.items()}
    if len(tree) == 1 and next(iter(tree))[:1] == "$":
        return {f"${key}": item for key, item in copy.items()}
    return copy


def _untagged(found: dict[str, Any]) -> Any:
    if len(found) != 1:
        return found
    ((key, value),) = found.items()
    if key[:1] != "$":
        return found
    if key[:2] == "$$":
        return {key[1:]: value}
    if type(value) is not str:
        message = f"the tag {shown(key)} holds no text"
        raise ValueError(message)
    if key == "$bytes":
        return base64.b64decode(value, validate=True)
    scalar = SCALAR_BY_NAME.get(key[1:])
    if scalar is None:
        message = f"unknown tag {shown(key)}"
        raise ValueError(message)
    try:
        return scalar.from_text(value)
    except ValueError:  # which may hold the whole text
        message = f"the tag {shown(key)} holds no value of that type: {shown(value)}"
        raise ValueError(message) from None
