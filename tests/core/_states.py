"""What the tests of state share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from eventsourcing_core import Aggregate, Event
from eventsourcing_core._state.state import OWN_ATTRIBUTES


class Bare(Aggregate):
    """Has no state."""

    def apply(self, event: Event[Any]) -> None:
        """Do nothing."""


class Point(NamedTuple):
    """Never changes."""

    x: int
    y: int = 0


@dataclass
class Line:
    """Changes."""

    text: str
    tags: list[str] = field(default_factory=list[str])
    below: list[Line] = field(default_factory=list["Line"])


def values(aggregate: Aggregate) -> dict[str, object]:
    """Give the attributes that are no part of every aggregate."""
    return {k: v for k, v in vars(aggregate).items() if k not in OWN_ATTRIBUTES}
