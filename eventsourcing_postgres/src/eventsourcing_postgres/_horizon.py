"""Reading all streams without losing an event that is still in flight.

Positions are drawn before they are committed, so a reader may see 7 while 6 is not there yet. A
reader that went on after 7 would never see 6. It must stop at the *horizon*, the position up to
which nothing is in flight any more: see the function ``horizon`` in the migrations, which says why
it is right. Rows that follow the cursor without a hole need no horizon: nothing fits between.

With a filter, each statement looks at a stretch of positions only, and stretches grow while they
take no time. So a rare event is found in a few statements, none of which takes long.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from eventsourcing_core.stores import RowPage, check_given
from eventsourcing_postgres._boundaries._arguments import item_texts
from eventsourcing_postgres._columns import columns_of_all
from eventsourcing_postgres._pages import PAGE_BYTES, Paging, Step, steps_from
from eventsourcing_postgres._rows import POSITION
from eventsourcing_postgres._statements import LARGEST_INTEGER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import Row, RowQuery
    from eventsourcing_postgres._database import Database

STRETCH = 2_000
"""Positions that the first statement with a filter looks at; the next one at four times as many."""
_QUICK, _SLOW = 0.05, 0.2
"""Seconds: a stretch that takes less time is followed by a longer one, one that takes more time by
a shorter one."""


class AllReader:
    """Walks over all streams, page by page, holding no connection between two pages.

    Args:
        database: Where to.
        query: What is wanted.
        limit: The most rows; None: no limit.
    """

    def __init__(self, database: Database, query: RowQuery, limit: int | None) -> None:
        self._database = database
        self._is_filtered = query.is_filter
        self._is_in_vain = query.event_types == frozenset() or limit == 0
        types = None if query.event_types is None else sorted(query.event_types)
        self._filters = (types, query.stream_prefix or None)
        self._items: tuple[Any, ...] = ()
        if query.items is not None:
            tags, item_types = item_texts(query.items)
            self._is_in_vain = self._is_in_vain or not tags
            leading = [each.partition("\n")[0] for each in tags if each is not None]
            self._items = (tags, item_types, leading if len(leading) == len(tags) else None)
        self._paging = Paging(limit)
        self._stretch = STRETCH if query.is_filter else LARGEST_INTEGER
        self._horizon = LARGEST_INTEGER

    async def forward(self, after: int) -> AsyncIterator[RowPage]:
        """Give pages of rows above a position, in order, up to the horizon of when it began."""
        if self._paging.size == 0:
            yield RowPage([], after)
            return

        step = await (self._first_filtered(after) if self._is_filtered else self._first(after))
        if step.is_last:  # whoever follows asks for little at a time
            yield RowPage(step.rows, step.cursor)
            return
        async for rows, cursor, _ in steps_from(step, self._above, self._database.start):
            yield RowPage(rows, cursor)

    async def backward(self, after: int) -> AsyncIterator[RowPage]:
        """Give pages of rows above a position, from the horizon downward."""
        top = await self._ask_horizon()
        if self._is_in_vain or top <= after:
            yield RowPage([], top)
            return

        async def below(cursor: int) -> Step:
            rows = await self._fetch("backward", cursor, after + 1)
            is_last = self._paging.is_over(rows)
            self._paging.take(rows)
            return Step(rows, rows[-1][POSITION] if rows else cursor, is_last)

        step = await below(top + 1)
        async for rows, _, _ in steps_from(step, below, self._database.start):
            yield RowPage(rows, top)

    async def _first_filtered(self, after: int) -> Step:
        self._horizon = await self._ask_horizon()
        if self._horizon < after:  # or an append has published a lower floor
            await check_given_on(self._database, "read_all", after)
        if self._is_in_vain or self._horizon <= after:
            return Step([], max(after, self._horizon), is_last=True)
        return await self._above(after)

    async def _first(self, after: int) -> Step:
        rows = await self._fetch_forward(after, LARGEST_INTEGER)
        if not rows and after:
            await check_given_on(self._database, "read_all", after)
        settled = after + _without_hole(rows, after)
        has_hole = settled < after + len(rows)
        if not has_hole and self._paging.is_over(rows):  # nothing fits between: no need to ask
            return Step(rows, settled, is_last=True)

        # Rows are read, or read again, after the horizon was asked for: only then are all there.
        self._horizon = max(settled, await self._ask_horizon())
        if has_hole:
            return await self._above(after)
        return self._step(rows, after, self._horizon)

    async def _above(self, cursor: int) -> Step:
        """Look at a stretch of positions above a cursor."""
        top = min(cursor + self._stretch, self._horizon)
        begin = monotonic()
        rows = await self._fetch_forward(cursor, top)
        if self._is_filtered:
            self._fit_stretch(monotonic() - begin)
        return self._step(rows, cursor, top)

    def _step(self, rows: Sequence[Row], cursor: int, top: int) -> Step:
        """Say how far has been looked: to the top, unless the page was full before."""
        is_at_limit = self._paging.is_at_limit(rows)
        is_cut = is_at_limit or self._paging.is_full(rows)
        self._paging.take(rows)
        reached = rows[-1][POSITION] if is_cut else max(cursor, top)
        return Step(rows, reached, is_at_limit or reached >= self._horizon)

    def _fit_stretch(self, seconds: float) -> None:
        if seconds < _QUICK:
            self._stretch *= 4
        elif seconds > _SLOW:
            self._stretch = max(self._stretch // 4, STRETCH)

    async def _fetch_forward(self, cursor: int, end: int) -> Sequence[Row]:
        fit, size, most = self._database.fit, self._paging.size, self._paging.most
        if not self._items and fit.is_tried():
            where = (cursor, end, *self._filters, size, most)
            (values,) = await self._database.fetch("read_all", "columns_all_forward", *where)
            rows = columns_of_all(values, most)
            fit.note(rows)
            if rows is not None:
                return rows
        return await self._fetch("forward", cursor, end)

    async def _fetch(self, direction: str, cursor: int, end: int) -> Sequence[Row]:
        name = f"read_all_matching_{direction}" if self._items else f"read_all_{direction}"
        where = (cursor, end, *self._filters, self._paging.size, PAGE_BYTES)
        return await self._database.rows("read_all", name, *where, *self._items)

    async def _ask_horizon(self) -> int:
        rows = await self._database.fetch("read_all", "horizon")
        return int(rows[0][0])


async def check_given_on(database: Database, doing: str, position: int) -> None:
    """Check that a position was ever given; a standby cannot tell.

    Raises:
        HistoryChangedError: It was not.
    """
    ((given,),) = await database.fetch(doing, "given")
    if given is not None:
        check_given(position, given)


def _without_hole(rows: Sequence[Row], cursor: int) -> int:
    """Count the rows whose positions follow the cursor, and each other, one by one."""
    if rows and rows[-1][POSITION] == cursor + len(rows):
        return len(rows)
    return next(n for n, row in enumerate(rows) if row[POSITION] != cursor + n + 1) if rows else 0
