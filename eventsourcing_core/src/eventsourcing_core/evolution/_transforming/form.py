"""The form that an event has in the new store: the one place that says so."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from eventsourcing_core._events.event import new_recorded_event
from eventsourcing_core._events.tags import stored_tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.stores._rows import Row

ORIGINAL_VERSION: Final = "original-version"
"""Where the metadata say which version an event had, if it is another one now."""


def forms_of(row: Row, version: int, codec: EventCodec) -> Iterator[RecordedEvent[Any]]:
    """Give what becomes of a stored event: one event, several, or none.

    The first one keeps the id. Each further one has an id that follows from that and its number.

    Args:
        row: The stored event.
        version: The version that the stream has in the new store, before it.
        codec: What reads it.

    Raises:
        SerializationError: It cannot be read; names stream, version and step.
        UnknownEventTypeError: Its type has no class, and the registry is strict.
    """
    for number, event in enumerate(codec.decode((row,)), start=1):
        event_id = event.raw_event_id
        if number > 1:
            event_id = uuid5(UUID(bytes=event_id), str(number)).bytes
        yield new_recorded_event(
            event.event_type,
            event.data,
            event_id,
            event.raw_timestamp,
            _metadata(event, version + number),
            event.stream_id,
            version + number,
            event.position,
            stored_tags(event.tags),
        )


def original_version(event: RecordedEvent[Any]) -> int:
    """Give the version that an event of a new store had in the old one."""
    version = event.metadata.get(ORIGINAL_VERSION, event.version)
    return version if isinstance(version, int) else event.version


def _metadata(event: RecordedEvent[Any], version: int) -> Mapping[str, object]:
    if version == event.version and ORIGINAL_VERSION not in event.metadata:
        return event.metadata
    # Also where it is the same: a store that was transformed before says it of another store.
    return MappingProxyType({**event.metadata, ORIGINAL_VERSION: event.version})
