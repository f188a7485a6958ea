"""Reading page by page: nothing is held, in SQLite or in memory, while the consumer works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from eventsourcing_sqlite._database import LARGEST_INTEGER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from eventsourcing_sqlite._database import SqliteDatabase

FIRST_PAGE = 100
"""Events in the first page: most streams are short."""
LARGEST_PAGE = 5_000
"""Events in the largest page; each page has twice as many as the one before."""
PAGE_BYTES = 8 * 1024 * 1024
"""Bytes after which a page ends, however few its events."""

_DATA, _METADATA = 1, 2  # columns of a row


class Walk(NamedTuple):
    """How to walk over the events, by version or by position."""

    sql: str
    """Gives a page; its parameters are ``first`` and ``last`` (keys), ``rows`` and ``bytes``."""
    last_sql: str
    """Gives the highest key there is."""
    key: int
    """The column of a row that is the key."""
    parameters: Mapping[str, object]
    """Further parameters of both statements."""
    backward: bool
    """Whether to begin at the highest key."""


async def pages(
    database: SqliteDatabase, walk: Walk, *, first: int, last: int | None, limit: int | None
) -> AsyncIterator[list[tuple[Any, ...]]]:
    """Read the rows with keys from ``first`` to ``last``, in pages that grow.

    Events that are appended while the consumer is at work are not read, so that a consumer that
    appends one for each that it reads comes to an end.
    """
    highest = LARGEST_INTEGER if last is None else min(last, LARGEST_INTEGER)
    remaining = LARGEST_INTEGER if limit is None else limit
    size = FIRST_PAGE
    lowest = first
    while remaining > 0 and lowest <= highest:
        bounds = {
            "first": lowest,
            "last": highest,
            "rows": min(size, remaining),
            "bytes": PAGE_BYTES,
        }
        rows = await database.fetch(walk.sql, {**walk.parameters, **bounds})
        remaining -= len(rows)
        is_full = len(rows) == size or _size(rows) >= PAGE_BYTES
        if not is_full:
            remaining = 0
        elif walk.backward:
            highest = rows[-1][walk.key] - 1
        else:
            if size == FIRST_PAGE:
                ((there,),) = await database.fetch(walk.last_sql, walk.parameters)
                highest = min(highest, there)
            lowest = rows[-1][walk.key] + 1
        if rows:
            yield rows
        size = min(2 * size, LARGEST_PAGE)


def _size(rows: list[tuple[Any, ...]]) -> int:
    return sum([len(row[_DATA]) + len(row[_METADATA] or b"") for row in rows])
