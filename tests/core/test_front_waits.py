"""Waiting for events: nothing goes on behind a caller that is gone, or behind a closed store."""

from __future__ import annotations

import asyncio

import pytest

from eventsourcing_core import StorageError
from eventsourcing_inmemory._storage import InMemoryStorage
from tests.core._storages import Through
from tests.core._tills import Events


class Sleeper(Through):
    """Waits for ever, and needs a moment to end."""

    def __init__(self) -> None:
        super().__init__(InMemoryStorage())
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109, ARG002 - the port's words
        """Wait."""
        self.begun.set()
        try:
            return await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.ended.set()


async def test_a_caller_that_is_cancelled_leaves_nothing_that_waits() -> None:
    sleeper = Sleeper()
    store = Events(sleeper)
    waiting = asyncio.create_task(store.wait(after_position=0, timeout=3600))
    async with asyncio.timeout(10):
        await sleeper.begun.wait()
        waiting.cancel()
        await sleeper.ended.wait()
    assert waiting.cancelled()


async def test_closing_waits_until_what_waits_has_ended() -> None:
    sleeper = Sleeper()
    store = Events(sleeper)
    waiting = asyncio.create_task(store.wait(after_position=0, timeout=3600))
    async with asyncio.timeout(10):
        await sleeper.begun.wait()
        await store.close()
    assert sleeper.ended.is_set()
    with pytest.raises(StorageError, match="the store is closed"):
        await waiting
