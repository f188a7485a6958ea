"""The event store in an SQLite file, without a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core import StorageEventStore
from eventsourcing_sqlite._backend import parts_of

if TYPE_CHECKING:
    from eventsourcing_core import EventCodec
    from eventsourcing_core.plugins import Serializer
    from eventsourcing_sqlite._database import SqliteDatabase


class SqliteEventStore(StorageEventStore):
    """Keeps events in an SQLite file; an append that has returned is on the disk.

    Appends that run at the same time share a commit. ``SqliteDatabase.open`` has an example. It is
    closed with the database: what waits to be written is written before.

    Args:
        database: The file.
        codec: What encodes the events.
        serializer: In place of a codec: a serializer or its name; JSON unless given.
    """

    def __init__(
        self,
        database: SqliteDatabase,
        codec: EventCodec | None = None,
        *,
        serializer: Serializer | str | None = None,
    ) -> None:
        super().__init__(parts_of(database), codec, serializer=serializer)
        database.before_closing(self.close)
