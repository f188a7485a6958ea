"""The in-memory store: for unit tests, and as the specification of a store that one can read."""

from eventsourcing_inmemory._event_store import InMemoryEventStore
from eventsourcing_inmemory._projection_store import InMemoryProjectionStore
from eventsourcing_inmemory._snapshot_store import InMemorySnapshotStore

__all__ = ["InMemoryEventStore", "InMemoryProjectionStore", "InMemorySnapshotStore"]
