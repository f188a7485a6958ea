"""Looking into the file as a whole: its streams, and how much it holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eventsourcing_core.stores import StoreStatistics, StreamInfo
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from eventsourcing_core.stores import Appender
    from eventsourcing_sqlite._database import SqliteDatabase

PAGE = 1_000
"""Streams in a page."""

_STREAMS = statement("streams")
_STATISTICS = statement("statistics")
_ABOVE_UTF_8 = b"\xff"  # is in no text


class SqliteInspection:
    """Tells what a file holds; see ``Inspection``.

    Args:
        database: The file.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def streams(self, prefix: str) -> AsyncIterator[StreamInfo]:
        """Go through the streams by id; see ``Inspection.streams``.

        Each costs the same, however many events it has.
        """
        first = as_blob(prefix)
        bounds = {"first": first, "end": first + _ABOVE_UTF_8, "rows": PAGE}
        after = ""
        while True:
            rows = await self._database.fetch(_STREAMS, {"after": after, **bounds})
            for row in rows:
                yield StreamInfo(*row)
            if len(rows) < PAGE:
                return
            after = rows[-1][0]

    async def statistics(self) -> StoreStatistics:
        """Count what the file holds, in one pass over all events; see ``Inspection.statistics``.

        ``stored_bytes`` are those of the file and of the two beside it.
        """
        rows = sorted(await self._database.fetch(_STATISTICS, {}))
        return StoreStatistics(
            events=sum(row[1] for row in rows),
            streams=sum(row[2] for row in rows),
            last_position=max((row[3] for row in rows), default=0),
            data_bytes=sum(row[4] for row in rows),
            stored_bytes=_on_disk(self._database.file.all_three),
            event_types={row[0]: row[1] for row in rows},
        )

    async def appenders(self) -> list[Appender]:
        """List nobody: there is one writer at a time, so no append holds readers back."""
        return []


def as_blob(prefix: str) -> bytes:
    """Give the beginning of stream ids as the statements compare it.

    A lone surrogate is in no stream id; passed as what it is, it matches none.
    """
    return prefix.encode("utf-8", "surrogatepass")


def _on_disk(paths: Iterable[str]) -> int:
    return sum(Path(path).stat().st_size for path in paths if Path(path).exists())
