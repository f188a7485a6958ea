"""Reading page by page: constant memory, and no connection is held while the consumer works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsourcing_postgres._statements import LARGEST_INTEGER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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
        """Take the rows that came, and tell whether there are no more to ask for."""
        is_short = len(rows) < self.size and _size(rows) < PAGE_BYTES
        self._left -= len(rows)
        self._page = min(self._page * 4, LARGEST_PAGE)
        return is_short or not self._left


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
    is_bounded = backward
    while paging.size:
        rows = await database.fetch("read", name, stream_id, cursor, end, paging.size, PAGE_BYTES)
        if not is_bounded and len(rows) == paging.size:
            ((there,),) = await database.fetch("read", "stream_version", stream_id)
            end, is_bounded = min(end, there), True
        if rows:
            yield rows
        if paging.is_over(rows):
            return
        cursor = rows[-1][VERSION]


def _size(rows: list[Any]) -> int:
    return sum([len(row[_DATA]) + len(row[_METADATA] or b"") for row in rows])
