"""Metadata: what is known about the recording of an event, beside what the event says."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from eventsourcing_core._event import Event

NO_METADATA: Mapping[str, object] = MappingProxyType({})
"""The one empty metadata that all events without any share."""

_recording: ContextVar[Mapping[str, object]] = ContextVar("recording", default=NO_METADATA)


@contextmanager
def recording_metadata(**metadata: object) -> Iterator[None]:
    """Give every event made inside the block these metadata.

    Blocks nest: the inner one adds to the outer one and wins where both name a key. The values
    follow the running task, so concurrent requests do not see each other's.

    >>> from eventsourcing_core import Event
    >>> with recording_metadata(user="alice"):
    ...     event = Event("Opened", {})
    >>> event.metadata["user"]
    'alice'
    """
    token = _recording.set(MappingProxyType({**_recording.get(), **metadata}))
    try:
        yield
    finally:
        _recording.reset(token)


def caused_by(event: Event[object]) -> dict[str, object]:
    """Give the metadata of an event that another one causes.

    ``causation_id`` is the id of the causing event; ``correlation_id`` is handed on from it, and
    is its id where it has none, so that it names the first event of the chain. Use it as
    ``recording_metadata(**caused_by(event))``.
    """
    causation_id = str(event.event_id)
    return {
        "correlation_id": event.metadata.get("correlation_id", causation_id),
        "causation_id": causation_id,
    }


def current_metadata(own: Mapping[str, object] | None) -> Mapping[str, object]:
    """Join the metadata of the surrounding blocks with an event's own."""
    surrounding = _recording.get()
    if not own:
        return surrounding
    return MappingProxyType({**surrounding, **own})
