"""Waking readers that wait for events.

Never by a NOTIFY inside the transaction that appends: it takes a lock on the whole cluster through
the commit. After the commit this process sends one NOTIFY of its own, at most one every few
milliseconds however many appends there are. Readers listen on one connection per pool, and look
by themselves every so often, since a notification can be lost and a pooler may not pass them on.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from hashlib import blake2b
from typing import TYPE_CHECKING

from eventsourcing_core.stores import StorageError
from eventsourcing_postgres._errors import translation
from eventsourcing_postgres._horizon import check_given_on
from eventsourcing_postgres._listener import Listener, listener_of, logger, start_apart
from eventsourcing_postgres._statements import LARGEST_INTEGER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_postgres._database import Database

_PAUSE = 0.02  # seconds between two notifications; the first one goes out at once
_FIRST_LOOK = 1.0  # seconds that a look may take, although the time is over, if none was answered
_LAST_LOOK = 0.2  # and if one was
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
        self._listener: Listener | None = None
        database.on_renewal = self._listen_anew

    def appended(self) -> None:
        """Wake the readers in this process, and soon those in others."""
        self.wake()
        if self._notifier is None:
            self._notifier = start_apart(self._notify())
        else:
            self._again = True

    async def wait(self, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - see the port
        """Sleep until there is an event after a position; False when the time is over."""
        if timeout > 0 and self._listens and self._listener is None:
            self._listener = listener_of(self._database.pool)
            self._listener.join(self._channel, self.wake)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        woken = asyncio.Event()
        was_answered = False
        self._waiting.add(woken)
        try:
            while True:
                woken.clear()
                is_there = False
                least = _LAST_LOOK if was_answered else _FIRST_LOOK
                with suppress(TimeoutError):
                    async with _limited(max(deadline - loop.time(), least)):
                        is_there = await self._is_there(min(after_position, LARGEST_INTEGER - 1))
                        was_answered = True
                left = deadline - loop.time()
                if left <= 0 and not was_answered:
                    raise translation(TimeoutError(), "wait", self._database.schema)
                if is_there or left <= 0:
                    return is_there
                with suppress(TimeoutError):
                    async with _limited(min(left, self._poll_interval)):
                        await woken.wait()
        finally:
            self._waiting.discard(woken)

    async def _is_there(self, position: int) -> bool:
        """Tell whether there is an event after a position, and ``read_all`` would give it now.

        Where it would not, a waiting reader must sleep: it would read nothing and wait again at
        once, for as long as somebody's transaction is open.
        """
        is_there, is_next, was_given = await self._exists_after(position, LARGEST_INTEGER)
        if not is_there and not was_given:
            await check_given_on(self._database, "wait", position)
        if not is_there or is_next:  # what follows without a hole needs no horizon
            return is_there
        ((horizon,),) = await self._database.fetch("wait", "horizon")
        is_there, *_ = await self._exists_after(position, horizon)
        return is_there

    async def _exists_after(self, position: int, highest: int) -> tuple[bool, bool, bool | None]:
        ((is_there, is_next, is_behind, was_given),) = await self._database.fetch(
            "wait", "exists_after", position, highest
        )
        if is_behind:
            self._database.doubt()
        return is_there, is_next, was_given

    async def close(self) -> None:
        """Send the last notification, and end what runs in the background."""
        if self._notifier is not None:
            await asyncio.wait({self._notifier}, timeout=_LAST_WORD)
        if self._notifier is not None:
            self._notifier.cancel()
        listener = self._listener
        left = None if listener is None else listener.leave(self._channel, self.wake)
        ending = {task for task in (self._notifier, left) if task is not None}
        if ending:
            await asyncio.wait(ending)

    def wake(self) -> None:
        """Let those who wait in this process look."""
        for woken in self._waiting:
            woken.set()

    async def _notify(self) -> None:
        """Send one notification, and another one if there were appends in the meantime."""
        try:
            while True:
                self._again = False
                await self._notify_once()
                await asyncio.sleep(_PAUSE)
                if not self._again:
                    return
        finally:
            self._notifier = None

    async def _notify_once(self) -> None:
        try:
            ((is_behind, *_),) = await self._database.fetch("notify", "notify", self._channel)
        except StorageError:  # readers look by themselves, too
            return
        except Exception:  # noqa: BLE001 - the pool's own setup may raise anything
            logger.exception("a notification was not sent; readers look by themselves")
            return
        if is_behind:
            self._database.doubt()

    def _listen_anew(self) -> None:
        if self._listener is not None:
            self._listener.renew()


@asynccontextmanager
async def _limited(seconds: float) -> AsyncIterator[None]:
    """Raise a TimeoutError after so many seconds.

    As asyncio.timeout does. But the loop keeps its timer until its time has come, also when it is
    cancelled, and with the timer the context of the request that waits.
    """
    async with asyncio.timeout(None) as limit:
        Context().run(limit.reschedule, asyncio.get_running_loop().time() + seconds)
        yield
