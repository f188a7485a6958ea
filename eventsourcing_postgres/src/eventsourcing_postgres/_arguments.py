"""Appends as the functions ``append`` and ``append_one`` take them.

Their arrays of numbers, of ids, and of the streams of mixed events are sent as text, which the
statements take apart: the driver asks of each element of an array whether it is an array itself,
which takes longer than all else it does.
"""

from __future__ import annotations

from collections import Counter
from operator import gt
from typing import TYPE_CHECKING, Any
from uuid import UUID

from eventsourcing_core import ExpectedVersion
from eventsourcing_postgres._statements import LARGEST_INTEGER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eventsourcing_core.stores import EncodedEvent, Placed, Write

_EXPECTED = {
    ExpectedVersion.ANY: -1,
    ExpectedVersion.STREAM_EXISTS: -2,
    ExpectedVersion.NO_STREAM: 0,
}


def batch_arguments(writes: Sequence[Write]) -> list[Any]:
    """Give the eleven arrays of the function ``append`` for writes sorted by stream."""
    events = [event for write in writes for event in write.events]
    return [
        [write.stream_id for write in writes],
        numbers_text([expected_number(write.expected_version) for write in writes]),
        None
        if len(events) == len(writes)
        else numbers_text([len(write.events) for write in writes]),
        None,
        None,
        *columns(events),
    ]


def import_arguments(placed: Sequence[Placed]) -> list[Any]:
    """Give the eleven arrays of the function ``append`` for what ``Append.settle`` lets be written.

    Each stream is one write, and the events are in the order of their new positions, which in an
    import is not by stream.
    """
    of_streams, versions, events = zip(*placed, strict=True)
    first = dict(zip(reversed(of_streams), reversed(versions), strict=True))  # the last one stays
    sizes = Counter(of_streams)
    stream_ids = sorted(first)
    are_mixed = any(map(gt, of_streams, of_streams[1:]))
    return [
        stream_ids,
        numbers_text([first[stream_id] - 1 for stream_id in stream_ids]),
        numbers_text([sizes[stream_id] for stream_id in stream_ids]),
        "\n".join(of_streams) if are_mixed else None,  # which no id of a stream has
        numbers_text(versions) if are_mixed else None,
        *columns(events),
    ]


def columns(events: Sequence[EncodedEvent]) -> list[Any]:
    """Give the arrays of what events hold; what need not be sent takes no time."""
    event_types, datas, metadatas, encodings, ids, timestamps, _ = zip(*events, strict=True)
    return [
        ids_text(ids),
        _alike(event_types),
        datas,
        None if metadatas.count(None) == len(metadatas) else metadatas,
        _alike(encodings),
        numbers_text(timestamps),
    ]


def _alike(texts: Sequence[str]) -> Sequence[str]:
    """Give a text once if all are the same."""
    return texts[:1] if texts.count(texts[0]) == len(texts) else texts


def one_event(write: Write) -> tuple[Any, ...]:
    """Give the first eight arguments of the function ``append_one`` for a write of one event."""
    stream_id, ((event_type, data, metadata, encoding, event_id, timestamp, _),), expected = write
    return (
        stream_id,
        expected_number(expected),
        event_id.hex(),
        event_type,
        data,
        metadata,
        encoding,
        timestamp,
    )


def uuids(event_ids: Iterable[bytes]) -> list[UUID]:
    """Give the ids of events to look for.

    As an array of UUIDs: one that is cast from text is parsed again for each row of a scan.
    """
    return [UUID(bytes=event_id) for event_id in event_ids]


def ids_text(ids: Iterable[bytes]) -> str:
    """Give ids of events as an array in text."""
    return f"{{{','.join(map(bytes.hex, ids))}}}"


def numbers_text(numbers: Iterable[int]) -> str:
    """Give numbers as an array in text."""
    return f"{{{','.join(map(str, numbers))}}}"


def expected_number(expected: int | ExpectedVersion) -> int:
    """Give an expected version as the function ``advance`` takes it."""
    if isinstance(expected, int):
        return min(expected, LARGEST_INTEGER)  # no stream is there, so it conflicts as it must
    return _EXPECTED[expected]
