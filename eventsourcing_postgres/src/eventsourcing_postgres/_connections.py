"""What is done on one connection, wherever it comes from."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal, cast

import asyncpg

from eventsourcing_postgres._rows import StoredRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core.stores import Row
    from eventsourcing_postgres._pool import BoundedConnection, Connection, Lent


async def rows_on(connection: Connection, sql: str, *arguments: Any) -> list[Row]:
    """Run a statement that reads events on a connection."""
    return cast("list[Row]", await connection.fetch(sql, *arguments, record_class=StoredRow))


def leave(connection: Connection) -> None:
    """End a connection, and let what the server does on it come to its end.

    The driver cancels in the server what is cancelled here. It begins to do so in the next turn of
    the loop, and does not where the connection has ended. A commit that waits for a standby would
    wait no longer, and readers would see what no standby has.
    """
    with suppress(asyncpg.InterfaceError):  # it is lost already
        connection.terminate()


@asynccontextmanager
async def transacted(
    connection: Connection | Lent, *, isolation: Literal["read_committed"] | None = None
) -> AsyncIterator[None]:
    """Open a transaction, or a savepoint in one; whoever is cancelled in it stays cancelled.

    Leaving it fails where the connection is lost, and the driver's error takes the place of what it
    is left with. Taken for an outage, it would be waited for, and tried again: by a task that is to
    end.
    """
    cancellation: asyncio.CancelledError | None = None
    try:
        async with connection.transaction(isolation=isolation):
            try:
                yield
            except asyncio.CancelledError as error:
                cancellation = error
                raise
    except Exception:  # the driver raises anything when it is ended half way
        if cancellation is None:
            raise
        raise cancellation from None


async def fetch_on(connection: Connection, sql: str, *arguments: Any) -> list[Any]:
    """Run any other statement on a connection."""
    rows: list[Any] = await connection.fetch(sql, *arguments)
    return rows


async def look_at(_: Connection) -> None:
    """Do nothing: what is to be looked at is when a connection is taken."""


async def reset_on(connection: Connection) -> None:
    await connection.reset()


def mark_statements(connection: Connection | Lent, mark: str) -> None:
    """Tell the statements of a connection apart from others of their text, if it is one of ours."""
    with suppress(AttributeError, asyncpg.InterfaceError):  # a pool of the user's; it is lost
        cast("BoundedConnection", connection).mark_statements(mark)


def is_lost(connection: Connection | Lent) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # the pool took it back when it was closed
        return True


def check_not_lost(connection: Lent) -> None:
    """Refuse a connection that was lost on its way to whoever uses it.

    Raises:
        asyncpg.InterfaceError: It was.
    """
    if is_lost(connection):
        message = "the connection was lost before it was used"
        raise asyncpg.InterfaceError(message)
