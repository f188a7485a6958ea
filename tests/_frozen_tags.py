"""The events of the frozen examples of how stores keep tags."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from eventsourcing_core import Event, EventTypes, Query, open_backend

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
TAGS: Final[Sequence[frozenset[str]]] = (
    frozenset({"course:1"}),
    frozenset(),
    frozenset({"student:9", "course:1"}),
    frozenset({"Zoë 漢 🎉", 'a"b\\', "[", "course:1"}),
)
"""The tags of each event."""


def _event(number: int, tags: frozenset[str]) -> Event[object]:
    return Event(
        "frozen.tagged", {"n": number}, event_id=UUID(int=number), timestamp=NOON, tags=tags
    )


async def write_them(url: str) -> None:
    """Append the events to a store, which is made if need be."""
    events = [_event(number, tags) for number, tags in enumerate(TAGS, start=1)]
    async with open_backend(url, event_types=EventTypes(), migrate=True) as backend:
        store = backend.event_store
        await store.append("tagged-1", events[:3], expected_version=0)
        await store.append("tagged-2", events[3:], expected_version=0)


async def check_they_are_read(url: str) -> None:
    """See that a store gives the events, and finds them by each of their tags."""
    async with open_backend(url, event_types=EventTypes(), migrate=True) as backend:
        store = backend.event_store
        events = [event async for event in store.read_all()]
        assert [(event.event_id.int, event.tags) for event in events] == [*enumerate(TAGS, start=1)]
        for tag in frozenset[str]().union(*TAGS):
            expected = [number for number, tags in enumerate(TAGS, start=1) if tag in tags]
            query = Query(tags={tag})
            found = [event.event_id.int async for event in store.read_all(query=query)]
            matching = (await store.read_matching(query)).events
            assert [event.event_id.int for event in matching] == found == expected
