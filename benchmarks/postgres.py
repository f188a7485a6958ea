"""PostgreSQL: appending and reading, beside the textbook transaction and the bare driver."""

from __future__ import annotations

import asyncio
import time
from itertools import count
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import msgpack

from benchmarks._bare import COLUMNS, INSERT, TABLES
from benchmarks._measure import (
    Deposited,
    Purse,
    deposits,
    report,
    resident_megabytes,
    take_turns,
)
from benchmarks.peers import payload
from eventsourcing_core import open_backend
from tests.eventsourcing_postgres._databases import RUN, temporary_database
from tests.eventsourcing_postgres._server import running_server

if TYPE_CHECKING:
    from benchmarks._measure import Side
    from eventsourcing_core import Backend

    Pool = asyncpg.Pool[asyncpg.Record]

POOL = 10
TASKS = 64
APPENDS = 6_400
ONE_BY_ONE = 5_000  # a second or more: the first thousand after another side are slower
EVENTS = 10_000
MILLION = 1_000_000
WRITERS = 8

STREAM = "select event_type, data from eventsourcing.events where stream_id = $1 order by version"
POSITION = "select last_value from eventsourcing.events_position"
PAGE = """
select event_type, data, metadata, encoding, uuid_send(event_id), "timestamp",
    stream_id, version, position
from eventsourcing.events where position > $1 order by position limit $2
"""
numbers = count(1)


async def main(rounds: int = 7) -> None:
    """Measure in a database of its own, which is dropped afterwards."""
    with running_server() as server, temporary_database(server, f"{RUN}_bench") as url:
        await measure(url, rounds)


async def measure(url: str, rounds: int) -> None:
    """Measure in an empty database."""
    async with asyncpg.create_pool(url, min_size=POOL, max_size=POOL) as pool:
        await pool.execute(TABLES)
        async with open_backend(
            url, serializer="msgpack", min_size=POOL, max_size=POOL, migrate=True
        ) as backend:
            await appends(backend, pool, rounds)
            await loads(backend, pool, rounds)
            await reads(backend, pool)
            await horizon(url, pool, rounds)


def row() -> tuple[Any, ...]:
    """Make the row of an event in a stream of its own, as the driver takes it."""
    data = msgpack.packb(payload.values(1))
    now = time.time_ns() // 1000
    return (f"bare-{next(numbers)}", 1, uuid4(), payload.EVENT_TYPE, data, "msgpack", now)


# Appending.
async def appends(backend: Backend, pool: Pool, rounds: int) -> None:
    """Measure; targets: 8 times the textbook, 0.8 of the bare INSERT, half of COPY."""
    sides: dict[str, Side] = {
        "textbook transaction": together(lambda: textbook(pool), APPENDS, TASKS),
        "append": together(lambda: append(backend), APPENDS, TASKS),
    }
    report(
        f"{TASKS} tasks append single events to streams of their own, pool of {POOL}",
        await take_turns(sides, rounds),
        count=APPENDS,
        unit="events",
    )
    async with pool.acquire() as connection:
        sides = {
            "INSERT on one connection": together(
                lambda: connection.execute(INSERT, *row()), ONE_BY_ONE, 1
            ),
            "append": together(lambda: append(backend), ONE_BY_ONE, 1),
        }
        report(
            "One task appends single events, one after the other",
            await take_turns(sides, rounds),
            count=ONE_BY_ONE,
            unit="events",
        )
    sides = {
        "copy_records_to_table, the same indexes": lambda: copy(pool),
        "append": lambda: append(backend, EVENTS),
    }
    report(
        f"{EVENTS:,} events in one append",
        await take_turns(sides, rounds),
        count=EVENTS,
        unit="events",
    )


