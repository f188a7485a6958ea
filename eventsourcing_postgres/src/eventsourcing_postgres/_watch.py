"""Ending connections on which the server does not answer.

After a failover, or behind a balancer, a connection can be dead without anybody saying so: TCP
gives up after a quarter of an hour, or never. Nobody may wait for it so long, and a limit for each
statement, as the driver has it, takes longer than the rest of a short one. So one timer looks
after all that are asked.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import Context
from time import monotonic
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncpg.pool import PoolConnectionProxy


_GRACE = 0.1  # seconds from the look that finds a connection silent to the one that ends it


class Watch:
    """Knows since when each connection is asked, and ends those that are asked for too long.

    Args:
        seconds: How long an answer may take.
        on_end: Called after some were ended.
    """

    def __init__(self, seconds: float, on_end: Callable[[], None]) -> None:
        self.seconds = seconds
        self._on_end = on_end
        self._asked: dict[PoolConnectionProxy[asyncpg.Record], float] = {}  # since when
        self._silent: set[PoolConnectionProxy[asyncpg.Record]] = set()  # in the last look
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, connection: PoolConnectionProxy[asyncpg.Record], more: float = 0.0) -> None:
        """Look after a connection from now on; it may take so many seconds more."""
        self._asked[connection] = monotonic() + more
        if self._timer is None:
            self._look_in(self.seconds)

    def end(self, connection: PoolConnectionProxy[asyncpg.Record]) -> bool:
        """Look after it no longer; False if it was ended."""
        return self._asked.pop(connection, None) is not None

    def close(self) -> None:
        """Look no more, once the answers have come that are waited for now."""
        if self._timer is not None and not self._asked:
            self._timer.cancel()
            self._timer = None

    def _look_in(self, seconds: float) -> None:
        # Not in the context of whoever asked first: a tracer would take this for a part of it.
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self._look, context=Context())

    def _look(self) -> None:
        self._timer = None
        latest = monotonic() - self.seconds
        silent = {connection for connection, since in self._asked.items() if since <= latest}
        # Not in the first look: where the whole process stood still, the answers may be there.
        ended = silent & self._silent
        self._silent = silent - ended
        for connection in ended:
            del self._asked[connection]
            with suppress(asyncpg.InterfaceError):  # it was lost just now
                connection.terminate()
        if self._silent:
            self._look_in(_GRACE)
        elif self._asked:
            # What begins meanwhile may have less time than those that have more of it.
            self._look_in(min(min(self._asked.values()) - latest, self.seconds))
        if ended:
            self._on_end()
