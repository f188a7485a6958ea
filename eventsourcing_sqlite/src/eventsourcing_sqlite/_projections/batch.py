"""A transaction on the file of a build: it moves segments, and belongs to them alone."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from eventsourcing_core.stores import BatchRefusedError, OutageError, StorageError
from eventsourcing_sqlite._connection import fetch_tuples, in_thread, saved, uninterrupted
from eventsourcing_sqlite._errors import result_code, translated
from eventsourcing_sqlite._projections import parked, views
from eventsourcing_sqlite._projections.guard import (
    allow_ends,
    explained_ends,
    is_undone,
    refuse_ends,
)
from eventsourcing_sqlite._projections.segments import move_segments

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import aiosqlite

    from eventsourcing_core.stores import Build, Move
    from eventsourcing_sqlite._database import SqliteDatabase
    from eventsourcing_sqlite._projections.builds import Builds

T = TypeVar("T")

_OUTAGES = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
    }
)
"""Where a statement of the user's fails with one of these, it is the file that is to blame."""


@asynccontextmanager
async def opened_batch(builds: Builds, build: Build, move: Move) -> AsyncIterator[SqliteBatch]:
    """Open one; see ``ProjectionStore.batch``.

    Raises:
        FencedError: On entering: nothing was written.
        StorageError: SQLite failed, also in a statement of the user's.
        BatchRefusedError: SQLite has undone the transaction for an error of the user's, or does not
            commit what he wrote.
    """
    file = await builds.file_of(build)
    writer: aiosqlite.Connection | None = None  # once the block is left
    try:
        with _outages(file.path):
            async with file.transaction() as connection:
                batch = SqliteBatch(file, connection)

                def begin(thread: sqlite3.Connection) -> None:
                    move_segments(thread, build=build, move=move)
                    refuse_ends(thread)

                try:
                    await batch.write(begin)
                    with explained_ends(connection), _outages(file.path):
                        yield batch
                finally:
                    # Also when it was cancelled while it began: the thread may have done that, and
                    # would then refuse to end this transaction, which keeps all others out.
                    await allow_ends(connection)
                writer = connection
    except StorageError as error:
        if writer is None or isinstance(error, OutageError) or not is_undone(writer):
            raise
        raise BatchRefusedError(str(error)) from error


class SqliteBatch:
    """A transaction that has moved its segments; see ``Batch``."""

    def __init__(self, file: SqliteDatabase, connection: aiosqlite.Connection) -> None:
        self.connection: aiosqlite.Connection = connection
        """The connection that writes; it is the user's only until the block ends."""
        self._file = file
        self._depth = 0

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what an error leaves half done; see ``Batch.savepoint``."""
        self._depth += 1
        name = f"eventsourcing_{self._depth}"
        try:
            await self._execute(f"SAVEPOINT {name}")
            try:
                with explained_ends(self.connection), _outages(self._file.path):
                    yield
            except BaseException as error:
                # Also when it was cancelled: whoever did that may go on with the batch.
                await self._undo(name, error)
                raise
            await self._execute(f"RELEASE {name}")
        finally:
            self._depth -= 1

    async def values(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Give values of a view; see ``Batch.values``."""
        parameters = views.keys_parameter(keys)
        with self._file.inside_transaction():
            return dict(await fetch_tuples(self.connection, views.VALUES, parameters))

    async def put(self, values: Mapping[str, str | None]) -> None:
        """Set values of a view; see ``Batch.put``."""
        await self.write(partial(views.put, values=values))

    async def park(
        self, key: str, positions: Sequence[int], error: str, retry_in: float | None
    ) -> None:
        """Let events of a key wait; see ``Batch.park``."""
        await self.write(
            partial(parked.park, key=key, positions=positions, error=error, retry_in=retry_in)
        )

    async def fail_again(self, key: str, error: str, retry_in: float | None) -> None:
        """Note that a key has failed once more; see ``Batch.fail_again``."""
        await self.write(partial(parked.fail_again, key=key, error=error, retry_in=retry_in))

    async def unpark(self, key: str, to_position: int) -> None:
        """Take events of a key off; see ``Batch.unpark``."""
        await self.write(partial(parked.unpark, key=key, to_position=to_position))

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Write, or leave the transaction as it was."""
        with self._file.inside_transaction():
            return await in_thread(self.connection, saved(work))

    async def _undo(self, name: str, error: BaseException) -> None:
        try:
            await uninterrupted(self._execute(f"ROLLBACK TO {name}"))
            await uninterrupted(self._execute(f"RELEASE {name}"))
        except StorageError as fault:
            if isinstance(error, OutageError):
                raise error from error.__cause__  # SQLite has undone the whole transaction
            kind = BatchRefusedError if is_undone(self.connection) else OutageError
            raise kind(str(fault)) from error

    async def _execute(self, sql: str) -> None:
        with self._file.inside_transaction():
            await self.connection.execute_fetchall(sql)


@contextmanager
def _outages(path: Path) -> Iterator[None]:
    """Raise errors of the user's statements that the file is to blame for as what they are."""
    try:
        yield
    except sqlite3.Error as error:
        if result_code(error) not in _OUTAGES:
            raise
        with translated(path):
            raise
