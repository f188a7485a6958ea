"""A storage that promises as little as a storage may."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from eventsourcing_core.stores import Parts
from eventsourcing_inmemory._log import EventLog
from tests.contracts._broken import BrokenStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core.stores import Append, Row


class PromisesLess(BrokenStorage):
    """Knows the ids of a stream only, at the place where an append would have put them."""

    def places(self, append: Append) -> dict[bytes, Row]:
        (write,) = append.writes
        first = write.expected_version if isinstance(write.expected_version, int) else 0
        rows = self.log.streams.get(write.stream_id, [])[first : first + len(write.events)]
        return {row.event_id: row for row in rows}


@asynccontextmanager
async def open_less() -> AsyncIterator[Parts]:
    """Open a backend without transactions and inspection, and without a promise."""
    yield Parts(storage=PromisesLess(EventLog()), guarantees=frozenset())
