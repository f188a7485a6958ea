"""Opening a store to read it."""

from __future__ import annotations

import inspect
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from eventsourcing_core import EventTypes, open_backend
from eventsourcing_core.plugins import installed_plugins

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core import Backend, StorageEventStore


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[StorageEventStore]:
    """Open the event store of a URL; events are dicts, whatever classes there are.

    Raises:
        EventSourcingError: As ``open_backend``.
        ValueError: As ``open_backend``.
    """
    async with looked_into(url) as backend:
        yield backend.event_store


def looked_into(
    url: str, event_types: EventTypes | None = None
) -> AbstractAsyncContextManager[Backend]:
    """Open the backend of a URL, whose schema is neither made nor changed.

    Args:
        url: Of the backend.
        event_types: What events are read as; as dicts, if it is not given.

    Raises:
        EventSourcingError: As ``open_backend``.
        ValueError: As ``open_backend``.
    """
    types = EventTypes() if event_types is None else event_types
    if _can_migrate(url):
        return open_backend(url, event_types=types, migrate=False)
    return open_backend(url, event_types=types)


def _can_migrate(url: str) -> bool:
    offer = installed_plugins().find("backend", url.partition(":")[0].lower())
    return offer is not None and "migrate" in inspect.signature(offer.factory).parameters
