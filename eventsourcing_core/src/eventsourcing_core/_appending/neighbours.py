"""Whether others append to the same store, which the positions that our appends get tell.

Two batches under way let a server work on one while this process prepares the next. But where other
processes fill the server, too, they only make the batches smaller, and each batch has a fixed cost:
four processes with two batches each reached 0.7 of what they reach with one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core.stores._append import Written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eventsourcing_core.stores._append import Verdict

_WINDOW = 16
"""Batches after which it is decided again: few enough to follow a change within some 20 ms."""
_SHARE = 1.5
"""How much faster than by our own events positions must rise: they also do by what is rolled back,
and by a batch of ours that is still under way."""


class Neighbours:
    """Compares how far positions have risen with how many events were written here."""

    def __init__(self) -> None:
        self.are_there = False
        """Whether others append; decided once in so many batches."""
        self._batches = 0
        self._events = 0
        self._highest = self._begin = 0

    def note(self, verdicts: Iterable[Verdict]) -> None:
        """Note what became of a batch."""
        for verdict in verdicts:
            if isinstance(verdict, Written) and verdict.count and verdict.results:
                self._events += verdict.count
                self._highest = max(self._highest, verdict.results[-1].position)
        self._batches += 1
        if self._batches < _WINDOW:
            return

        if self._begin:
            self.are_there = self._highest - self._begin > _SHARE * self._events
        self._begin, self._batches, self._events = self._highest, 0, 0
