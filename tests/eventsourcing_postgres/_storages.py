"""The storage behind a store, for tests that look into it."""

from __future__ import annotations

from typing import Any

from eventsourcing_postgres._storage import PostgresStorage


def storage_of(store: Any) -> Any:
    """Give the storage that a store is the front of."""
    assert isinstance(store._storage, PostgresStorage)
    return store._storage
