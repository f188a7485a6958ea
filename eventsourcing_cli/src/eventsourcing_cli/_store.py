"""Opening a store to read it."""

from __future__ import annotations

import inspect
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from eventsourcing_core import EventTypes, open_backend
from eventsourcing_core.plugins import installed_plugins

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import StorageEventStore


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[StorageEventStore]:
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


def _can_migrate(url: str) -> bool:
    offer = installed_plugins().find("backend", url.partition(":")[0].lower())
    return offer is not None and "migrate" in inspect.signature(offer.factory).parameters
