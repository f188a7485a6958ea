"""Where events and read models live: a server of its own, or files."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import aiosqlite
import asyncpg

from tests.eventsourcing_postgres._server import Server
from tests.projections_under_load._histories import Applied, Reading
from tests.projections_under_load._proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path
    from random import Random

    Ask = Callable[[str, str], Awaitable[list[tuple[Any, ...]]]]
    """Asks the live build of a projection; ``{}`` stands before a table's name."""

ENTRIES = "select event_id, key, position from {}entry order by serial"
COUNTS = "select event_id, count from {}applied"
READING = "select build, key, count(*) from {}entry group by build, key"
FILE = "select file from projections where name = ? and state = 'live'"
TERMINATE = """
select pg_terminate_backend(pid) from pg_stat_activity
where backend_type = 'client backend' and pid <> pg_backend_pid() and random() < 0.5
"""


class Place(Protocol):
    """A store of events, and the read models beside it."""

    @property
    def url(self) -> str:
        """The URL of the store."""
        ...

    @property
    def storms(self) -> Mapping[str, Callable[[Random], Awaitable[None]]]:
        """What befalls the store itself, by name."""
        ...

    def proxy(self) -> Proxy | None:
        """Give a proxy that a worker goes through; None if there is no way to it."""
        ...

    def connected(self) -> AbstractAsyncContextManager[Ask]:
        """Give what asks live builds, again and again."""
        ...

    async def is_free(self) -> bool:
        """Tell whether nobody is within a write that keeps all others from writing."""
        ...


async def rows_of(place: Place, sql: str, name: str) -> list[tuple[Any, ...]]:
    """Ask the live build of a projection once."""
    async with place.connected() as ask:
        return await ask(sql, name)


async def entries_of(place: Place, name: str) -> list[Applied]:
    """Give what a projection has applied, in that order."""
    return [Applied(*row) for row in await rows_of(place, ENTRIES, name)]


async def counts_in(place: Place, name: str) -> dict[str, int]:
    """Give how often a projection has applied each event."""
    return dict(await rows_of(place, COUNTS, name))


async def reading_of(ask: Ask) -> Reading:
    """Read the live ledger, as anybody does."""
    rows = await ask(READING, "ledger")
    return Reading(frozenset(row[0] for row in rows), {row[1]: row[2] for row in rows})


class PostgresPlace:
    """A database.

    Args:
        url: Its URL.
        server: Its server, which may be killed; None: it is not ours.
    """

    def __init__(self, url: str, server: Server | None = None) -> None:
        self._server = server
        self.url = url
        self.storms = {"restart": self._restart, "terminate": self._terminate}

    def proxy(self) -> Proxy:
        return Proxy(self.url)

    async def is_free(self) -> bool:
        return True

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Ask]:
        connection = await asyncpg.connect(self.url)

        async def ask(sql: str, name: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in await connection.fetch(sql.format(f"{name}."))]

        try:
            yield ask
        finally:
            connection.terminate()

    async def _restart(self, _: Random) -> None:
        assert self._server
        await asyncio.to_thread(self._server.kill)
        await asyncio.to_thread(self._server.start)

    async def _terminate(self, _: Random) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(TERMINATE)
        finally:
            connection.terminate()


class SqlitePlace:
    """Files in a folder.

    Args:
        folder: An empty one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = f"sqlite:///{folder / 'events.db'}?busy_timeout=10"
        self.storms = {"lock": self._lock}

    def proxy(self) -> None:
        return None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Ask]:
        async def ask(sql: str, name: str) -> list[tuple[Any, ...]]:
            ((file,),) = await self._fetched("events.db", FILE, name)
            return await self._fetched(file, sql.format(""))

        yield ask

    async def is_free(self) -> bool:
        for file in self._folder.glob("*.db*"):
            if file.name.endswith(("-wal", "-shm")):
                continue
            async with aiosqlite.connect(file, isolation_level=None, timeout=0) as connection:
                try:
                    await connection.execute("begin immediate")
                    await connection.execute("rollback")
                except aiosqlite.OperationalError:
                    return False
        return True

    async def _lock(self, random: Random) -> None:
        """Hold the lock of one file for a while, as a tool beside the workers may."""
        file = random.choice(sorted(self._folder.glob("*.db")))
        async with aiosqlite.connect(file, isolation_level=None, timeout=10) as connection:
            await connection.execute("begin immediate")
            await asyncio.sleep(random.uniform(0.2, 3))
            await connection.execute("rollback")

    async def _fetched(self, file: str, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        async with aiosqlite.connect(self._folder / file, timeout=10) as connection:
            return [tuple(row) for row in await connection.execute_fetchall(sql, parameters)]


@contextmanager
def running_server() -> Iterator[PostgresPlace]:
    """Start a server of its own; it is stopped at the end."""
    server = Server(settings={"fsync": "off"})  # nobody pulls a plug here
    try:
        server.start()
        yield PostgresPlace(server.url(), server)
    finally:
        server.stop()
