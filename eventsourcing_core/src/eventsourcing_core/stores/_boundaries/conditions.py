"""Conditions: what must not have happened since somebody looked, as storages see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from eventsourcing_core._errors import HistoryChangedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eventsourcing_core.stores._rows import QueryItem, Row

MOST_MISSED: Final = 100
"""How many of the events that were missed a refusal gives: the first ones."""


class Required(NamedTuple):
    """A stream that an append does not write to, and that must be where its caller saw it."""

    stream_id: str
    """The stream."""
    version: int
    """Its version; 0: there is no such stream."""


class Witness(NamedTuple):
    """An event by which can be told whether a store still has the history that somebody read."""

    position: int
    """Its position."""
    event_id: bytes
    """The 16 bytes of its id."""


class Matched(NamedTuple):
    """The events that match, and how far that is all of them."""

    horizon: int
    """Everything at or below this position was decided *before* the rows were read."""
    rows: Sequence[Row]
    """All that match and can be seen, by position, those above the horizon included."""
    witness: Witness | None
    """The last event of all at or below the horizon; None if there is none."""


class Condition(NamedTuple):
    """Nothing that matches has been written that the caller has not read."""

    items: tuple[QueryItem, ...]
    """What matches one of these counts; without any, nothing does."""
    horizon: int
    """The caller has read everything that matches at or below this position."""
    seen: frozenset[int]
    """The positions above the horizon that the caller has read, too."""
    witness: Witness | None
    """An event that the caller has read, or that stood where the horizon was; None: none did."""

    def is_missed(self, row: Row) -> bool:
        """Tell whether an event matches that the caller has not read."""
        position = row[2]
        if position <= self.horizon or position in self.seen:
            return False
        return any(item.matches(row) for item in self.items)


class Found(NamedTuple):
    """What a storage holds about a condition, looked up in the transaction that writes."""

    rows: Sequence[Row]
    """The events above the horizon that match, by position: all of them, or at least the first 101
    of those that the caller has not read. Others may be among them."""
    last_position: int
    """The highest position that was ever given."""
    witness: bytes | None = None
    """The id of the event at the position of the witness; None: there is none, or none is asked."""


class MissedError(Exception):
    """An append is refused by its condition: what a storage's verdict is then.

    The front makes a ``BoundaryError`` of it.

    Attributes:
        rows: The events that the caller has not read, at most the first 100, by position.
        horizon: Whoever has read these, too, has read all that matches up to this position.
        are_more: Whether there are more than these.
    """

    def __init__(self, rows: Sequence[Row], horizon: int, *, are_more: bool = False) -> None:
        super().__init__(f"{len(rows)} events that match were not read")
        self.rows = rows
        self.horizon = horizon
        self.are_more = are_more


def check_condition(condition: Condition, found: Found, others: Iterable[Row] = ()) -> None:
    """Let an append pass whose condition holds; every storage decides by this rule.

    Args:
        condition: The condition.
        found: What stands in the storage.
        others: What comes after that: what earlier appends of the same batch write.

    Raises:
        HistoryChangedError: The caller has read what this store does not hold.
        MissedError: Events match that the caller has not read.
    """
    last = found.last_position
    if condition.horizon > last:
        raise HistoryChangedError(condition.horizon, None, None, last)
    witness = condition.witness
    if witness is not None and found.witness != witness.event_id:
        there = None if found.witness is None else UUID(bytes=found.witness)
        raise HistoryChangedError(witness.position, UUID(bytes=witness.event_id), there, last)

    missed = [row for row in found.rows if condition.is_missed(row)]
    missed += [row for row in others if condition.is_missed(row)]
    if not missed:
        return
    if len(missed) > MOST_MISSED:
        del missed[MOST_MISSED:]
        raise MissedError(missed, missed[-1].position, are_more=True)
    raise MissedError(missed, max(last, missed[-1].position))
