"""The storage in an SQLite file: rows go in, rows come out."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING

from eventsourcing_core.stores import Matched, RowQuery, Witness, check_given
from eventsourcing_sqlite._all_pages import pages_of_all
from eventsourcing_sqlite._append import write_appends
from eventsourcing_sqlite._from_snapshot import begin_with
from eventsourcing_sqlite._inline import SqliteInline
from eventsourcing_sqlite._inside import Inside
from eventsourcing_sqlite._pages import pages_of_stream
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import (
        Append,
        QueryItem,
        Row,
        RowPage,
        SnapshotStore,
        Span,
        Verdict,
    )
    from eventsourcing_sqlite._database import SqliteDatabase

_LAST_POSITION = statement("last_position")
_HORIZON_AND_WITNESS = statement("horizon_and_witness")


class SqliteStorage:
    """Keeps rows in an SQLite file; see ``Storage``.

    Args:
        database: The file.
        inline: What appends apply; nothing unless given.
        snapshots: The store of the snapshots in the file; None: nobody is told of them.
    """

    def __init__(
        self,
        database: SqliteDatabase,
        inline: SqliteInline | None = None,
        snapshots: SnapshotStore | None = None,
    ) -> None:
        self._database = database
        self._snapshots = snapshots
        self._inline = inline or SqliteInline(database)

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write appends in one transaction; see ``Storage.write``."""
        try:
            if self._inline.is_used:
                return await self._write_inline(appends)
            verdicts, self._database.reached = await self._database.write(
                partial(write_appends, appends=appends, reached=self._database.reached)
            )
            return verdicts
        finally:
            # Also when it was cancelled: the thread may have written it.
            self._database.announce()

    async def _write_inline(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write appends, and let handlers apply their events between two errands to the thread."""
        async with self._database.transaction() as connection:
            inside = Inside(self._database, connection)
            verdicts, reached = await self._inline.write(inside, appends)
        self._database.reached = reached
        return verdicts

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Give the rows of a stream, in pages; see ``Storage.rows``."""
        asked = span.snapshot
        is_told = asked is not None and asked.store is self._snapshots
        begin = begin_with(asked) if asked is not None and is_told else None
        return pages_of_stream(self._database.fetch, stream_id, span, begin)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> AsyncIterator[RowPage]:
        """Give the rows of all streams, in pages; see ``Storage.rows_of_all``."""
        return pages_of_all(self._database.fetch, after, query, backward=backward, limit=limit)

    async def matching(self, items: Sequence[QueryItem]) -> Matched:
        """Give the rows that match, and the horizon; see ``Storage.matching``."""
        fetch = self._database.fetch
        ((horizon, last, event_id),) = await fetch(_HORIZON_AND_WITNESS, {})
        query = RowQuery(items=tuple(items))
        pages = pages_of_all(fetch, 0, query, backward=False, limit=None)
        rows = [row async for page in pages for row in page.rows]
        return Matched(horizon, rows, None if last is None else Witness(last, event_id))

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        """Sleep until there are rows after a position; see ``Storage.wait``.

        Writes through this database object wake it at once; those of other processes are seen
        within the ``poll_interval`` of the database.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            changed = self._database.changed  # taken before the look, so that no change is missed
            ((last, given),) = await self._database.fetch(_LAST_POSITION, {})
            if last > after_position:
                return True
            check_given(after_position, given)

            remaining = deadline - loop.time()
            if remaining <= 0:
                return False
            with suppress(TimeoutError):
                async with asyncio.timeout(None) as limit:
                    # The loop keeps a timer until its time, and the context that it was made in.
                    seconds = min(remaining, self._database.poll_interval)
                    Context().run(limit.reschedule, loop.time() + seconds)
                    await changed.wait()
