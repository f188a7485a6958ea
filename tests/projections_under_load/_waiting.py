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

DEADLINE = 90.0  # seconds without progress until something counts as never happening
PATIENCE = 20.0  # seconds until writers and weather rest
PAUSE = 0.05  # seconds between two looks


async def until(
    condition: Callable[[], Awaitable[object]],
    progress: Callable[[], Awaitable[object]] | None = None,
) -> None:
    """Wait until something is so; nobody tells.

    Args:
        condition: Tells whether it is so.
        progress: Gives what changes as long as it comes nearer, however slowly.
    """
    loop = asyncio.get_running_loop()
    before: object = None
    async with asyncio.timeout(DEADLINE) as limit:
        while not await condition():
            if progress is not None and (now := await progress()) != before:
                before = now
                limit.reschedule(loop.time() + DEADLINE)
            await asyncio.sleep(PAUSE)


async def at_last(work: Callable[[], Awaitable[None]], may_go_on: asyncio.Event) -> None:
    """Do what may never be done while others go on: after a while they rest until it is done.

    On a busy machine projections may be slower than writers, and workers may be ended soon after
    they have come to work, again and again: then no version ever comes as far as the log.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await work()
            return
    may_go_on.clear()
    try:
        await work()
    finally:
        may_go_on.set()


async def positions(backend: Backend) -> list[int] | None:
    """Give how far all segments of all builds are; None while the store is away."""
    store = backend.projection_store
    with suppress(StorageError):
        return [
            segment.progress.position
            for record in await store.builds()
            for segment in (await store.arrangement(record.spec.build)).segments
        ]
    return None


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

    await until(is_live, lambda: positions(backend))
