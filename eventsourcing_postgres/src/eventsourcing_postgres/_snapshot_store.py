"""The snapshot store in PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from eventsourcing_core.stores import Snapshot, check_load, check_prune, check_save
from eventsourcing_postgres._database import Database
from eventsourcing_postgres._statements import LARGEST_INTEGER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    import asyncpg

    Fetch = Callable[..., Awaitable[list[Any]]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Snapshots:
    """Keeps snapshots; see ``SnapshotStore``.

    Args:
        fetch: Runs the statement of a file, in the pool or in a transaction.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        """Keep a snapshot; see ``SnapshotStore.save``."""
        check_save(keep=keep)
        await self._fetch(
            "saving a snapshot",
            "snapshot_save",
            snapshot.aggregate_id,
            snapshot.version,
            snapshot.state,
            snapshot.encoding,
            snapshot.state_version,
            (snapshot.created_at - _EPOCH) // _MICROSECOND,
            None if keep is None else min(keep, LARGEST_INTEGER),
        )

    async def load(self, aggregate_id: str, *, max_version: int | None = None) -> Snapshot | None:
        """Give the newest snapshot; see ``SnapshotStore.load``."""
        check_load(aggregate_id, max_version=max_version)
        rows = await self._fetch(
            "loading a snapshot",
            "snapshot_load",
            aggregate_id,
            LARGEST_INTEGER if max_version is None else min(max_version, LARGEST_INTEGER),
        )
        if not rows:
            return None
        return snapshot_of(*rows[0])

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        """Delete all but the newest snapshots; see ``SnapshotStore.prune``."""
        check_prune(aggregate_id, keep=keep)
        await self._fetch(
            "pruning snapshots", "snapshot_prune", aggregate_id, min(keep, LARGEST_INTEGER)
        )


def snapshot_of(  # noqa: PLR0913 - the columns of its table
    aggregate_id: str,
    version: int,
    state: bytes,
    encoding: str,
    state_version: str,
    created_at: int,
) -> Snapshot:
    """Give a snapshot as it is stored."""
    created = _EPOCH + created_at * _MICROSECOND
    return Snapshot(aggregate_id, version, state, encoding, state_version, created)


class PostgresSnapshotStore(Snapshots):
    """Keeps snapshots in the store's schema.

    Args:
        pool: An asyncpg pool.
        schema: The schema of the tables; ``migrate`` makes them.
        acquire_timeout: Seconds to wait for a free connection of the pool.
        answer_timeout: Seconds to wait for the server's answer; then the connection is ended, and
            the others of the pool are renewed.
    """

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        *,
        schema: str = "eventsourcing",
        acquire_timeout: float = 30.0,
        answer_timeout: float = 60.0,
    ) -> None:
        self._database = Database(
            pool, schema=schema, acquire_timeout=acquire_timeout, answer_timeout=answer_timeout
        )
        super().__init__(self._fetch_if_usable)

    def close(self) -> None:
        """Refuse further calls; the pool stays open."""
        self._database.close()

    async def _fetch_if_usable(self, doing: str, name: str, *arguments: Any) -> list[Any]:
        self._database.check_usable()
        return await self._database.fetch(doing, name, *arguments)
