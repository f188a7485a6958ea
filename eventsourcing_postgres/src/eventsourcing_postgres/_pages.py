"""Reading page by page, the next one fetched while the consumer works on the one before.

Memory is constant, and a connection is held only while the server answers.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from eventsourcing_core.stores import StorageError, missing_events
from eventsourcing_postgres._rows import VERSION, size_of
from eventsourcing_postgres._statements import LARGEST_INTEGER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from eventsourcing_core.stores import Row, Span

    Start = Callable[[Coroutine[Any, Any, "Step"]], Awaitable["Step"]]
    """Starts to fetch a page that is not asked for yet."""

FIRST_PAGE = 500
"""Events in the first page: most streams are short."""
LARGEST_PAGE = 5_000
"""Events in the largest page; each page has four times as many as the one before."""
PAGE_BYTES = 8 * 1024 * 1024
"""Bytes after which a page ends, however few its events."""


class Step(NamedTuple):
    """A page, and where the next one begins."""

    rows: list[Row]
    """The rows; there may be none."""
    cursor: int
    """The version or position up to which has been looked."""
    is_last: bool
    """Whether there is no next one."""


class Source(Protocol):
    """What runs statements: a ``Database``, or the connection of a transaction."""

    async def rows(self, doing: str, name: str, *arguments: Any) -> list[Row]:
        """Run a statement of a file that reads events."""
        ...

    async def fetch(self, doing: str, name: str, *arguments: Any) -> list[Any]:
        """Run any other statement of a file."""
        ...


class Paging:
    """How many rows to ask for, and whether those that came were the last ones.

    Args:
        limit: The most rows of all pages together; None: no limit.
    """

    def __init__(self, limit: int | None) -> None:
        self._left = LARGEST_INTEGER if limit is None else limit
        self._page = FIRST_PAGE

    @property
    def size(self) -> int:
        """Rows to ask for next; 0 when the limit is reached."""
        return min(self._page, self._left)

    def is_at_limit(self, rows: list[Row]) -> bool:
        """Tell whether no more rows are wanted than those that came."""
        return len(rows) == self._left

    def is_full(self, rows: list[Row]) -> bool:
        """Tell whether there may be more rows than those that came for ``size``."""
        return len(rows) == self.size or size_of(rows) >= PAGE_BYTES

    def is_over(self, rows: list[Row]) -> bool:
        """Tell whether the rows that came for ``size`` are the last ones to ask for."""
        return self.is_at_limit(rows) or not self.is_full(rows)

    def take(self, rows: list[Row]) -> None:
        """Count the rows that came, and ask for more of them next time."""
        self._left -= len(rows)
        self._page = min(self._page * 4, LARGEST_PAGE)


async def steps_from(
    step: Step, fetch: Callable[[int], Coroutine[Any, Any, Step]], start: Start | None
) -> AsyncIterator[Step]:
    """Give a page and those after it; the server works on one while the consumer has the other.

    Args:
        step: The first page.
        fetch: Gives the page after a cursor.
        start: Starts to fetch it ahead; None where the connection is the consumer's meanwhile.
    """
    while not step.is_last:
        if start is None:
            yield step
            step = await fetch(step.cursor)
            continue
        ahead = start(fetch(step.cursor))
        await asyncio.sleep(0)  # let it be sent: the consumer may not wait for anything
        yield step
        try:
            step = await ahead
        except StorageError:  # what failed while the consumer was at work may be over
            step = await fetch(step.cursor)
    yield step


async def stream_pages(
    source: Source, stream_id: str, span: Span, start: Start | None
) -> AsyncIterator[list[Row]]:
    """Give the rows of a stream.

    Events that are appended while the consumer is at work are not read, so a consumer that
    appends one for each that it reads comes to an end.
    """
    first, last, backward, limit = span
    last = LARGEST_INTEGER - 1 if last is None else last
    name = "read_backward" if backward else "read_forward"
    cursor, end = (last + 1, first) if backward else (first - 1, last)
    paging = Paging(limit)

    async def fetch(cursor: int) -> Step:
        rows = await source.rows("read", name, stream_id, cursor, end, paging.size, PAGE_BYTES)
        is_last = paging.is_over(rows)
        paging.take(rows)
        return Step(rows, rows[-1][VERSION] if rows else cursor, is_last)

    if limit == 0:
        return
    step = await fetch(cursor)
    if not step.rows and first == 1 and await source.fetch("read", "stream_version", stream_id):
        step = await fetch(cursor)  # it may have begun between the two statements
        if not step.rows:
            raise missing_events(stream_id, 1)
    if step.is_last:  # most streams are short
        if step.rows:
            yield step.rows
        return
    if not backward:
        ((there,),) = await source.fetch("read", "stream_version", stream_id)
        end = min(end, there)
    async for each in steps_from(step, fetch, start):
        if each.rows:
            yield each.rows
