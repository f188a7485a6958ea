"""The storage in memory: what a storage must do, said in as few words as it takes.

A write lets other tasks run before it begins, as a database would, so tasks that race in production
race here. A long scan lets them run, too: each of its pages looks at some rows only.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING

from eventsourcing_core.stores import Matched, RowPage, Witness, check_given
from eventsourcing_inmemory._inline import InlineJournal
from eventsourcing_inmemory._log import EventLog, judge, refuse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import Append, QueryItem, Row, RowQuery, Span, Verdict
    from eventsourcing_inmemory._inline import InMemoryInlining

MAX_WAIT = 30.0
"""For how many seconds a write waits for a transaction, unless something else is said."""
PAGE = 512
"""How many rows are looked at between two chances for other tasks."""


class InMemoryStorage:
    """Keeps rows in this process, and loses them with it; see ``Storage``.

    Args:
        log: Where the rows are; a new log unless given.
        max_wait: For how many seconds a write waits for somebody else's transaction to end.
        inlining: What applies builds inside appends; None: nothing does.
    """

    def __init__(
        self,
        log: EventLog | None = None,
        *,
        max_wait: float = MAX_WAIT,
        inlining: InMemoryInlining | None = None,
    ) -> None:
        self._log = log or EventLog()
        self._max_wait = max_wait
        self._inlining = inlining

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write appends in the order given; see ``Storage.write``."""
        log = self._log
        await asyncio.sleep(0)
        turn = await log.turns.take(self._max_wait)
        if turn is None:
            return refuse(appends, self._max_wait)
        try:
            rows, verdicts = judge(appends, log)
            if self._inlining is not None and log.inline:
                journal = InlineJournal()
                await self._inlining.apply(rows, journal)
                journal.commit()
            log.add(rows)
        finally:
            turn.release()
        return verdicts

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Give the rows of a stream, in pages; see ``Storage.rows``."""
        return pages(self._log.streams.get(stream_id, []), span)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> AsyncIterator[RowPage]:
        """Give the rows of all streams, in pages; see ``Storage.rows_of_all``."""
        rows = self._log.rows
        if not backward:
            check_given(after, len(rows))
        end = max(after, len(rows))
        left = end if limit is None else limit

        for low in range(after, max(end, after + 1), PAGE)[:: -1 if backward else 1]:
            await asyncio.sleep(0)
            high = min(low + PAGE, end)
            found = [row for row in rows[low:high] if query.matches(row)]
            if backward:
                found.reverse()

            found = found[:left]
            left -= len(found)
            if backward:
                seen_to = end
            elif left:
                seen_to = high
            else:
                seen_to = found[-1].position if found else after
            yield RowPage(found, seen_to)
            if not left:
                return

    async def matching(self, items: Sequence[QueryItem]) -> Matched:
        """Give the rows that match; see ``Storage.matching``."""
        await asyncio.sleep(0)
        rows = self._log.rows
        witness = Witness(rows[-1].position, rows[-1].event_id) if rows else None
        return Matched(len(rows), self._log.index.matching(items), witness)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        """Sleep until there are rows after a position; see ``Storage.wait``."""
        log = self._log
        check_given(after_position, len(log.rows))
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as limit:
                # The loop keeps a timer until its time, and the context that it was made in.
                Context().run(limit.reschedule, asyncio.get_running_loop().time() + timeout)
                while len(log.rows) <= after_position:
                    await log.turns.sleep()
        return len(log.rows) > after_position


async def pages(rows: Sequence[Row], span: Span) -> AsyncIterator[Sequence[Row]]:
    """Give the rows of a stream that are wanted, in pages."""
    wanted = rows[span.from_version - 1 : span.to_version]
    if span.backward:
        wanted = wanted[::-1]
    wanted = wanted[: span.limit]
    for start in range(0, len(wanted), PAGE):
        await asyncio.sleep(0)
        yield wanted[start : start + PAGE]
