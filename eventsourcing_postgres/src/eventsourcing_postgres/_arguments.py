"""Appends as the functions ``append`` and ``append_one`` take them.

Their arrays of numbers and of ids are sent as text, which the statements cast: the driver asks of
each element of an array whether it is one itself, which takes longer than all else that it does.
"""

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


def arguments(appends: Sequence[Append]) -> list[Any]:
    """Give the eleven arrays of the function ``append`` for appends sorted by stream."""
    events = [event for append in appends for event in append.events]
    return [
        [append.stream_id for append in appends],
        _numbers([_expected(append.expected_version) for append in appends]),
        *((None, None, None) if len(events) == len(appends) else _shares(appends)),
        *_columns(events),
    ]


def _shares(appends: Sequence[Append]) -> tuple[str, str, str]:
    """Give the size of each append; for each event its append, and its place there."""
    sizes = [len(append.events) for append in appends]
    owners = [owner for owner, size in enumerate(sizes, start=1) for _ in range(size)]
    places = [place for size in sizes for place in range(1, size + 1)]
    return _numbers(sizes), _numbers(owners), _numbers(places)


def import_arguments(events: Sequence[ImportedEvent]) -> list[Any]:
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
        _numbers([before[stream_id] for stream_id in stream_ids]),
        _numbers([sizes[stream_id] for stream_id in stream_ids]),
        _numbers([owners[imported.stream_id] for imported in events]),
        _numbers([imported.version - before[imported.stream_id] for imported in events]),
        *_columns([imported.event for imported in events]),
    ]


def _columns(events: Sequence[EncodedEvent]) -> list[Any]:
    """Give the arrays of what events hold; what need not be sent takes no time."""
    event_types, datas, metadatas, encodings, ids, timestamps = zip(*events, strict=True)
    return [
        _ids(ids),
        event_types,
        datas,
        None if metadatas.count(None) == len(metadatas) else metadatas,
        encodings if len(set(encodings)) > 1 else encodings[:1],
        _numbers(timestamps),
    ]


def one_event(append: Append) -> list[Any]:
    """Give the first eight arguments of the function ``append_one`` for an append of one event."""
    stream_id, ((event_type, data, metadata, encoding, event_id, timestamp),), expected, _ = append
    return [
        stream_id,
        _expected(expected),
        event_id.hex(),
        event_type,
        data,
        metadata,
        encoding,
        timestamp,
    ]


def event_ids(events: Iterable[EncodedEvent]) -> list[UUID]:
    """Give the ids of events to look for.

    As an array of UUIDs: one that is cast from text is parsed again for each row of a scan.
    """
    return [UUID(bytes=event.event_id) for event in events]


def _ids(ids: Iterable[bytes]) -> str:
    return f"{{{','.join(map(bytes.hex, ids))}}}"


def _numbers(numbers: Iterable[int]) -> str:
    return f"{{{','.join(map(str, numbers))}}}"


def _expected(expected: int | ExpectedVersion) -> int:
    if isinstance(expected, int):
        return min(expected, LARGEST_INTEGER)  # no stream is there, so it conflicts as it must
    return _EXPECTED[expected]
