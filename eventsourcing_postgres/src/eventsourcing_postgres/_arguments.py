"""Appends as the functions ``append`` and ``append_one`` take them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from eventsourcing_core import ExpectedVersion
from eventsourcing_postgres._statements import LARGEST_INTEGER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eventsourcing_core import Append, EncodedEvent, ImportedEvent

_EXPECTED = {
    ExpectedVersion.ANY: -1,
    ExpectedVersion.STREAM_EXISTS: -2,
    ExpectedVersion.NO_STREAM: 0,
}


def arguments(appends: Sequence[Append]) -> list[list[Any]]:
    """Give the eleven arrays of the function ``append`` for appends sorted by stream."""
    events = [
        (owner, place, event)
        for owner, append in enumerate(appends, start=1)
        for place, event in enumerate(append.events, start=1)
    ]
    return [
        [append.stream_id for append in appends],
        [_expected(append.expected_version) for append in appends],
        [len(append.events) for append in appends],
        [owner for owner, _, _ in events],
        [place for _, place, _ in events],
        *_columns([event for _, _, event in events]),
    ]


def import_arguments(events: Sequence[ImportedEvent]) -> list[list[Any]]:
    """Give the eleven arrays of the function ``append`` for what ``Import.settle`` lets be written.

    Each stream is one append, and the events are in the order of the import, not by stream.
    """
    before: dict[str, int] = {}
    sizes = Counter(imported.stream_id for imported in events)
    for imported in events:
        before.setdefault(imported.stream_id, imported.version - 1)
    stream_ids = sorted(before)
    owners = {stream_id: owner for owner, stream_id in enumerate(stream_ids, start=1)}
    return [
        stream_ids,
        [before[stream_id] for stream_id in stream_ids],
        [sizes[stream_id] for stream_id in stream_ids],
        [owners[imported.stream_id] for imported in events],
        [imported.version - before[imported.stream_id] for imported in events],
        *_columns([imported.event for imported in events]),
    ]


def _columns(events: Sequence[EncodedEvent]) -> list[list[Any]]:
    return [
        event_ids(events),
        [event.event_type for event in events],
        [event.data for event in events],
        [event.metadata for event in events],
        [event.encoding for event in events],
        [event.timestamp for event in events],
    ]


def one_event(append: Append) -> list[Any]:
    """Give the first eight arguments of the function ``append_one`` for an append of one event."""
    (event,) = append.events
    return [
        append.stream_id,
        _expected(append.expected_version),
        UUID(bytes=event.event_id),
        event.event_type,
        event.data,
        event.metadata,
        event.encoding,
        event.timestamp,
    ]


def event_ids(events: Iterable[EncodedEvent]) -> list[UUID]:
    """Give the ids of events as the driver sends them."""
    return [UUID(bytes=event.event_id) for event in events]


def _expected(expected: int | ExpectedVersion) -> int:
    if isinstance(expected, int):
        return min(expected, LARGEST_INTEGER)  # no stream is there, so it conflicts as it must
    return _EXPECTED[expected]
