"""Comparing the target with what upcasters make of the source, event by event."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from eventsourcing_core._encoding.all_streams import Reading
from eventsourcing_core.evolution._transforming.form import ORIGINAL_VERSION, original_version
from eventsourcing_core.evolution._transforming.place import position_of
from eventsourcing_core.evolution._transforming.report import TransformationError
from eventsourcing_core.stores._rows import RowQuery

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.evolution._transforming.report import Transformed
    from eventsourcing_core.stores._rows import Row, RowPage

_TELLS = 500  # events between two reports of how far it is


class Checking:
    """Reads both stores as a program reads them, and compares what comes, each event once.

    Both are in the same order, so it keeps nothing but its place.

    Args:
        source: Where the events were.
        target: Where they are now.
        report: Where they are counted.
    """

    def __init__(
        self, source: StorageEventStore, target: StorageEventStore, report: Transformed
    ) -> None:
        self._source, self._target, self._report = source, target, report
        self._source_at = self._target_at = 0

    async def advance(self, to_position: int, on_position: Callable[[int], None]) -> None:
        """Compare what comes up to a position of the source.

        Raises:
            TransformationError: Something differs; names it.
            SerializationError: An event cannot be read.
        """
        counts = _Counts()
        async with aclosing(_new_events(self._target, self._target_at)) as found:
            target_at = await self._compare(found, to_position, counts, on_position)
            surplus = await anext(found, None)
        if surplus is not None:  # of another process that moves them, too; or it is refused
            await position_of(self._target, self._source)
        self._source_at, self._target_at = to_position, target_at
        self._report.source_events += counts.source
        self._report.target_events += counts.target
        on_position(to_position)

    async def _compare(
        self,
        found: AsyncGenerator[RecordedEvent[Any]],
        to_position: int,
        counts: _Counts,
        on_position: Callable[[int], None],
    ) -> int:
        """Compare, and give how far the target was read."""
        before, target_at = 0, self._target_at
        expected = _events(self._source, self._source_at, to_position, counts)
        async with aclosing(expected) as events:
            async for event in events:
                is_first = event.position != before
                before = event.position
                moved = await anext(found, None)
                if moved is None:
                    message = f"the target lacks what is made of {_place(event)}: {_CURE}"
                    raise TransformationError(message)
                difference = _difference(event, moved, self._target.codec, is_first=is_first)
                if difference:
                    message = (
                        f"{_place(moved)} of the target is not what is made of {_place(event)}: "
                        f"{difference} is another one; {_CURE}"
                    )
                    raise TransformationError(message)
                target_at = moved.position
                counts.target += 1
                if counts.target % _TELLS == 0:
                    on_position(event.position)
        return target_at


@dataclass(slots=True)
class _Counts:
    """How many events were compared."""

    source: int = 0
    target: int = 0


async def _new_events(store: StorageEventStore, after: int) -> AsyncGenerator[RecordedEvent[Any]]:
    """Read all streams of a target, and see that nothing is left as it was.

    Decoded, events as they were and those of today are the same: so a copy of the source, or the
    source itself under another URL, would be found equal to it.
    """
    upcasters = store.codec.event_types.upcasters
    reading = cast("AsyncGenerator[RowPage]", store.pages(Reading(after, RowQuery())))
    async with aclosing(reading) as pages:
        async for page in pages:
            for row in page.rows if upcasters else ():
                if row.event_type in upcasters:
                    message = (
                        f"{_place(row)} of the target is {row.event_type!r}, which upcasters lead "
                        "on from: the target is the source under another URL, a copy of it, or "
                        "begun with older code; give a new store as the target"
                    )
                    raise TransformationError(message)
            for event in store.codec.decode(page.rows):
                yield event


async def _events(
    store: StorageEventStore,
    after: int,
    to_position: int | None = None,
    counts: _Counts | None = None,
) -> AsyncGenerator[RecordedEvent[Any]]:
    """Read all streams between two positions, and count what is stored there."""
    reading = cast("AsyncGenerator[RowPage]", store.pages(Reading(after, RowQuery())))
    async with aclosing(reading) as pages:
        async for page in pages:
            rows = page.rows
            is_end = to_position is not None and page.seen_to >= to_position
            if to_position is not None and is_end:
                rows = [row for row in rows if row.position <= to_position]
            if counts is not None:
                counts.source += len(rows)
            for event in store.codec.decode(rows):
                yield event
            if is_end:
                return


_CURE = "remove the target, and begin with a new one"


def _difference(
    event: RecordedEvent[Any], moved: RecordedEvent[Any], codec: EventCodec, *, is_first: bool
) -> str:
    """Say what differs; empty if nothing does."""
    differs = {
        "the stream": event.stream_id != moved.stream_id,
        "the type": event.event_type != moved.event_type,
        "the id": (event.raw_event_id == moved.raw_event_id) is not is_first,
        "the time": event.raw_timestamp != moved.raw_timestamp,
        "the tags": event.tags != moved.tags,
        "the original version": event.version != original_version(moved),
        "the metadata": _own_metadata(event) != _own_metadata(moved),
        "the payload": not _say_the_same(event, moved, codec),
    }
    return next((what for what, is_so in differs.items() if is_so), "")


def _own_metadata(event: RecordedEvent[Any]) -> dict[str, object]:
    return {key: value for key, value in event.metadata.items() if key != ORIGINAL_VERSION}


def _say_the_same(event: RecordedEvent[Any], moved: RecordedEvent[Any], codec: EventCodec) -> bool:
    if type(event.data) is type(moved.data) and event.data == moved.data:
        return True
    return codec.encode(event).data == codec.encode(moved).data  # not a number equals nothing


def _place(event: RecordedEvent[Any] | Row) -> str:
    return f"version {event.version} of stream {event.stream_id!r} (position {event.position})"
