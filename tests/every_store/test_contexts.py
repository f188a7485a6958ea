"""What a request had in its context variables is not kept by the store when the request is over."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING

from eventsourcing_core import Event, ExpectedVersion, open_backend

if TYPE_CHECKING:
    from eventsourcing_core import Backend

LONG = {"sqlite": "?busy_timeout=3600&poll_interval=3600", "postgresql": "?poll_interval=3600"}
request: ContextVar[object] = ContextVar("request", default=None)


class Request:
    """What a web framework keeps in a context variable."""


async def serve(backend: Backend) -> weakref.ref[Request]:
    """Use the store as a request does that waits for events, and is woken long before its time."""
    mine = Request()
    request.set(mine)
    store = backend.event_store
    first = await store.append("a", [Event("Opened", {})], expected_version=0)
    waiting = asyncio.create_task(store.wait(after_position=first.position, timeout=3600))
    await asyncio.sleep(0)  # it begins
    events: list[Event[object]] = [Event("Opened", {}), Event("Opened", {})]
    await store.append("a", events, expected_version=ExpectedVersion.ANY)
    assert await waiting
    assert [event.version async for event in store.read("a")] == [1, 2, 3]
    assert [event.version async for event in store.read_all(stream_prefix="a")] == [1, 2, 3]
    async with backend.transaction() as transaction:
        await transaction.append("b", [Event("Opened", {})], expected_version=0)
    return weakref.ref(mine)


async def test_a_request_is_not_kept(store_url: str) -> None:
    options = LONG.get(store_url.partition(":")[0], "")
    async with asyncio.timeout(20), open_backend(f"{store_url}{options}") as backend:
        kept = await asyncio.create_task(serve(backend))
        while kept() is not None:
            await asyncio.sleep(0.05)
            gc.collect()
    assert kept() is None
