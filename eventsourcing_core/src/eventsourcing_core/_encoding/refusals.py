"""What a codec refuses, and how it says so."""

from __future__ import annotations

from typing import NoReturn

from eventsourcing_core._errors import (
    EventSourcingError,
    SerializationError,
    StorageError,
    TransformError,
    UnknownEventTypeError,
    said_of,
    shortened,
    shown,
)
from eventsourcing_core._events.event import RecordedEvent
from eventsourcing_core._versions import ExpectedVersion


def check_expected_version(expected: object) -> None:
    """Refuse what is no expected version.

    Raises:
        TypeError: It is neither an int nor an ``ExpectedVersion``.
        ValueError: It is negative.
    """
    if isinstance(expected, ExpectedVersion):
        return
    if type(expected) is not int:
        message = f"expected_version is an int or an ExpectedVersion, got {shown(expected)}"
        raise TypeError(message)
    if expected < 0:
        message = f"expected_version must be 0 or more, got {shown(expected)}"
        raise ValueError(message)


def check_recorded(event: RecordedEvent[object]) -> RecordedEvent[object]:
    """Give an event of an import, once it is seen to be one.

    Raises:
        TypeError: It is no recorded event.
        ValueError: Its version is below 1.
    """
    if not isinstance(event, RecordedEvent):
        message = f"import_events takes recorded events, got {type(event).__name__}"
        raise TypeError(message)
    if event.version < 1:
        message = f"versions count from 1, got {shown(event.version)} in stream {event.stream_id!r}"
        raise ValueError(message)
    return event


NO_CLASS = (
    "events of type %r are read as plain dicts, since no class is registered for them: if a class "
    "was renamed or is not imported, register it with @event(%r); EventTypes(strict=True) makes "
    "this an error. This is said once per type"
)
"""What the log says of such a type; it takes the type twice."""


def no_class(event_type: str) -> UnknownEventTypeError:
    """Give the error of a strict registry for a type without a class."""
    message = f"no class is registered for {event_type!r}, and the registry is strict"
    return UnknownEventTypeError(message)


def cannot_store(event_type: str, error: Exception) -> NoReturn:
    """Raise what says that an event cannot be stored, and why."""
    message = f"event {event_type!r} cannot be stored: {_said(error)}"
    raise _kind(error)(message) from error


def cannot_read(
    error: Exception, stream_id: str, version: int, event_type: str, encoding: str
) -> NoReturn:
    """Raise what says where an event stands that cannot be read, and why."""
    message = (
        f"version {version} of stream {stream_id!r} (type {event_type!r}, encoding {encoding!r}) "
        f"cannot be read: {_said(error)}"
    )
    raise _kind(error)(message) from error


def _kind(error: Exception) -> type[EventSourcingError]:
    for kind in (UnknownEventTypeError, TransformError):
        if isinstance(error, kind):
            return kind
    return SerializationError


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"the field {shortened(str(error))} is missing"
    return said_of(error)


def no_inspection(storage: object) -> StorageError:
    """Say that a storage tells nothing about its streams."""
    return StorageError(
        f"{type(storage).__name__} does not list its streams and has no statistics: its plugin "
        "would have to give an Inspection"
    )


def no_inlining(storage: object, store: object) -> StorageError:
    """Say that a storage applies no projections of a store inside appends."""
    return StorageError(
        f"{type(storage).__name__} applies no projections of {type(store).__name__} inside "
        "appends: run them with backend.projector(…)"
    )


def waits_for_itself() -> RuntimeError:
    """Say that a task asks a store that waits for the transaction of that very task."""
    return RuntimeError(
        "this task has a transaction open on the store, and would wait for itself: use the "
        "transaction (load(…, transaction=…), save(…, transaction=…)), or call this before or "
        "after its block"
    )


def too_large(event_type: str, size: int, most: int) -> SerializationError:
    """Say that an event takes more bytes than are allowed."""
    return SerializationError(
        f"event {event_type!r} takes {size:,} bytes, at most {most:,} are allowed (max_event_bytes)"
    )
