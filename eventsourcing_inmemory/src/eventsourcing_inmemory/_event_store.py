"""The event store in memory, without a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core import StorageEventStore
from eventsourcing_inmemory._backend import parts_of
from eventsourcing_inmemory._log import EventLog

if TYPE_CHECKING:
    from eventsourcing_core import EventCodec
    from eventsourcing_core.plugins import Serializer


class InMemoryEventStore(StorageEventStore):
    """Keeps events in this process, and loses them with it.

    Events are encoded when they are appended and decoded when they are read, so what cannot be
    stored fails in the unit test.

    >>> import asyncio
    >>> from eventsourcing_core import Event
    >>> async def main():
    ...     async with InMemoryEventStore() as store:
    ...         await store.append("doc-1", [Event("Opened", {})], expected_version=0)
    ...         return [(event.version, event.event_type) async for event in store.read("doc-1")]
    >>> asyncio.run(main())
    [(1, 'Opened')]

    Args:
        codec: What encodes the events.
        serializer: In place of a codec: a serializer or its name; JSON unless given.
        log: What another store keeps, to share it.
    """

    def __init__(
        self,
        codec: EventCodec | None = None,
        *,
        serializer: Serializer | str | None = None,
        log: EventLog | None = None,
    ) -> None:
        super().__init__(parts_of(log or EventLog()), codec, serializer=serializer)
