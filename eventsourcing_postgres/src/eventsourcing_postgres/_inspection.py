"""Looking into the store as a whole: its streams, and how much it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core import StoreStatistics, StreamInfo
from eventsourcing_postgres._statements import is_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_postgres._database import Database

PAGE = 1_000
"""Streams in a page."""


async def streams_in(database: Database, prefix: str) -> AsyncIterator[StreamInfo]:
    """Give the streams whose ids begin so, page by page, holding no connection between two."""
    if not is_text(prefix):
        return
    after = ""
    while True:
        rows = await database.fetch("streams", "streams", after, prefix, PAGE)
        for row in rows:
            yield StreamInfo(*row)
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


async def statistics_of(database: Database) -> StoreStatistics:
    """Count what a store holds."""
    (row,) = await database.fetch("statistics", "statistics")
    events, streams, last_position, data_bytes, stored_bytes, names, numbers = row
    return StoreStatistics(
        events=events,
        streams=streams,
        last_position=last_position,
        data_bytes=data_bytes,
        stored_bytes=stored_bytes,
        event_types=dict(sorted(zip(names, numbers, strict=True))),
    )
