"""Waking readers that wait for events.

Never by a NOTIFY inside the transaction that appends: it takes a lock on the whole cluster through
the commit. After the commit this process sends one NOTIFY of its own, at most one every few
milliseconds however many appends there are. Readers listen on one connection per store, and look
by themselves every so often, since a notification can be lost and a pooler may not pass them on.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextvars import Context
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from eventsourcing_core.stores import StorageError
from eventsourcing_postgres._errors import DRIVER, translation
from eventsourcing_postgres._horizon import check_given_on
from eventsourcing_postgres._statements import LARGEST_INTEGER

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from eventsourcing_postgres._database import Connection, Database

_PAUSE = 0.02  # seconds between two notifications; the first one goes out at once
_LEAST_LOOK = 5.0  # seconds that one look may take, although the time is over
_LAST_WORD = 1.0  # seconds that closing waits for a server that does not answer


class Waking:
    """Sends and receives the news that events were appended.

    Args:
        database: The pool and the schema.
        poll_interval: Seconds between two looks of a waiting reader.
        listen: Whether to keep a connection to be notified on.
    """

    def __init__(self, database: Database, *, poll_interval: float, listen: bool) -> None:
        self._database = database
        self._poll_interval = poll_interval
        # A waiting reader must not take the last connection from those who append.
        self._listens = listen and database.pool.get_max_size() > 1
        digest = blake2b(database.schema.encode(), digest_size=8).hexdigest()
        self._channel = f"eventsourcing_{digest}"
        self._waiting: set[asyncio.Event] = set()
        self._notifier: asyncio.Task[None] | None = None
        self._again = False
        self._listener: asyncio.Task[None] | None = None
        self._listening: Connection | None = None
        database.on_renewal = self._listen_anew

    def appended(self) -> None:
        """Wake the readers in this process, and soon those in others."""
        self.wake()
        if self._notifier is None:
            self._notifier = _background(self._notify())
        else:
            self._again = True

    async def wait(self, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - see the port
        """Sleep until there is an event after a position; False when the time is over."""
        if timeout > 0 and self._listens and self._listener is None:
            self._listener = _background(self._listen())
        left = timeout
        was_answered = False
        deadline = asyncio.get_running_loop().time() + timeout
        woken = asyncio.Event()
        self._waiting.add(woken)
        try:
            while True:
                woken.clear()
                is_there = False
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(left, _LEAST_LOOK)):
                        is_there = await self._is_there(min(after_position, LARGEST_INTEGER - 1))
                        was_answered = True
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0 and not was_answered:
                    raise translation(TimeoutError(), "wait", self._database.schema)
                if is_there or left <= 0:
                    return is_there
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(left, self._poll_interval)):
                        await woken.wait()
        finally:
            self._waiting.discard(woken)

    async def _is_there(self, position: int) -> bool:
        """Tell whether there is an event after a position, and ``read_all`` would give it now.

        Where it would not, a waiting reader must sleep: it would read nothing and wait again at
        once, for as long as somebody's transaction is open.
        """
        ((is_there, is_next, was_given),) = await self._exists_after(position, LARGEST_INTEGER)
        if not is_there and not was_given:
            await check_given_on(self._database, "wait", position)
        if not is_there or is_next:  # what follows without a hole needs no horizon
            return bool(is_there)
        ((horizon,),) = await self._database.fetch("wait", "horizon")
        ((is_there, *_),) = await self._exists_after(position, horizon)
        return bool(is_there)

    async def _exists_after(self, position: int, highest: int) -> list[Any]:
        return await self._database.fetch("wait", "exists_after", position, highest)

    async def close(self) -> None:
        """Send the last notification, and end what runs in the background."""
        if self._notifier is not None:
            await asyncio.wait({self._notifier}, timeout=_LAST_WORD)
        tasks = {task for task in (self._notifier, self._listener) if task is not None}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def wake(self) -> None:
        """Let those who wait in this process look."""
        for woken in self._waiting:
            woken.set()

    async def _notify(self) -> None:
        """Send one notification, and another one if there were appends in the meantime."""
        try:
            while True:
                self._again = False
                with contextlib.suppress(StorageError):  # readers look by themselves, too
                    await self._database.fetch("notify", "notify", self._channel)
                await asyncio.sleep(_PAUSE)
                if not self._again:
                    return
        finally:
            self._notifier = None

    async def _listen(self) -> None:
        """Listen, and begin anew when the connection is lost."""
        while True:
            with contextlib.suppress(StorageError):
                await self._database.use("listen", self._listen_on)
            self.wake()  # what was notified in between is not heard: look once
            await asyncio.sleep(self._poll_interval)

    async def _listen_on(self, connection: Connection) -> None:
        lost = asyncio.Event()

        def on_notification(*_: object) -> None:
            self.wake()

        def on_end(*_: object) -> None:
            lost.set()

        self._listening = connection
        connection.add_termination_listener(on_end)
        try:
            await connection.add_listener(self._channel, on_notification)
            await lost.wait()
        finally:
            self._listening = None
            with contextlib.suppress(*DRIVER):  # it is lost: nothing may hide a cancellation
                connection.remove_termination_listener(on_end)
                # Not by a timeout: this task is mostly being cancelled.
                last = self._database.start(
                    connection.remove_listener(self._channel, on_notification)
                )
                await asyncio.wait({last}, timeout=_LAST_WORD)
                if not last.done():
                    connection.terminate()

    def _listen_anew(self) -> None:
        if self._listening is not None:
            with contextlib.suppress(*DRIVER):  # it is lost already
                self._listening.terminate()


def _background(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start a task that outlives the request that needs it first.

    Not in the context of that request: a tracer would take all its work for a part of it.
    """
    return asyncio.get_running_loop().create_task(work, context=Context())
