"""The SQLite stores keep the contracts."""

from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import open_migrator
from eventsourcing_core.testing import (
    EventStoreContract,
    ImportingEventStoreContract,
    InspectableEventStoreContract,
    MigratorContract,
    OpenEventStore,
    OpenMigrator,
    OpenSnapshotStore,
    PagedEventStoreContract,
    SnapshotStoreContract,
)
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore, SqliteSnapshotStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from eventsourcing_core import EventCodec, EventStore, SnapshotStore


class TestSqliteEventStore(
    EventStoreContract,
    PagedEventStoreContract,
    ImportingEventStoreContract,
    InspectableEventStoreContract,
):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> OpenEventStore:
        numbers = count(1)

        @asynccontextmanager
        async def open_event_store(codec: EventCodec) -> AsyncIterator[EventStore]:
            async with SqliteDatabase.open(tmp_path / f"{next(numbers)}.db") as database:
                yield SqliteEventStore(database, codec)

        return open_event_store


class TestSqliteSnapshotStore(SnapshotStoreContract):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> OpenSnapshotStore:
        numbers = count(1)

        @asynccontextmanager
        async def open_snapshot_store() -> AsyncIterator[SnapshotStore]:
            async with SqliteDatabase.open(tmp_path / f"{next(numbers)}.db") as database:
                yield SqliteSnapshotStore(database)

        return open_snapshot_store


class TestSqliteMigrator(MigratorContract):
    @pytest.fixture
    def open_migrator(self, tmp_path: Path) -> OpenMigrator:
        numbers = count(1)
        return lambda: open_migrator(f"sqlite:///{tmp_path}/{next(numbers)}.db")
