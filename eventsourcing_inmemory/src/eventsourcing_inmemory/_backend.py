"""The backend ``memory``."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from eventsourcing_core import Backend
from eventsourcing_inmemory._event_store import EventLog, InMemoryEventStore
from eventsourcing_inmemory._snapshot_store import InMemorySnapshotStore, SnapshotShelf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import EventCodec

_named: dict[str, tuple[EventLog, SnapshotShelf]] = {}


@asynccontextmanager
async def open_memory(url: str, codec: EventCodec) -> AsyncIterator[Backend]:
    """Open ``memory://``, which is private, or ``memory://name``, shared within the process.

    What is stored under a name stays until the process ends, also while nobody has it open.
    """
    name = url.removeprefix("memory:").strip("/")
    log, shelf = _named.setdefault(name, (EventLog(), {})) if name else (EventLog(), {})
    events = InMemoryEventStore(codec, log=log)
    snapshots = InMemorySnapshotStore(shelf)
    try:
        yield Backend("memory", codec, event_store=events, snapshot_store=snapshots)
    finally:
        events.close()
        snapshots.close()
