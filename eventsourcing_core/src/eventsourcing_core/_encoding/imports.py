"""Imports: events that bring their own versions, grouped by stream as storages want them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsourcing_core._encoding.refusals import too_large
from eventsourcing_core._errors import SerializationError, shown
from eventsourcing_core._events.tags import stored_tags, tags_of
from eventsourcing_core._names import check_event_type, check_stream_id
from eventsourcing_core._versions import ExpectedVersion
from eventsourcing_core.stores._append import Append, Imported, Write
from eventsourcing_core.stores._rows import EncodedEvent

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from eventsourcing_core.stores._append import Placed
    from eventsourcing_core.stores._rows import Row

_new: Any = vars(tuple)["__new__"]  # as it stands there, it takes a class and a tuple
_EVENT = 3  # where the fields of the event begin in a row


def check_names(stream_ids: Collection[str], event_types: Collection[str]) -> None:
    """Refuse names that no store keeps.

    Raises:
        InvalidStreamIdError: A stream id is not one.
        ValueError: A type is not one.
    """
    for stream_id in stream_ids:
        check_stream_id(stream_id)
    for event_type in event_types:
        check_event_type(event_type)


def import_of(placed: Sequence[Placed]) -> Append | None:
    """Give the append that imports encoded events, in the order of their new positions.

    None if there are none.
    """
    if not placed:
        return None
    # By code points, which is the order of UTF-8 and of "C", too.
    streams: dict[str, tuple[int, list[EncodedEvent]]] = {
        stream_id: (number, [])
        for number, stream_id in enumerate(sorted({stream_id for stream_id, _, _ in placed}))
    }
    imported: list[Imported] = []
    size = 0
    for stream_id, version, event in placed:
        number, events = streams[stream_id]
        imported.append(_new(Imported, (number, len(events), version)))
        events.append(event)
        size += len(event[1]) + len(event[2] or b"")
    writes = [
        Write(stream_id, tuple(events), ExpectedVersion.ANY)
        for stream_id, (_, events) in streams.items()
    ]
    return Append(tuple(writes), size, tuple(imported))


def append_of(rows: Sequence[Row], *, encoding: str, max_event_bytes: int) -> Append | None:
    """Check the argument of ``StorageEventStore.import_rows``; None if it is empty.

    Args:
        rows: What is to be imported.
        encoding: What the store writes.
        max_event_bytes: The largest event that it takes.

    Raises:
        InvalidStreamIdError: A stream id is not one.
        ValueError: A version below 1, a type or a tag with a name that no store keeps, or bytes of
            another encoding than the store's.
        SerializationError: An event is too large.
    """
    check_names({row[0] for row in rows}, {row[3] for row in rows})
    for stream_id, version, _, event_type, data, metadata, found, *_ in rows:
        if version < 1:
            message = f"versions count from 1, got {shown(version)} in stream {stream_id!r}"
            raise ValueError(message)
        if found != encoding:
            message = f"the store writes {encoding!r}, and a row is {shown(found)}"
            raise ValueError(message)
        size = len(data) + (len(metadata) if metadata else 0)
        if size > max_event_bytes:
            error = too_large(event_type, size, max_event_bytes)
            message = f"version {version} of stream {stream_id!r}: {error}"
            raise SerializationError(message)
    placed = [(row[0], row[1], _new(EncodedEvent, row[_EVENT:])) for row in rows]
    return import_of(
        [_with_checked_tags(each) if each[2][-1] is not None else each for each in placed]
    )


def _with_checked_tags(placed: Placed) -> Placed:
    stream_id, version, event = placed
    tags = tags_of(event.tags or (), f"version {version} of stream {stream_id!r}:")
    return (stream_id, version, event._replace(tags=stored_tags(tags)))
