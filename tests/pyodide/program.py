"""A program as it runs in a browser: asyncio is JavaScript's event loop there."""

from __future__ import annotations

import asyncio

from eventsourcing_core import open_backend
from tests.workspace import core_alone
from tests.workspace.core_alone import Counter, limited


async def main() -> None:
    """Record, save, load; and wake who waits."""
    await core_alone.main()
    async with open_backend("memory://") as backend:
        counters = backend.repository(Counter)
        waiting = asyncio.create_task(backend.event_store.wait(after_position=0, timeout=60))
        await counters.update("1", lambda counter: counter.increase(2))
        assert await waiting
        assert (await counters.load("1")).total == 2
        totals = backend.repository(limited, snapshot_frequency=1)
        await totals.decide("1", 3)
        assert (await totals.verify("1")).is_right
        assert not await backend.event_store.wait(after_position=2, timeout=0.01)
    print("the program runs on JavaScript's event loop")
