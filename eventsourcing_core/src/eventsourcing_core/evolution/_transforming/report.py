"""What is said of a transformation: how far it is, what came of it, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stage = Literal["moving", "checking", "following"]
"""What a transformation is at: it moves events, compares both stores, or waits for new events."""


class TransformationError(ValueError):
    """The target holds other events than upcasters make of the source, or an event stops it."""


@dataclass(frozen=True, slots=True)
class TransformProgress:
    """How far a transformation is."""

    stage: Stage
    """What it is at."""
    position: int
    """The position in the source up to which it has done that."""
    last_position: int
    """The last position of the source, as it was a moment ago."""

    @property
    def lag(self) -> int:
        """How many positions of the source are still to come; there may be fewer events."""
        return max(self.last_position - self.position, 0)


@dataclass(slots=True)
class Transformed:
    """What came of a transformation."""

    read: int = 0
    """How many stored events of the source were read now, those that are dropped included."""
    written: int = 0
    """How many events were written into the target now; what was there before is not counted."""
    source_events: int = 0
    """How many stored events of the source were compared: all up to ``position``."""
    target_events: int = 0
    """How many events the target holds for them."""
    position: int = 0
    """The position in the source up to which all is moved and compared."""
    last_position: int = 0
    """The last position of the source, asked for at the end."""
    appenders: int = 0
    """How many were appending to the source at the end. What they write is not moved, nor what
    others wrote after they began: it is read only once they have ended."""

    @property
    def lag(self) -> int:
        """How many positions of the source are still to come; 0: all that can be read is moved."""
        return max(self.last_position - self.position, 0)
