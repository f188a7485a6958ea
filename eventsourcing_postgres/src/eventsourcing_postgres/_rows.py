"""Rows to and from what the core keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from eventsourcing_core import ExpectedVersion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core import Append, EventCodec, RecordedEvent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_2000 = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where PostgreSQL counts from."""

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
        [UUID(bytes=event.event_id) for _, _, event in events],
        [event.event_type for _, _, event in events],
        [event.data for _, _, event in events],
        [event.metadata for _, _, event in events],
        [event.encoding for _, _, event in events],
        [_EPOCH + timedelta(microseconds=event.timestamp) for _, _, event in events],
    ]


def decoded(codec: EventCodec, row: Sequence[Any]) -> RecordedEvent[Any]:
    """Decode one row of a read."""
    event_type, data, metadata, encoding, event_id, timestamp, stream_id, version, position = row
    return codec.decode(
        event_type,
        data,
        metadata,
        encoding,
        event_id,
        int.from_bytes(timestamp, signed=True) + _2000,
        stream_id,
        version,
        position,
    )


def _expected(expected: int | ExpectedVersion) -> int:
    return expected if isinstance(expected, int) else _EXPECTED[expected]
