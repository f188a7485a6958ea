"""Reading page by page, the next one fetched while the consumer works on the one before.

Memory is constant, and a connection is held only while the server answers.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from eventsourcing_core.stores import Columns, StorageError, missing_events
from eventsourcing_postgres._columns import Fit, columns_of_stream
from eventsourcing_postgres._rows import VERSION, size_of
from eventsourcing_postgres._snapshot_store import snapshot_of
from eventsourcing_postgres._statements import LARGEST_INTEGER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence

    from eventsourcing_core.stores import AskedSnapshot, Row, SnapshotStore, Span

    Start = Callable[[Coroutine[Any, Any, "Step"]], Awaitable["Step"]]
    """Starts to fetch a page that is not asked for yet."""

FIRST_PAGE = 500
"""Events in the first page: most streams are short."""
LARGEST_PAGE = 5_000
"""Events in the largest page of all streams."""
LARGEST_OF_STREAM = 3_000
"""Events in the largest page of a stream, which is folded while the server reads the next one."""
_GROWTH = 2
"""How many times as many events each page has as the one before: so many as the server reads
while the consumer works on that one."""
PAGE_BYTES = 8 * 1024 * 1024
"""Bytes after which a page ends, however few its events."""


class Step(NamedTuple):
    """A page, and where the next one begins."""

    rows: Sequence[Row]
    """The rows; there may be none."""
    cursor: int
    """The version or position up to which has been looked."""
    is_last: bool
    """Whether there is no next one."""


class Source(Protocol):
    """What runs statements: a ``Database``, or the connection of a transaction."""

    fit: Fit
    """Whether columns are asked for."""

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
        largest: The most rows of a page.
    """

    def __init__(self, limit: int | None, largest: int = LARGEST_PAGE) -> None:
        self._left = LARGEST_INTEGER if limit is None else limit
        self._largest = largest
        self._page = FIRST_PAGE

    @property
    def size(self) -> int:
        """Rows to ask for next; 0 when the limit is reached."""
        return min(self._page, self._left)

    @property
    def most(self) -> int:
        """Bytes that each event may have for so many to fit into a page."""
        return PAGE_BYTES // self.size

    def is_at_limit(self, rows: Sequence[Row]) -> bool:
        """Tell whether no more rows are wanted than those that came."""
        return len(rows) == self._left

    def is_full(self, rows: Sequence[Row]) -> bool:
        """Tell whether there may be more rows than those that came for ``size``."""
        if len(rows) == self.size:
            return True
        return not isinstance(rows, Columns) and size_of(rows) >= PAGE_BYTES

    def is_over(self, rows: Sequence[Row]) -> bool:
        """Tell whether the rows that came for ``size`` are the last ones to ask for."""
        return self.is_at_limit(rows) or not self.is_full(rows)

    def take(self, rows: Sequence[Row]) -> None:
        """Count the rows that came, and ask for more of them next time."""
        self._left -= len(rows)
        self._page = min(self._page * _GROWTH, self._largest)


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
    source: Source,
    stream_id: str,
    span: Span,
    start: Start | None,
    snapshots: SnapshotStore | None = None,
) -> AsyncIterator[Sequence[Row]]:
    """Give the rows of a stream.

    Events that are appended while the consumer is at work are not read, so a consumer that
    appends one for each that it reads comes to an end.

    Args:
        source: What runs the statements.
        stream_id: The stream.
        span: Which rows; the snapshot that it may ask for comes with the first of them.
        start: See ``steps_from``.
        snapshots: The store of the snapshots beside the events; None: nobody is told of them.
    """
    if span.limit == 0:
        return
    reader = _StreamReader(source, stream_id, span)
    asked = span.snapshot
    if asked is not None and asked.store is snapshots:
        step = await reader.from_snapshot(asked)
    else:
        step = await reader.step(reader.cursor)
    if not step.rows and reader.is_whole and await reader.version():
        step = await reader.step(reader.cursor)  # it may have begun between the two statements
        if not step.rows:
            raise missing_events(stream_id, 1)
    if step.is_last:  # most streams are short
        if step.rows:
            yield step.rows
        return
    if not span.backward:
        reader.end = min(reader.end, await reader.version() or 0)
    async for each in steps_from(step, reader.step, start):
        if each.rows:
            yield each.rows


class _StreamReader:
    """Fetches the pages of a stream, as columns where they fit."""

    def __init__(self, source: Source, stream_id: str, span: Span) -> None:
        first, last, self._is_backward, limit, _ = span
        last = LARGEST_INTEGER - 1 if last is None else last
        self._source = source
        self._stream_id = stream_id
        self._paging = Paging(limit, LARGEST_OF_STREAM)
        self.cursor, self.end = (last + 1, first) if self._is_backward else (first - 1, last)
        """Where reading begins, exclusive, and where it ends."""

    @property
    def is_whole(self) -> bool:
        """Whether the first event of the stream is asked for, from either end."""
        return (self.end == 1) if self._is_backward else (self.cursor == 0)

    async def step(self, cursor: int) -> Step:
        """Fetch the page after a cursor."""
        rows: Sequence[Row] | None = None
        size, most = self._paging.size, self._paging.most
        where = (self._stream_id, cursor, self.end, size)
        if not self._is_backward and self._source.fit.is_tried():
            (values,) = await self._source.fetch("read", "columns_forward", *where, most)
            rows = columns_of_stream(self._stream_id, values, most)
            self._source.fit.note(rows)
        if rows is None:
            name = "read_backward" if self._is_backward else "read_forward"
            rows = await self._source.rows("read", name, *where, PAGE_BYTES)
        return self._step(rows, cursor)

    async def from_snapshot(self, asked: AskedSnapshot) -> Step:
        """Fetch the newest snapshot, and the first page from there on."""
        size, most = self._paging.size, self._paging.most
        where = (self._stream_id, self.cursor, self.end, size, most, asked.aggregate_id)
        (values,) = await self._source.fetch("read", "columns_from_snapshot", *where)
        version, *state = values[:5]
        if version is None:
            asked.answer(None)
        else:
            asked.answer(snapshot_of(asked.aggregate_id, version, *state))
            self.cursor = version - 1
        rows = columns_of_stream(self._stream_id, values[5:], most)
        return await self.step(self.cursor) if rows is None else self._step(rows, self.cursor)

    async def version(self) -> int | None:
        """Give the version of the stream; None if it is not there."""
        found = await self._source.fetch("read", "stream_version", self._stream_id)
        return found[0][0] if found else None

    def _step(self, rows: Sequence[Row], cursor: int) -> Step:
        is_last = self._paging.is_over(rows)
        self._paging.take(rows)
        return Step(rows, rows[-1][VERSION] if rows else cursor, is_last)
