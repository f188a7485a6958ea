"""Event ids: UUIDs of version 7, which sort by the time they were made."""

from __future__ import annotations

import os
from struct import Struct
from time import time_ns

_VERSION_7 = 0x7 << 12
_VARIANT = 0x2 << 62
_RANDOM_BITS = (1 << 62) - 1
_NANOSECONDS = 1_000_000  # in a millisecond

_halves = Struct(">QQ").pack
_drawn = Struct(">256Q")
_numbers: list[int] = []
"""Random numbers that no id has yet: to ask the system for each takes as long as all the rest."""

if hasattr(os, "register_at_fork"):  # Windows has no forks
    os.register_at_fork(after_in_child=_numbers.clear)  # both processes would use the same


def new_event_id() -> bytes:
    """Make the 16 bytes of a UUID of version 7.

    48 bits of milliseconds since 1970, then 12 bits of the fraction of that millisecond, then
    62 random bits: RFC 9562, section 5.7, with method 3 of section 6.2. Such ids are inserted
    at the right-hand end of an index.
    """
    now = time_ns()
    try:
        number = _numbers.pop()  # no two threads get the same one
    except IndexError:
        number, *others = _drawn.unpack(os.urandom(_drawn.size))
        _numbers.extend(others)
    return _halves(
        now // _NANOSECONDS << 16 | _VERSION_7 | now % _NANOSECONDS * 4096 // _NANOSECONDS,
        _VARIANT | number & _RANDOM_BITS,
    )
