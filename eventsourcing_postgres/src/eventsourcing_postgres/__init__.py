"""Events in PostgreSQL, on asyncpg: the backend for production."""

from eventsourcing_postgres._event_store import PostgresEventStore
from eventsourcing_postgres._migrations import migrate, rollback, status
from eventsourcing_postgres._snapshot_store import PostgresSnapshotStore

__all__ = [
    "PostgresEventStore",
    "PostgresSnapshotStore",
    "migrate",
    "rollback",
    "status",
]
