"""The backend ``sqlite``."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from eventsourcing_core.stores import Parts
from eventsourcing_sqlite._database import SqliteDatabase
from eventsourcing_sqlite._holding import holding_in
from eventsourcing_sqlite._inline import SqliteInline
from eventsourcing_sqlite._inspection import SqliteInspection
from eventsourcing_sqlite._location import file_in
from eventsourcing_sqlite._projections.builds import Builds
from eventsourcing_sqlite._projections.inlining import SqliteInlining
from eventsourcing_sqlite._projections.store import SqliteProjectionStore
from eventsourcing_sqlite._snapshot_store import SqliteSnapshotStore
from eventsourcing_sqlite._storage import SqliteStorage
from eventsourcing_sqlite._transactions import SqliteTransactions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def open_sqlite(
    url: str,
    *,
    busy_timeout: float = 5.0,
    poll_interval: float = 0.1,
    migrate: bool = True,
) -> AbstractAsyncContextManager[Parts]:
    """Open ``sqlite:///file.db``, relative to the working directory, or ``sqlite:////a/file.db``.

    Args:
        url: Its path is percent-decoded.
        busy_timeout: See ``SqliteDatabase.open``.
        poll_interval: See ``SqliteDatabase.open``.
        migrate: See ``SqliteDatabase.open``.

    Raises:
        ValueError: The URL names no file, or a number is out of bounds.
        StorageError: On entering the block: the file cannot be opened.
        SchemaError: Likewise: see ``SqliteDatabase.open``.
    """
    database = SqliteDatabase.open(
        file_in(url), busy_timeout=busy_timeout, poll_interval=poll_interval, migrate=migrate
    )
    return _parts_in(database)


def parts_of(database: SqliteDatabase) -> Parts:
    """Give the parts of a backend that live in one file."""
    builds = Builds(database)
    inline = SqliteInline(database)
    snapshots = SqliteSnapshotStore(database)
    return Parts(
        storage=SqliteStorage(database, inline, snapshots),
        snapshot_store=snapshots,
        transactions=SqliteTransactions(database, inline),
        projection_store=SqliteProjectionStore(database, builds),
        inline=SqliteInlining(builds, inline),
        inspection=SqliteInspection(database),
        holding=holding_in(database),
    )


@asynccontextmanager
async def _parts_in(
    opening: AbstractAsyncContextManager[SqliteDatabase],
) -> AsyncIterator[Parts]:
    async with opening as database:
        yield parts_of(database)
