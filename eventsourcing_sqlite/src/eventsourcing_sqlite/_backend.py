"""The backend ``sqlite``."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from eventsourcing_core import Backend
from eventsourcing_sqlite._database import SqliteDatabase
from eventsourcing_sqlite._event_store import SqliteEventStore
from eventsourcing_sqlite._location import path_in
from eventsourcing_sqlite._snapshot_store import SqliteSnapshotStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import EventCodec


def open_sqlite(
    url: str,
    codec: EventCodec,
    *,
    busy_timeout: float = 5.0,
    poll_interval: float = 0.1,
    migrate: bool = True,
) -> AbstractAsyncContextManager[Backend]:
    """Open ``sqlite:///file.db``, relative to the working directory, or ``sqlite:////a/file.db``.

    Args:
        url: Its path is percent-decoded.
        codec: What encodes the events.
        busy_timeout: See ``SqliteDatabase.open``.
        poll_interval: See ``SqliteDatabase.open``.
        migrate: See ``SqliteDatabase.open``.

    Raises:
        ValueError: The URL names no file, or a number is out of bounds.
        StorageError: On entering the block: the file cannot be opened.
        SchemaError: Likewise: see ``SqliteDatabase.open``.
    """
    database = SqliteDatabase.open(
        path_in(url), busy_timeout=busy_timeout, poll_interval=poll_interval, migrate=migrate
    )
    return _stores_in(database, codec)


@asynccontextmanager
async def _stores_in(
    opening: AbstractAsyncContextManager[SqliteDatabase], codec: EventCodec
) -> AsyncIterator[Backend]:
    async with opening as database:
        yield Backend(
            "sqlite",
            codec,
            event_store=SqliteEventStore(database, codec),
            snapshot_store=SqliteSnapshotStore(database),
        )
