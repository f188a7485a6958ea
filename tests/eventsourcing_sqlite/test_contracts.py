"""The SQLite stores keep the contracts."""

from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import open_migrator
from eventsourcing_core.testing import (
    EventStoreContract,
    MigratorContract,
    OpenMigrator,
    OpenParts,
    OpenSnapshotStore,
    SnapshotStoreContract,
)
from eventsourcing_sqlite import SqliteDatabase, SqliteSnapshotStore
from eventsourcing_sqlite._backend import open_sqlite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from eventsourcing_core.stores import SnapshotStore


class TestSqliteEventStore(EventStoreContract):
    @pytest.fixture
    def open_parts(self, tmp_path: Path) -> OpenParts:
        numbers = count(1)
        return lambda: open_sqlite(f"sqlite:///{tmp_path}/{next(numbers)}.db")


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
