"""Where states are loaded from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from eventsourcing_core._encoding.front import StorageEventStore

if TYPE_CHECKING:
    from eventsourcing_core._encoding.streams import FromSnapshot
    from eventsourcing_core.stores._event_store import StreamStore
    from eventsourcing_core.stores._snapshot_store import SnapshotStore


class Source(NamedTuple):
    """Where to load from: the stores, or a transaction on them."""

    events: StreamStore
    """Where the events are."""
    snapshots: SnapshotStore | None
    """Where the snapshots are; None: no snapshot is used."""

    async def read_from_snapshot(
        self, stream_id: str, at_version: int | None
    ) -> FromSnapshot | None:
        """Read a snapshot and the events from it on in one trip; None if they do not come so.

        They do not from two backends, in a transaction, or where somebody has put something around
        a store: who overrides how pages are read, or how snapshots are loaded, is asked for both.

        Raises:
            StorageError: The storage failed.
        """
        events, snapshots = self
        if snapshots is None or not isinstance(events, StorageEventStore):
            return None
        if getattr(events.read_pages, "__func__", None) is not StorageEventStore.read_pages:
            return None
        return await events.stream_reader.read_from_snapshot(
            stream_id, to_version=at_version, snapshots=snapshots
        )
