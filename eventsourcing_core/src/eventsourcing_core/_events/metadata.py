"""Metadata: what is known about the recording of an event, beside what the event says."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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


def current_metadata(own: Mapping[str, object] | None) -> Mapping[str, object]:
    """Join the metadata of the surrounding blocks with an event's own."""
    surrounding = _recording.get()
    if not own:
        return surrounding
    return MappingProxyType({**surrounding, **own})
