"""The backend ``memory``."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from eventsourcing_core.stores import Parts
from eventsourcing_inmemory._builds import ProjectionShelf
from eventsourcing_inmemory._inline import InMemoryInlining
from eventsourcing_inmemory._inspection import InMemoryInspection
from eventsourcing_inmemory._log import EventLog
from eventsourcing_inmemory._projection_store import InMemoryProjectionStore
from eventsourcing_inmemory._snapshot_store import InMemorySnapshotStore, SnapshotShelf
from eventsourcing_inmemory._storage import MAX_WAIT, InMemoryStorage
from eventsourcing_inmemory._transactions import InMemoryTransactions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_named: dict[str, tuple[EventLog, SnapshotShelf, ProjectionShelf]] = {}


@asynccontextmanager
async def open_memory(url: str) -> AsyncIterator[Parts]:
    """Open ``memory://``, which is private, or ``memory://name``, shared within the process.

    What is stored under a name stays until the process ends, also while nobody has it open. The
    name is percent-decoded.
    """
    name = unquote(url.removeprefix("memory:").strip("/"))
    kept = (EventLog(), SnapshotShelf(), ProjectionShelf())
    log, shelf, builds = _named.setdefault(name, kept) if name else kept
    snapshots = InMemorySnapshotStore(shelf)
    projections = InMemoryProjectionStore(builds)
    inlining = InMemoryInlining(log, builds, projections, max_wait=MAX_WAIT)
    try:
        yield replace(parts_of(log, snapshots, inlining), projection_store=projections)
    finally:
        snapshots.close()
        projections.close()


def parts_of(
    log: EventLog,
    snapshots: InMemorySnapshotStore | None = None,
    inlining: InMemoryInlining | None = None,
) -> Parts:
    """Give the parts of a backend that share a log."""
    return Parts(
        storage=InMemoryStorage(log, inlining=inlining),
        snapshot_store=snapshots,
        transactions=InMemoryTransactions(log, snapshots, inlining=inlining),
        inline=inlining,
        inspection=InMemoryInspection(log),
        holding=log.holding,
    )
