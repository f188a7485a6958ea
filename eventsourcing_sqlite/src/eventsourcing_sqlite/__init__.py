"""Events in an SQLite file: the embedded, durable backend."""

from eventsourcing_sqlite._database import SqliteDatabase
from eventsourcing_sqlite._event_store import SqliteEventStore
from eventsourcing_sqlite._snapshot_store import SqliteSnapshotStore

__all__ = ["SqliteDatabase", "SqliteEventStore", "SqliteSnapshotStore"]
