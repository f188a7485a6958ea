"""Ending connections on which the server does not answer.

After a failover, or behind a balancer, a connection can be dead without anybody saying so: TCP
gives up after a quarter of an hour, or never. Nobody may wait for it so long, and a limit for each
statement, as the driver has it, takes longer than the rest of a short one. So one timer looks
after all that are asked.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import asyncpg
    from asyncpg.pool import PoolConnectionProxy


class Watch:
    """Knows since when each connection is asked, and ends those that are asked for too long.

    Args:
        seconds: How long an answer may take.
        on_end: Called after some were ended.
    """

    def __init__(self, seconds: float, on_end: Callable[[], None]) -> None:
        self.seconds = seconds
        self._on_end = on_end
        self._asked: dict[PoolConnectionProxy[asyncpg.Record], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, connection: PoolConnectionProxy[asyncpg.Record]) -> None:
        """Look after a connection from now on."""
        self._asked[connection] = monotonic()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.seconds, self._look)

    def end(self, connection: PoolConnectionProxy[asyncpg.Record]) -> bool:
        """Look after it no longer; False if it was ended."""
        return self._asked.pop(connection, None) is not None

    def close(self) -> None:
        """Look after none."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        latest = monotonic() - self.seconds
        silent = [connection for connection, since in self._asked.items() if since <= latest]
        for connection in silent:
            del self._asked[connection]
            connection.terminate()
        self._timer = None
        if self._asked:
            due = min(self._asked.values()) - latest
            self._timer = asyncio.get_running_loop().call_later(due, self._look)
        if silent:
            self._on_end()
