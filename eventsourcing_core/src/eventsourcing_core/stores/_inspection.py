"""The port to what a store holds as a whole: its streams, its sizes, and who appends to it now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime


class StreamInfo(NamedTuple):
    """One stream of a store."""

    stream_id: str
    """Its id."""
    version: int
    """The version of its last event."""


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """How much a store holds, at one moment."""

    events: int
    """The number of events."""
    streams: int
    """The number of streams."""
    last_position: int
    """The position of the last event; 0: there is none."""
    data_bytes: int
    """Bytes of data and metadata of all events together, as they are encoded."""
    stored_bytes: int | None
    """Bytes that the store takes on the disk, with indexes and snapshots; None if on no disk."""
    event_types: Mapping[str, int]
    """The number of events of each stored type, in the order of the names."""


class Appender(NamedTuple):
    """Somebody who appends now: who reads all streams sees no position above his floor yet."""

    floor: int
    """Positions up to here were given before he began."""
    process_id: int | None = None
    """The process that writes for him, on the server of the store if it has one; None: unknown."""
    since: datetime | None = None
    """When his transaction began; None: unknown."""
    state: str | None = None
    """What he is at, in the words of the storage; None: unknown."""
    application_name: str | None = None
    """What his program calls itself; None: unknown."""


class Inspection(Protocol):
    """Tells what a store holds as a whole, for the people who run it.

    Nothing needs it but tools. Offered by the backends of this project;
    a chapter of ``eventsourcing_core.testing.EventStoreContract`` holds each of them to it.
    """

    def streams(self, prefix: str) -> AsyncIterator[StreamInfo]:
        """Go through the streams whose ids begin so, by id, in the order of Unicode code points.

        They come by the page, so memory is constant. A stream that begins meanwhile may be among
        them or not; each is there once at most.
        """
        ...

    async def statistics(self) -> StoreStatistics:
        """Count what the store holds, exactly and all at one moment."""
        ...

    async def appenders(self) -> Sequence[Appender]:
        """List who appends now; the first one holds readers of all streams back."""
        ...
