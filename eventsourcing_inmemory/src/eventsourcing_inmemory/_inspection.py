"""What a log in memory holds as a whole."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from eventsourcing_core.stores import StoreStatistics, StreamInfo
from eventsourcing_inmemory._storage import PAGE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core.stores import Appender
    from eventsourcing_inmemory._log import EventLog


class InMemoryInspection:
    """Looks into a log as a whole; see ``Inspection``.

    Args:
        log: Where the rows are.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def streams(self, prefix: str) -> AsyncIterator[StreamInfo]:
        """Go through the streams by id; see ``Inspection.streams``."""
        streams = self._log.streams
        for number, stream_id in enumerate(sorted(i for i in streams if i.startswith(prefix))):
            if number % PAGE == 0:
                await asyncio.sleep(0)
            yield StreamInfo(stream_id, len(streams[stream_id]))

    async def statistics(self) -> StoreStatistics:
        """Count what is kept; see ``Inspection.statistics``."""
        rows = self._log.rows
        types = Counter(row.event_type for row in rows)
        return StoreStatistics(
            events=len(rows),
            streams=len(self._log.streams),
            last_position=len(rows),
            data_bytes=sum(len(row.data) + len(row.metadata or b"") for row in rows),
            stored_bytes=None,
            event_types=dict(sorted(types.items())),
        )

    async def appenders(self) -> list[Appender]:
        """List nobody: positions are given when rows are added, so nothing holds a reader back."""
        return []
