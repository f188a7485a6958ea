"""Deliveries: stored events as they are brought in, with what upcasters made of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.stores._rows import Row


class Part(NamedTuple):
    """One of the events that upcasters made of a stored one."""

    event: RecordedEvent[Any]
    keys: Collection[str]
    """The keys among those of the group that it belongs to."""
    place: int
    """Which one of them it is, counted from 0."""


class Delivery(NamedTuple):
    """A stored event, and the keys among those of the group that it belongs to.

    Upcasters may have made several events of it. They are one delivery, since a position is passed
    with all of them or with none.
    """

    row: Row
    """The event as it is stored."""
    event: RecordedEvent[Any] | None
    """None if it cannot be read, or its keys cannot be told."""
    keys: Collection[str]
    """None of them if there is no event, and its stream belongs to another group: see ``error``."""
    error: str = ""
    """Why there is no event; then its key is the id of its stream, and whoever has that decides."""
    parts: Sequence[Part] = ()
    """Of an event that went through upcasters, what they made and is wanted here; then ``event`` is
    the first one, and ``keys`` are those of all. Empty for any other event."""

    @property
    def position(self) -> int:
        """The position of the event."""
        return self.row[2]

    def events_of(self, key: str) -> list[RecordedEvent[Any]]:
        """Give the events that belong to a key, in their order."""
        if self.parts:
            return [part.event for part in self.parts if key in part.keys]
        return [] if self.event is None else [self.event]


_stream: Callable[[Row], str] = itemgetter(0)
position: Callable[[Row], int] = itemgetter(2)
"""Gives the position of a row."""


class Deliveries(Sequence[Delivery]):
    """Deliveries, by position: what they are made of side by side, each made when it is asked for.

    Thousands are read ahead, and the collector of garbage looks at all that is kept, often.

    Args:
        rows: The events as they are stored.
        events: See ``Delivery``.
        keys: See ``Delivery``; None: the key of each is the id of its stream.
        errors: Why there is no event, by position.
        parts: See ``Delivery``, by position.
    """

    __slots__ = ("errors", "events", "keys", "parts", "rows")

    def __init__(
        self,
        rows: Sequence[Row],
        events: Sequence[RecordedEvent[Any] | None],
        keys: Sequence[Collection[str]] | None,
        errors: Mapping[int, str],
        parts: Mapping[int, Sequence[Part]],
    ) -> None:
        self.rows = rows
        self.events = events
        self.keys = keys
        self.errors = errors
        self.parts = parts

    @classmethod
    def joined(cls, found: Sequence[Deliveries]) -> Deliveries:
        """Give what one reader has made, as one."""
        if len(found) == 1:
            return found[0]
        keys: list[Collection[str]] = []
        errors: dict[int, str] = {}
        parts: dict[int, Sequence[Part]] = {}
        for each in found:
            keys += each.keys or ()
            errors |= each.errors
            parts |= each.parts
        return cls(
            [row for each in found for row in each.rows],
            [event for each in found for event in each.events],
            keys or None,
            errors,
            parts,
        )

    def __len__(self) -> int:
        """Count them."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Delivery]:
        """Make them, one after the other."""
        rows, errors = self.rows, self.errors
        keys = zip(map(_stream, rows)) if self.keys is None else self.keys
        texts = map(errors.get, map(position, rows), repeat("")) if errors else repeat("")
        if not self.parts:
            return map(Delivery, rows, self.events, keys, texts)
        parts = map(self.parts.get, map(position, rows), repeat(()))
        return map(Delivery, rows, self.events, keys, texts, parts)

    @overload
    def __getitem__(self, place: int) -> Delivery: ...

    @overload
    def __getitem__(self, place: slice) -> Deliveries: ...

    def __getitem__(self, place: int | slice) -> Delivery | Deliveries:
        """Make one, or give a part."""
        rows, events, keys = self.rows, self.events, self.keys
        if isinstance(place, slice):
            part = None if keys is None else keys[place]
            return Deliveries(rows[place], events[place], part, self.errors, self.parts)
        row = rows[place]
        wanted = (row[0],) if keys is None else keys[place]
        error, parts = self.errors.get(row[2], ""), self.parts.get(row[2], ())
        return Delivery(row, events[place], wanted, error, parts)
