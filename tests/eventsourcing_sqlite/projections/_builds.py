"""Short ways to open projection stores and to work on builds."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any
from uuid import UUID

from eventsourcing_core import Checkpoint
from eventsourcing_core.stores import (
    Arrangement,
    Batch,
    Build,
    BuildSpec,
    Move,
    Plan,
    Progress,
    ProjectionKind,
    Segment,
    Worker,
)
from eventsourcing_sqlite import SqliteDatabase
from eventsourcing_sqlite._projections.store import SqliteProjectionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

START = Progress(0, None)
ORDERS = Build("orders", 1)
NEXT = Build("orders", 2)
VIEW = BuildSpec(ORDERS, ProjectionKind.VIEW, "Orders", ("status", "o'clock"))
BALANCES = BuildSpec(Build("balances", 1), ProjectionKind.PROJECTION, "Balances")


@asynccontextmanager
async def opened(path: Path, *, busy_timeout: float = 5.0) -> AsyncIterator[SqliteProjectionStore]:
    async with SqliteDatabase.open(path, busy_timeout=busy_timeout) as database:
        yield SqliteProjectionStore(database)


def at(position: int) -> Progress:
    return Progress(position, Checkpoint(position, UUID(int=position)))


async def create_balances(connection: Any) -> None:
    await connection.execute("create table balance (account text primary key, cents integer)")


async def register(
    store: SqliteProjectionStore,
    spec: BuildSpec = VIEW,
    create: Callable[[Any], Awaitable[None]] | None = None,
) -> None:
    if spec.kind is ProjectionKind.PROJECTION and create is None:
        create = create_balances
    await store.register(spec, segments=2, start=START, create=create)


def nothing(arrangement: Arrangement) -> Plan:
    assert arrangement.segments
    return Plan()


def take_free(arrangement: Arrangement) -> Plan:
    lows = {segment.low for segment in arrangement.segments}
    return Plan(take=frozenset(lows - arrangement.owners.keys()))


async def take(
    store: SqliteProjectionStore, owner: str = "a", build: Build = ORDERS
) -> tuple[Segment, ...]:
    arrangement = await store.beat(build, Worker(owner, None, None), 600, take_free)
    return tuple(s for s in arrangement.segments if arrangement.owners.get(s.low) == owner)


async def segments_of(store: SqliteProjectionStore, build: Build = ORDERS) -> tuple[Segment, ...]:
    return (await store.arrangement(build)).segments


def batch_to(
    store: SqliteProjectionStore,
    segments: Iterable[Segment],
    position: int,
    build: Build = ORDERS,
) -> AbstractAsyncContextManager[Batch]:
    return store.batch(build, Move(tuple(segments), at(position)), lease=600)


async def put(
    store: SqliteProjectionStore, values: Mapping[str, str], build: Build = ORDERS
) -> None:
    """Set values, in a batch that moves all segments by one."""
    segments = await segments_of(store, build)
    to = segments[0].progress.position + 1
    async with batch_to(store, segments, to, build) as batch:
        await batch.put(values)


def execute(path: Path, sql: str) -> None:
    """Change a file as nobody should, with the driver alone."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(sql)
