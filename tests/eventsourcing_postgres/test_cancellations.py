"""Cancellations: whoever is cancelled ends, though the connection is lost at the same time."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import eventsourcing_postgres
from eventsourcing_core import open_backend
from eventsourcing_postgres._connections import transacted
from tests.eventsourcing_postgres._storages import storage_of
from tests.eventsourcing_postgres.projections._builds import (
    BALANCES,
    LEASE,
    at,
    make_tables,
    move_all,
    opened,
    register_projection,
    take_all,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from eventsourcing_postgres._pool import Connection

    Stuck = Callable[[Any], Coroutine[Any, Any, None]]
    Way = Callable[[str, Stuck], Coroutine[Any, Any, None]]

ROOM = Path(eventsourcing_postgres.__file__).parent


async def register(url: str, stuck: Stuck) -> None:
    async with opened(url) as store:
        await register_projection(store, BALANCES, stuck)


async def open_savepoint(url: str, stuck: Stuck) -> None:
    async with opened(url) as store:
        await make_tables(store)
        move = move_all(await take_all(store, BALANCES), at(1))
        async with store.batch(BALANCES, move, lease=LEASE) as batch, batch.savepoint():
            await stuck(batch.connection)


async def use(url: str, stuck: Stuck) -> None:
    async with open_backend(url) as backend:
        database = storage_of(backend.event_store)._database
        database._is_strict = True
        await database.use("load", database.isolated, stuck)


async def transact(url: str, stuck: Stuck) -> None:
    async def work(connection: Connection) -> None:
        async with transacted(connection):
            await stuck(connection)

    async with open_backend(url) as backend:
        await storage_of(backend.event_store)._database.use("load", work)


@pytest.mark.parametrize("way", [register, open_savepoint, use, transact])
async def test_whoever_is_cancelled_on_a_lost_connection_ends(url: str, way: Way) -> None:
    is_stuck = asyncio.Event()

    async def stuck(connection: Any) -> None:
        connection.terminate()
        is_stuck.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(way(url, stuck))
    await asyncio.wait_for(is_stuck.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


def test_transactions_are_opened_where_that_is_so() -> None:
    opening = re.compile(r"async with [\w.]*connection\.transaction\(")
    rooms = {file.name for file in ROOM.rglob("*.py") if opening.search(file.read_text("utf-8"))}
    assert rooms == {"_connections.py"}
