"""The snapshot store in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core.stores import StorageError, check_load, check_prune, check_save

if TYPE_CHECKING:
    from eventsourcing_core.stores import Snapshot


SnapshotShelf = dict[str, dict[int, "Snapshot"]]
"""What is kept: by aggregate, by version. Stores can share it."""


class InMemorySnapshotStore:
    """Keeps snapshots in this process, and loses them with it.

    Args:
        shelf: What another store keeps, to share it.
    """

    def __init__(self, shelf: SnapshotShelf | None = None) -> None:
        self._snapshots: SnapshotShelf = {} if shelf is None else shelf
        self._closed = False

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        """Keep a snapshot; see ``SnapshotStore.save``."""
        check_save(keep=keep)
        self._check_open()
        self._snapshots.setdefault(snapshot.aggregate_id, {})[snapshot.version] = snapshot
        if keep is not None:
            self._keep_newest(snapshot.aggregate_id, keep)

    async def load(self, aggregate_id: str, *, max_version: int | None = None) -> Snapshot | None:
        """Give the newest snapshot; see ``SnapshotStore.load``."""
        check_load(aggregate_id, max_version=max_version)
        self._check_open()
        snapshots = self._snapshots.get(aggregate_id, {})
        versions = [v for v in snapshots if max_version is None or v <= max_version]
        return snapshots[max(versions)] if versions else None

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        """Delete all but the newest snapshots; see ``SnapshotStore.prune``."""
        check_prune(aggregate_id, keep=keep)
        self._check_open()
        self._keep_newest(aggregate_id, keep)

    def close(self) -> None:
        """Refuse further calls."""
        self._closed = True

    def _keep_newest(self, aggregate_id: str, keep: int) -> None:
        snapshots = self._snapshots.pop(aggregate_id, {})
        kept = sorted(snapshots, reverse=True)[:keep]
        if kept:
            self._snapshots[aggregate_id] = {version: snapshots[version] for version in kept}

    def _check_open(self) -> None:
        if self._closed:
            message = "the store is closed"
            raise StorageError(message)
