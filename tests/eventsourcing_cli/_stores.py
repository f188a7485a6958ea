"""Stores with something in them to look at."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from eventsourcing_core import Event, EventTypes, ExpectedVersion, open_backend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core import RecordedEvent

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def event(event_type: str = "noted", /, **data: object) -> Event[dict[str, object]]:
    """Make an event of a known time."""
    return Event(event_type, data, timestamp=NOON)


async def append(url: str, stream: str, events: Sequence[Event[object]]) -> None:
    """Append to a stream of the store at a URL, whatever is in it."""
    async with open_backend(url, event_types=EventTypes()) as backend:
        await backend.event_store.append(stream, events, expected_version=ExpectedVersion.ANY)


def fill(url: str, stream: str, *events: Event[object]) -> None:
    """Append from a test that has no loop of its own."""
    asyncio.run(append(url, stream, events))


async def _read(url: str) -> list[RecordedEvent[object]]:
    async with open_backend(url, event_types=EventTypes()) as backend:
        return [each async for each in backend.event_store.read_all()]


def events_in(url: str) -> list[RecordedEvent[object]]:
    """Read all events of a store."""
    return asyncio.run(_read(url))
