"""Snapshots: loading with and without them, and a stream of a million events."""

from __future__ import annotations

import sqlite3
import statistics
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import msgpack

from benchmarks._measure import (
    Deposited,
    Purse,
    deposits,
    report,
    resident_megabytes,
    take_turns,
)
from eventsourcing_core import OnDemand, open_backend
from tests.eventsourcing_postgres._databases import RUN, temporary_database
from tests.eventsourcing_postgres._server import running_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractAsyncContextManager

    from benchmarks._measure import Side
    from eventsourcing_core import Backend, Repository

EVENTS = 10_000
SHORT = 10
MILLION = 1_000_000
BATCH = 10_000  # events in one append
PAGE = 5_000
LONG_STREAM = "Purse-long"


async def main(rounds: int = 15) -> None:
    """Measure; a target is three times the load of ten events for a million with a snapshot."""
    with TemporaryDirectory() as folder, postgres_database() as postgres:
        sqlite = f"sqlite:///{folder}/bench.db"
        for url in ("memory://", sqlite, postgres):
            async with opened(url) as backend:
                await with_and_without(backend, rounds)
                await cost_of_asking(backend, rounds)
                await cost_of_taking(backend, rounds)
        for url, bare in ((sqlite, sqlite_pages), (postgres, postgres_pages)):
            async with opened(url) as backend:
                await a_million(backend, url, bare, rounds)


@contextmanager
def postgres_database() -> Iterator[str]:
    """Give the URL of an empty database."""
    with running_server() as server, temporary_database(server, f"{RUN}_bench") as url:
        yield url


def opened(url: str) -> AbstractAsyncContextManager[Backend]:
    """Open a backend as the benchmarks do."""
    query = "?migrate=true" if url.startswith("postgresql") else ""
    return open_backend(f"{url}{query}", serializer="msgpack")


def loading(repository: Repository[Purse], id: str, version: int) -> Side:  # noqa: A002 - as there
    """Load an aggregate that has so many events."""

    async def run() -> None:
        account = await repository.load(id)
        if account.version != version:
            raise AssertionError(account.version)

    return run


async def with_and_without(backend: Backend, rounds: int) -> None:
    """Load the same aggregate from all its events, and from a snapshot and the events after it."""
    store = backend.event_store
    await store.append("Purse-1", deposits(EVENTS - 50), expected_version=0)
    with_snapshots = backend.repository(Purse, snapshot_frequency=OnDemand())
    await with_snapshots.take_snapshot(await with_snapshots.load("1"))
    await store.append("Purse-1", deposits(50), expected_version=EVENTS - 50)
    without = backend.repository(Purse, snapshot_frequency=None)
    sides = {
        "all events": loading(without, "1", EVENTS),
        "a snapshot, and 50 events after it": loading(with_snapshots, "1", EVENTS),
    }
    title = f"{backend.name}: load an aggregate of {EVENTS:,} events"
    report(title, await take_turns(sides, rounds), count=1, unit="loads")


async def cost_of_asking(backend: Backend, rounds: int) -> None:
    """Load a short aggregate, with and without a snapshot; a target is 1.15 with one."""
    await backend.event_store.append("Purse-short", deposits(SHORT), expected_version=0)
    on_demand = backend.repository(Purse, snapshot_frequency=OnDemand())
    await backend.event_store.append("Purse-snapped", deposits(EVENTS), expected_version=0)
    await on_demand.take_snapshot(await on_demand.load("snapped"))
    await backend.event_store.append("Purse-snapped", deposits(SHORT), expected_version=EVENTS)
    off = loading(backend.repository(Purse, snapshot_frequency=None), "short", SHORT)
    on = loading(backend.repository(Purse), "short", SHORT)
    sides = {
        "snapshots off": off,
        "snapshots on, none there": on,
        f"a snapshot, and {SHORT} events after it": loading(on_demand, "snapped", EVENTS + SHORT),
    }
    seconds = await take_turns(sides, 20 * rounds)
    report(f"{backend.name}: load an aggregate of {SHORT} events", seconds, count=1, unit="loads")


async def cost_of_taking(backend: Backend, rounds: int) -> None:
    """Save one event, with and without a snapshot after it."""

    def saving(repository: Repository[Purse]) -> Side:
        async def run() -> None:
            for _ in range(20):
                account = Purse(uuid4().hex)
                account.deposit()
                await repository.save(account)

        return run

    sides = {
        "no snapshots": saving(backend.repository(Purse, snapshot_frequency=None)),
        "snapshots, none of them due": saving(backend.repository(Purse)),
        "a snapshot at each save": saving(backend.repository(Purse, snapshot_frequency=1)),
    }
    seconds = await take_turns(sides, rounds)
    report(f"{backend.name}: save one event, 20 times", seconds, count=20, unit="saves")


