from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_core import open_migrator
from eventsourcing_core.testing import (
    EventStoreContract,
    ImportingEventStoreContract,
    InspectableEventStoreContract,
    MigratorContract,
    PagedEventStoreContract,
    SnapshotStoreContract,
)
from eventsourcing_postgres import PostgresEventStore, PostgresSnapshotStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import EventCodec, EventStore, SnapshotStore
    from eventsourcing_core.testing import OpenEventStore, OpenMigrator, OpenSnapshotStore

_EMPTY = """
set eventsourcing.allow_change = 'on';
truncate eventsourcing.events, eventsourcing.streams, eventsourcing.snapshots;
alter sequence eventsourcing.events_position restart;
"""


class TestEventStore(
    EventStoreContract,
    PagedEventStoreContract,
    ImportingEventStoreContract,
    InspectableEventStoreContract,
):
    examples = 30  # each example empties a real database

    @pytest.fixture
    def open_store(self, contract_url: str) -> OpenEventStore:
        @asynccontextmanager
        async def open_empty(codec: EventCodec) -> AsyncIterator[EventStore]:
            async with asyncpg.create_pool(contract_url, min_size=1, max_size=10) as pool:
                await pool.execute(_EMPTY)
                async with PostgresEventStore(pool, codec) as store:
                    yield store

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
