"""What follows in this library: a view and projections that count events by stream."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Sequence  # noqa: TC003 - the hints of handlers are read while it runs
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg

from benchmarks._measure import Deposited  # noqa: TC001 - as above
from benchmarks.projections.apart import Figures, Watch
from benchmarks.projections.log import fill
from eventsourcing_core import Projection, RecordedEvent, View, open_backend

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import Backend

    Connection = asyncpg.Connection[asyncpg.Record]

PATIENCE = 900.0  # seconds until a projection that does not arrive is taken for stuck
TABLE = 'create table counts (stream_id text collate "C" primary key, events bigint not null)'
ADD_ONE = """
insert into counts values ($1, 1)
on conflict (stream_id) do update set events = counts.events + 1
"""
ADD_MANY = """
insert into counts (stream_id, events)
select * from unnest($1::text[], $2::bigint[])
on conflict (stream_id) do update set events = counts.events + excluded.events
"""


class CountView(View[int]):
    """A number for each stream, kept by the store."""

    name = "count-view"

    def evolve(self, value: int | None, event: RecordedEvent[Deposited]) -> int:  # noqa: ARG002 - it is one
        """Count one."""
        return (value or 0) + 1


class CountByPage(Projection["Connection"]):
    """A table of its own, one statement for all events at hand."""

    name = "count-by-page"

    async def create(self, connection: Connection) -> None:
        """Make the table."""
        await connection.execute(TABLE)

    async def apply_many(
        self, events: Sequence[RecordedEvent[Deposited]], connection: Connection
    ) -> None:
        """Count them."""
        counts = Counter(event.stream_id for event in events)
        await connection.execute(ADD_MANY, list(counts), list(counts.values()))


class CountOneByOne(Projection["Connection"]):
    """The same table, one statement for each event."""

    name = "count-one-by-one"

    async def create(self, connection: Connection) -> None:
        """Make the table."""
        await connection.execute(TABLE)

    async def apply(self, event: RecordedEvent[Deposited], connection: Connection) -> None:
        """Count one."""
        await connection.execute(ADD_ONE, event.stream_id)


class Waiting(Projection["Connection"]):
    """Waits for the server at each event, as heavier statements would."""

    name = "waiting"

    async def create(self, connection: Connection) -> None:
        """Make nothing."""

    async def apply(self, event: RecordedEvent[Deposited], connection: Connection) -> None:  # noqa: ARG002 - it is the same for all
        """Wait for 2 ms."""
        await connection.execute("select pg_sleep(0.002)")


BY_NAME: dict[str, Any] = {
    kind.name: kind for kind in (CountView, CountByPage, CountOneByOne, Waiting)
}


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[Backend]:
    """Open a backend as the README does, with the schema made if it is missing."""
    async with open_backend(url, migrate=True, **options) as backend:
        yield backend


def made(url: str, events: int = 0, streams: int = 1) -> int:
    """Make the store and its events; give the last position."""

    async def run() -> int:
        async with opened(url):
            return await fill(url, events, streams) if events else 0

    return asyncio.run(run())


def read_all(url: str) -> Figures:
    """Read all events, and do nothing with them."""

    async def run() -> Figures:
        async with opened(url) as backend:
            seen = 0
            with Watch() as watch:
                async for _ in backend.event_store.read_all():
                    seen += 1
            return watch.figures(seen)

    return asyncio.run(run())


def catch_up(url: str, name: str, last: int, patience: float = PATIENCE) -> Figures:
    """Follow from the beginning to a position, and forget the projection again."""

    async def run() -> Figures:
        async with opened(url) as backend:
            with Watch() as watch:
                async with backend.projector([BY_NAME[name]()]) as projector:
                    await projector.wait_for(last, name, timeout=patience)
            events = await counted(url, name)
            await backend.projections.drop(name, 1)
            return watch.figures(events)

    return asyncio.run(run())


async def counted(url: str, name: str) -> int:
    """Give how many events a projection has counted: each exactly once, or it is not worth much."""
    column = "value::bigint" if name == CountView.name else "events"
    table = "view" if name == CountView.name else "counts"
    sql = f"select sum({column}) from {name.replace('-', '_')}.{table}"  # noqa: S608 - our own names
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(sql) or 0)
    finally:
        await connection.close()


def follow(url: str, name: str, lease: float = 15.0) -> None:
    """Follow until the process is asked to end."""

    async def run() -> None:
        ended = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
        async with opened(url) as backend, backend.projector([BY_NAME[name]()], lease=lease):
            await ended.wait()

    asyncio.run(run())
