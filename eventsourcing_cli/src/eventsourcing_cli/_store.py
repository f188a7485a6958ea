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


def looked_into(url: str) -> AbstractAsyncContextManager[Backend]:
    """Open the backend of a URL, whose schema is neither made nor changed.

    Raises:
        EventSourcingError: As ``open_backend``.
        ValueError: As ``open_backend``.
    """
    if _can_migrate(url):
        return open_backend(url, event_types=EventTypes(), migrate=False)
    return open_backend(url, event_types=EventTypes())


def _can_migrate(url: str) -> bool:
    offer = installed_plugins().find("backend", url.partition(":")[0].lower())
    return offer is not None and "migrate" in inspect.signature(offer.factory).parameters
