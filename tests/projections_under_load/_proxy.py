"""A proxy between a client and its server, which can stand still, and hang up."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Proxy:
    """Passes on what both sides send, unless it is told otherwise.

    Args:
        url: The server's.
    """

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._flows = asyncio.Event()
        self._flows.set()
        self._pumps: set[asyncio.Task[None]] = set()
        self.url = url

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Proxy]:
        """Listen on a port of its own, which ``url`` then names."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        place = f"{self._parts.username}@127.0.0.1:{port}"
        self.url = urlunsplit(self._parts._replace(netloc=place))
        try:
            yield self
        finally:
            server.close()
            self.hang_up()
            while self._pumps:
                await asyncio.wait(self._pumps)

    def stand_still(self) -> None:
        """Pass nothing on, until it is told to flow; connections stay."""
        self._flows.clear()

    def flow(self) -> None:
        """Pass everything on, also what came meanwhile."""
        self._flows.set()

    def hang_up(self) -> None:
        """End all connections."""
        for pump in self._pumps:
            pump.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await self._flows.wait()
            to, back = await asyncio.open_connection(self._parts.hostname, self._parts.port)
            for pump in (self._pump(reader, back), self._pump(to, writer)):
                task = asyncio.create_task(pump)
                self._pumps.add(task)
                task.add_done_callback(self._pumps.discard)
            return
        writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what one side sends, and end the other side's connection with it."""
        try:
            with suppress(OSError, asyncio.CancelledError):
                while data := await reader.read(65536):
                    await self._flows.wait()
                    writer.write(data)
                    await writer.drain()
        finally:
            writer.transport.abort()
