"""Opening a store to read it."""

from __future__ import annotations

import inspect
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from eventsourcing_core import EventTypes, InspectableEventStore, StorageError, open_backend
from eventsourcing_core.plugins import installed_plugins

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import EventStore


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[EventStore]:
    """Open the event store of a URL; events are dicts, whatever classes there are.

    Raises:
        EventSourcingError: As ``open_backend``.
        ValueError: As ``open_backend``.
    """
    if _can_migrate(url):  # what is only read is neither made nor changed
        opening = open_backend(url, event_types=EventTypes(), migrate=False)
    else:
        opening = open_backend(url, event_types=EventTypes())
    async with opening as backend:
        yield backend.event_store


@asynccontextmanager
async def inspecting(url: str) -> AsyncIterator[InspectableEventStore]:
    """Open a store that tells what is in it as a whole.

    Raises:
        StorageError: It does not tell.
        EventSourcingError: As ``open_backend``.
        ValueError: As ``open_backend``.
    """
    async with reading(url) as store:
        if not isinstance(store, InspectableEventStore):
            message = (
                f"{type(store).__name__} does not list its streams and has no statistics: its "
                "plugin would have to implement InspectableEventStore; show, tail and export work"
            )
            raise StorageError(message)
        yield store


def _can_migrate(url: str) -> bool:
    offer = installed_plugins().find("backend", url.partition(":")[0].lower())
    return offer is not None and "migrate" in inspect.signature(offer.factory).parameters
