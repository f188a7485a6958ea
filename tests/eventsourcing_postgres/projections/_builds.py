"""Builds for the tests, and how they are worked on."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from eventsourcing_core import Checkpoint
from eventsourcing_core.stores import (
    Arrangement,
    Build,
    BuildSpec,
    Move,
    Plan,
    Progress,
    ProjectionKind,
    Worker,
)
from eventsourcing_postgres._backend import open_postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    from eventsourcing_core.stores import BuildRecord, ProjectionStore

    Pool = asyncpg.Pool[asyncpg.Record]

START = Progress(0, None)
LEASE = 60.0
ORDERS = Build("customer-orders", 1)
BALANCES = Build("balances", 1)
NOBODY = Plan()


@asynccontextmanager
async def opened(
    url: str, *, schema: str = "eventsourcing", max_size: int = 10
) -> AsyncIterator[ProjectionStore]:
    """Open the projection store of a backend."""
    async with open_postgres(
        url, schema=schema, migrate=True, max_size=max_size, pooler=False
    ) as parts:
        assert parts.projection_store is not None
        yield parts.projection_store


def at(position: int) -> Progress:
    """Give a progress."""
    return Progress(position, Checkpoint(position, UUID(int=position)))


async def make_view(
    store: ProjectionStore,
    build: Build = ORDERS,
    *,
    segments: int = 1,
    indexes: tuple[str, ...] = (),
) -> BuildRecord:
    """Register a view."""
    spec = BuildSpec(build, ProjectionKind.VIEW, "Orders", indexes)
    return await store.register(spec, segments=segments, start=START, create=None)


async def make_tables(
    store: ProjectionStore,
    build: Build = BALANCES,
    *,
    segments: int = 1,
    sql: str = "create table balance (account text primary key, cents bigint not null)",
) -> BuildRecord:
    """Register a projection with tables of its own."""

    async def create(connection: asyncpg.Connection[asyncpg.Record]) -> None:
        await connection.execute(sql)

    return await register_projection(store, build, create, segments=segments)


async def register_projection(
    store: ProjectionStore,
    build: Build,
    create: Callable[[Any], Awaitable[None]],
    *,
    segments: int = 1,
) -> BuildRecord:
    """Register a projection that makes its tables in this way."""
    spec = BuildSpec(build, ProjectionKind.PROJECTION, "Balances")
    return await store.register(spec, segments=segments, start=START, create=create)


async def take_all(store: ProjectionStore, build: Build, owner: str = "a") -> Arrangement:
    """Let a worker claim every segment that nobody else has."""

    def plan(found: Arrangement) -> Plan:
        free = {each.low for each in found.segments if each.low not in found.owners}
        return Plan(take=frozenset(free))

    return await store.beat(build, Worker(owner, None, None), LEASE, plan)


def move_all(arrangement: Arrangement, to: Progress) -> Move:
    """Move all segments."""
    return Move(arrangement.segments, to)


async def put(store: ProjectionStore, build: Build, to: int, **values: str | None) -> None:
    """Set values of a view in a batch that moves it."""
    move = move_all(await store.arrangement(build), at(to))
    async with store.batch(build, move, lease=LEASE) as batch:
        await batch.put(values)


async def positions(store: ProjectionStore, build: Build) -> list[int]:
    """Give how far the segments are."""
    return [each.progress.position for each in (await store.arrangement(build)).segments]


async def until_waiting(pool: Pool | PoolConnectionProxy[asyncpg.Record], count: int = 1) -> None:
    """Wait until so many sessions of this database wait for a lock."""
    sql = """
        select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'
    """
    async with asyncio.timeout(10):
        while await pool.fetchval(sql) < count:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)


async def until_gone(pool: Pool, pid: int) -> None:
    """Wait until a session has ended."""
    sql = "select count(*) from pg_stat_activity where pid = $1"
    async with asyncio.timeout(10):
        while await pool.fetchval(sql, pid):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