def together(act: Any, times: int, tasks: int) -> Side:
    """Do something so many times, in so many tasks."""

    async def one_task() -> None:
        for _ in range(times // tasks):
            await act()

    async def run() -> None:
        await asyncio.gather(*(one_task() for _ in range(tasks)))

    return run


async def textbook(pool: Pool) -> None:
    """Append as a textbook does: look, compare, insert, count, commit."""
    values = row()
    async with pool.acquire() as connection, connection.transaction():
        found = await connection.fetchval(
            "select version from bare_streams where id = $1 for update", values[0]
        )
        if found is not None:
            raise AssertionError(found)
        await connection.execute(INSERT, *values)
        await connection.execute("insert into bare_streams values ($1, 1)", values[0])


async def append(backend: Backend, number: int = 1) -> None:
    """Make events and append them to a new stream."""
    stream_id = f"new-{next(numbers)}"
    await backend.event_store.append(stream_id, deposits(number), expected_version=0)


async def copy(pool: Pool) -> None:
    """Make as many rows of one stream and copy them in, as fast as the driver can."""
    stream_id = f"copied-{next(numbers)}"
    records = [(stream_id, number, *row()[2:]) for number in range(1, EVENTS + 1)]
    await pool.copy_records_to_table("bare_events", records=records, columns=COLUMNS)


# Reading.
async def loads(backend: Backend, pool: Pool, rounds: int) -> None:
    """Measure; targets: under 100 ms, and 1.5 times the bare fetch and decoding."""
    await backend.event_store.append("Purse-1", deposits(EVENTS), expected_version=0)
    await pool.execute("vacuum analyze eventsourcing.events")
    repository = backend.repository(Purse, snapshot_frequency=None)

    async def bare() -> None:
        for _, data in await pool.fetch(STREAM, "Purse-1"):
            Deposited(**msgpack.unpackb(data))

    async def load() -> None:
        account = await repository.load("1")
        if account.version != EVENTS:
            raise AssertionError(account.version)

    sides: dict[str, Side] = {"fetch, unpackb, the dataclass": bare, "load": load}
    seconds = await take_turns(sides, 3 * rounds)
    report(f"Load an aggregate of {EVENTS:,} typed events", seconds, count=EVENTS, unit="events")


async def reads(backend: Backend, pool: Pool) -> None:
    """Measure; targets: 0.7 of bare pages, 50 MB of growth, a tenth for the horizon."""
    there = await pool.fetchval("select count(*) from eventsourcing.events")
    for number in range(-(-(MILLION - there) // EVENTS)):
        await backend.event_store.append(f"bulk-{number}", deposits(EVENTS), expected_version=0)
    await pool.execute("vacuum analyze eventsourcing.events")
    total = await pool.fetchval("select count(*) from eventsourcing.events")
    before, most = resident_megabytes(), 0.0

    async def ours() -> None:
        nonlocal most
        seen = 0
        async for _ in backend.event_store.read_all():
            seen += 1
            if seen % EVENTS == 0:
                most = max(most, resident_megabytes())
        if seen != total:
            raise AssertionError(seen)

    sides: dict[str, Side] = {
        "keyset pages, unpackb, the dataclass": lambda: keyset_pages(pool, decode=True),
        "keyset pages, not decoded": lambda: keyset_pages(pool, decode=False),
        "read_all": ours,
    }
    seconds = await take_turns(sides, 3)
    report(f"Read {total:,} events of all streams", seconds, count=total, unit="events")
    print(f"  resident memory grew by {most - before:.1f} MB at the most during read_all")


async def keyset_pages(pool: Pool, *, decode: bool) -> None:
    """Read the same columns in pages of 5,000 with the bare driver."""
    cursor = 0
    while rows := await pool.fetch(PAGE, cursor, 5000):
        cursor = rows[-1][8]
        if decode:
            for values in rows:
                Deposited(**msgpack.unpackb(values[1]))


async def horizon(url: str, pool: Pool, rounds: int) -> None:
    """Measure while another process appends; a target is a tenth of a page."""
    writer = get_context("spawn").Process(target=append_for_ever, args=(url,), daemon=True)
    writer.start()
    try:
        async with pool.acquire() as connection, asyncio.timeout(60):

            async def page() -> None:
                await connection.fetch(PAGE, 0, 5000)

            async def look() -> None:
                await connection.fetchval("select eventsourcing.horizon()")

            async def nothing() -> None:
                await connection.fetchval("select 1")

            before = await connection.fetchval(POSITION)
            while await connection.fetchval(POSITION) == before:  # noqa: ASYNC110 - it starts
                await asyncio.sleep(0.01)
            sides: dict[str, Side] = {
                "a page of 5,000": page,
                # Whatever comes next takes a millisecond longer: it is no cost of the horizon.
                "select 1, right after a page": nothing,
                "the horizon": look,
                "select 1": nothing,
            }
            seconds = await take_turns(sides, 5 * rounds)
    finally:
        writer.kill()
        writer.join()
    report(f"The horizon while {WRITERS} tasks append", seconds, count=1, unit="looks")


def append_for_ever(url: str) -> None:
    """Append in several tasks until this process is ended."""

    async def go_on(backend: Backend) -> None:
        while True:
            stream_id = f"written-{uuid4()}"
            await backend.event_store.append(stream_id, deposits(1), expected_version=0)

    async def run() -> None:
        async with open_backend(url, serializer="msgpack") as backend:
            await asyncio.gather(*(go_on(backend) for _ in range(WRITERS)))

    asyncio.run(run())
