"""Transactions of the user's: events, and rows of other tables, in one commit."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from eventsourcing_sqlite._append import write_appends
from eventsourcing_sqlite._inline import SqliteInline
from eventsourcing_sqlite._inside import Inside
from eventsourcing_sqlite._pages import pages_of_stream
from eventsourcing_sqlite._snapshot_store import SqliteSnapshotStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import aiosqlite

    from eventsourcing_core.stores import Append, Row, SnapshotStore, Span, Verdict
    from eventsourcing_sqlite._database import SqliteDatabase


class SqliteTransactions:
    """Opens transactions on a file; see ``Transactions``.

    There is one writer at a time, so the whole file is held, not a stream: other writers wait for
    the end of the block, for ``busy_timeout`` at the most. Readers do not wait.

    Args:
        database: The file.
        inline: What appends apply; nothing unless given.
    """

    def __init__(self, database: SqliteDatabase, inline: SqliteInline | None = None) -> None:
        self._database = database
        self._inline = inline or SqliteInline(database)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqliteTransaction]:
        """Open one; see ``Transactions.begin``."""
        try:
            async with self._database.transaction() as connection:
                yield SqliteTransaction(self._database, connection, self._inline)
        finally:
            # Also when the commit was cancelled: the thread may have done it.
            self._database.announce()


class SqliteTransaction:
    """A transaction that is open; see ``StorageTransaction``."""

    def __init__(
        self, database: SqliteDatabase, connection: aiosqlite.Connection, inline: SqliteInline
    ) -> None:
        self.connection: aiosqlite.Connection = connection
        """The connection that writes; it is the user's only until the block ends."""
        self._database = database
        self._inline = inline
        self._inside = Inside(database, connection)
        self.snapshot_store: SnapshotStore = SqliteSnapshotStore(self._inside)
        """The snapshots in the file."""

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write appends; see ``StorageTransaction.write``."""
        if self._inline.is_used:
            verdicts, _ = await self._inline.write(self._inside, appends)
            return verdicts
        verdicts, _ = await self._inside.write(
            partial(write_appends, appends=appends, reached=self._database.reached)
        )
        return verdicts

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Give the rows of a stream; see ``StorageTransaction.rows``."""
        return pages_of_stream(self._inside.fetch, stream_id, span)
