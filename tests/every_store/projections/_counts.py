"""Counters, as an inline view keeps them, and what they must be."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from eventsourcing_core import (
    EventTypes,
    ExpectedVersion,
    RecordedEvent,
    View,
    event,
    open_backend,
)

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core import AppendResult, Backend

types = EventTypes()


@event("counted", event_types=types)
class Counted:
    """Something happened to a few counters."""

    keys: list[str]
    by: int = 1


class Counts(View[int]):
    """How often something happened, by counter; below zero is refused, and zero is no value."""

    name = "counts"

    def key(self, event: RecordedEvent[Counted]) -> list[str]:
        return event.data.keys

    def evolve(self, value: int | None, event: RecordedEvent[Counted]) -> int | None:
        count = (value or 0) + event.data.by
        if count < 0:
            message = "below zero"
            raise ValueError(message)
        return count or None


class Last(View[str]):
    """The last key of each stream; an event without keys takes it away."""

    name = "last"

    def evolve(self, value: str | None, event: RecordedEvent[Counted]) -> str | None:  # noqa: ARG002 - the last one counts
        return event.data.keys[-1] if event.data.keys else None


def opened(url: str, *inline: View[Any]) -> AbstractAsyncContextManager[Backend]:
    """Open a backend on a store."""
    return open_backend(url, event_types=types, inline=inline)


async def count(backend: Backend, stream_id: str, *keys: str, by: int = 1) -> AppendResult:
    """Append an event."""
    return await backend.event_store.append(
        stream_id, [Counted(list(keys), by)], expected_version=ExpectedVersion.ANY
    )


async def counts_of(backend: Backend) -> dict[str, int]:
    """Give what the view has."""
    return {key: value async for key, value in backend.view(Counts).all()}


async def true_counts(backend: Backend) -> dict[str, int]:
    """Give what the view must have, by all events."""
    counts = Counter[str]()
    async for found in backend.event_store.read_all():
        for key in found.data.keys:
            counts[key] += found.data.by
    return {key: value for key, value in counts.items() if value}
