"""Causation: which event led to which."""

from __future__ import annotations

from eventsourcing_core._errors import shown
from eventsourcing_core._events.event import Event


def caused_by(event: Event[object]) -> dict[str, object]:
    """Give the metadata of an event that another one causes.

    ``causation_id`` is the id of the causing event; ``correlation_id`` is handed on from it, and
    is its id where it has none, so that it names the first event of the chain. Use it as
    ``recording_metadata(**caused_by(event))``.
    """
    given: object = event
    if not isinstance(given, Event):
        message = f"caused_by takes an event, got {shown(given)}"
        raise TypeError(message)
    causation_id = str(event.event_id)
    return {
        "correlation_id": event.metadata.get("correlation_id", causation_id),
        "causation_id": causation_id,
    }
