"""Reading all streams without losing an event that is still in flight.

Positions are drawn before they are committed, so a reader may see 7 while 6 is not there yet. A
reader that went on after 7 would never see 6. It must stop at the *horizon*, the position up to
which nothing is in flight any more: see the function ``horizon`` in the migrations, which says why
it is right. Rows that follow the cursor without a hole need no horizon: nothing fits between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsourcing_postgres._pages import PAGE_BYTES, POSITION, Paging, pages_from
from eventsourcing_postgres._statements import LARGEST_INTEGER, is_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Coroutine

    from eventsourcing_postgres._database import Database


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
        is_impossible = bool(stream_prefix) and not _storable([str(stream_prefix)])
        self._paging = Paging(0 if is_impossible else limit)

    async def forward(self, cursor: int) -> AsyncIterator[list[Any]]:
        """Give pages of rows above a position, in order, up to the horizon of when it began."""
        cursor = min(cursor, LARGEST_INTEGER - 1)
        if not self._paging.size:
            return
        if self._is_filtered:
            horizon = await self._horizon()
            rows = await self._rows_above(cursor, horizon)
        else:
            horizon = LARGEST_INTEGER
            rows = await self._rows_above(cursor, horizon)
            # Nothing fits between rows that follow each other: they need no horizon.
            settled = cursor + _without_hole(rows, cursor)
            has_hole = settled < cursor + len(rows)
            if has_hole or not self._paging.is_over(rows):
                horizon = max(settled, await self._horizon())
            if has_hole:
                rows = await self._rows_above(cursor, horizon)
        async for page in self._pages_from(rows, lambda last: self._rows_above(last, horizon)):
            yield page

    async def backward(self, bottom: int) -> AsyncIterator[list[Any]]:
        """Give pages of rows above a position, from the horizon downward."""
        if not self._paging.size:
            return
        lowest = min(bottom, LARGEST_INTEGER - 1) + 1
        rows = await self._rows_below(await self._horizon() + 1, lowest)
        async for page in self._pages_from(rows, lambda last: self._rows_below(last, lowest)):
            yield page

    def _pages_from(
        self, rows: list[Any], fetch: Callable[[int], Coroutine[Any, Any, list[Any]]]
    ) -> AsyncIterator[list[Any]]:
        return pages_from(rows, fetch, database=self._database, paging=self._paging, key=POSITION)

    async def _rows_above(self, cursor: int, top: int) -> list[Any]:
        return await self._fetch("read_all_forward", cursor, top)

    async def _rows_below(self, cursor: int, lowest: int) -> list[Any]:
        return await self._fetch("read_all_backward", cursor, lowest)

    async def _fetch(self, name: str, cursor: int, end: int) -> list[Any]:
        return await self._database.fetch(
            "read_all", name, cursor, end, *self._filters, self._paging.size, PAGE_BYTES
        )

    async def _horizon(self) -> int:
        rows = await self._database.fetch("read_all", "horizon")
        return int(rows[0][0])


def _storable(names: Collection[str] | None) -> list[str] | None:
    """Leave out names that PostgreSQL cannot hold, and so no row has: a NUL, half a surrogate."""
    if names is None:
        return None
    return [name for name in names if is_text(name)]


def _without_hole(rows: list[Any], cursor: int) -> int:
    """Count the rows whose positions follow the cursor, and each other, one by one."""
    if rows and rows[-1][POSITION] == cursor + len(rows):
        return len(rows)
    return next(n for n, row in enumerate(rows) if row[POSITION] != cursor + n + 1) if rows else 0
