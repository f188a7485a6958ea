"""Decoding where events are applied: each is made for whoever applies it, and kept by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.stores._rows import Row

_ALL: Mapping[int, Collection[int]] = {}


def decoded(
    codec: EventCodec, rows: Iterable[Row], places: Mapping[int, Collection[int]] = _ALL
) -> Iterator[RecordedEvent[Any]]:
    """Give the events of rows, in their order, each when it is asked for.

    Each call makes events of their own. A value may hold what an event holds: who changes the one
    has then changed nothing of anybody else's.

    Args:
        codec: What decodes them.
        rows: The rows; no position twice.
        places: By position, which are wanted of the several events that upcasters make of a row,
            counted from 0; all, where nothing is said of it.

    Raises:
        SerializationError: A row cannot be read.
        TransformError: A transformer failed.
    """
    events = codec.decode(rows)
    return _wanted(events, places) if places else events


def _wanted(
    events: Iterable[RecordedEvent[Any]], places: Mapping[int, Collection[int]]
) -> Iterator[RecordedEvent[Any]]:
    position = place = 0
    for event in events:
        place = place + 1 if event.position == position else 0
        position = event.position
        if position not in places or place in places[position]:
            yield event
