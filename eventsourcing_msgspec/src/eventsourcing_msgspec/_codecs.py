"""The bytes of ``json`` and ``msgpack``, read and written by msgspec.

Writing, the trees of the fields are the converter's: all its checks are made. Where msgspec would
write another value than the serializer, it is not asked, or not believed: NaN becomes ``null``, a
dict of one key that begins with a dollar sign is not marked.

Reading, see ``_reading``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from eventsourcing_core.plugins import TypedFunctions
from eventsourcing_msgspec._reading import NotAlikeError, Reading, gathering

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventsourcing_core.plugins import RecordShape


class JsonTypedCodec:
    """Reads and writes what ``JsonSerializer`` does."""

    name = "json"

    def __init__(self) -> None:
        self._encode = msgspec.json.Encoder().encode

    def compile(self, shape: RecordShape) -> TypedFunctions | str:
        """Give the functions of a class; or the reason why there are none."""
        # What JSON has no form for is an object of one key there, which begins with a dollar sign.
        reading = Reading(has_bytes=False)
        try:
            read = reading.compile(shape, lambda hint: msgspec.json.Decoder(hint).decode)
        except NotAlikeError as error:
            return str(error)
        doubtful = [b"null"] if float in reading.kinds else []
        if reading.has_mapping:
            doubtful.append(b'"$')
        return TypedFunctions(gathering(shape), _checked(self._encode, doubtful), read)


class MsgpackTypedCodec:
    """Reads and writes what ``MsgpackSerializer`` does."""

    name = "msgpack"

    def __init__(self) -> None:
        self._encode = msgspec.msgpack.Encoder().encode

    def compile(self, shape: RecordShape) -> TypedFunctions | str:
        """Give the functions of a class; or the reason why there are none."""
        try:
            read = Reading(has_bytes=True).compile(
                shape, lambda hint: msgspec.msgpack.Decoder(hint).decode
            )
        except NotAlikeError as error:
            return str(error)
        return TypedFunctions(gathering(shape), self._encode, read)


def _checked(encode: Callable[[object], bytes], doubtful: list[bytes]) -> Callable[[object], bytes]:
    """Give a function that refuses what may have been written in another way."""
    if not doubtful:
        return encode

    def write(gathered: object) -> bytes:
        data = encode(gathered)
        if any(mark in data for mark in doubtful):
            message = "it may be another value"
            raise ValueError(message)
        return data

    return write
