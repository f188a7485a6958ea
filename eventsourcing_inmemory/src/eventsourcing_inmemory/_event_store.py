"""The event store in memory: what a store must do, said in as few words as it takes.

Events are encoded when they are appended and decoded when they are read, so what cannot be stored
fails in the unit test. Every append lets other tasks run before it writes, as a database would,
so tasks that race in production race here.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from eventsourcing_core import (
    AppendResult,
    EncodedEvent,
    EventCodec,
    Place,
    StorageError,
    StoreStatistics,
    StreamInfo,
    check_read,
    check_read_all,
    check_streams,
    check_wait,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Sequence

    from eventsourcing_core import (
        Appender,
        Event,
        ExpectedVersion,
        ImportedEvent,
        RecordedEvent,
        Serializer,
    )

_PAUSE = 512  # events or streams between two chances for other tasks


class EventLog:
    """What is kept: one list of all events, and two indexes into it. Stores can share it."""

    def __init__(self) -> None:
        self.rows: list[tuple[EncodedEvent, Place]] = []  # by position, from 1
        self.streams: dict[str, list[int]] = {}  # the indexes of a stream's rows, by version
        self.places: dict[bytes, Place] = {}  # by event id
        self.waiting: set[asyncio.Future[None]] = set()
        self.loop: asyncio.AbstractEventLoop | None = None

    def bind(self) -> None:
        """Belong to the running event loop, until it is closed."""
        loop = asyncio.get_running_loop()
        if self.loop is None or self.loop.is_closed():
            self.loop = loop
        elif self.loop is not loop:
            message = "the store belongs to another event loop: open one in this loop"
            raise RuntimeError(message)

    def wake(self) -> None:
        """Wake who waits, to look again."""
        for future in self.waiting:
            if not future.done():
                future.set_result(None)

    def write(self, stream_id: str, events: Iterable[EncodedEvent]) -> AppendResult:
        """Add events at the end of a stream and of the log, and wake who waits for them."""
        for event in events:
            self._add(stream_id, event)
        self.wake()
        return AppendResult(len(self.streams[stream_id]), len(self.rows))

    def write_imported(self, events: Iterable[ImportedEvent]) -> None:
        """Add events of several streams, each the next one of its own, and wake who waits."""
        for event, stream_id, _ in events:
            self._add(stream_id, event)
        self.wake()

    def standing(self, event_ids: Iterable[bytes]) -> dict[bytes, Place]:
        """Give the places of those event ids that are here."""
        return {
            event_id: self.places[event_id] for event_id in event_ids if event_id in self.places
        }

    def _add(self, stream_id: str, event: EncodedEvent) -> None:
        stream = self.streams.setdefault(stream_id, [])
        place = Place(stream_id, len(stream) + 1, len(self.rows) + 1)
        stream.append(len(self.rows))
        self.rows.append((event, place))
        self.places[event.event_id] = place


class InMemoryEventStore:
    """Keeps events in this process, and loses them with it.

    >>> import asyncio
    >>> from eventsourcing_core import Event
    >>> async def main():
    ...     store = InMemoryEventStore()
    ...     await store.append("doc-1", [Event("Opened", {})], expected_version=0)
    ...     return [(event.version, event.event_type) async for event in store.read("doc-1")]
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
        self._codec = EventCodec.given(codec, serializer)
        self._log = log or EventLog()
        self._closed = False

    async def append(
        self,
        stream_id: str,
        events: Sequence[Event[object]],
        *,
        expected_version: int | ExpectedVersion,
    ) -> AppendResult:
        """Append events to a stream, all or none; see ``EventStore.append``."""
        append = self._codec.encode_append(stream_id, events, expected_version)
        self._check_usable()
        await asyncio.sleep(0)
        log = self._log
        version = len(log.streams.get(stream_id, ()))
        places = log.standing(event.event_id for event in append.events)
        return append.settle(version, places) or log.write(stream_id, append.events)

    async def import_events(self, events: Sequence[RecordedEvent[object]]) -> int:
        """Write events as another store recorded them; see ``ImportingEventStore``."""
        imported = self._codec.encode_import(events)
        self._check_usable()
        await asyncio.sleep(0)
        streams = self._log.streams
        versions = {each: len(streams[each]) for each in imported.stream_ids if each in streams}
        fresh = imported.settle(versions, self._log.standing(imported.event_ids))
        self._log.write_imported(fresh)
        return len(fresh)

    def read(
        self,
        stream_id: str,
        *,
        from_version: int = 1,
        to_version: int | None = None,
        backward: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent[Any]]:
        """Read the events of one stream by version; see ``EventStore.read``."""
        check_read(stream_id, from_version=from_version, to_version=to_version, limit=limit)
        self._check_usable()
        rows = self._log.rows
        indexes = self._log.streams.get(stream_id, [])[from_version - 1 : to_version]
        return self._decoded((rows[index] for index in _directed(indexes, backward)), limit)

    def read_all(
        self,
        *,
        after_position: int = 0,
        limit: int | None = None,
        event_types: Collection[str] | None = None,
        stream_prefix: str | None = None,
        backward: bool = False,
    ) -> AsyncIterator[RecordedEvent[Any]]:
        """Read the events of all streams by position; see ``EventStore.read_all``."""
        check_read_all(
            after_position=after_position,
            limit=limit,
            event_types=event_types,
            stream_prefix=stream_prefix,
        )
        self._check_usable()
        rows = self._log.rows
        wanted = (
            rows[index]
            for index in _directed(range(after_position, len(rows)), backward)
            if (event_types is None or rows[index][0].event_type in event_types)
            and rows[index][1].stream_id.startswith(stream_prefix or "")
        )
        return self._decoded(wanted, limit)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        """Sleep until there may be events after a position; see ``EventStore.wait``."""
        check_wait(after_position=after_position, timeout=timeout)
        self._check_usable()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while len(self._log.rows) <= after_position:
            if loop.time() >= deadline:
                return False
            future = loop.create_future()
            self._log.waiting.add(future)
            try:
                await asyncio.wait({future}, timeout=deadline - loop.time())
            finally:
                self._log.waiting.discard(future)
            self._check_usable()
        return True

    def streams(self, *, prefix: str | None = None) -> AsyncIterator[StreamInfo]:
        """Go through the streams by id; see ``InspectableEventStore``."""
        check_streams(prefix=prefix)
        self._check_usable()
        return self._found(sorted(i for i in self._log.streams if i.startswith(prefix or "")))

    async def statistics(self) -> StoreStatistics:
        """Count what is kept; see ``InspectableEventStore``."""
        self._check_usable()
        rows = self._log.rows
        types = Counter(event.event_type for event, _ in rows)
        return StoreStatistics(
            events=len(rows),
            streams=len(self._log.streams),
            last_position=len(rows),
            data_bytes=sum(len(event.data) + len(event.metadata or b"") for event, _ in rows),
            stored_bytes=None,
            event_types=dict(sorted(types.items())),
        )

    async def appenders(self) -> list[Appender]:
        """List nobody: an append is written without a pause, so it holds no reader back."""
        self._check_usable()
        return []

    def close(self) -> None:
        """Refuse further calls; the events stay with stores that share them."""
        self._closed = True
        self._log.wake()

    async def _found(self, stream_ids: Iterable[str]) -> AsyncIterator[StreamInfo]:
        for number, stream_id in enumerate(stream_ids):
            if number % _PAUSE == 0:
                await asyncio.sleep(0)
            yield StreamInfo(stream_id, len(self._log.streams[stream_id]))

    async def _decoded(
        self,
        rows: Iterable[tuple[EncodedEvent, Place]],
        limit: int | None,
    ) -> AsyncIterator[RecordedEvent[Any]]:
        most = None if limit is None else min(limit, sys.maxsize)
        encoded = ((*event, *place) for event, place in islice(rows, most))
        for number, event in enumerate(self._codec.decode(encoded)):
            if number % _PAUSE == 0:
                await asyncio.sleep(0)
            yield event

    def _check_usable(self) -> None:
        if self._closed:
            message = "the store is closed"
            raise StorageError(message)
        self._log.bind()


def _directed(indexes: Sequence[int], backward: bool) -> Iterable[int]:  # noqa: FBT001 - private
    return reversed(indexes) if backward else indexes
