"""What comes of comparing a snapshot with the events it was made of."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from eventsourcing_core._state.state import attributes_of, passed_over
from eventsourcing_core._state.whole import is_cached_property


class _Missing:
    def __repr__(self) -> str:
        return "<missing>"


_MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class StateDifference:
    """An attribute that a snapshot restores to another value than the events give."""

    attribute: str
    """The name of the attribute; empty if the state is a value without attributes."""
    from_events: object
    """Its value after replaying the events."""
    from_snapshot: object
    """Its value after restoring the snapshot."""


@dataclass(frozen=True, slots=True)
class SnapshotReport:
    """What ``Repository.verify`` found.

    Three outcomes: nothing to compare (``version`` is None, and ``reason`` says why), a snapshot
    that is right (``is_right``), and one that is wrong (``differences``).
    """

    stream_id: str
    """The stream of the aggregate."""
    version: int | None
    """The version of the snapshot that was compared; None if there was none to be used."""
    differences: tuple[StateDifference, ...] = ()
    """The attributes that differ, by name."""
    reason: str = ""
    """Why there was nothing to compare; empty if there was."""

    @property
    def is_right(self) -> bool:
        """Whether a snapshot was compared and found right; False also if there was none."""
        return self.version is not None and not self.differences

    @property
    def is_wrong(self) -> bool:
        """Whether a snapshot was compared and found wrong: what a monitor should tell you."""
        return bool(self.differences)


def differences(from_events: object, from_snapshot: object) -> tuple[StateDifference, ...]:
    """Compare two states of a kind, attribute by attribute; those without any as a whole."""
    cls: Any = type(from_events)
    ours, theirs = _parts(from_events, from_snapshot)
    if not ours and not theirs:
        are_same = _Comparison().are_same(from_events, from_snapshot)
        return () if are_same else (StateDifference("", from_events, from_snapshot),)
    return tuple(
        StateDifference(name, one, other)
        for name in sorted({*ours, *theirs} - passed_over(cls))
        if not _Comparison().are_same(
            one := ours.get(name, _MISSING), other := theirs.get(name, _MISSING)
        )
    )


class _Comparison:
    """Compares two values all the way down, and asks that they are of one type or numbers.

    Not by ``==`` alone: a ``defaultdict`` equals a dict, NaN does not equal itself, and what has no
    ``__eq__`` is compared by its attributes.
    """

    def __init__(self) -> None:
        self._pairs: set[tuple[int, int]] = set()

    def are_same(self, one: Any, other: Any) -> bool:
        if one is other:
            return True
        if {type(one), type(other)} <= {int, float}:
            return bool(one == other) or (one != one and other != other)  # noqa: PLR0124 - NaN
        if type(one) is not type(other):
            return False
        if isinstance(one, list | tuple | dict) or _has_parts(one):
            return self._have_same(one, other)
        if isinstance(one, datetime | time) and not (
            one.tzinfo == other.tzinfo and one.fold == other.fold
        ):
            return False  # equal as they are, they may differ once a day is added
        return bool(one == other) or (one != one and other != other)  # noqa: PLR0124 - Decimal

    def _have_same(self, one: Any, other: Any) -> bool:
        pair = (id(one), id(other))
        if pair in self._pairs:  # what leads back to itself: being compared further up
            return True
        self._pairs.add(pair)
        if isinstance(one, list | tuple):
            return len(one) == len(other) and all(map(self.are_same, one, other))
        if not isinstance(one, dict):
            is_empty = not dataclasses.is_dataclass(one)
            one, other = _parts(one, other)
            if is_empty and not one:
                return False  # nothing tells such objects apart but which of them it is
        return one.keys() == other.keys() and all(
            self.are_same(value, other[key]) for key, value in one.items()
        )


def _has_parts(value: object) -> bool:
    kind: Any = type(value)
    return dataclasses.is_dataclass(kind) or kind.__eq__ is object.__eq__


def _parts(one: object, other: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the attributes of both; what one of them has computed, the other one computes, too.

    So a cached property that ``apply`` has read is found where it is no longer what it would be.
    """
    ours, theirs = dict(attributes_of(one)), dict(attributes_of(other))
    for name in ours.keys() ^ theirs.keys():
        if is_cached_property(type(one), name):
            value, parts = (other, theirs) if name in ours else (one, ours)
            try:
                parts[name] = getattr(value, name)
            except Exception as error:  # noqa: BLE001 - then they differ in that
                parts[name] = error
    return ours, theirs
