"""A pool and a schema, as each store of a backend works with them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

import asyncpg

from eventsourcing_core.stores import StorageError
from eventsourcing_postgres._checks import check_pool, check_seconds
from eventsourcing_postgres._columns import Fit
from eventsourcing_postgres._connections import (
    check_not_lost,
    fetch_on,
    is_lost,
    leave,
    look_at,
    reset_on,
    rows_on,
    transacted,
)
from eventsourcing_postgres._errors import (
    DRIVER,
    exhausted,
    is_outage,
    is_too_isolated,
    translation,
)
from eventsourcing_postgres._migrations import check_on
from eventsourcing_postgres._statements import quoted, statement
from eventsourcing_postgres._watch import Watch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from eventsourcing_core.stores import Row
    from eventsourcing_postgres._pool import Connection, Lent

T = TypeVar("T")
Args = TypeVarTuple("Args")

_AT_HAND = 0.05
"""Seconds for which an unused connection is kept, before it goes back to the pool."""
_CLOSING = 10.0
"""Seconds until a connection is ended whose statement the server does not give up."""
_LONG = frozenset({"statistics", "import"})
"""What may take long; anything else takes a moment, unless the server is away."""
_WRITING = frozenset({"append", "import"})


class Database:
    """Runs statements, each on a connection that is free again when the statement is done.

    Getting a connection from the pool and giving it back takes longer than a short statement.
    So those that were used are kept at hand for a moment: at most half of the pool. Where the pool
    runs out of others they go back to it, at the latest after 50 ms.

    Args:
        pool: The caller's pool; it is not closed here.
        schema: The schema of the store's tables.
        acquire_timeout: Seconds to wait for a free connection.
        answer_timeout: Seconds to wait for the answer to a statement: all but ``_LONG``.
    """

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        *,
        schema: str,
        acquire_timeout: float,
        answer_timeout: float,
    ) -> None:
        check_pool(pool)
        quoted(schema)
        check_seconds("acquire_timeout", acquire_timeout)
        check_seconds("answer_timeout", answer_timeout)
        self.pool = pool
        self.schema = schema
        self._acquire_timeout = acquire_timeout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._is_checked = False  # the schema, since the last outage
        self._most_at_hand = pool.get_max_size() // 2
        self._at_hand: list[Lent] = []
        self._unused = 0  # how many of these nobody took since the last look
        self._is_ample = False  # the pool had another connection then
        self._is_strict = False  # the level of isolation that the database prefers is too high
        self._acquiring = 0  # how many wait here for a connection of the pool
        self._timer: asyncio.TimerHandle | None = None
        self._background: set[asyncio.Task[Any]] = set()
        self._watch = Watch(answer_timeout, self._renew)
        self.fit: Fit = Fit()
        """Whether pages are asked for as columns."""
        self.on_renewal: Callable[[], None] = lambda: None
        """What to do when the connections of the pool may be dead."""

    def check_usable(self) -> None:
        """Refuse use after closing, and from another event loop than before."""
        self._check_open()
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            message = "the store belongs to another event loop: open one in this loop"
            raise RuntimeError(message)

    def _check_open(self) -> None:
        if self._closed:
            message = "the store is closed"
            raise StorageError(message)

    async def open(self, doing: str, connections: int) -> None:
        """Make so many connections, but one at least, and look whether the schema is right."""
        uses = [self.start(self.use(doing, look_at)) for _ in range(max(connections, 1))]
        await asyncio.wait(uses)
        for each in uses:
            each.result()

    async def use(
        self, doing: str, work: Callable[[Connection, *Args], Awaitable[T]], *args: *Args
    ) -> T:
        """Do some work on a borrowed connection; the driver's errors in it become ours.

        Work that is ``isolated`` is begun anew where it meets the isolation of the database.
        """
        was_strict = self._is_strict
        try:
            connection = self._take_at_hand()
            was_at_hand = connection is not None
            if connection is None:
                connection = await self._acquire()
            try:
                if not self._is_checked:
                    await self._check(connection)
                if doing in _LONG:
                    result = await work(connection, *args)
                else:
                    result = await self.watched(connection, work, *args)
            except BaseException as error:
                if doing in _WRITING and isinstance(error, asyncio.CancelledError):
                    leave(connection)
                self._part_with(connection, error)
                raise
            if self._may_keep(was_at_hand=was_at_hand):
                self._keep(connection)
            else:
                self._start_apart(self._release(connection))
        except DRIVER as error:
            if was_strict or not is_too_isolated(error):
                raise self._translated(error, doing) from error
            self._is_strict = True
            return await self.use(doing, work, *args)
        return result

    def isolated(
        self,
        connection: Connection,
        work: Callable[[Connection, *Args], Awaitable[T]],
        *args: *Args,
    ) -> Awaitable[T]:
        """Do some work at READ COMMITTED, whatever the database prefers.

        At another level it could fail for what it has nothing to do with. Nearly every database
        prefers this one, and a transaction of its own costs two round trips: so the level is set
        once a statement has failed for it.
        """
        if not self._is_strict:
            return work(connection, *args)
        return self._read_committed(connection, work, *args)

    async def _read_committed(
        self,
        connection: Connection,
        work: Callable[[Connection, *Args], Awaitable[T]],
        *args: *Args,
    ) -> T:
        async with transacted(connection, isolation="read_committed"):
            return await work(connection, *args)

    def doubt(self) -> None:
        """Have the next use look again whether the schema is that of this version, and whole."""
        self._is_checked = False

    async def _check(self, connection: Lent) -> None:
        """Refuse a schema that this version cannot work with: once, and after each outage."""
        await self.watched(connection, check_on, self.schema)
        self._is_checked = True

    def _translated(self, error: Exception, doing: str) -> StorageError:
        """Give our error for the driver's; after an outage it may be another server."""
        if is_outage(error):
            self.doubt()
        return translation(error, doing, self.schema)

    async def watched(
        self,
        connection: Lent,
        work: Callable[[Connection, *Args], Awaitable[T]],
        *args: *Args,
        more: float = 0.0,
    ) -> T:
        """Do some work, for which the server gets ``answer_timeout`` seconds, and some more."""
        self._watch.begin(connection, more)
        try:
            return await work(connection, *args)
        except Exception as error:  # the driver raises anything when it is ended half way
            if self._watch.end(connection):
                raise
            message = (
                f"the server has not answered for {self._watch.seconds:g} seconds; the connection "
                "is ended, and what was asked may have been done"
            )
            raise TimeoutError(message) from error
        finally:
            self._watch.end(connection)

    def _renew(self) -> None:
        """Use no connection any more that is as old as one that was ended: it may be dead, too."""
        self.doubt()
        self._start_apart(self.pool.expire_connections())
        for connection in self._at_hand:
            leave(connection)
        self._give_back(len(self._at_hand))
        self.on_renewal()

    async def lend(self, doing: str) -> Lent:
        """Give a connection for longer than one statement; ``take_back`` must follow."""
        try:
            connection = self._take_at_hand() or await self._acquire()
            try:
                if not self._is_checked:
                    await self._check(connection)
                check_not_lost(connection)
            except BaseException as error:
                self._part_with(connection, error)
                raise
        except DRIVER as error:
            raise self._translated(error, doing) from error
        return connection

    async def take_back(self, connection: Lent, *, reset: bool) -> None:
        """Take back a connection that was lent; reset it if strangers had it."""
        if reset:
            with suppress(*DRIVER):  # it is lost: the pool will see that, too
                await self.watched(connection, reset_on)
        await asyncio.wait({self._start_apart(self._release(connection))})

    async def rows(self, doing: str, name: str, *arguments: Any) -> list[Row]:
        """Run a statement of a file that reads events."""
        sql = statement(name, self.schema)
        return await self.use(doing, self.isolated, rows_on, sql, *arguments)

    async def fetch(self, doing: str, name: str, *arguments: Any) -> list[Any]:
        """Run a statement of a file, and give its rows."""
        sql = statement(name, self.schema)
        return await self.use(doing, self.isolated, fetch_on, sql, *arguments)

    def _take_at_hand(self) -> Lent | None:
        """Give a connection that is at hand, if there is one."""
        self._check_open()  # a reader may be half way when the store is closed
        while self._at_hand:
            connection = self._at_hand.pop()
            self._unused = min(self._unused, len(self._at_hand))
            if not is_lost(connection):
                return connection
            self._start_apart(self._release(connection))
        return None

    async def _acquire(self) -> Lent:
        """Give a connection of the pool; who is cancelled does not wait until the driver gives up.

        A new connection runs in the context of whoever made it for as long as it lives: in that of
        a task of ours, not of a request.
        """
        acquiring = self._start_apart(self._from_pool())
        self._acquiring += 1
        try:
            await asyncio.wait({acquiring})
        except asyncio.CancelledError:
            if not self._has_another():  # else it connects: half way the driver leaves litter
                acquiring.cancel()
            acquiring.add_done_callback(self._decline)
            raise
        finally:
            self._acquiring -= 1
        connection = acquiring.result()
        if self._closed:  # meanwhile; the pool may be closed, too, and take nothing back
            connection.terminate()
            self._check_open()
        return connection

    async def _from_pool(self) -> Lent:
        # Not by the pool's own timeout: on Python 3.11 it loses a connection that comes just then.
        try:
            async with asyncio.timeout(self._acquire_timeout):
                return await self.pool.acquire()
        except TimeoutError:
            if self._has_another():
                raise
            raise exhausted(self._acquire_timeout, self.pool.get_max_size()) from None

    def _decline(self, acquiring: asyncio.Task[Lent]) -> None:
        """Give back what came too late."""
        if not acquiring.cancelled() and acquiring.exception() is None:
            self._start_apart(self._release(acquiring.result()))

    def start(
        self, work: Coroutine[Any, Any, T], context: Context | None = None
    ) -> asyncio.Task[T]:
        """Start something that may come to its end after nobody waits for it any more."""
        task = asyncio.get_running_loop().create_task(work, context=context)
        self._background.add(task)
        task.add_done_callback(self._ended, context=context)
        return task

    def _start_apart(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start something that the driver may remember for long, and its context with it."""
        return self.start(work, Context())

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled():
            task.exception()  # taken note of: whoever waits gets it, too

    def close(self) -> None:
        """Refuse further use, and give back the connections that are at hand."""
        self._closed = True
        self._watch.close()
        if self._timer is not None:
            self._timer.cancel()
        self._give_back(len(self._at_hand))

    async def wait_closed(self) -> None:
        """Wait until what was started has ended, and all connections are back in the pool."""
        while self._background:  # what ends may start to give its connection back
            await asyncio.wait(self._background)

    def _may_keep(self, *, was_at_hand: bool) -> bool:
        if self._closed or self._acquiring or len(self._at_hand) >= self._most_at_hand:
            return False
        # Asking the pool takes time: for a connection that was at hand, the last answer will do.
        return (was_at_hand and self._is_ample) or self._has_another()

    def _has_another(self) -> bool:
        """Tell whether nobody would wait for a connection that the pool does not have."""
        return bool(self.pool.get_idle_size()) or self.pool.get_size() < self.pool.get_max_size()

    def _keep(self, connection: Lent) -> None:
        self._at_hand.append(connection)
        if self._timer is None:
            self._look_later()

    def _look(self) -> None:
        """Give back the connections that were not used since the last look.

        All, if the pool has no other one: somebody may be waiting for it.
        """
        self._timer = None
        self._is_ample = self._has_another()
        self._give_back(self._unused if self._is_ample else len(self._at_hand))
        self._unused = len(self._at_hand)
        if self._at_hand:
            self._look_later()

    def _look_later(self) -> None:
        # Not in the context of whoever was first: a tracer would take this for a part of it.
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_AT_HAND, self._look, context=Context())

    def _part_with(self, connection: Lent, error: BaseException) -> None:
        """Give back a connection on which something failed, or end it."""
        if isinstance(error, asyncpg.InternalClientError):  # the driver has lost track of it
            leave(connection)
        # After a cancellation the driver first waits until the server has given up what it did.
        seconds = _CLOSING if isinstance(error, asyncio.CancelledError) else None
        self._start_apart(self._release(connection, seconds=seconds))

    async def _release(self, connection: Lent, *, seconds: float | None = None) -> None:
        """Give a connection back; that may take so many seconds, or else ``acquire_timeout``.

        One that cannot be made ready for others is ended by the pool, and that is nobody's error:
        what was done on it is done.
        """
        with suppress(*DRIVER):
            if connection.is_closed():
                connection.terminate()  # else asyncpg 0.30 counts it as in use for ever
            await self.pool.release(connection, timeout=seconds or self._acquire_timeout)

    def _give_back(self, count: int) -> None:
        for connection in self._at_hand[:count]:
            self._start_apart(self._release(connection))
        del self._at_hand[:count]