async def a_million(backend: Backend, url: str, bare: Any, rounds: int) -> None:
    """Load a stream of a million events from a snapshot, beside one of ten; and replay it."""
    store = backend.event_store
    for version in range(0, MILLION, BATCH):
        await store.append(LONG_STREAM, deposits(BATCH), expected_version=version)
    repository = backend.repository(Purse, snapshot_frequency=OnDemand())
    before, most = resident_megabytes(), 0.0

    class Watched(Purse):
        """Looks at the memory of the process now and then."""

        category = Purse.category
        seen = 0

        def apply(self, event: Any) -> None:
            nonlocal most
            super().apply(event)
            Watched.seen += 1
            if Watched.seen % BATCH == 0:
                most = max(most, resident_megabytes())

    await backend.repository(Watched, snapshot_frequency=None).load("long")
    replaying = backend.repository(Purse, snapshot_frequency=None)

    async def bare_pages() -> None:
        seen = 0
        async for rows in bare(url):
            for _, data, _ in rows:
                Deposited(**msgpack.unpackb(data))
                seen += 1
        if seen != MILLION:
            raise AssertionError(seen)

    sides: dict[str, Side] = {
        "pages of the bare driver, decoded": bare_pages,
        "load, every event": loading(replaying, "long", MILLION),
    }
    title = f"{backend.name}: replay a stream of {MILLION:,} events"
    report(title, await take_turns(sides, 3), count=MILLION, unit="events")
    print(f"  resident memory grew by {most - before:.1f} MB at the most during the replay")
    await repository.take_snapshot(await repository.load("long"))
    sides = {
        f"{SHORT} events": loading(repository, "short", SHORT),
        f"{MILLION:,} events, with a snapshot": loading(repository, "long", MILLION),
    }
    seconds = await take_turns(sides, 10 * rounds)
    report(f"{backend.name}: load an aggregate", seconds, count=1, unit="loads")


async def sqlite_pages(url: str) -> AsyncIterator[list[Any]]:
    """Read the long stream in keyset pages with the bare driver."""
    sql = """
        select event_type, data, version from events
        where stream_id = ? and version > ? order by version limit ?
    """
    with closing(sqlite3.connect(Path(url.removeprefix("sqlite:///")))) as connection:
        cursor = 0
        while rows := connection.execute(sql, (LONG_STREAM, cursor, PAGE)).fetchall():
            yield rows
            cursor = rows[-1][2]


async def postgres_pages(url: str) -> AsyncIterator[list[Any]]:
    """Read the long stream in keyset pages with the bare driver."""
    sql = """
        select event_type, data, version from eventsourcing.events
        where stream_id = $1 and version > $2 order by version limit $3
    """
    connection = await asyncpg.connect(url)
    try:
        cursor = 0
        while rows := await connection.fetch(sql, LONG_STREAM, cursor, PAGE):
            yield rows
            cursor = rows[-1][2]
    finally:
        await connection.close()


# The plot of the documentation.
AFTER = (0, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
PLOT = Path("docs/images/snapshot-frequency.svg")


async def plot(rounds: int = 15) -> None:
    """Draw how long a load takes by the number of events after the snapshot, into the docs."""
    import matplotlib as mpl  # noqa: PLC0415 - only this needs it: uv sync --group plots
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    mpl.rcParams["svg.hashsalt"] = "the same file for the same figures"
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    with TemporaryDirectory() as folder, postgres_database() as postgres:
        for url in ("memory://", f"sqlite:///{folder}/bench.db", postgres):
            async with opened(url) as backend:
                axes.plot(
                    AFTER, await milliseconds(backend, rounds), marker="o", label=backend.name
                )
    axes.set_xlabel("events after the snapshot")
    axes.set_ylabel("milliseconds to load, median")
    axes.grid(alpha=0.3)
    axes.legend()
    PLOT.parent.mkdir(exist_ok=True)
    figure.savefig(PLOT, metadata={"Date": None})
    print(f"\nwrote {PLOT}")


async def milliseconds(backend: Backend, rounds: int) -> list[float]:
    """Measure loads with more and more events after the snapshot."""
    repository = backend.repository(Purse, snapshot_frequency=OnDemand())
    sides: dict[str, Side] = {}
    for after in AFTER:
        id_ = f"after-{after}"
        stream_id = Purse.stream_id_of(id_)
        await backend.event_store.append(stream_id, deposits(100), expected_version=0)
        await repository.take_snapshot(await repository.load(id_))
        if after:
            await backend.event_store.append(stream_id, deposits(after), expected_version=100)
        sides[f"{after:,} events after the snapshot"] = loading(repository, id_, 100 + after)
    seconds = await take_turns(sides, rounds)
    report(f"{backend.name}: load from a snapshot", seconds, count=1, unit="loads")
    return [statistics.median(values) * 1000 for values in seconds.values()]
