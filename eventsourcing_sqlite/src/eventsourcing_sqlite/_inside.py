"""Statements of ours in a transaction that is open on the connection that writes."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from eventsourcing_core.stores import StorageError
from eventsourcing_sqlite._connection import fetch_tuples, in_thread, saved, uninterrupted

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Callable, Mapping

    import aiosqlite

    from eventsourcing_sqlite._database import SqliteDatabase

T = TypeVar("T")

_SAVEPOINT = "eventsourcing_inside"


class Inside:
    """Reads and writes in a transaction; see ``Access``.

    Args:
        database: The file.
        connection: Where the transaction is open.
    """

    def __init__(self, database: SqliteDatabase, connection: aiosqlite.Connection) -> None:
        self.connection: aiosqlite.Connection = connection
        """Where the transaction is open."""
        self._database = database

    async def fetch(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Read what is committed, and what was written here."""
        with self._database.inside_transaction():
            return await fetch_tuples(self.connection, sql, parameters)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Write, or leave the transaction as it was."""
        with self._database.inside_transaction():
            return await in_thread(self.connection, saved(work))

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what the block has done if it fails, and nothing else."""
        await self._execute(f"SAVEPOINT {_SAVEPOINT}")
        try:
            yield
        except BaseException:
            with suppress(StorageError):  # SQLite has undone the whole transaction
                await uninterrupted(self._execute(f"ROLLBACK TO {_SAVEPOINT}"))
                await uninterrupted(self._execute(f"RELEASE {_SAVEPOINT}"))
            raise
        await self._execute(f"RELEASE {_SAVEPOINT}")

    async def _execute(self, sql: str) -> None:
        with self._database.inside_transaction():
            await self.connection.execute_fetchall(sql)
