"""The recorded events that the contract of importing stores imports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from eventsourcing_core._events.event import RecordedEvent
from eventsourcing_core.testing._samples import COUNTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


LONG_AGO = datetime(2001, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
"""A time to the microsecond that no store gives by itself."""

INTERLEAVED = ("a-1", "b-1", "a-2", "c-1", "b-2", "a-3", "b-3", "c-2")
"""Events of three streams, each with its version, as a store has them by position."""


def recorded(*places: str) -> list[RecordedEvent[object]]:
    """Make recorded events: ``a-2`` stands in stream ``a`` at version 2. Ids follow the places.

    Positions are those of another store: they have holes, and say nothing here.
    """
    made: list[RecordedEvent[object]] = []
    for number, place in enumerate(places, start=1):
        stream_id, _, version = place.rpartition("-")
        made.append(at_place(stream_id, int(version), number=number, position=number * 1000))
    return made


def at_place(  # noqa: PLR0913 - a place, and what a test may need to be another than usual
    stream_id: str,
    version: int,
    *,
    number: int = 1,
    position: int = 1,
    event_id: UUID | None = None,
    data: Mapping[str, object] | None = None,
) -> RecordedEvent[object]:
    """Make a recorded event; its id follows from its place, unless it is given."""
    # Not of version 7, and in another order than the places: a store keeps the ids it is given.
    given = UUID(int=(1 << 127) - (_number_of(stream_id) << 32) - version)
    return RecordedEvent(
        COUNTED,
        {"number": number} if data is None else data,
        stream_id=stream_id,
        version=version,
        position=position,
        event_id=event_id or given,
        timestamp=LONG_AGO + timedelta(days=number),
        metadata={"user": "Zoë", "number": number},
    )


def _number_of(text: str) -> int:
    """Give a number for a text, another one for another text, the same in every process."""
    return int.from_bytes(text.encode()[:8])


def facts(event: RecordedEvent[object]) -> tuple[object, ...]:
    """Give all of a recorded event but its position."""
    place = (event.stream_id, event.version)
    return (
        *place,
        event.event_id,
        event.event_type,
        event.timestamp,
        dict(event.metadata),
        event.data,
    )


def places_of(events: Sequence[RecordedEvent[object]]) -> list[str]:
    """Give the places of events, as ``recorded`` takes them."""
    return [f"{event.stream_id}-{event.version}" for event in events]
