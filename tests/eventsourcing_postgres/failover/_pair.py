"""A primary and its synchronous standby, which can be cut off, and can take over."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

import asyncpg

from tests.eventsourcing_postgres._databases import run_apart
from tests.eventsourcing_postgres._server import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    Connection = asyncpg.Connection[asyncpg.Record]

DEADLINE = 30.0  # seconds until something counts as never happening
SETTINGS = {
    "synchronous_standby_names": "walreceiver",  # as a standby calls itself; a base backup does not
    "synchronous_commit": "remote_apply",  # so that what is confirmed can be read there
    "wal_retrieve_retry_interval": "50ms",
    "fsync": "off",  # nobody pulls a plug here
}
IN_STEP = "select count(*) = 1 from pg_stat_replication where sync_state = 'sync'"
SENDERS = "select pid from pg_stat_replication where application_name = 'walreceiver'"
WAITING = "select pid from pg_stat_activity where wait_event = 'SyncRep'"


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait until something is so; nobody tells."""
    async with asyncio.timeout(DEADLINE):
        while not await condition():  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.005)


class Pair:
    """A primary, and its synchronous standby.

    Args:
        primary: A server that runs.
        standby: One that follows it.
    """

    def __init__(self, primary: Server, standby: Server) -> None:
        self.primary = primary
        self.standby = standby

    @property
    def url(self) -> str:
        """The URL of whichever is the primary, as a program has it that survives a failover."""
        hosts = ",".join(
            f"127.0.0.1:{port}" for port in sorted((self.primary.port, self.standby.port))
        )
        return f"postgresql://postgres@{hosts}/postgres?target_session_attrs=primary"

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        """Connect to the primary."""
        connection = await asyncpg.connect(self.primary.url())
        try:
            yield connection
        finally:
            connection.terminate()

    async def get_in_step(self) -> None:
        """Wait until the standby confirms what the primary commits."""
        async with self.connected() as connection:
            await until(lambda: connection.fetchval(IN_STEP))

    @asynccontextmanager
    async def without_standby(self) -> AsyncIterator[Connection]:
        """Let nothing go to the standby; give a connection to the primary.

        The sender stands still, so the standby has not even received what it lacks.
        """
        async with self.connected() as connection:
            senders = [row[0] for row in await connection.fetch(SENDERS)]
            for pid in senders:
                os.kill(pid, signal.SIGSTOP)
            try:
                async with asyncio.timeout(DEADLINE):
                    yield connection
            finally:
                for pid in senders:
                    with suppress(ProcessLookupError):  # the primary was killed
                        os.kill(pid, signal.SIGCONT)

    async def fail_over(self) -> None:
        """Kill the primary, and promote the standby in its place, which has none itself then."""
        await asyncio.to_thread(self.primary.kill)
        self.primary, self.standby = self.standby, self.primary
        async with self.connected() as connection:
            assert await connection.fetchval("select pg_promote(true, 60)")

    async def restore(self) -> None:
        """Make a new standby of the one that was killed."""
        await asyncio.to_thread(self.standby.begin_anew, self.primary)
        await self.get_in_step()


async def waiting(connection: Connection) -> list[int]:
    """Give the processes of the server whose commits wait for the standby."""
    return [row[0] for row in await connection.fetch(WAITING)]


@contextmanager
def running_pair() -> Iterator[Pair]:
    """Start a primary and a standby, and end them."""
    primary = Server(settings=SETTINGS)
    servers = [primary]
    try:
        primary.start()
        standby = Server(settings=SETTINGS, primary=primary)
        servers.append(standby)
        standby.start()
        pair = Pair(primary, standby)
        run_apart(pair.get_in_step())
        yield pair
    finally:
        for server in servers:
            with suppress(FileNotFoundError):  # it was killed already
                server.kill()  # a commit that waits for its standby keeps a server from stopping
            server.stop()
