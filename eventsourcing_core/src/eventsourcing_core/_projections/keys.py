"""Keys, and which of them belong together: their hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

from eventsourcing_core._errors import InvalidStreamIdError, shown
from eventsourcing_core._names import check_stream_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eventsourcing_core.stores._builds import Segment


def hash_of(key: str) -> int:
    """Give the hash of a key: the low 16 bits of the CRC-32 of its UTF-8."""
    return crc32(key.encode()) & 0xFFFF


def check_key(key: object) -> str:
    """Refuse a key that some store could not keep.

    Raises:
        TypeError: It is no text.
        ValueError: It breaks the rule of stream ids.
    """
    if not isinstance(key, str):
        message = f"a key is a text, got {type(key).__name__}: {shown(key)}"
        raise TypeError(message)
    try:
        check_stream_id(key)
    except InvalidStreamIdError as error:
        message = f"invalid key {shown(key, 60)}: {error.reason}"
        raise ValueError(message) from None
    return str(key)


class Hashes:
    """The hashes of some segments.

    Args:
        segments: The segments.
    """

    def __init__(self, segments: Iterable[Segment]) -> None:
        self._is_in = bytearray(0x10000)
        for segment in segments:
            width = segment.high - segment.low + 1
            self._is_in[segment.low : segment.high + 1] = b"\1" * width

    def has(self, key: str) -> bool:
        """Tell whether a key belongs to one of the segments."""
        return bool(self._is_in[hash_of(key)])
