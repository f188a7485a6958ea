"""Looking into the store as a whole: its streams, how much it holds, and who is at work on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core.stores import Appender, StoreStatistics, StreamInfo
from eventsourcing_postgres._statements import is_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_postgres._database import Database

PAGE = 1_000
"""Streams in a page."""


class PostgresInspection:
    """Tells what a store holds; see ``Inspection``.

    Args:
        database: Where it is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def streams(self, prefix: str) -> AsyncIterator[StreamInfo]:
        """Go through the streams page by page, holding no connection between two."""
        if not is_text(prefix):
            return
        after = ""
        while True:
            rows = await self._database.fetch("streams", "streams", after, prefix, PAGE)
            for row in rows:
                yield StreamInfo(*row)
            if len(rows) < PAGE:
                return
            after = rows[-1][0]

    async def statistics(self) -> StoreStatistics:
        """Count what the store holds, in one pass over all events.

        ``stored_bytes`` are those of the schema's tables with their indexes.
        """
        (row,) = await self._database.fetch("statistics", "statistics")
        events, streams, last_position, data_bytes, stored_bytes, names, numbers = row
        return StoreStatistics(
            events=events,
            streams=streams,
            last_position=last_position,
            data_bytes=data_bytes,
            stored_bytes=stored_bytes,
            event_types=dict(sorted(zip(names, numbers, strict=True))),
        )

    async def appenders(self) -> list[Appender]:
        """List the transactions that append now; the first one holds the horizon back.

        The fields are those of ``pg_stat_activity``; what this user may not see is None. A prepared
        transaction has no process.

        Raises:
            StorageError: The server is a standby: who appends is known on the primary only.
        """
        await self._database.fetch("appenders", "horizon")  # a standby refuses it, and says why
        rows = await self._database.fetch("appenders", "appenders")
        return [Appender(*row) for row in rows]
