"""Reading all streams without losing an event that is still in flight.

Positions are drawn before they are committed, so a reader may see 7 while 6 is not there yet. A
reader that went on after 7 would never see 6. It must stop at the *horizon*, the position up to
which nothing is in flight any more: see the function ``horizon`` in the migrations, which says why
it is right. Rows that follow the cursor without a hole need no horizon: nothing fits between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from eventsourcing_postgres._statements import LARGEST_INTEGER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from datetime import datetime

    from eventsourcing_postgres._database import Database

POSITION = 8
"""The column of a row that holds its position."""

_FIRST_PAGE = 100
_LARGEST_PAGE = 5_000


class Appender(NamedTuple):
    """A transaction that appends now: readers see no position above its floor."""

    pid: int
    """The server process, as in ``pg_stat_activity``."""
    floor: int
    """Positions up to here were drawn before it began."""
    since: datetime | None
    """When the transaction began; None if this user may not see it."""
    state: str | None
    """``active``, ``idle in transaction``, …"""
    application_name: str | None
    """What the client calls itself."""


class AllReader:
    """Walks over all streams, page by page, holding no connection between two pages."""

    def __init__(
        self,
        database: Database,
        *,
        event_types: Collection[str] | None,
        stream_prefix: str | None,
        limit: int | None,
    ) -> None:
        self._database = database
        self._filters = (_storable(event_types), stream_prefix)
        self._is_filtered = event_types is not None or bool(stream_prefix)
        self._left = LARGEST_INTEGER if limit is None else limit
        if stream_prefix and not _storable([stream_prefix]):
            self._left = 0  # no stream id begins so
        self._page = _FIRST_PAGE

    async def forward(self, cursor: int) -> AsyncIterator[list[Any]]:
        """Give pages of rows above a position, in order, up to the horizon."""
        cursor = horizon = min(cursor, LARGEST_INTEGER - 1)
        while self._left:
            size = min(self._page, self._left)
            rows = (
                [] if self._is_filtered else await self._rows_above(cursor, LARGEST_INTEGER, size)
            )
            if self._is_filtered or _settled(rows, cursor, horizon) < len(rows):
                horizon = max(horizon, await self._horizon())
                rows = await self._rows_above(cursor, horizon, size)
            if rows:
                yield rows
                cursor = rows[-1][POSITION]
            if len(rows) < size:
                return
            self._turn(size)

    async def backward(self, bottom: int) -> AsyncIterator[list[Any]]:
        """Give pages of rows above a position, from the horizon downward."""
        bottom = min(bottom, LARGEST_INTEGER - 1)
        cursor = await self._horizon() + 1
        while self._left:
            size = min(self._page, self._left)
            rows = await self._database.fetch(
                "read_all", "read_all_backward", cursor, bottom, size, *self._filters
            )
            if rows:
                yield rows
                cursor = rows[-1][POSITION]
            if len(rows) < size:
                return
            self._turn(size)

    async def _rows_above(self, cursor: int, top: int, size: int) -> list[Any]:
        return await self._database.fetch(
            "read_all", "read_all_forward", cursor, top, size, *self._filters
        )

    async def _horizon(self) -> int:
        rows = await self._database.fetch("read_all", "horizon")
        return int(rows[0][0])

    def _turn(self, size: int) -> None:
        self._left -= size
        self._page = min(self._page * 4, _LARGEST_PAGE)


def _storable(names: Collection[str] | None) -> list[str] | None:
    """Leave out names that PostgreSQL cannot hold, and so no row has: a NUL, half a surrogate."""
    if names is None:
        return None
    return [name for name in names if _is_text(name)]


def _is_text(name: str) -> bool:
    try:
        return "\0" not in name and bool(name.encode())
    except UnicodeEncodeError:
        return False


def _settled(rows: list[Any], cursor: int, horizon: int) -> int:
    """Count the rows that nothing can come before any more."""
    for number, row in enumerate(rows):
        position = row[POSITION]
        if position > horizon and position != cursor + 1:
            return number
        cursor = position
    return len(rows)
