from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, TypeVar

import asyncpg
import pytest

from eventsourcing_core import open_migrator
from eventsourcing_core.testing import (
    BackendContract,
    EventStoreContract,
    MigratorContract,
    SnapshotStoreContract,
)
from eventsourcing_postgres import PostgresSnapshotStore
from eventsourcing_postgres._backend import open_postgres
from tests.eventsourcing_postgres._databases import execute

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core.stores import SnapshotStore
    from eventsourcing_core.testing import NewLocation, NewSnapshotLocation, NewUrl, OpenMigrator

T = TypeVar("T")

_EMPTY = """
set eventsourcing.allow_change = 'on';
truncate eventsourcing.events, eventsourcing.streams, eventsourcing.snapshots;
alter sequence eventsourcing.events_position restart;
"""


def emptied_at_first(
    url: str, opening: Callable[[], AbstractAsyncContextManager[T]]
) -> Callable[[], AbstractAsyncContextManager[T]]:
    """Give what opens a database again and again, and empties it the first time."""
    openings = count()

    @asynccontextmanager
    async def open_here() -> AsyncIterator[T]:
        if next(openings) == 0:
            await execute(url, _EMPTY)
        async with opening() as opened:
            yield opened

    return open_here


class TestEventStore(EventStoreContract):
    examples = 30  # each example empties a real database

    @pytest.fixture
    def new_location(self, contract_url: str) -> NewLocation:
        return lambda: emptied_at_first(
            contract_url, lambda: open_postgres(contract_url, pooler=False)
        )


class TestSnapshotStore(SnapshotStoreContract):
    @pytest.fixture
    def new_location(self, contract_url: str) -> NewSnapshotLocation:
        @asynccontextmanager
        async def open_snapshots() -> AsyncIterator[SnapshotStore]:
            async with asyncpg.create_pool(contract_url, min_size=1, max_size=10) as pool:
                store = PostgresSnapshotStore(pool)
                yield store
                store.close()

        return lambda: emptied_at_first(contract_url, open_snapshots)


_schemas = count(1)


class TestMigrator(MigratorContract):
    @pytest.fixture
    def open_migrator(self, contract_url: str) -> OpenMigrator:
        return lambda: open_migrator(contract_url, schema=f"migrated {next(_schemas)}")


class TestBackend(BackendContract):
    @pytest.fixture
    def new_url(self, contract_url: str) -> NewUrl:
        number = next(_schemas)
        return lambda name: f"{contract_url}?schema=opened%20{number}%20{name}"
