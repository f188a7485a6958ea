"""What an append expects of its stream."""

from __future__ import annotations

from enum import Enum


class ExpectedVersion(Enum):
    """What an append expects of its stream, where it is not a number."""

    ANY = "any"
    """Nothing: append whatever is there."""
    NO_STREAM = "no stream"
    """The stream has no events; the same as 0."""
    STREAM_EXISTS = "stream exists"
    """The stream has at least one event."""
