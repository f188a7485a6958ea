"""What is done on one connection, wherever it comes from."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import asyncpg

from eventsourcing_postgres._rows import StoredRow

if TYPE_CHECKING:
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
