"""SQLite: shared commits beside one commit per append, and loading beside the bare driver."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgpack

from benchmarks._measure import Deposited, Purse, deposits, report, take_turns
from eventsourcing_core import open_backend

if TYPE_CHECKING:
    from benchmarks._measure import Side
    from eventsourcing_core import Backend

TASKS = 64
APPENDS = 1_280
EVENTS = 10_000


async def main(rounds: int = 5) -> None:
    """Measure; a target is five times the rate for 64 tasks that share commits."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        async with open_backend(f"sqlite:///{path}", serializer="msgpack") as backend:
            sides = {
                "one task: one commit per append": appending(backend, 1),
                "64 tasks: shared commits": appending(backend, TASKS),
            }
            seconds = await take_turns(sides, rounds)
            report("Append single events", seconds, count=APPENDS, unit="events")

            store = backend.event_store
            await store.append("Purse-1", deposits(EVENTS), expected_version=0)
            sides = {
                "sqlite3 fetchall, unpackb, the dataclass": bare(path),
                "load": loading(backend),
            }
            seconds = await take_turns(sides, rounds)
            report("Load an aggregate of 10,000 typed events", seconds, count=EVENTS, unit="events")


def appending(backend: Backend, tasks: int) -> Side:
    """Append single events to new streams; the tasks share the number."""
    names = count()

    async def one_task() -> None:
        for _ in range(APPENDS // tasks):
            stream_id = f"{tasks}-{next(names)}"
            await backend.event_store.append(stream_id, deposits(1), expected_version=0)

    async def run() -> None:
        await asyncio.gather(*(one_task() for _ in range(tasks)))

    return run


def bare(path: Path) -> Side:
    """Fetch and decode the same rows with the driver alone."""
    query = "select event_type, data from events where stream_id = 'Purse-1' order by version"

    async def run() -> None:
        with closing(sqlite3.connect(path)) as connection:
            for _, data in connection.execute(query).fetchall():
                Deposited(**msgpack.unpackb(data))

    return run


def loading(backend: Backend) -> Side:
    """Load the aggregate."""
    repository = backend.repository(Purse, snapshot_frequency=None)

    async def run() -> None:
        account = await repository.load("1")
        if account.version != EVENTS:
            raise AssertionError(account.version)

    return run
