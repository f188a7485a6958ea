"""Tags that are given beside events, and stores that keep none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core._events.tags import joined_tags, stored_tags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eventsourcing_core.stores._rows import EncodedEvent


def with_tags(events: Iterable[EncodedEvent], tags: frozenset[str]) -> tuple[EncodedEvent, ...]:
    """Add tags to encoded events.

    Raises:
        ValueError: An event then has too many.
    """
    tagged: list[EncodedEvent] = []
    for event in events:
        whose = f"the event {event.event_type!r}:"
        joined = joined_tags(frozenset(event.tags or ()), tags, whose)
        tagged.append(event._replace(tags=stored_tags(joined)))
    return tuple(tagged)
