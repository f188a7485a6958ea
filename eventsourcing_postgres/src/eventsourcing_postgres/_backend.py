"""The backend ``postgresql``."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

import asyncpg

from eventsourcing_core import Backend
from eventsourcing_postgres._errors import translated
from eventsourcing_postgres._event_store import PostgresEventStore
from eventsourcing_postgres._migrations import check_current, migrate
from eventsourcing_postgres._snapshot_store import PostgresSnapshotStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import EventCodec

_migrate = migrate
_STATEMENTS = 100  # prepared statements kept per connection, as the driver does


@asynccontextmanager
async def open_postgres(  # noqa: PLR0913 - the options that users give
    url: str,
    codec: EventCodec,
    *,
    schema: str = "eventsourcing",
    migrate: bool = False,
    min_size: int = 1,
    max_size: int = 10,
    acquire_timeout: float = 30.0,
    poll_interval: float = 1.0,
    max_wait: float = 30.0,
    pooler: bool | None = None,
    sslmode: str | None = None,
    application_name: str = "eventsourcing",
) -> AsyncIterator[Backend]:
    """Open a pool on ``postgresql://user:password@host:port/database``, and stores on it.

    Args:
        url: The connection URL.
        codec: What encodes the events.
        schema: The schema of the tables.
        migrate: Whether to bring the schema up to date; production migrates on purpose.
        min_size: Connections kept open.
        max_size: The most connections.
        acquire_timeout: Seconds to wait for a free connection, and for the first one.
        poll_interval: Seconds between two looks of a waiting reader that is not notified.
        max_wait: Seconds that an append waits for a stream that somebody's transaction holds.
        pooler: Whether a pooler lends server connections for one transaction each (pgbouncer
            does, and others): then nothing of a session is relied on, so no statement stays
            prepared and waiting readers poll. Found out by itself unless given.
        sslmode: As in libpq: ``disable``, ``prefer``, ``require``, ``verify-full``, …
        application_name: What the server shows of this program.

    Raises:
        StorageError: The server cannot be reached, or refuses.
        SchemaError: The schema is missing or of another version.
    """
    dsn = url if sslmode is None else f"{url}?sslmode={quote(sslmode)}"
    with translated("opening the database", schema):
        if pooler is None:
            pooler = await _is_behind_pooler(dsn, acquire_timeout)
        pool = await asyncpg.create_pool(
            dsn,
            min_size=min_size,
            max_size=max_size,
            timeout=acquire_timeout,
            statement_cache_size=0 if pooler else _STATEMENTS,
            server_settings={"application_name": application_name},
            # Nothing here leaves state in a session, so none is reset: that costs a round trip.
            reset=_keep,
        )
    async with pool:
        if migrate:
            await _migrate(pool, schema=schema)
        await check_current(pool, schema)
        snapshots = PostgresSnapshotStore(pool, schema=schema, acquire_timeout=acquire_timeout)
        async with PostgresEventStore(
            pool,
            codec,
            schema=schema,
            acquire_timeout=acquire_timeout,
            poll_interval=poll_interval,
            listen=not pooler,
            max_wait=max_wait,
        ) as events:
            try:
                yield Backend("postgresql", codec, event_store=events, snapshot_store=snapshots)
            finally:
                snapshots.close()


async def _is_behind_pooler(dsn: str, timeout: float) -> bool:  # noqa: ASYNC109 - the driver's word
    """Tell whether what answers at the URL is a pooler: it says another process id than the server.

    Names of prepared statements are counted in each process, so behind a pooler that lends one
    server connection to two of them one could run the other's statement, without any error.
    """
    connection = await asyncpg.connect(dsn, timeout=timeout, statement_cache_size=0)
    try:
        real: object = await connection.fetchval("select pg_backend_pid()")
        return real != connection.get_server_pid()
    finally:
        await connection.close()


async def _keep(_: object) -> None:
    """Reset nothing."""
