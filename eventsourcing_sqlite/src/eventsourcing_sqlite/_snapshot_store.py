"""The snapshot store in an SQLite file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from eventsourcing_core.stores import Snapshot, check_load, check_prune, check_save
from eventsourcing_sqlite._pages import LARGEST_INTEGER
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    import sqlite3

    from eventsourcing_sqlite._access import Access

_SAVE = statement("save_snapshot")
_LOAD = statement("load_snapshot")
_PRUNE = statement("prune_snapshots")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class SqliteSnapshotStore:
    """Keeps snapshots in an SQLite file, beside the events or in a file of their own.

    Args:
        database: The file, or a transaction in it.
    """

    def __init__(self, database: Access) -> None:
        self._database = database

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        """Keep a snapshot; see ``SnapshotStore.save``."""
        check_save(keep=keep)
        row = (
            snapshot.aggregate_id,
            snapshot.version,
            snapshot.state,
            snapshot.encoding,
            snapshot.state_version,
            (snapshot.created_at - _EPOCH) // _MICROSECOND,
        )

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_SAVE, row)
            if keep is not None:
                _prune(connection, snapshot.aggregate_id, keep)

        await self._database.write(work)

    async def load(self, aggregate_id: str, *, max_version: int | None = None) -> Snapshot | None:
        """Give the newest snapshot; see ``SnapshotStore.load``."""
        check_load(aggregate_id, max_version=max_version)
        highest = LARGEST_INTEGER if max_version is None else min(max_version, LARGEST_INTEGER)
        rows = await self._database.fetch(
            _LOAD, {"aggregate_id": aggregate_id, "max_version": highest}
        )
        if not rows:
            return None
        ((state, version, encoding, state_version, created_at),) = rows
        return snapshot_of(aggregate_id, version, state, encoding, state_version, created_at)

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        """Delete all but the newest snapshots; see ``SnapshotStore.prune``."""
        check_prune(aggregate_id, keep=keep)
        await self._database.write(lambda connection: _prune(connection, aggregate_id, keep))


def snapshot_of(  # noqa: PLR0913 - the columns of its table
    aggregate_id: str,
    version: int,
    state: bytes,
    encoding: str,
    state_version: str,
    created_at: int,
) -> Snapshot:
    """Give a snapshot as it is stored."""
    created = _EPOCH + timedelta(microseconds=created_at)
    return Snapshot(aggregate_id, version, state, encoding, state_version, created)


def _prune(connection: sqlite3.Connection, aggregate_id: str, keep: int) -> None:
    kept = {"aggregate_id": aggregate_id, "keep": min(keep, LARGEST_INTEGER)}
    connection.execute(_PRUNE, kept)
