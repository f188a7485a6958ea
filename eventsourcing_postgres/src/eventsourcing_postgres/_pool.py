"""Pools of our own: their connections, and how they are closed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

from eventsourcing_postgres._errors import DRIVER

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Driver: TypeAlias = asyncpg.Connection[asyncpg.Record]
    Lent: TypeAlias = PoolConnectionProxy[asyncpg.Record]
    Connection: TypeAlias = Driver | Lent
else:
    Driver = asyncpg.Connection  # generic for type checkers only

_GOOD_BYE = 2.0
"""Seconds until a connection is ended that the server does not close."""
_LOOK = 0.01  # seconds between two looks whether connections are free


class BoundedConnection(Driver):
    """A connection that is closed in bounded time, also where nobody answers the good-bye.

    Proxies may keep it to themselves, and a server that is gone says nothing. The driver's pool
    closes connections in tasks that nobody looks at: what fails there would only fill the log.

    And it can tell statements of one text apart. The driver knows a prepared statement by its text,
    with the types that it found at first. Where unqualified names mean other tables than they did
    then, these may be wrong. Who does so is in a transaction: if that was ended, his next statement
    would be committed by itself, so it is refused.
    """

    __slots__ = ("_mark",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._mark = ""

    def mark_statements(self, mark: str) -> None:
        """Prepare statements apart from those of another mark, which is put behind their texts.

        Args:
            mark: An SQL comment, or empty.
        """
        self._mark = mark

    def _get_statement(self, query: str, *args: Any, **kwargs: Any) -> Any:
        # Not public, but the one place that the driver's methods go through, but for those below.
        if self._mark:
            self._check_open()
            query += self._mark
        return super()._get_statement(query, *args, **kwargs)  # type: ignore[misc]  # pyright: ignore - the stubs leave it out

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109 - the driver's word
        """Run a statement, or several; see the driver."""
        self._check_open()
        return await super().execute(query, *args, timeout=timeout)

    def _check_open(self) -> None:
        if self._mark and not self.is_in_transaction() and not self.is_closed():
            message = "the transaction is over, and what is written now would be stored without it"
            raise asyncpg.InterfaceError(message)

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the driver's word
        """Say good-bye; if that is not answered, the connection is ended."""
        seconds = _GOOD_BYE if timeout is None else timeout
        try:
            # asyncpg 0.30 first waits, as long as it takes, until a statement is given up.
            async with asyncio.timeout(seconds):
                await super().close(timeout=seconds)
        except DRIVER:
            self.terminate()


async def close_pool(pool: asyncpg.Pool[asyncpg.Record], *, patience: float) -> None:
    """Close a pool when what is under way on it has ended.

    Args:
        pool: A pool of ours.
        patience: Seconds that it may take to end; a server that does not answer is given no more.
    """
    try:
        async with asyncio.timeout(patience):
            while pool.get_idle_size() < pool.get_size():  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(_LOOK)
        async with asyncio.timeout(_GOOD_BYE):
            await pool.close()
    except TimeoutError:
        pass
    finally:
        pool.terminate()  # what is left
