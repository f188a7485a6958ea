"""Waiting for projections, and steering them, whatever befalls their store meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from eventsourcing_core import ProjectionError, StorageError
from eventsourcing_core.stores import BuildState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from eventsourcing_core import Backend

DEADLINE = 90.0  # seconds until something counts as never happening
PAUSE = 0.05  # seconds between two looks


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait until something is so; nobody tells."""
    async with asyncio.timeout(DEADLINE):
        while not await condition():  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(PAUSE)


async def have_arrived(backend: Backend, position: int) -> bool:
    """Tell whether all segments of all builds are at a position."""
    store = backend.projection_store
    for record in await store.builds():
        arrangement = await store.arrangement(record.spec.build)
        if any(each.progress.position < position for each in arrangement.segments):
            return False
    return True


async def switched(backend: Backend, name: str, version: int) -> None:
    """Make a version live as soon as it is ready."""

    async def is_live() -> bool:
        with suppress(ProjectionError, StorageError):
            await backend.projections.switch(name, version=version)
        with suppress(StorageError):
            return any(
                record.spec.build == (name, version) and record.state is BuildState.LIVE
                for record in await backend.projection_store.builds()
            )
        return False

    await until(is_live)
