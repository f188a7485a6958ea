"""Connections that are opened and closed to the end, also when their task is cancelled.

A connection of aiosqlite is a thread. One that is left behind keeps the interpreter from exiting.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
import sqlite3
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import aiosqlite

from eventsourcing_core.stores import StorageError
from eventsourcing_sqlite._errors import result_code

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterator,
        Awaitable,
        Callable,
        Iterator,
        Mapping,
    )
    from pathlib import Path

T = TypeVar("T")

_LONGEST_PAUSE = 0.005
"""Seconds between two attempts to get a lock; about as long as a commit, so that a process gets its
turns beside a busy one."""
_SAVEPOINT = "eventsourcing_write"


@asynccontextmanager
async def connected(
    path: Path, *, busy_timeout: float, mode: Literal["ro", "rw", "rwc"]
) -> AsyncIterator[aiosqlite.Connection]:
    """Connect to a file, and close the connection on leaving.

    Args:
        path: An absolute path.
        busy_timeout: How long SQLite itself waits for a lock, in seconds, in the thread.
        mode: As in SQLite's URIs. ``rwc`` makes a file that is missing; who has only ``ro`` never
            moves what is in the log into the file, neither while it is open nor when it closes.

    Raises:
        StorageError: No thread can be started.
    """
    uri = f"{path.as_uri()}?mode={mode}"
    # Transactions begin where we say so, and not where Python guesses.
    connection = aiosqlite.connect(uri, uri=True, isolation_level=None, timeout=busy_timeout)
    try:
        # A thread may take the context of whoever starts it, and would keep it for its whole life.
        opening = asyncio.get_running_loop().create_task(
            _open(connection, path), context=contextvars.Context()
        )
        await uninterrupted(opening)
        yield connection
    finally:
        await uninterrupted(connection.close())


@asynccontextmanager
async def immediate_transaction(connection: aiosqlite.Connection) -> AsyncIterator[None]:
    """Write: the block's statements are committed together, or none of them."""
    try:
        await connection.execute_fetchall("BEGIN IMMEDIATE")
        yield
        await connection.execute_fetchall("COMMIT")
    except BaseException:
        # Also when BEGIN or COMMIT was cancelled: the thread may have done it. It does nothing
        # when no transaction is under way.
        with suppress(Exception):  # what went wrong first is what counts
            await uninterrupted(connection.rollback())
        raise


async def in_thread(connection: aiosqlite.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Do several things in the thread of a connection, in one errand to it.

    aiosqlite has an errand for each statement only, and each takes as long as ten inserts. What was
    begun is done to its end; if the caller is cancelled meanwhile, he hears of it then.
    """
    driver: Any = connection
    try:
        done: T = await driver._execute(lambda: work(driver._conn))  # noqa: SLF001 - what all of its methods do
    except asyncio.CancelledError:
        # An errand that is done after it. The connection may be closed meanwhile.
        with suppress(Exception):
            await uninterrupted(connection.execute_fetchall("SELECT 1"))
        raise
    return done


def transacted(
    work: Callable[[sqlite3.Connection], T], check: Callable[[], None]
) -> Callable[[sqlite3.Connection], T]:
    """Give what does work in a transaction of its own, and then checks that it counts."""

    def done_as_a_whole(connection: sqlite3.Connection) -> T:
        connection.execute("BEGIN IMMEDIATE")
        try:
            done = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise
        check()
        return done

    return done_as_a_whole


def saved(work: Callable[[sqlite3.Connection], T]) -> Callable[[sqlite3.Connection], T]:
    """Give what does work in a transaction that is open, and undoes only that if it fails."""

    def done_or_undone(connection: sqlite3.Connection) -> T:
        connection.execute(f"SAVEPOINT {_SAVEPOINT}")
        try:
            done = work(connection)
        except BaseException:
            with suppress(sqlite3.OperationalError):  # SQLite has undone the whole transaction
                connection.execute(f"ROLLBACK TO {_SAVEPOINT}")
                connection.execute(f"RELEASE {_SAVEPOINT}")
            raise
        connection.execute(f"RELEASE {_SAVEPOINT}")
        return done

    return done_or_undone


@contextmanager
def plain(connection: aiosqlite.Connection) -> Iterator[None]:
    """Get tuples and texts while the block runs, whatever a user has set on the connection."""
    row_factory, text_factory = connection.row_factory, connection.text_factory
    connection.row_factory, connection.text_factory = None, str
    try:
        yield
    finally:
        with suppress(ValueError):  # it was closed meanwhile
            connection.row_factory, connection.text_factory = row_factory, text_factory


async def fetch_tuples(
    connection: aiosqlite.Connection,
    sql: str,
    parameters: Mapping[str, object],
    check: Callable[[], None] = lambda: None,
) -> list[tuple[Any, ...]]:
    """Read all rows of one statement, and then check, in the thread, that they count."""
    driver: Any = connection

    def work() -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = driver._conn.execute(sql, parameters).fetchall()  # noqa: SLF001 - as in in_thread
        check()
        return rows

    found: list[tuple[Any, ...]] = await driver._execute(work)  # noqa: SLF001 - as above
    return found


async def uninterrupted(work: Awaitable[T]) -> T:
    """Do something to the end; a cancellation that arrives meanwhile is raised afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()


async def patiently(attempt: Callable[[], Awaitable[T]], *, busy_timeout: float) -> T:
    """Try again while other connections hold the lock, up to ``busy_timeout`` seconds.

    SQLite's own waiting would block the thread; it pauses longer and longer, so that a busy
    neighbour always comes first; and it is not used at all where it suspects a deadlock.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + busy_timeout
    pause = 0.001
    while True:
        try:
            return await attempt()
        except sqlite3.OperationalError as error:
            if result_code(error) != sqlite3.SQLITE_BUSY or loop.time() >= deadline:
                raise
        # Random, so that two processes that wait for each other fall out of step.
        await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
        pause = min(2 * pause, _LONGEST_PAUSE)


async def make_durable(writer: aiosqlite.Connection, path: Path) -> None:
    """Let what is committed survive a loss of power, and readers go on beside who writes.

    Raises:
        StorageError: The file is where that cannot be.
    """
    ((mode,),) = await writer.execute_fetchall("PRAGMA journal_mode = WAL")
    if mode != "wal":
        message = f"the event store {str(path)!r} cannot use WAL: put it on a local disk"
        raise StorageError(message)
    await writer.execute_fetchall("PRAGMA synchronous = FULL")


async def define(connection: aiosqlite.Connection, name: str, answer: Callable[[], str]) -> None:
    """Define a function of SQL without arguments, on this connection only."""
    driver: Any = connection  # the type of its argument says nothing
    await driver.create_function(name, 0, answer)


async def _open(connection: aiosqlite.Connection, path: Path) -> None:
    try:
        await connection
    except RuntimeError as error:
        message = (
            f"cannot open the event store {str(path)!r}: each connection to SQLite is a thread, "
            f"and none can be started here ({error}); allow this process more threads, or use a "
            "store without any, such as memory://"
        )
        raise StorageError(message) from error
