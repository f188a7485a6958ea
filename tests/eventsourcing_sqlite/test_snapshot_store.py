"""What the contract of snapshot stores cannot see: how a snapshot gets into the file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.stores import Snapshot, StorageError
from eventsourcing_sqlite import SqliteSnapshotStore, _snapshot_store

if TYPE_CHECKING:
    from eventsourcing_sqlite import SqliteDatabase


async def test_saving_and_pruning_is_one_transaction(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteSnapshotStore(database)
    snapshot = Snapshot("a", 1, b"", "json", "1", datetime(2026, 1, 1, tzinfo=UTC))
    monkeypatch.setattr(_snapshot_store, "_PRUNE", "DELETE FROM nowhere")
    with pytest.raises(StorageError, match="nowhere"):
        await store.save(snapshot, keep=1)
    assert await store.load("a") is None
    await store.save(snapshot)
    assert await store.load("a") == snapshot
