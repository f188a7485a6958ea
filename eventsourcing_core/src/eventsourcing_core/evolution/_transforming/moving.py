"""Moving events from the source into the target, in the order of their positions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from eventsourcing_core._encoding.all_streams import Reading
from eventsourcing_core._errors import (
    ConcurrencyError,
    DuplicateEventError,
    SerializationError,
    StorageError,
    TransformError,
)
from eventsourcing_core.evolution._transforming.form import forms_of
from eventsourcing_core.evolution._transforming.place import position_of
from eventsourcing_core.evolution._transforming.report import TransformationError
from eventsourcing_core.stores._rows import RowQuery

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence

    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.evolution._transforming.report import Transformed
    from eventsourcing_core.stores._rows import Row, RowPage

_MOST_EVENTS = 10_000  # stored events of one transaction,
_MOST_BYTES = 4 * 1024 * 1024  # and of their data
_MOST_STREAMS = 100_000  # of which it is kept in memory how far they are


class Moving:
    """Moves what upcasters make of the source's events.

    Nothing is kept but the events: the last one in the target says how far it is. Two that run at
    the same time write the same, and what is there is passed over.

    Args:
        source: Where the events are.
        target: Where they go.
        report: Where it is counted.
    """

    def __init__(
        self, source: StorageEventStore, target: StorageEventStore, report: Transformed
    ) -> None:
        self._source, self._target, self._report = source, target, report
        self.position: int = 0
        """The position in the source up to which all is moved."""
        self._streams: dict[str, tuple[int, int]] = {}
        """By stream its last version that was read, and the one that it has in the target; the
        stream that was met last comes last."""

    async def advance(self, on_position: Callable[[int], None]) -> None:
        """Move what the source holds now.

        Raises:
            TransformationError: An event cannot be read or written; those before it are moved. Or
                the target holds other events.
            StorageError: A store failed, or the source lacks events.
        """
        place = await position_of(self._target, self._source)
        while True:
            if place > self.position:  # another process has moved them, or an earlier one
                self.position = place
                self._streams.clear()
            try:
                self.position = await self._move(on_position)
            except (ConcurrencyError, DuplicateEventError):
                # Another process was faster, so a stream had other versions than were asked for.
                self._streams.clear()
                place = await position_of(self._target, self._source)
                if place <= self.position:
                    raise
            except BaseException:
                self._streams.clear()  # it may be ahead of what was written
                raise
            else:
                return

    async def _move(self, on_position: Callable[[int], None]) -> int:
        """Read, and write meanwhile what was read before; give up to where the source was read."""
        seen_to = self.position
        # No further: where others write all the time, each page would be a few events, without end.
        last = await self._source.last_position()
        writing: asyncio.Task[None] | None = None
        reading = Reading(self.position, RowQuery())
        pages = cast("AsyncGenerator[RowPage]", self._source.pages(reading))
        try:
            async for page in pages:
                for rows in _parts(page.rows):
                    events, position, error = await self._forms(rows)
                    if writing is not None:
                        await writing
                        writing = None
                    if position:
                        writing = asyncio.create_task(self._write(events, position, on_position))
                    if error is not None:
                        raise error
                seen_to = page.seen_to
                if seen_to >= last:
                    break
        finally:  # also where an event stops it: what came before it is written
            await pages.aclose()
            if writing is not None:
                await writing
        return seen_to

    async def _forms(
        self, rows: Sequence[Row]
    ) -> tuple[list[RecordedEvent[Any]], int, TransformationError | None]:
        """Give what becomes of some rows, up to which position (0: none), and what stops it."""
        made: list[RecordedEvent[Any]] = []
        position = 0
        for row in rows:
            stream_id = row.stream_id
            known = self._streams.pop(stream_id, None)
            before, version = known or await self._standing(row)
            if row.version != before + 1:
                raise _hole(row, before + 1)
            try:
                forms = [*forms_of(row, version, self._source.codec)]
            except (SerializationError, TransformError) as error:
                return made, position, _stopped(error)
            made += forms
            position = row.position
            self._streams[stream_id] = (row.version, version + len(forms))
            self._report.read += 1
        while len(self._streams) > _MOST_STREAMS:
            del self._streams[next(iter(self._streams))]
        return made, position, None

    async def _standing(self, row: Row) -> tuple[int, int]:
        """Give how far the stream of a row is before it, where that is not in memory."""
        before = row.version - 1
        if not before:
            return 0, 0
        own = self._source.read_pages(row.stream_id, from_version=before, to_version=before)
        if not [page async for page in own]:  # it is not decoded: it may be an event that stops it
            raise _hole(row, before)
        version = await self._target.stream_version(row.stream_id)
        if not version:  # all before it was dropped, or else is missing in either store
            async for event in self._source.read(row.stream_id, to_version=before):
                message = (
                    f"the target lacks version {event.version} of stream {row.stream_id!r}, and "
                    "has later events: begin with a new store"
                )
                raise TransformationError(message)
        return before, version

    async def _write(
        self, events: list[RecordedEvent[Any]], position: int, on_position: Callable[[int], None]
    ) -> None:
        try:
            self._report.written += await self._target.import_events(events)
        except (SerializationError, TransformError) as error:
            message = f"the target cannot store an event, whose versions are the new ones: {error}"
            raise TransformationError(message) from error
        self.position = position
        on_position(position)


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Give rows in parts that one transaction takes."""
    first = size = 0
    for number, row in enumerate(rows):
        size += len(row.data)
        if number > first and (number - first == _MOST_EVENTS or size > _MOST_BYTES):
            yield rows[first:number]
            first, size = number, len(row.data)
    if first < len(rows):
        yield rows[first:]


def _hole(row: Row, version: int) -> StorageError:
    message = (
        f"version {version} of stream {row.stream_id!r} is missing in the source, and version "
        f"{row.version} comes next: mend the source first"
    )
    return StorageError(message)


def _stopped(error: Exception) -> TransformationError:
    stopped = TransformationError(
        f"{error}; all before it is moved: mend that, and the same call goes on with it"
    )
    stopped.__cause__ = error
    return stopped
