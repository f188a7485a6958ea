"""The snapshot store in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core import Snapshot, check_load, check_prune
from eventsourcing_postgres._database import Database

if TYPE_CHECKING:
    import asyncpg


class PostgresSnapshotStore:
    """Keeps snapshots in the store's schema.

    Args:
        pool: An asyncpg pool.
        schema: The schema of the tables; ``migrate`` makes them.
        acquire_timeout: Seconds to wait for a free connection of the pool.
    """

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        *,
        schema: str = "eventsourcing",
        acquire_timeout: float = 30.0,
    ) -> None:
        self._database = Database(pool, schema=schema, acquire_timeout=acquire_timeout)

    async def save(self, snapshot: Snapshot) -> None:
        """Keep a snapshot; see ``SnapshotStore.save``."""
        self._database.check_usable()
        await self._database.fetch(
            "saving a snapshot",
            "snapshot_save",
            snapshot.aggregate_id,
            snapshot.version,
            snapshot.state,
            snapshot.encoding,
            snapshot.state_version,
            snapshot.created_at,
        )

    async def load(self, aggregate_id: str, *, max_version: int | None = None) -> Snapshot | None:
        """Give the newest snapshot; see ``SnapshotStore.load``."""
        check_load(aggregate_id, max_version=max_version)
        self._database.check_usable()
        rows = await self._database.fetch(
            "loading a snapshot", "snapshot_load", aggregate_id, max_version
        )
        return Snapshot(*rows[0]) if rows else None

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        """Delete all but the newest snapshots; see ``SnapshotStore.prune``."""
        check_prune(aggregate_id, keep=keep)
        self._database.check_usable()
        await self._database.fetch("pruning snapshots", "snapshot_prune", aggregate_id, keep)

    def close(self) -> None:
        """Refuse further calls; the pool stays open."""
        self._database.close()
