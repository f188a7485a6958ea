"""Holding a tag across processes: for a boundary that is too hot for optimism."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING

import asyncpg

from eventsourcing_core.stores import LocalHolding, StorageError
from eventsourcing_postgres._boundaries._locks import key_of
from eventsourcing_postgres._connections import is_lost
from eventsourcing_postgres._errors import DRIVER, translated
from eventsourcing_postgres._statements import statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_postgres._database import Database
    from eventsourcing_postgres._pool import Connection, Lent

_DOING = "hold"
_LONGEST = 2**31 - 1  # what the setting lock_timeout can hold, in milliseconds
_SHARE = 0.1  # seconds that a tag goes from one task of this process to the next one


class _Tag:
    """A tag that tasks of this process hold or wait for."""

    def __init__(self) -> None:
        self.wanted = 0
        """How many tasks do."""
        self.connection: Lent | None = None
        """What has it locked in the server; None: nothing has."""
        self.since = 0.0
        """When it was locked, by the monotonic clock."""


class PostgresHolding:
    """Lets one task at a time hold a tag, in all processes; see ``Holding``.

    Whoever holds one keeps a transaction open that has its lock, which works behind a pooler, too.
    So each task that holds some takes a connection of the pool. At most half of them are taken so:
    the others are for what is done meanwhile. A lock goes on to the next task that waits for it in
    this process, but not for longer than a tenth of a second, since others wait, too.

    What a task holds beside its first tag is locked in the same transaction. With a connection for
    each, tasks that hold one and want another could take all places, and wait for each other.

    Args:
        database: Where to.
        max_wait: Seconds to wait for a tag that another task or process holds.
    """

    def __init__(self, database: Database, max_wait: float) -> None:
        self._database = database
        self._max_wait = max_wait
        self._local = LocalHolding(max_wait)
        self._tags: dict[str, _Tag] = {}
        self._firsts: dict[asyncio.Task[object] | None, _Tag] = {}  # what each task took first
        self._most = database.pool.get_max_size() // 2
        self._places = asyncio.Semaphore(self._most)
        milliseconds = max(int(min(max_wait * 1000, _LONGEST)), 1)  # 0 would be no limit
        begin = statement("hold", database.schema)
        self._begin = begin.replace("{milliseconds}", str(milliseconds))
        self._beside = statement("hold_beside", database.schema)

    @asynccontextmanager
    async def hold(self, tag: str) -> AsyncIterator[None]:
        """Hold a tag; see ``Holding.hold``."""
        if not self._most:
            message = "hold needs a pool of two connections at least: one of them holds the tag"
            raise StorageError(message)
        held = self._tags.setdefault(tag, _Tag())
        held.wanted += 1
        try:
            async with self._local.hold(tag), self._locked(tag, held):
                yield
        finally:
            held.wanted -= 1
            if not held.wanted:
                await self._unlock(held)  # whoever it went on to was cancelled
                if self._tags.get(tag) is held and not held.wanted:
                    del self._tags[tag]

    @asynccontextmanager
    async def _locked(self, tag: str, held: _Tag) -> AsyncIterator[None]:
        """Have a tag locked in the server, beside what this task has locked already."""
        task = asyncio.current_task()
        first = self._firsts.get(task)
        if first is not None and not _has_lock(held) and _has_lock(first):
            async with self._locked_beside(tag, first):
                yield
            return

        try:
            if not _has_lock(held):
                await self._lock(tag, held)
            self._firsts.setdefault(task, held)
            yield
        finally:
            if self._firsts.get(task) is held:
                del self._firsts[task]
            if held.wanted == 1 or monotonic() - held.since > _SHARE:
                await self._unlock(held)

    @asynccontextmanager
    async def _locked_beside(self, tag: str, first: _Tag) -> AsyncIterator[None]:
        """Have a tag locked in the transaction that has another one."""
        connection = first.connection
        try:
            if connection is not None:
                await self._run(connection, self._beside, tag)
            yield
        finally:
            if connection is not None and first.connection is connection:
                await _to_its_end(self._database.start(self._end_beside(connection, first)))

    async def _lock(self, tag: str, held: _Tag) -> None:
        await self._unlock(held)  # it was lost
        await self._take_place(tag)
        database = self._database
        try:
            held.connection = await database.lend(_DOING)
            await self._run(held.connection, self._begin, tag)
        except BaseException:
            if held.connection is None:
                self._places.release()
            await self._unlock(held)
            raise
        held.since = monotonic()

    async def _take_place(self, tag: str) -> None:
        try:
            async with asyncio.timeout(self._max_wait):
                await self._places.acquire()
        except TimeoutError:
            message = (
                f"hold failed: {self._most} tasks of this process hold tags, which takes half of "
                f"the pool's connections, and none ended in {self._max_wait:g} seconds, so {tag!r} "
                "cannot be held: hold for a shorter time, or take a larger pool"
            )
            raise StorageError(message) from None

    async def _run(self, connection: Lent, sql: str, tag: str) -> None:
        """Run a statement that waits for a tag."""
        database = self._database
        with translated(_DOING, database.schema):
            await database.watched(connection, self._wait, sql, tag, more=self._max_wait)

    async def _wait(self, connection: Connection, sql: str, tag: str) -> None:
        try:
            await connection.execute(sql.replace("{key}", str(-key_of(tag))))
        except asyncpg.LockNotAvailableError as error:
            message = (
                f"hold failed: another process has held the tag {tag!r} for {self._max_wait:g} "
                "seconds: hold it for a shorter time, or raise max_wait"
            )
            raise StorageError(message) from error

    async def _unlock(self, held: _Tag) -> None:
        connection, held.connection = held.connection, None
        if connection is not None:
            # To its end, even if whoever held the tag is cancelled meanwhile.
            await asyncio.wait({self._database.start(self._end(connection))})

    async def _end(self, connection: Lent) -> None:
        try:
            with suppress(*DRIVER):  # it is lost, and the lock with it
                await self._database.watched(connection, _rollback)
            await self._database.take_back(connection, reset=False)
        finally:
            self._places.release()

    async def _end_beside(self, connection: Lent, first: _Tag) -> None:
        try:
            await self._database.watched(connection, self._roll_back_beside)
        except DRIVER:  # the lock of the first one may be lost, too: it goes to nobody else
            first.since = float("-inf")

    async def _roll_back_beside(self, connection: Connection) -> None:
        await connection.execute(statement("hold_beside_end", self._database.schema))


async def _to_its_end(task: asyncio.Task[None]) -> None:
    """Wait until a task has ended, also if this one is cancelled meanwhile."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


def _has_lock(held: _Tag) -> bool:
    return held.connection is not None and not is_lost(held.connection)


async def _rollback(connection: Connection) -> None:
    await connection.execute("rollback")
