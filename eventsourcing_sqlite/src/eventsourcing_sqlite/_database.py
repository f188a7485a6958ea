"""A file, and the two connections to it: one writes, the other reads beside it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from contextvars import Context
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from eventsourcing_core.stores import OutageError, StorageError
from eventsourcing_sqlite._connection import (
    connected,
    define,
    fetch_tuples,
    immediate_transaction,
    in_thread,
    make_durable,
    patiently,
    plain,
    transacted,
    uninterrupted,
)
from eventsourcing_sqlite._errors import translated
from eventsourcing_sqlite._location import OpenFile, check_path, check_place
from eventsourcing_sqlite._schema import check_exists, is_current, migrate, not_current, status_of

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager

    import aiosqlite

T = TypeVar("T")

_LONGEST_TIMEOUT = 86_400.0  # a day, in seconds; SQLite counts milliseconds in 32 bits
_SHORTEST_WAIT = 0.01  # seconds for one's turn in this process, so that nobody spins


class SqliteDatabase:
    """One SQLite file, opened for the stores in it; ``SqliteDatabase.open`` gives one.

    The file is in WAL mode with ``synchronous=FULL``: what is committed survives a loss of power,
    and who reads never blocks who writes. Beside the file SQLite keeps two others (``-wal``,
    ``-shm``) while it is open. Several processes on one machine may use a file; a network file
    system will not do.

    It belongs to the event loop that opened it: from another one the stores raise
    ``RuntimeError``. After closing they raise ``StorageError``. Its methods are what the stores
    are made of.
    """

    def __init__(
        self,
        file: OpenFile,
        writer: aiosqlite.Connection,
        reader: aiosqlite.Connection,
        *,
        busy_timeout: float,
        poll_interval: float,
    ) -> None:
        self.file = file
        """What is open, and where it is."""
        self.path: Path = file.path
        """The file, absolute."""
        self.busy_timeout = busy_timeout
        """How long a write waits for others, in seconds."""
        self.poll_interval = poll_interval
        """How often a waiting reader looks for events of other processes, in seconds."""
        self.changed: asyncio.Event = asyncio.Event()
        """Set at the next append through this object, and when it is closed; then a new one."""
        self.reached: int = 0
        """A position that is committed; an append finds the file there or further."""
        self.applied: str = ""
        """What the transaction under way applies inline; the trigger of the events asks for it."""
        self._writer = writer
        self._reader = reader
        self._writing = asyncio.Lock()
        self._is_held = False  # by a transaction of the user's
        self._before_closing: list[Callable[[], Awaitable[None]]] = []
        self._closed = False
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        """The event loop that opened it."""

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        busy_timeout: float = 5.0,
        poll_interval: float = 0.1,
        migrate: bool = True,
    ) -> AbstractAsyncContextManager[SqliteDatabase]:
        """Open a file, which is made if it is missing; leaving the block closes it.

        Appends that are waiting are written before it is closed.

        >>> import tempfile
        >>> from eventsourcing_core import Event
        >>> from eventsourcing_sqlite import SqliteEventStore, SqliteSnapshotStore
        >>> async def main(path):
        ...     async with SqliteDatabase.open(path) as database:
        ...         events = SqliteEventStore(database, serializer="json")
        ...         snapshots = SqliteSnapshotStore(database)
        ...         return await events.append("doc-1", [Event("Opened", {})], expected_version=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     asyncio.run(main(f"{folder}/documents.db"))
        AppendResult(version=1, position=1)

        Args:
            path: The file, relative to the working directory or absolute.
            busy_timeout: How long a write waits for another process to finish its own, in
                seconds, from 0 to a day.
            poll_interval: How often a waiting reader looks for events of other processes, in
                seconds, above 0. Events of this database object wake it at once.
            migrate: Whether to make a file that is missing, and to bring an older one up to date.

        Raises:
            ValueError: The path is none, or a number is out of bounds.
            StorageError: On entering the block: the file cannot be opened, or is damaged.
            SchemaError: Likewise: it is no event store, or one of a newer version; or of an older
                one, or missing, and not to be migrated.
        """
        check_path(str(path))
        check_busy_timeout(busy_timeout)
        if not poll_interval > 0:
            message = f"poll_interval is a number of seconds above 0, got {poll_interval}"
            raise ValueError(message)
        return cls._opened(
            Path(path).absolute(),
            busy_timeout=busy_timeout,
            poll_interval=poll_interval,
            migrate=migrate,
        )

    @classmethod
    @asynccontextmanager
    async def _opened(
        cls, path: Path, *, busy_timeout: float, poll_interval: float, migrate: bool
    ) -> AsyncIterator[SqliteDatabase]:
        check_place(path)
        if not migrate:
            check_exists(path)
        async with cls.open_prepared(
            path,
            lambda writer: _prepare(writer, path, may_migrate=migrate),
            may_make=migrate,
            busy_timeout=busy_timeout,
            poll_interval=poll_interval,
        ) as database:
            yield database

    @classmethod
    @asynccontextmanager
    async def open_prepared(
        cls,
        path: Path,
        prepare: Callable[[aiosqlite.Connection], Awaitable[None]],
        *,
        may_make: bool,
        busy_timeout: float,
        poll_interval: float,
    ) -> AsyncIterator[SqliteDatabase]:
        """Open any file of ours; leaving the block closes it.

        Args:
            path: The file, absolute.
            prepare: Checks the file, and makes it what it is to be; it is called again while others
                hold the lock.
            may_make: Whether a file that is missing is made.
            busy_timeout: See ``open``.
            poll_interval: See ``open``.

        Raises:
            StorageError: It cannot be opened; or what ``prepare`` raised.
        """
        async with AsyncExitStack() as connections:
            with translated(path):
                # The writer waits in patiently(), so SQLite itself need not.
                writer = await connections.enter_async_context(
                    connected(path, busy_timeout=0, mode="rwc" if may_make else "rw")
                )
                await patiently(lambda: prepare(writer), busy_timeout=busy_timeout)
                reader = await connections.enter_async_context(
                    connected(path, busy_timeout=busy_timeout, mode="ro")
                )
                # So all three files are there, and no later read is the first to open one.
                await reader.execute_fetchall("PRAGMA user_version")
            database = cls(
                OpenFile(path),
                writer,
                reader,
                busy_timeout=busy_timeout,
                poll_interval=poll_interval,
            )
            await define(writer, "eventsourcing_inline", lambda: database.applied)
            try:
                yield database
            finally:
                await uninterrupted(database._finish())

    def check_usable(self) -> None:
        """Refuse use after closing, and from another event loop.

        Raises:
            RuntimeError: Another event loop is running.
            StorageError: The database is closed.
        """
        if asyncio.get_running_loop() is not self.loop:
            message = "the store belongs to another event loop: open one in this loop"
            raise RuntimeError(message)
        if self._closed:
            message = f"the store is closed: {str(self.path)!r}"
            raise StorageError(message)

    def before_closing(self, finish: Callable[[], Awaitable[None]]) -> None:
        """Have something awaited before the connections are closed."""
        self._before_closing.append(finish)

    def announce(self) -> None:
        """Wake everybody who waits for ``changed``."""
        self.changed.set()
        self.changed = asyncio.Event()

    async def fetch(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Read with one statement, beside whoever is writing.

        Raises:
            StorageError: The database is closed, SQLite failed, or the file is not where it was.
        """
        self.check_usable()
        with translated(self.path):
            return await fetch_tuples(self._reader, sql, parameters, self.file.check)

    async def write(
        self, work: Callable[[sqlite3.Connection], T], *, patience: float | None = None
    ) -> T:
        """Write, in the thread of the connection: all that is done is committed, or nothing.

        Args:
            work: Writes.
            patience: How long to wait for others, in seconds; None: ``busy_timeout``.

        Raises:
            StorageError: The database is closed, somebody else holds the lock for longer than
                that, SQLite failed, or the file is not where it was.
        """
        seconds = self.busy_timeout if patience is None else patience
        async with self._turn(seconds):
            with translated(self.path):
                return await patiently(
                    lambda: in_thread(self._writer, transacted(work, self.file.check)),
                    busy_timeout=seconds,
                )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        """Write with statements of the user's, which are committed together, or none of them.

        Their errors stay as they are.

        Raises:
            StorageError: As for ``write``; or the transaction is not open any more at the end.
        """
        async with self._turn(self.busy_timeout, is_users=True):
            try:
                with translated(self.path):
                    await patiently(
                        lambda: self._writer.execute_fetchall("BEGIN IMMEDIATE"),
                        busy_timeout=self.busy_timeout,
                    )
                self.file.check()
                with plain(self._writer):
                    yield self._writer
                self._check_transaction()
                with translated(self.path):
                    await self._writer.execute_fetchall("COMMIT")
                self.file.check()
            except BaseException:
                # Also when BEGIN or COMMIT was cancelled: the thread may have done it. It does
                # nothing when no transaction is under way.
                with suppress(ValueError):  # the connection is closed, and so has rolled back
                    await uninterrupted(self._writer.rollback())
                raise

    @contextmanager
    def inside_transaction(self) -> Iterator[None]:
        """Speak to SQLite between statements of the user's.

        Raises:
            StorageError: The user's transaction is not open any more, or SQLite failed.
        """
        self._check_transaction()
        with translated(self.path), plain(self._writer):
            yield

    @asynccontextmanager
    async def _turn(self, patience: float, *, is_users: bool = False) -> AsyncIterator[None]:
        self.check_usable()
        await self._take_turn(patience)
        try:
            self.check_usable()
            self._is_held = is_users
            yield
        finally:
            self._is_held = False
            self._writing.release()

    async def _take_turn(self, patience: float) -> None:
        """Wait while somebody else writes in this process.

        What the library writes is soon over; what a user does in a transaction may not be.

        Raises:
            OutageError: The user's transaction did not end in time.
        """
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(None) as limit:
                    # The loop keeps a timer until its time, and the context that it was made in.
                    seconds = max(patience, _SHORTEST_WAIT)
                    Context().run(limit.reschedule, loop.time() + seconds)
                    await self._writing.acquire()
            except TimeoutError:
                if self._is_held:
                    break
            else:
                return
        message = (
            f"the event store {str(self.path)!r} is held by a transaction of this process for "
            f"longer than busy_timeout ({patience:g} s): end it sooner, write in it, or "
            "allow more time"
        )
        raise OutageError(message)

    def _check_transaction(self) -> None:
        is_open = False
        with suppress(ValueError):  # the connection is closed
            is_open = self._writer.in_transaction
        if is_open:
            return
        fault = (
            "the store was closed while it was open, so it was rolled back: end it before"
            if self._closed
            else "it was ended on its connection, or SQLite rolled it back after an error: leave "
            "COMMIT and ROLLBACK to the end of the block, and leave the block with the error"
        )
        message = (
            f"a transaction on the event store {str(self.path)!r} is not open any more: {fault}"
        )
        raise StorageError(message)

    async def _finish(self) -> None:
        for finish in self._before_closing:
            await finish()
        try:
            await self._take_turn(self.busy_timeout)
        except OutageError:  # whoever holds it for so long hears of it when he commits
            self._closed = True
        else:
            self._closed = True
            self._writing.release()
        self.announce()


def check_busy_timeout(seconds: float) -> None:
    """Refuse what SQLite cannot wait.

    Raises:
        ValueError: It is negative, or longer than a day.
    """
    if not 0 <= seconds <= _LONGEST_TIMEOUT:
        message = f"busy_timeout is from 0 to {_LONGEST_TIMEOUT:.0f} seconds: {seconds}"
        raise ValueError(message)


async def _prepare(writer: aiosqlite.Connection, path: Path, *, may_migrate: bool) -> None:
    """Make sure that the file is ours, in WAL mode and of the current version.

    Nothing is written before the check; where something has to be, another process may do the
    same at this moment, so the check is repeated under the lock.
    """
    current = await is_current(writer, path)
    if not (current or may_migrate):
        raise not_current(path, await status_of(writer, path))
    await make_durable(writer, path)
    if current:
        return
    async with immediate_transaction(writer):
        await migrate(writer, path)
