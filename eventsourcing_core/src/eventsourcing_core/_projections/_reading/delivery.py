"""Deliveries: stored events as they are brought in, and the keys that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from eventsourcing_core._projections._reading.decoding import decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.stores._rows import Row


class Part(NamedTuple):
    """One of the events that upcasters make of a stored one."""

    place: int
    """Which one of them it is, counted from 0."""
    keys: Collection[str]
    """The keys among those of the group that it belongs to."""


class Delivery(NamedTuple):
    """A stored event, and the keys among those of the group that it belongs to.

    Upcasters may make several events of it. They are one delivery, since a position is passed with
    all of them or with none.
    """

    row: Row
    """The event as it is stored."""
    keys: Collection[str]
    """None of them if they cannot be told, and its stream belongs to another group."""
    error: str = ""
    """Why it cannot be applied, if that is known already: then its key is the id of its stream, and
    whoever has that decides."""
    parts: Sequence[Part] = ()
    """What upcasters make of it and is wanted here, if these parts have keys of their own; then
    ``keys`` are those of all."""

    @property
    def position(self) -> int:
        """The position of the event."""
        return self.row[2]


stream: Callable[[Row], str] = itemgetter(0)
"""Gives the stream of a row."""
position: Callable[[Row], int] = itemgetter(2)
"""Gives the position of a row."""


class Deliveries(Sequence[Delivery]):
    """Deliveries, by position: what they are made of side by side, each made when it is asked for.

    Thousands are read ahead, and the collector of garbage looks at all that is kept, often.

    Args:
        rows: The events as they are stored.
        keys: See ``Delivery``; None: the key of each is the id of its stream.
        errors: Why an event cannot be applied, by position; empty where there are no keys.
        parts: See ``Delivery``, by position.
    """

    __slots__ = ("errors", "keys", "parts", "rows")

    def __init__(
        self,
        rows: Sequence[Row],
        keys: Sequence[Collection[str]] | None,
        errors: Mapping[int, str],
        parts: Mapping[int, Sequence[Part]],
    ) -> None:
        self.rows = rows
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
        return cls([row for each in found for row in each.rows], keys or None, errors, parts)

    def __len__(self) -> int:
        """Count them."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Delivery]:
        """Make them, one after the other."""
        rows, errors = self.rows, self.errors
        keys = zip(map(stream, rows)) if self.keys is None else self.keys
        texts = map(errors.get, map(position, rows), repeat("")) if errors else repeat("")
        if not self.parts:
            return map(Delivery, rows, keys, texts)
        parts = map(self.parts.get, map(position, rows), repeat(()))
        return map(Delivery, rows, keys, texts, parts)

    @overload
    def __getitem__(self, place: int) -> Delivery: ...

    @overload
    def __getitem__(self, place: slice) -> Deliveries: ...

    def __getitem__(self, place: int | slice) -> Delivery | Deliveries:
        """Make one, or give a part."""
        rows, keys = self.rows, self.keys
        if isinstance(place, slice):
            part = None if keys is None else keys[place]
            return Deliveries(rows[place], part, self.errors, self.parts)
        row = rows[place]
        wanted = (row[0],) if keys is None else keys[place]
        return Delivery(row, wanted, self.errors.get(row[2], ""), self.parts.get(row[2], ()))


def parts_of(deliveries: Sequence[Delivery]) -> Mapping[int, Sequence[Part]]:
    """Give the parts of deliveries, by position; most have none."""
    if isinstance(deliveries, Deliveries):
        return deliveries.parts
    return {delivery.position: delivery.parts for delivery in deliveries if delivery.parts}


def places_of(
    parts: Mapping[int, Sequence[Part]], rows: Iterable[Row], keys: Collection[str]
) -> Mapping[int, Collection[int]]:
    """Give which parts of rows belong to one of some keys; see ``decoded``."""
    if not parts:
        return {}
    return {
        row[2]: [part.place for part in parts[row[2]] if any(key in keys for key in part.keys)]
        for row in rows
        if parts.get(row[2])
    }


def events_of(codec: EventCodec, delivery: Delivery, key: str) -> Iterator[RecordedEvent[Any]]:
    """Give the events of a delivery that belong to a key, in their order."""
    rows, parts = [delivery.row], {delivery.position: delivery.parts}
    return decoded(codec, rows, places_of(parts, rows, (key,)))
