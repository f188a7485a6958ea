"""Transactions: events of several streams and rows of the user's are stored together, or none."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from typing import TYPE_CHECKING, Any

import asyncpg

from eventsourcing_core.stores import StorageError, Written
from eventsourcing_postgres._connections import (
    fetch_on,
    is_lost,
    leave,
    mark_statements,
    rows_on,
    transacted,
)
from eventsourcing_postgres._errors import DRIVER, commit_failure, lost, translated, translation
from eventsourcing_postgres._inside import InsideWriter
from eventsourcing_postgres._pages import stream_pages
from eventsourcing_postgres._snapshot_store import Snapshots
from eventsourcing_postgres._standbys import heeding_warnings
from eventsourcing_postgres._statements import statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core.stores import Append, Row, SnapshotStore, Span, Verdict
    from eventsourcing_postgres._columns import Fit
    from eventsourcing_postgres._database import Database
    from eventsourcing_postgres._inline import PostgresInline
    from eventsourcing_postgres._pool import Connection, Lent
    from eventsourcing_postgres._waking import Waking

_OPENING = "opening a transaction"
_ENDED = (
    "the transaction is over: a statement in its block has committed it or rolled it back, so what "
    "is stored of it is not known here; leave that to the end of the block"
)
_FAILED = (
    "commit refused, nothing was stored: a statement failed in the transaction, or was cancelled; "
    "let its error leave the block, or run a statement of yours inside a savepoint "
    "(connection.transaction())"
)


class PostgresTransactions:
    """Opens transactions, each on a connection of the pool; see ``Transactions``.

    Args:
        database: Where to.
        waking: What wakes readers after a commit.
        max_wait: Seconds that an append waits for a stream that another transaction holds.
        inline: What is applied right after each append.
    """

    def __init__(
        self, database: Database, waking: Waking, max_wait: float, inline: PostgresInline
    ) -> None:
        self._database = database
        self._waking = waking
        self._writer = InsideWriter(database.schema, max_wait, inline)
        self._max_wait = max_wait

    @asynccontextmanager
    async def begin(
        self, *, mark: str = "", last: str = "select"
    ) -> AsyncIterator[PostgresTransaction]:
        """Open a transaction; see ``Transactions.begin``.

        Its isolation level is READ COMMITTED, whatever the database prefers: at another level an
        append could fail for what it has nothing to do with.

        Args:
            mark: Tells the user's statements apart from others of the same text.
            last: What is run before the commit, and gives one row if the transaction is the one
                that was begun.
        """
        connection = await self._database.lend(_OPENING)
        opened = PostgresTransaction(
            self._database,
            connection,
            self._writer,
            self._waking.appended,
            self._max_wait,
            mark=mark,
            last=last,
        )
        try:
            await opened.start()
            yield opened
            await opened.commit()
        except asyncio.CancelledError:
            # The driver first waits until the server has given up what it was doing.
            self._database.start(opened.end(), Context())
            raise
        except BaseException:
            await asyncio.wait({self._database.start(opened.end(), Context())})
            raise
        self._database.start(opened.end(), Context())


class PostgresTransaction:
    """A transaction that is open; see ``StorageTransaction``."""

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        database: Database,
        connection: Lent,
        writer: InsideWriter,
        on_written: Callable[[], None],
        max_wait: float,
        *,
        mark: str,
        last: str,
    ) -> None:
        self._database = database
        self._connection = connection
        self._writer = writer
        self._on_written = on_written
        self._max_wait = max_wait
        self._mark = mark
        self._last = last
        self._source = _OnConnection(connection, database)
        self._transaction = connection.transaction(isolation="read_committed")
        self._is_open = False
        self._is_exposed = False  # somebody else has had the connection
        self._has_written = False
        self._under_way: asyncio.Task[None] | None = None  # its beginning, or its commit

    @property
    def connection(self) -> Lent:
        """The connection, for statements of the user's."""
        self._is_exposed = True
        mark_statements(self._connection, self._mark)
        return self._connection

    @property
    def snapshot_store(self) -> SnapshotStore:
        """The snapshots, on this connection."""
        return Snapshots(self._fetch_in_savepoint)

    async def _fetch_in_savepoint(self, doing: str, name: str, *arguments: Any) -> list[Any]:
        """Run a statement that may fail: a snapshot is only a cache, and the events are there."""
        with translated(doing, self._database.schema):
            async with transacted(self._connection):
                return await self._source.fetch(doing, name, *arguments)

    async def fetch(self, doing: str, sql: str, *arguments: Any) -> list[Any]:
        """Run a statement of ours, and give its rows."""
        return await self._source.run(doing, sql, *arguments)

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Open a transaction in this one: an error takes back what was done in it."""
        return transacted(self._connection)

    def is_lost(self) -> bool:
        """Tell whether the connection is lost, and what was done on it with it."""
        return is_lost(self._connection)

    def is_over(self) -> bool:
        """Tell whether somebody has ended it, on a connection that is not lost."""
        return not self._connection.is_in_transaction()

    async def write(self, appends: Sequence[Append]) -> list[Verdict]:
        """Write appends, each in a savepoint; see ``StorageTransaction.write``."""
        with translated("append", self._database.schema):
            return [
                await self._database.watched(
                    self._connection, self._write, append, more=2 * self._max_wait
                )
                for append in appends
            ]

    async def _write(self, connection: Connection, append: Append) -> Verdict:
        check_connected(connection, self._database, "append")
        if not connection.is_in_transaction():
            raise StorageError(_ENDED)
        verdict = await self._writer.write(connection, append)
        self._has_written = self._has_written or isinstance(verdict, Written)
        return verdict

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Give the rows of a stream; see ``StorageTransaction.rows``.

        None is fetched ahead: between two pages the connection is the user's.
        """
        return stream_pages(self._source, stream_id, span, None)

    async def start(self) -> None:
        """Begin."""
        with translated(_OPENING, self._database.schema):
            await self._to_the_end(self._begin)

    async def commit(self) -> None:
        """Commit what was written, or say that this was not done, or that nobody knows."""
        await self._check_whole()
        try:
            await self._to_the_end(self._commit)
        except DRIVER as error:
            raise commit_failure(error) from error

    async def _to_the_end(self, step: Callable[[Connection], Awaitable[None]]) -> None:
        """Begin, or commit, to the end: cancelled half way, it would be open for all one knows."""
        work = self._database.watched(self._connection, step)
        self._under_way = self._database.start(work)
        await asyncio.wait({self._under_way})
        self._under_way.result()

    async def _begin(self, _: Connection) -> None:
        await self._transaction.start()
        self._is_open = True

    async def _commit(self, _: Connection) -> None:
        self._is_open = False
        try:
            with heeding_warnings(self._connection, "commit"):
                await self._transaction.commit()
        except asyncio.CancelledError:  # the event loop ends, and nothing more is to begin in it
            leave(self._connection)
            self._has_written = False
            raise
        finally:
            if self._has_written:
                self._on_written()

    async def end(self) -> None:
        """Roll back what was not committed, and give the connection back."""
        if self._under_way is not None:
            await asyncio.wait({self._under_way})
        if is_lost(self._connection):
            self._database.doubt()  # the next one may lead to another server
        if self._is_open:
            with suppress(*DRIVER):  # it is lost, and what was done on it with it
                await self._database.watched(
                    self._connection, lambda _: self._transaction.rollback()
                )
        mark_statements(self._connection, "")
        await self._database.take_back(self._connection, reset=self._is_exposed)

    async def _check_whole(self) -> None:
        """Refuse to commit what a failed statement has ended.

        The server answers such a COMMIT by rolling back, and the driver does not tell. It need not
        be a statement of the user's: a load that ran into a timeout is enough.
        """
        check_connected(self._connection, self._database, "commit")
        try:
            if not self._connection.is_in_transaction():
                raise StorageError(_ENDED)
            done = await self._database.watched(
                self._connection, lambda connection: connection.execute(self._last)
            )
            if done != "SELECT 1":
                raise StorageError(_ENDED)
        except asyncpg.InFailedSQLTransactionError as error:
            raise StorageError(_FAILED) from error
        except DRIVER as error:
            raise translation(error, "commit", self._database.schema) from error


class _OnConnection:
    """Runs statements on the connection of a transaction; see ``Source``."""

    def __init__(self, connection: Lent, database: Database) -> None:
        self._connection = connection
        self._database = database
        self._schema = database.schema
        self.fit: Fit = database.fit

    async def rows(self, doing: str, name: str, *arguments: Any) -> list[Row]:
        """Run a statement of a file that reads events."""
        check_connected(self._connection, self._database, doing)
        with translated(doing, self._schema):
            return await self._database.watched(
                self._connection, rows_on, statement(name, self._schema), *arguments
            )

    async def fetch(self, doing: str, name: str, *arguments: Any) -> list[Any]:
        """Run any other statement of a file."""
        return await self.run(doing, statement(name, self._schema), *arguments)

    async def run(self, doing: str, sql: str, *arguments: Any) -> list[Any]:
        """Run any other statement."""
        check_connected(self._connection, self._database, doing)
        with translated(doing, self._schema):
            return await self._database.watched(self._connection, fetch_on, sql, *arguments)


def check_connected(connection: Connection | Lent, database: Database, doing: str) -> None:
    """Refuse what cannot be done any more: the connection was lost, or the store was closed."""
    if is_lost(connection):
        database.check_usable()
        raise lost(doing)
