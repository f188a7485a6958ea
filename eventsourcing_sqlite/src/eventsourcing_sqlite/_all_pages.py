"""Reading all streams page by page; each page says how far it has looked.

What is above the last position that was given when reading began is not read: up to there all is
decided, so the last page can say that it has looked so far. And a consumer that appends an event
for each that it reads comes to an end.

A filter looks at a stretch of positions for each page. So nobody waits long for a page, and a
reader that nothing is for gets on.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from eventsourcing_core.stores import RowPage, check_given
from eventsourcing_sqlite._inspection import as_blob
from eventsourcing_sqlite._pages import LARGEST_INTEGER, Pages
from eventsourcing_sqlite._statements import statement
from eventsourcing_sqlite._tags import parameters_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from eventsourcing_core.stores import Row, RowQuery
    from eventsourcing_sqlite._pages import Fetch

FIRST_STRETCH = 1_000
"""Positions that a filter looks at for its first page."""
LARGEST_STRETCH = 64_000
"""The most that it looks at for one page, in some milliseconds; they double from page to page."""

_READ_ALL = {False: statement("read_all"), True: statement("read_all_backward")}
_READ_MATCHING = {False: statement("read_matching"), True: statement("read_matching_backward")}
_READ_ITEMS = {False: statement("read_items"), True: statement("read_items_backward")}
_WITH_HORIZON = statement("with_horizon")
_HORIZON = statement("horizon")
_NEXT_POSITION = statement("next_position")
_PREVIOUS_POSITION = statement("previous_position")
_POSITION = 2  # column of a row


class AllPages(Pages):
    """Pages of all streams, with what a query lets through.

    Args:
        fetch: Reads with one statement.
        query: What is wanted.
        backward: Whether to begin at the last position.
        limit: The most rows; None: no bound.
    """

    def __init__(self, fetch: Fetch, query: RowQuery, *, backward: bool, limit: int | None) -> None:
        super().__init__(fetch, _statements(query)[backward], _parameters(query), limit)
        self._longest = LARGEST_STRETCH if _looks_at_each(query) else LARGEST_INTEGER
        self.stretch: int = FIRST_STRETCH if query.is_filter else LARGEST_INTEGER
        """How many positions the next page looks at."""

    async def page_and_horizon(self, first: int, last: int) -> tuple[Sequence[Row], int]:
        """Read a page, and how far all is decided at that moment."""
        sql = _WITH_HORIZON.replace("{page}", self._sql.rstrip().removesuffix(";"))
        *found, at_end = await self._fetch(sql, self._limits(first, last))
        horizon: int = at_end[_POSITION]
        return self._taken(found), horizon

    def grow(self, looked_at: int) -> None:
        """Let the next page look at twice as many positions as this one did.

        A full page ended before its stretch did: with a longer one, the index of tags would be
        asked again and again for places that are left to the next page.
        """
        self.stretch = min(2 * looked_at, self._longest)


async def pages_of_all(
    fetch: Fetch, after: int, query: RowQuery, *, backward: bool, limit: int | None
) -> AsyncIterator[RowPage]:
    """Read the rows of all streams; see ``Storage.rows_of_all``."""
    if limit == 0 or query.event_types == frozenset():
        ((horizon,),) = await fetch(_HORIZON, {})
        if not backward:
            check_given(after, horizon)
        yield RowPage([], after if limit == 0 and not backward else max(after, horizon))
        return
    pages = AllPages(fetch, query, backward=backward, limit=limit)
    async for page in (_backward if backward else _forward)(fetch, pages, after):
        yield page


async def _forward(fetch: Fetch, pages: AllPages, after: int) -> AsyncIterator[RowPage]:
    first, last = after + 1, min(after + pages.stretch, LARGEST_INTEGER)
    rows, end = await pages.page_and_horizon(first, last)
    check_given(after, end)
    while True:
        last = min(last, end)
        if pages.is_full:
            seen_to = rows[-1].position
        elif rows or last == end:
            seen_to = last
        else:  # a hole may be long
            ((there,),) = await fetch(_NEXT_POSITION, {"first": last + 1})
            seen_to = end if there is None else min(end, there - 1)
        yield RowPage(rows, seen_to)

        if seen_to == end or not pages.remaining:
            return
        pages.grow(seen_to - first + 1 if pages.is_full else pages.stretch)
        first, last = seen_to + 1, seen_to + pages.stretch
        rows = await pages.next_page(first, min(last, end))


async def _backward(fetch: Fetch, pages: AllPages, after: int) -> AsyncIterator[RowPage]:
    if pages.stretch == LARGEST_INTEGER:
        first = after + 1
        rows, horizon = await pages.page_and_horizon(first, LARGEST_INTEGER)
        end = max(after, horizon)
    else:  # where the stretch begins depends on the horizon
        ((horizon,),) = await fetch(_HORIZON, {})
        end = max(after, horizon)
        first = max(after, end - pages.stretch) + 1
        rows = await pages.next_page(first, end)
    last = end
    while True:
        if pages.is_full:
            below = rows[-1].position
        elif rows or first == after + 1:
            below = first
        else:  # as above
            ((there,),) = await fetch(_PREVIOUS_POSITION, {"last": first - 1})
            below = max(after, there or 0) + 1
        yield RowPage(rows, end)

        if below == after + 1 or not pages.remaining:
            return
        pages.grow(last - below + 1 if pages.is_full else pages.stretch)
        first, last = max(after + 1, below - pages.stretch), below - 1
        rows = await pages.next_page(first, last)


def _statements(query: RowQuery) -> Mapping[bool, str]:
    """Give the statements for a page, by whether it is read backward."""
    if query.items is not None:
        return _READ_ITEMS
    return _READ_MATCHING if query.is_filter else _READ_ALL


def _looks_at_each(query: RowQuery) -> bool:
    """Tell whether a page looks at each event of its stretch; the index of tags leaves most out."""
    return query.is_filter and not (query.items and all(item.tags for item in query.items))


def _parameters(query: RowQuery) -> Mapping[str, object]:
    """Give the parameters of a filter; none if it is none."""
    if not query.is_filter:
        return {}
    event_types = None if query.event_types is None else json.dumps([*query.event_types])
    return {
        "event_types": event_types,
        "stream_prefix": as_blob(query.stream_prefix),
        **({} if query.items is None else parameters_of(query.items)),
    }
