"""A follower that was given an event which a failover lost is told, whatever it did meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Event, ExpectedVersion, HistoryChangedError, StorageError
from eventsourcing_core.stores import OutageError
from tests.eventsourcing_postgres.failover._pair import DEADLINE, until, waiting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from eventsourcing_core import Backend, Checkpoint, EventStore, Page
    from tests.eventsourcing_postgres.failover._pair import Pair


async def append(store: EventStore, stream_id: str) -> int:
    result = await store.append(
        stream_id, [Event("Placed", {})], expected_version=ExpectedVersion.ANY
    )
    return result.position


async def page_of(pages: AsyncIterator[Page], stream_id: str) -> Page:
    """Give the page that ends with an event of a stream."""
    async for page in pages:
        if page.events and page.events[-1].stream_id == stream_id:
            return page
    raise AssertionError


@pytest.mark.parametrize("is_asleep", [False, True], ids=["at work", "asleep"])
async def test_a_follower_is_told_after_a_failover(
    pair: Pair, backend: Backend, *, is_asleep: bool
) -> None:
    store = backend.event_store
    name = f"told-{is_asleep}"
    async with asyncio.timeout(3 * DEADLINE):
        pages = store.follow(await append(store, f"{name}-kept"))
        async with pair.without_standby() as admin:
            lost = asyncio.ensure_future(append(store, f"{name}-lost"))
            await until(lambda: waiting(admin))
            (pid,) = await waiting(admin)
            await admin.execute(f"select pg_terminate_backend({pid})")
            with pytest.raises(OutageError):
                await lost
            checkpoint = (await page_of(pages, f"{name}-lost")).checkpoint
            following = asyncio.ensure_future(anext(pages)) if is_asleep else None
            await pair.fail_over()
        await pair.restore()

        new = await append(store, f"{name}-new")
        with pytest.raises(HistoryChangedError):
            await go_on(following or anext(pages), store, checkpoint)
        assert checkpoint
        assert checkpoint.position < new


async def go_on(page: Awaitable[Page], store: EventStore, checkpoint: Checkpoint | None) -> None:
    """Wait for a page, and follow anew where the store failed."""
    try:
        await page
    except StorageError:
        await anext(store.follow(checkpoint or 0))
