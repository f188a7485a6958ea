"""The migrator ``postgresql``: the schema by URL."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg

from eventsourcing_postgres._backend import options
from eventsourcing_postgres._checks import check_seconds
from eventsourcing_postgres._errors import translated
from eventsourcing_postgres._migrations import migrate, rollback, status
from eventsourcing_postgres._pool import BoundedConnection, close_pool
from eventsourcing_postgres._server import server_of
from eventsourcing_postgres._statements import quoted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core.stores import MigrationStatus

_CONNECT_TIMEOUT = 30.0  # seconds


class PostgresMigrator:
    """Moves a schema of a database; see ``Migrator``."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], schema: str) -> None:
        self._pool = pool
        self.schema = schema
        """The schema of the tables."""

    async def status(self) -> MigrationStatus:
        """Tell how far the schema is; see ``Migrator.status``."""
        return await status(self._pool, schema=self.schema)

    async def migrate(self) -> MigrationStatus:
        """Apply the migrations that are missing; see ``Migrator.migrate``."""
        return await migrate(self._pool, schema=self.schema)

    async def rollback(self, *, to: int) -> MigrationStatus:
        """Take migrations back; see ``Migrator.rollback``."""
        return await rollback(self._pool, schema=self.schema, to=to)


def open_postgres_migrator(
    url: str,
    *,
    schema: str = "eventsourcing",
    connect_timeout: float | None = None,
    application_name: str = "eventsourcing",
    **parameters: str,
) -> AbstractAsyncContextManager[PostgresMigrator]:
    """Open a connection on ``postgresql://user:password@host:port/database``.

    Args:
        url: The connection URL.
        schema: The schema of the tables.
        connect_timeout: Seconds to wait for the server, above 0; 30 unless given.
        application_name: What the server shows of this program.
        parameters: See ``open_postgres``.

    Raises:
        ValueError: A number is out of bounds, a parameter is not known, or the URL is not one.
        StorageError: On entering the block: the server cannot be reached, or refuses.
    """
    quoted(schema)
    timeout = _CONNECT_TIMEOUT if connect_timeout is None else connect_timeout
    check_seconds("connect_timeout", timeout)
    server = server_of(url, parameters, options())

    @asynccontextmanager
    async def opened() -> AsyncIterator[PostgresMigrator]:
        with translated(f"connecting to {server.shown}", schema):
            pool = await asyncpg.create_pool(
                server.dsn,
                min_size=1,
                max_size=1,
                timeout=timeout,
                statement_cache_size=0,  # a pooler may stand between
                server_settings={"application_name": application_name},
                connection_class=BoundedConnection,
            )
        try:
            yield PostgresMigrator(pool, schema)
        finally:
            await close_pool(pool, patience=timeout)

    return opened()
