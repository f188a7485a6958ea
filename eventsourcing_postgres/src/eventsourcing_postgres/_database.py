"""A pool and a schema: what the stores of one backend share."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from eventsourcing_core import StorageError
from eventsourcing_postgres._errors import translated
from eventsourcing_postgres._statements import quoted, statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]


class Database:
    """Runs statements, each on a connection that goes back to the pool at once.

    Args:
        pool: The caller's pool; it is not closed here.
        schema: The schema of the store's tables.
        acquire_timeout: Seconds to wait for a free connection.
    """

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        *,
        schema: str,
        acquire_timeout: float,
    ) -> None:
        quoted(schema)
        self.pool = pool
        self.schema = schema
        self._acquire_timeout = acquire_timeout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def check_usable(self) -> None:
        """Refuse use after closing, and from another event loop than before."""
        if self._closed:
            message = "the store is closed"
            raise StorageError(message)
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            message = "the store belongs to another event loop: open one in this loop"
            raise RuntimeError(message)

    @asynccontextmanager
    async def connection(self, doing: str) -> AsyncIterator[Connection]:
        """Borrow a connection; the driver's errors inside become ours."""
        with translated(doing, self.schema):
            async with self.pool.acquire(timeout=self._acquire_timeout) as connection:
                yield connection

    async def fetch(self, doing: str, name: str, *arguments: Any) -> list[Any]:
        """Run a statement of a file, and give its rows."""
        async with self.connection(doing) as connection:
            rows: list[Any] = await connection.fetch(statement(name, self.schema), *arguments)
            return rows

    def close(self) -> None:
        """Refuse further use."""
        self._closed = True
