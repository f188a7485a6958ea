"""Replaying: the events of a stream, applied to an aggregate one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsourcing_core._aggregates.aggregate import stored_as
from eventsourcing_core._errors import StorageError
from eventsourcing_core.stores._event_store import PagedEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from eventsourcing_core._aggregates.aggregate import Aggregate
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.stores._event_store import EventStore

    Pages = AsyncIterator[Iterable[RecordedEvent[Any]]]


class StreamReader:
    """Reads streams by the page where the store has pages, and applies them.

    Args:
        store: Where the events are.
    """

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._paged = store if isinstance(store, PagedEventStore) else None

    async def replay(self, aggregate: Aggregate, to_version: int | None = None) -> None:
        """Apply a stream from its first event to an aggregate that was just made.

        Raises:
            SerializationError: An event cannot be read.
            StorageError: The store fails, or holds the stream with a hole.
        """
        await apply_pages(aggregate, self.pages(aggregate.stream_id, 1, to_version), 0)

    async def replay_after(
        self, aggregate: Aggregate, version: int, event_id: bytes, to_version: int | None
    ) -> str:
        """Apply what comes after an event; say what is wrong if it is not in the stream.

        The event itself is read with the others, so looking whether it is there costs nothing.
        Nothing is applied if it is not.

        Raises:
            SerializationError: An event cannot be read.
            StorageError: The store fails, or holds the stream with a hole.
        """
        pages = self.pages(aggregate.stream_id, version, to_version)
        async for page in pages:
            events = iter(page)
            event = next(events, None)
            if event is None:
                continue
            if event.raw_event_id != event_id:
                return f"the event at version {version} is another one: the stream was changed"
            stored = stored_as(aggregate)
            stored.version, stored.event_id = version, event_id
            await apply_pages(aggregate, _rest(events, pages), version)
            return ""
        return f"the stream ends before version {version}"

    def pages(self, stream_id: str, from_version: int, to_version: int | None) -> Pages:
        """Give the events of a stream, by the page."""
        if self._paged is not None:
            return self._paged.read_pages(
                stream_id, from_version=from_version, to_version=to_version
            )
        return _one_by_one(
            self._store.read(stream_id, from_version=from_version, to_version=to_version)
        )


async def apply_pages(aggregate: Aggregate, pages: Pages, version: int) -> None:
    """Apply events to an aggregate, the first of them at the version after the given one.

    The aggregate's own version is set at the end, whether a snapshot was used or not: ``apply``
    may not depend on it.
    """
    # Loads spend most of their time in this loop, so it does nothing else.
    apply = aggregate.apply
    event: RecordedEvent[Any] | None = None
    async for page in pages:
        for event in page:
            version += 1
            if event.version != version:
                raise _hole(event.stream_id, version)
            apply(event)
    aggregate.version = version
    if event is not None:
        stored = stored_as(aggregate)
        stored.version, stored.event_id = version, event.raw_event_id


async def _rest(events: Iterable[RecordedEvent[Any]], pages: Pages) -> Pages:
    yield events
    async for page in pages:
        yield page


async def _one_by_one(events: AsyncIterator[RecordedEvent[Any]]) -> Pages:
    async for event in events:
        yield (event,)


def _hole(stream_id: str, version: int) -> StorageError:
    return StorageError(f"stream {stream_id!r} has no version {version}: events are missing")
