"""Reading page by page, the next one fetched while the consumer works on the one before.

Memory is constant, and a connection is held only while the server answers.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from eventsourcing_core import StorageError
from eventsourcing_postgres._statements import LARGEST_INTEGER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from eventsourcing_postgres._database import Database

VERSION, POSITION = 7, 8
"""The columns of a row that hold its version and its position."""
FIRST_PAGE = 500
"""Events in the first page: most streams are short."""
LARGEST_PAGE = 5_000
"""Events in the largest page; each page has four times as many as the one before."""
PAGE_BYTES = 8 * 1024 * 1024
"""Bytes after which a page ends, however few its events."""

_DATA, _METADATA = 1, 2


class Paging:
    """How many rows to ask for, and whether those that came were the last ones.

    Args:
        limit: The most rows of all pages together; None: no limit.
    """

    def __init__(self, limit: int | None) -> None:
        self._left = LARGEST_INTEGER if limit is None else min(limit, LARGEST_INTEGER)
        self._page = FIRST_PAGE

    @property
    def size(self) -> int:
        """Rows to ask for next; 0 when the limit is reached."""
        return min(self._page, self._left)

    def is_over(self, rows: list[Any]) -> bool:
        """Tell whether the rows that came for ``size`` are the last ones to ask for."""
        return len(rows) == self._left or (len(rows) < self.size and _size(rows) < PAGE_BYTES)

    def take(self, rows: list[Any]) -> None:
        """Count the rows that came, and ask for more of them next time."""
        self._left -= len(rows)
        self._page = min(self._page * 4, LARGEST_PAGE)


async def pages_from(
    rows: list[Any],
    fetch: Callable[[int], Coroutine[Any, Any, list[Any]]],
    *,
    database: Database,
    paging: Paging,
    key: int,
) -> AsyncIterator[list[Any]]:
    """Give a page and those after it; the server works on one while the consumer has the other.

    Args:
        rows: The first page.
        fetch: Gives the page after a key.
        database: Where it comes from.
        paging: Sizes the pages.
        key: The column of a row that is its key.
    """
    while not paging.is_over(rows):
        paging.take(rows)
        last = rows[-1][key]
        ahead = database.start(fetch(last))
        await asyncio.sleep(0)  # let it be sent: the consumer may not wait for anything
        yield rows
        try:
            rows = await ahead
        except StorageError:  # what failed while the consumer was at work may be over
            rows = await fetch(last)
    if rows:
        yield rows


async def stream_pages(  # noqa: PLR0913 - the arguments of ``EventStore.read``
    database: Database, stream_id: str, *, first: int, last: int, limit: int | None, backward: bool
) -> AsyncIterator[list[Any]]:
    """Give the rows of a stream with versions from ``first`` to ``last``.

    Events that are appended while the consumer is at work are not read, so a consumer that
    appends one for each that it reads comes to an end.
    """
    name = "read_backward" if backward else "read_forward"
    cursor, end = (last + 1, first) if backward else (first - 1, last)
    paging = Paging(limit)

    async def fetch(cursor: int) -> list[Any]:
        return await database.fetch("read", name, stream_id, cursor, end, paging.size, PAGE_BYTES)

    rows = await fetch(cursor) if paging.size else []
    if not (backward or paging.is_over(rows)):
        ((there,),) = await database.fetch("read", "stream_version", stream_id)
        end = min(end, there)
    async for page in pages_from(rows, fetch, database=database, paging=paging, key=VERSION):
        yield page


def _size(rows: list[Any]) -> int:
    return sum([len(row[_DATA]) + len(row[_METADATA] or b"") for row in rows])
