"""Prints the state version of a class, in a process of its own: `python _layouts.py reversed`.

With an argument, ``typing`` has seen the same unions in the other order before.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, List, Literal, Optional, Union  # noqa: UP035 - these are cached

from eventsourcing_core import Aggregate, Event
from eventsourcing_core._snapshots.state_version import state_version_of


@dataclass
class Inner:
    """What both others lead to."""

    n: int


@dataclass
class One:
    """Leads to it."""

    inner: Inner
    other: Two | None = None


@dataclass
class Two:
    """Leads to it, too."""

    inner: Inner
    other: One | None = None


if sys.argv[1:]:
    _ = [List[Union[Two, One]], Optional[Literal[2, 1]]]  # noqa: UP006, UP007, UP045 - as above


class Held(Aggregate):
    """Has unions."""

    many: List[Union[One, Two]]  # noqa: UP006, UP007 - as above
    number: Optional[Literal[1, 2]] = None  # noqa: UP045 - as above
    names: set[str]

    def apply(self, event: Event[Any]) -> None:
        """Do nothing."""


if __name__ == "__main__":
    print(state_version_of(Held))
