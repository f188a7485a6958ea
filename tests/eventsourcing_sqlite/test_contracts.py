"""The SQLite stores keep the contracts."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import open_migrator
from eventsourcing_core.testing import (
    BackendContract,
    EventStoreContract,
    InliningContract,
    MigratorContract,
    NewLocation,
    NewSnapshotLocation,
    NewUrl,
    OpenMigrator,
    ProjectionStoreContract,
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
    def new_location(self, tmp_path: Path) -> NewLocation:
        numbers = count(1)
        return lambda: partial(open_sqlite, f"sqlite:///{tmp_path}/{next(numbers)}.db")


class TestSqliteSnapshotStore(SnapshotStoreContract):
    @pytest.fixture
    def new_location(self, tmp_path: Path) -> NewSnapshotLocation:
        numbers = count(1)

        @asynccontextmanager
        async def open_snapshot_store(path: Path) -> AsyncIterator[SnapshotStore]:
            async with SqliteDatabase.open(path) as database:
                yield SqliteSnapshotStore(database)

        return lambda: partial(open_snapshot_store, tmp_path / f"{next(numbers)}.db")


class TestSqliteInlining(InliningContract):
    @pytest.fixture
    def new_location(self, tmp_path: Path) -> NewLocation:
        numbers = count(1)
        return lambda: partial(open_sqlite, f"sqlite:///{tmp_path}/{next(numbers)}.db")


class TestSqliteProjectionStore(ProjectionStoreContract):
    @pytest.fixture
    def new_location(self, tmp_path: Path) -> NewLocation:
        numbers = count(1)
        return lambda: partial(open_sqlite, f"sqlite:///{tmp_path}/{next(numbers)}.db")


class TestSqliteMigrator(MigratorContract):
    @pytest.fixture
    def open_migrator(self, tmp_path: Path) -> OpenMigrator:
        numbers = count(1)
        return lambda: open_migrator(f"sqlite:///{tmp_path}/{next(numbers)}.db")


class TestSqliteBackend(BackendContract):
    @pytest.fixture
    def new_url(self, tmp_path: Path) -> NewUrl:
        return lambda name: f"sqlite:///{tmp_path}/{name}"
