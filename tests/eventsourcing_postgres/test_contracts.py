from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_core import open_migrator
from eventsourcing_core.testing import (
    EventStoreContract,
    MigratorContract,
    SnapshotStoreContract,
)
from eventsourcing_postgres import PostgresSnapshotStore
from eventsourcing_postgres._backend import open_postgres
from tests.eventsourcing_postgres._databases import execute

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core.stores import Parts, SnapshotStore
    from eventsourcing_core.testing import OpenMigrator, OpenParts, OpenSnapshotStore

_EMPTY = """
set eventsourcing.allow_change = 'on';
truncate eventsourcing.events, eventsourcing.streams, eventsourcing.snapshots;
alter sequence eventsourcing.events_position restart;
"""


class TestEventStore(EventStoreContract):
    examples = 30  # each example empties a real database

    @pytest.fixture
    def open_parts(self, contract_url: str) -> OpenParts:
        @asynccontextmanager
        async def open_empty() -> AsyncIterator[Parts]:
            await execute(contract_url, _EMPTY)
            async with open_postgres(contract_url, pooler=False) as parts:
                yield parts

        return open_empty


class TestSnapshotStore(SnapshotStoreContract):
    @pytest.fixture
    def open_store(self, contract_url: str) -> OpenSnapshotStore:
        @asynccontextmanager
        async def open_empty() -> AsyncIterator[SnapshotStore]:
            async with asyncpg.create_pool(contract_url, min_size=1, max_size=10) as pool:
                await pool.execute(_EMPTY)
                store = PostgresSnapshotStore(pool)
                yield store
                store.close()

        return open_empty


_schemas = count(1)


class TestMigrator(MigratorContract):
    @pytest.fixture
    def open_migrator(self, contract_url: str) -> OpenMigrator:
        return lambda: open_migrator(contract_url, schema=f"migrated {next(_schemas)}")
