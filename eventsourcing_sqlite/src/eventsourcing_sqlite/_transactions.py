"""Transactions of the user's: events, and rows of other tables, in one commit."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from eventsourcing_sqlite._append import write_appends
from eventsourcing_sqlite._connection import fetch_tuples, in_thread, saved
from eventsourcing_sqlite._pages import pages_of_stream
from eventsourcing_sqlite._snapshot_store import SqliteSnapshotStore

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    import aiosqlite

    from eventsourcing_core.stores import Append, Row, SnapshotStore, Span, Verdict
    from eventsourcing_sqlite._database import SqliteDatabase

T = TypeVar("T")


class SqliteTransactions:
    """Opens transactions on a file; see ``Transactions``.

    There is one writer at a time, so the whole file is held, not a stream: other writers wait for
    the end of the block, for ``busy_timeout`` at the most. Readers do not wait.

    Args:
        database: The file.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqliteTransaction]:
        """Open one; see ``Transactions.begin``."""
        try:
            async with self._database.transaction() as connection:
                yield SqliteTransaction(self._database, connection)
        finally:
            # Also when the commit was cancelled: the thread may have done it.
            self._database.announce()


class SqliteTransaction:
    """A transaction that is open; see ``StorageTransaction``."""

    def __init__(self, database: SqliteDatabase, connection: aiosqlite.Connection) -> None:
        self.connection: aiosqlite.Connection = connection
        """The connection that writes; it is the user's only until the block ends."""
        self._database = database
        self._inside = _Inside(database, connection)
        self.snapshot_store: SnapshotStore = SqliteSnapshotStore(self._inside)
        """The snapshots in the file."""

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write appends; see ``StorageTransaction.write``."""
        verdicts, _ = await self._inside.write(
            partial(write_appends, appends=appends, reached=self._database.reached)
        )
        return verdicts

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Give the rows of a stream; see ``StorageTransaction.rows``."""
        return pages_of_stream(self._inside.fetch, stream_id, span)


class _Inside:
    """Reads and writes in a transaction of the user's; see ``Access``."""

    def __init__(self, database: SqliteDatabase, connection: aiosqlite.Connection) -> None:
        self._database = database
        self._connection = connection

    async def fetch(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Read what is committed, and what was written here."""
        with self._database.inside_transaction():
            return await fetch_tuples(self._connection, sql, parameters)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Write, or leave the transaction as it was."""
        with self._database.inside_transaction():
            return await in_thread(self._connection, saved(work))
