"""The end of a transaction is the library's: SQLite refuses it to the code of users."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from eventsourcing_core.stores import BatchRefusedError, OutageError, ProjectionError
from eventsourcing_sqlite._connection import in_thread, uninterrupted
from eventsourcing_sqlite._errors import result_code

if TYPE_CHECKING:
    from collections.abc import Iterator

    import aiosqlite


def refuse_ends(connection: sqlite3.Connection) -> None:
    """Let COMMIT, ROLLBACK and BEGIN fail from here on, in whatever form; not savepoints."""
    connection.set_authorizer(_judge)


async def allow_ends(connection: aiosqlite.Connection) -> None:
    """Let them be done again."""
    with suppress(ValueError):  # it is closed
        await uninterrupted(in_thread(connection, lambda thread: thread.set_authorizer(None)))


@contextmanager
def explained_ends(connection: aiosqlite.Connection) -> Iterator[None]:
    """Explain what the block meets if it ends the transaction.

    Raises:
        ProjectionError: It has tried to, and the transaction is as it was.
        BatchRefusedError: The transaction is over: SQLite has undone it after an error.
    """
    try:
        yield
    except (OutageError, BatchRefusedError):
        raise
    except Exception as error:
        if isinstance(error, sqlite3.Error) and result_code(error) == sqlite3.SQLITE_AUTH:
            message = (
                "the code of a projection has tried to end the transaction that it was called in: "
                "leave that to the projector: no commit(), rollback(), BEGIN or executescript(), "
                "which commits first; savepoints are allowed"
            )
            raise ProjectionError(message) from error
        if is_undone(connection):
            message = (
                "SQLite has undone the whole batch after an error of a statement "
                f"({type(error).__name__}: {error}): use no ON CONFLICT ROLLBACK"
            )
            raise BatchRefusedError(message) from error
        raise


def is_undone(connection: aiosqlite.Connection) -> bool:
    """Tell whether the transaction is over; where the connection is closed, that is the fault."""
    try:
        return not connection.in_transaction
    except ValueError:
        return False


def _judge(action: int, *_: str | None) -> int:
    is_end = action == sqlite3.SQLITE_TRANSACTION
    return sqlite3.SQLITE_DENY if is_end else sqlite3.SQLITE_OK
