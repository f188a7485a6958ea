"""The connection on which the stores of a pool are notified: one for all of them.

A pool may have a hundred stores, one for each schema. Were each to listen on a connection of its
own, none would be left to read and to append. So the first store that waits has one taken from the
pool, the others join it, and the last one to leave gives it back.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING, Any

from eventsourcing_postgres._errors import DRIVER

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    import asyncpg

    from eventsourcing_postgres._pool import Lent

logger = logging.getLogger("eventsourcing_postgres")

_PAUSE = 1.0  # seconds before a connection that was lost is replaced
_PATIENCE = 30.0  # seconds to wait for a connection of the pool, or for an answer on it
_HEARTBEAT = 30.0  # seconds after which a silent connection is asked whether it is alive
_LAST_WORD = 1.0  # seconds that closing waits for a server that does not answer


class Listener:
    """Calls those who wait for a channel when there is a notification on it, or may have been one.

    Args:
        pool: Where the connection comes from.
    """

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool
        self._wakes: dict[str, set[Callable[[], None]]] = {}
        self._changed = asyncio.Event()  # who waits for what, or the connection was lost
        self._task: asyncio.Task[None] | None = None
        self._connection: Lent | None = None
        self._is_down = False  # and that was said

    def join(self, channel: str, wake: Callable[[], None]) -> None:
        """Have something called from now on."""
        self._wakes.setdefault(channel, set()).add(wake)
        self._changed.set()
        if self._task is None:
            self._task = start_apart(self._run())

    def leave(self, channel: str, wake: Callable[[], None]) -> asyncio.Task[None] | None:
        """Have it called no more; give what is to be waited for, if nobody else is there."""
        wakes = self._wakes.get(channel, set())
        wakes.discard(wake)
        if not wakes:
            self._wakes.pop(channel, None)
        self._changed.set()
        task = self._task
        if self._wakes or task is None:
            return None
        _listeners.pop(id(self._pool), None)
        task.cancel()
        return task

    def renew(self) -> None:
        """Listen on a new connection: this one may be dead."""
        if self._connection is not None:
            with suppress(*DRIVER):  # it is lost already
                self._connection.terminate()

    async def _run(self) -> None:
        """Listen, and begin anew whatever ends it, until the pool is closed."""
        while not self._pool.is_closing():
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001 - the pool's own setup may raise anything
                self._say_down(error)
            await asyncio.sleep(_PAUSE)

    def _say_down(self, error: Exception) -> None:
        """Say why nobody is notified, once until somebody is again."""
        if not self._is_down and not self._pool.is_closing():
            self._is_down = True
            message = "waiting readers are not notified, and look by themselves: %s: %s"
            logger.warning(message, type(error).__name__, error)

    async def _listen(self) -> None:
        async with asyncio.timeout(_PATIENCE):
            connection = await self._pool.acquire()

        lost = asyncio.Event()

        def on_end(*_: object) -> None:
            lost.set()
            self._changed.set()

        self._connection = connection
        try:
            connection.add_termination_listener(on_end)
            heard: set[str] = set()
            while not lost.is_set():
                self._changed.clear()
                async with asyncio.timeout(_PATIENCE):
                    heard = await self._tune(connection, heard)
                with suppress(TimeoutError):
                    async with asyncio.timeout(_HEARTBEAT):
                        await self._changed.wait()
        finally:
            if self._connection is connection:
                self._connection = None
            # It goes not back to the pool: whoever gets it next would be notified, too.
            with suppress(*DRIVER):
                connection.remove_termination_listener(on_end)
                await connection.close(timeout=_LAST_WORD)
            with suppress(*DRIVER):
                connection.terminate()  # asyncpg 0.30 counts one that was lost as in use for ever
            self._wake(self._wakes)  # what is notified from now on is not heard: look once

    async def _tune(self, connection: Lent, heard: set[str]) -> set[str]:
        """Listen to what is wanted, and to nothing else; ask for a sign of life at least."""
        wanted = set(self._wakes)
        for channel in heard - wanted:
            await connection.remove_listener(channel, self._on_notification)
        for channel in wanted - heard:
            await connection.add_listener(channel, self._on_notification)
        if wanted == heard:
            await connection.execute("select")
        self._wake(wanted - heard)  # what was notified before this moment was not heard: look once
        if self._is_down:
            self._is_down = False
            logger.info("waiting readers are notified again")
        return wanted

    def _on_notification(self, _: object, __: int, channel: str, ___: object) -> None:
        self._wake([channel])

    def _wake(self, channels: Iterable[str]) -> None:
        for channel in channels:
            for wake in self._wakes.get(channel, ()):
                wake()


_listeners: dict[int, Listener] = {}
"""Those at work, by the id of the pool, which each of them keeps alive."""


def listener_of(pool: asyncpg.Pool[asyncpg.Record]) -> Listener:
    """Give the listener of a pool, which must be joined at once."""
    return _listeners.setdefault(id(pool), Listener(pool))


def start_apart(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start a task that outlives the request that needs it first.

    Not in the context of that request: a tracer would take all its work for a part of it.
    """
    return asyncio.get_running_loop().create_task(work, context=Context())
