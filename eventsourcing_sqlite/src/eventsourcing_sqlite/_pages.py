"""Reading page by page: nothing is held, in SQLite or in memory, while the consumer works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from eventsourcing_core.stores import Row, missing_events
from eventsourcing_sqlite._statements import statement
from eventsourcing_sqlite._tags import with_tags

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core.stores import Span

Fetch = Callable[[str, Mapping[str, object]], Awaitable[list[tuple[Any, ...]]]]
"""Reads with one statement."""

FIRST_PAGE = 100
"""Events in the first page: most streams are short."""
LARGEST_PAGE = 5_000
"""Events in the largest page; each page has twice as many as the one before."""
PAGE_BYTES = 8 * 1024 * 1024
"""Bytes after which a page ends, however few its events."""

LARGEST_INTEGER = 2**63 - 1
"""What SQLite can hold; every version and position is smaller."""

# Row._make without counting, which takes half as long: our statements have the columns of a Row,
# with tags as the file has them.
as_row = cast("Callable[[type[Row], tuple[Any, ...]], Row]", vars(tuple)["__new__"])

_READ_STREAM = {False: statement("read_stream"), True: statement("read_stream_backward")}
_LAST_VERSION = statement("last_version")
_STREAM_VERSION = statement("stream_version")


class Pages:
    """Reads pages that grow, until so many rows have come.

    Args:
        fetch: Reads with one statement.
        sql: Gives a page; its parameters are ``first`` and ``last`` (the bounds), ``rows`` and
            ``bytes`` (the limits).
        parameters: Further ones.
        limit: The most rows; None: no bound.
    """

    def __init__(
        self, fetch: Fetch, sql: str, parameters: Mapping[str, object], limit: int | None
    ) -> None:
        self._fetch = fetch
        self._sql = sql
        self._parameters = parameters
        self._size = self._rows = FIRST_PAGE
        self.remaining: int = or_largest(limit)
        """How many rows may still come."""
        self.is_full = False
        """Whether the last page ended before its bounds, so there may be more in them."""

    async def next_page(self, first: int, last: int) -> Sequence[Row]:
        """Read a page within these bounds."""
        return self._taken(await self._fetch(self._sql, self._limits(first, last)))

    async def first_page(
        self, sql: str, first: int, last: int, **parameters: object
    ) -> tuple[tuple[Any, ...], Sequence[Row]]:
        """Read a row of something else, and a page within these bounds, by another statement."""
        before, *found = await self._fetch(sql, {**self._limits(first, last), **parameters})
        return before, self._taken(found)

    def _limits(self, first: int, last: int) -> dict[str, object]:
        self._rows = min(self._size, self.remaining)
        limits = {"first": first, "last": last, "rows": self._rows, "bytes": PAGE_BYTES}
        return {**self._parameters, **limits}

    def _taken(self, found: list[tuple[Any, ...]]) -> Sequence[Row]:
        rows = [*map(as_row, repeat(Row), with_tags(found))]
        self.is_full = len(rows) == self._rows or _size(found) >= PAGE_BYTES
        self.remaining -= len(rows)
        self._size = min(2 * self._size, LARGEST_PAGE)
        return rows


Begin = Callable[[Pages, int, int], Awaitable[tuple[int, Sequence["Row"]]]]
"""Reads the first page within two bounds; gives the lower one that it found, and the page."""


async def pages_of_stream(
    fetch: Fetch, stream_id: str, span: Span, begin: Begin | None = None
) -> AsyncIterator[Sequence[Row]]:
    """Read the rows of a stream.

    Events that are appended while the consumer is at work are not read, so that a consumer that
    appends one for each that it reads comes to an end.

    Args:
        fetch: Reads with one statement.
        stream_id: The stream.
        span: Which rows.
        begin: Reads the first page; None: as the others are.
    """
    stream = {"stream_id": stream_id}
    pages = Pages(fetch, _READ_STREAM[span.backward], stream, span.limit)
    lowest, highest = span.from_version, or_largest(span.to_version)
    is_first = True

    while pages.remaining > 0 and lowest <= highest:
        if is_first and begin is not None:
            lowest, rows = await begin(pages, lowest, highest)
        else:
            rows = await pages.next_page(lowest, highest)
        if not rows and is_first and lowest == 1 and await fetch(_STREAM_VERSION, stream):
            rows = await pages.next_page(lowest, highest)  # it may have begun in between
            if not rows:
                raise missing_events(stream_id, 1)
        is_over = not pages.is_full
        if span.backward and rows:
            highest = rows[-1].version - 1
        elif rows:
            if is_first and not is_over:
                ((there,),) = await fetch(_LAST_VERSION, stream)
                highest = min(highest, there)
            lowest = rows[-1].version + 1
        is_first = False

        if rows:
            yield rows
        if is_over:
            return


def or_largest(number: int | None) -> int:
    """Give what is meant by None: no bound."""
    return LARGEST_INTEGER if number is None else min(number, LARGEST_INTEGER)


def _size(rows: list[tuple[Any, ...]]) -> int:
    # Every page is counted: a loop in Python takes four times as long.
    return sum(map(len, map(_data, rows))) + sum(map(len, filter(None, map(_metadata, rows))))


_data: Callable[[tuple[Any, ...]], bytes] = itemgetter(4)
_metadata: Callable[[tuple[Any, ...]], bytes | None] = itemgetter(5)
