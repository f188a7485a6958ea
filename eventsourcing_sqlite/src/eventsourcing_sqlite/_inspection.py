"""Looking into the file as a whole: its streams, and how much it holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eventsourcing_core import StoreStatistics, StreamInfo
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_sqlite._database import SqliteDatabase

PAGE = 1_000
"""Streams in a page."""

_STREAMS = statement("streams")
_STATISTICS = statement("statistics")


def as_blob(prefix: str | None) -> bytes:
    """Give the beginning of stream ids as the statements compare it.

    A lone surrogate is in no stream id; passed as what it is, it matches none.
    """
    return (prefix or "").encode("utf-8", "surrogatepass")


async def streams_in(database: SqliteDatabase, prefix: bytes) -> AsyncIterator[StreamInfo]:
    """Give the streams whose ids begin so, page by page."""
    after = ""
    while True:
        parameters = {"after": after, "prefix": prefix, "rows": PAGE}
        rows = await database.fetch(_STREAMS, parameters)
        for row in rows:
            yield StreamInfo(*row)
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


async def statistics_of(database: SqliteDatabase) -> StoreStatistics:
    """Count what a file holds."""
    rows = sorted(await database.fetch(_STATISTICS, {}))
    return StoreStatistics(
        events=sum(row[1] for row in rows),
        streams=sum(row[2] for row in rows),
        last_position=max((row[3] for row in rows), default=0),
        data_bytes=sum(row[4] for row in rows),
        stored_bytes=_on_disk(database.path),
        event_types={row[0]: row[1] for row in rows},
    )


def _on_disk(path: Path) -> int:
    """Add up the file and those that SQLite keeps beside it while it is open."""
    files = [Path(f"{path}{ending}") for ending in ("", "-wal", "-shm")]
    return sum(file.stat().st_size for file in files if file.exists())
