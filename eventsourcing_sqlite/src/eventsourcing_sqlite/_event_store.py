"""The event store in an SQLite file."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from eventsourcing_core import (
    AppendQueue,
    EventCodec,
    check_read,
    check_read_all,
    check_streams,
    check_wait,
)
from eventsourcing_sqlite._append import write_appends, write_import
from eventsourcing_sqlite._errors import is_outage
from eventsourcing_sqlite._inspection import as_blob, statistics_of, streams_in
from eventsourcing_sqlite._pages import Walk, pages
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Sequence

    from eventsourcing_core import (
        Append,
        Appender,
        AppendResult,
        Event,
        ExpectedVersion,
        RecordedEvent,
        Serializer,
        StoreStatistics,
        StreamInfo,
    )
    from eventsourcing_sqlite._database import SqliteDatabase

_READ_STREAM = {False: statement("read_stream"), True: statement("read_stream_backward")}
_READ_ALL = {False: statement("read_all"), True: statement("read_all_backward")}
_LAST_VERSION = statement("last_version")
_LAST_POSITION = statement("last_position")
_VERSION, _POSITION = 7, 8  # columns of a row


class SqliteEventStore:
    """Keeps events in an SQLite file; an append that has returned is on the disk.

    Appends that run at the same time share a commit. ``SqliteDatabase.open`` has an example.

    Args:
        database: The file.
        codec: What encodes the events.
        serializer: In place of a codec: a serializer or its name; JSON unless given.
    """

    def __init__(
        self,
        database: SqliteDatabase,
        codec: EventCodec | None = None,
        *,
        serializer: Serializer | str | None = None,
    ) -> None:
        self._database = database
        self._codec = EventCodec.given(codec, serializer)
        self._queue = AppendQueue(self._write, is_outage=is_outage)
        database.before_closing(self._queue.close)

    async def append(
        self,
        stream_id: str,
        events: Sequence[Event[object]],
        *,
        expected_version: int | ExpectedVersion,
    ) -> AppendResult:
        """Append events to a stream, all or none; see ``EventStore.append``."""
        append = self._codec.encode_append(stream_id, events, expected_version)
        self._database.check_usable()
        return await self._queue.append(append)

    async def import_events(self, events: Sequence[RecordedEvent[object]]) -> int:
        """Write events as another store recorded them; see ``ImportingEventStore``.

        It is a transaction of its own: appends wait until it has ended.
        """
        imported = self._codec.encode_import(events)
        self._database.check_usable()
        if not imported.events:
            return 0
        async with self._database.transaction() as connection:
            count = await write_import(connection, imported)
        if count:
            self._database.announce()
        return count

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
        bounds = (from_version, to_version)
        pages = self._stream_pages(stream_id, bounds, limit=limit, backward=backward)
        return self._codec.decode_each(pages)

    def read_pages(
        self, stream_id: str, *, from_version: int = 1, to_version: int | None = None
    ) -> AsyncIterator[Iterable[RecordedEvent[Any]]]:
        """Read a stream by the page; see ``PagedEventStore``."""
        return self._codec.decode_pages(self._stream_pages(stream_id, (from_version, to_version)))

    def _stream_pages(
        self,
        stream_id: str,
        bounds: tuple[int, int | None],
        *,
        limit: int | None = None,
        backward: bool = False,
    ) -> AsyncIterator[list[tuple[Any, ...]]]:
        first, last = bounds
        check_read(stream_id, from_version=first, to_version=last, limit=limit)
        self._database.check_usable()
        parameters = {"stream_id": stream_id}
        walk = Walk(_READ_STREAM[backward], _LAST_VERSION, _VERSION, parameters, backward)
        return pages(self._database, walk, first=first, last=last, limit=limit)

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
        self._database.check_usable()
        parameters = {
            "event_types": None if event_types is None else _json_array(event_types),
            "stream_prefix": as_blob(stream_prefix),
        }
        walk = Walk(_READ_ALL[backward], _LAST_POSITION, _POSITION, parameters, backward)
        first = after_position + 1
        rows = pages(self._database, walk, first=first, last=None, limit=limit)
        return self._codec.decode_each(rows)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        """Sleep until there may be events after a position; see ``EventStore.wait``.

        Appends through this database object wake it at once; those of other processes are seen
        within the ``poll_interval`` of the database.
        """
        check_wait(after_position=after_position, timeout=timeout)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            changed = self._database.changed  # taken before the look, so that no change is missed
            ((last,),) = await self._database.fetch(_LAST_POSITION, {})
            if last > after_position:
                return True
            remaining = deadline - loop.time()
            if remaining <= 0:
                return False
            await _either(changed, min(remaining, self._database.poll_interval))

    def streams(self, *, prefix: str | None = None) -> AsyncIterator[StreamInfo]:
        """Go through the streams by id; see ``InspectableEventStore``.

        Each costs the same, however many events it has.
        """
        check_streams(prefix=prefix)
        self._database.check_usable()
        return streams_in(self._database, as_blob(prefix))

    async def statistics(self) -> StoreStatistics:
        """Count what the file holds, in one pass over all events; see ``InspectableEventStore``.

        ``stored_bytes`` are those of the file and of the two beside it.
        """
        return await statistics_of(self._database)

    async def appenders(self) -> list[Appender]:
        """List nobody: there is one writer at a time, so no append holds readers back."""
        self._database.check_usable()
        return []

    async def _write(self, appends: Sequence[Append]) -> list[AppendResult | Exception]:
        async with self._database.transaction() as connection:
            verdicts = await write_appends(connection, appends)
        self._database.announce()
        return verdicts


def _json_array(event_types: Collection[str]) -> str:
    # SQLite ends a string of JSON at a null character, which is in no event type.
    return json.dumps([name for name in event_types if "\0" not in name])


async def _either(changed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        pass
