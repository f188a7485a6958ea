"""Connections that are opened and closed to the end, also when their task is cancelled.

A connection of aiosqlite is a thread. One that is left behind keeps the interpreter from exiting.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

import aiosqlite

from eventsourcing_sqlite._errors import result_code

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
    from pathlib import Path

T = TypeVar("T")

_LONGEST_PAUSE = 0.02  # seconds between two attempts to get a lock


@asynccontextmanager
async def connected(
    path: Path, *, busy_timeout: float, may_make: bool = True
) -> AsyncIterator[aiosqlite.Connection]:
    """Connect to a file, and close the connection on leaving.

    Args:
        path: An absolute path.
        busy_timeout: How long SQLite itself waits for a lock, in seconds, in the thread.
        may_make: Whether the file is made if it is missing.
    """
    uri = f"{path.as_uri()}?mode={'rwc' if may_make else 'rw'}"
    # Transactions begin where we say so, and not where Python guesses.
    connection = aiosqlite.connect(uri, uri=True, isolation_level=None, timeout=busy_timeout)
    try:
        await uninterrupted(_open(connection))
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


async def uninterrupted(work: Coroutine[object, object, T]) -> T:
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


async def _open(connection: aiosqlite.Connection) -> None:
    await connection
