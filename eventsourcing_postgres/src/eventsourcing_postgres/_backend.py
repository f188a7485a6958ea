"""The backend ``postgresql``."""

from __future__ import annotations

import inspect
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING

import asyncpg

from eventsourcing_postgres._checks import check_seconds, check_sizes
from eventsourcing_postgres._errors import translated
from eventsourcing_postgres._migrations import migrate
from eventsourcing_postgres._pool import BoundedConnection, close_pool
from eventsourcing_postgres._server import server_of
from eventsourcing_postgres._snapshot_store import PostgresSnapshotStore
from eventsourcing_postgres._statements import quoted
from eventsourcing_postgres._storage import PostgresStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core.stores import Parts

_migrate = migrate
_STATEMENTS = 100  # prepared statements kept per connection, as the driver does


def open_postgres(  # noqa: PLR0913 - the options that users give
    url: str,
    *,
    schema: str = "eventsourcing",
    migrate: bool = False,
    min_size: int = 1,
    max_size: int = 10,
    acquire_timeout: float = 30.0,
    answer_timeout: float = 60.0,
    connect_timeout: float | None = None,
    poll_interval: float = 1.0,
    max_wait: float = 30.0,
    pooler: bool | None = None,
    application_name: str = "eventsourcing",
    **parameters: str,
) -> AbstractAsyncContextManager[Parts]:
    """Open a pool on ``postgresql://user:password@host:port/database``, and a storage on it.

    Args:
        url: The connection URL.
        schema: The schema of the tables.
        migrate: Whether to bring the schema up to date; production migrates on purpose.
        min_size: Connections that are made when it is opened; one that nobody uses for 5 minutes
            is closed.
        max_size: The most connections.
        acquire_timeout: Seconds to wait for a free connection, above 0.
        answer_timeout: Seconds to wait for the server's answer to a statement, but for imports and
            ``statistics``; then the connection is ended, and the others are renewed.
        connect_timeout: Seconds to wait for the server when a connection is made, above 0;
            ``acquire_timeout`` unless given.
        poll_interval: Seconds between two looks of a waiting reader that is not notified, above 0.
        max_wait: Seconds that an append waits for a stream that somebody's transaction holds.
        pooler: Whether a pooler lends server connections for one transaction each (pgbouncer
            does, and others): then nothing of a session is relied on, so no statement stays
            prepared and waiting readers poll. Detected unless given.
        application_name: What the server shows of this program.
        parameters: Those of libpq that the driver knows, and settings of the server: ``host``,
            ``sslmode``, ``sslrootcert``, ``target_session_attrs``, ``statement_timeout``, …

    Raises:
        ValueError: A number is out of bounds, a parameter is not known, or the URL is not one.
        StorageError: On entering the block: the server cannot be reached, or refuses.
        SchemaError: On entering the block: the schema is missing or of another version, or its
            sequence is behind its events.
    """
    quoted(schema)
    check_sizes(min_size, max_size)
    check_seconds("acquire_timeout", acquire_timeout)
    check_seconds("answer_timeout", answer_timeout)
    timeout = acquire_timeout if connect_timeout is None else connect_timeout
    check_seconds("connect_timeout", timeout)
    check_seconds("poll_interval", poll_interval)
    check_seconds("max_wait", max_wait, may_be_zero=True)
    server = server_of(url, parameters, options())
    doing = f"opening the database at {server.shown}"

    @asynccontextmanager
    async def opened() -> AsyncIterator[Parts]:
        with translated(doing, schema):
            polls = await _is_behind_pooler(server.dsn, timeout) if pooler is None else pooler
            pool = await _pool_of(
                server.dsn, max_size, timeout, polls=polls, application_name=application_name
            )
        try:
            if migrate:
                with translated(doing, schema):
                    async with pool.acquire():
                        pass  # a server that is away is not an error of migrating
                await _migrate(pool, schema=schema)
            snapshots = PostgresSnapshotStore(
                pool,
                schema=schema,
                acquire_timeout=acquire_timeout,
                answer_timeout=answer_timeout,
            )
            storage = PostgresStorage(
                pool,
                schema=schema,
                acquire_timeout=acquire_timeout,
                answer_timeout=answer_timeout,
                poll_interval=poll_interval,
                listen=not polls,
                max_wait=max_wait,
            )
            async with _parts_of(storage, snapshots) as parts:
                await storage.open(doing, min_size)
                yield parts
        finally:
            await close_pool(pool, patience=answer_timeout)

    return opened()


async def _pool_of(
    dsn: str,
    max_size: int,
    timeout: float,  # noqa: ASYNC109 - the driver's word
    *,
    polls: bool,
    application_name: str,
) -> asyncpg.Pool[asyncpg.Record]:
    return await asyncpg.create_pool(
        dsn,
        # Not so many as are wanted: in an outage the driver logs a traceback whenever it fails to
        # keep up the number that is given here.
        min_size=0,
        max_size=max_size,
        timeout=timeout,
        statement_cache_size=0 if polls else _STATEMENTS,
        # For ever: the driver's timer would keep the context of whoever was first.
        max_cached_statement_lifetime=0,
        server_settings={"application_name": application_name},
        connection_class=BoundedConnection,
        # Nothing here leaves state in a session, so none is reset: that costs a round trip.
        reset=_keep,
    )


@asynccontextmanager
async def _parts_of(
    storage: PostgresStorage, snapshots: PostgresSnapshotStore
) -> AsyncIterator[Parts]:
    """Give the parts, and close them."""
    try:
        yield storage.parts(snapshots)
    finally:
        snapshots.close()
        await storage.close()


@cache
def options() -> frozenset[str]:
    """List the names of the backend's own options."""
    parameters = inspect.signature(open_postgres).parameters.values()
    return frozenset(each.name for each in parameters if each.kind is each.KEYWORD_ONLY)


async def _is_behind_pooler(dsn: str, timeout: float) -> bool:  # noqa: ASYNC109 - the driver's word
    """Tell whether what answers at the URL is a pooler: it says another process id than the server.

    Names of prepared statements are counted in each process, so behind a pooler that lends one
    server connection to two of them one could run the other's statement, without any error.
    """
    connection = await asyncpg.connect(
        dsn, timeout=timeout, statement_cache_size=0, connection_class=BoundedConnection
    )
    try:
        real: object = await connection.fetchval("select pg_backend_pid()", timeout=timeout)
        return real != connection.get_server_pid()
    finally:
        await connection.close()


async def _keep(_: object) -> None:
    """Reset nothing."""
