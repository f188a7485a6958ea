"""Holding a tag: for a boundary that is too hot for optimism. Correctness never depends on it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager


class Holding(Protocol):
    """Lets one task at a time hold a tag; implemented by backends."""

    def hold(self, tag: str) -> AbstractAsyncContextManager[None]:
        """Wait until nobody else holds the tag, and hold it until the block is left.

        Raises:
            RuntimeError: The task holds it already.
            StorageError: It cannot be held, or was not to be had within the backend's patience.
        """
        ...


class LocalHolding:
    """Holds tags within this process, for those who share this object; see ``Holding``."""

    def __init__(self) -> None:
        self._turns: dict[str, _Turn] = {}

    @asynccontextmanager
    async def hold(self, tag: str) -> AsyncIterator[None]:
        """Hold a tag; whoever came first gets it first."""
        turn = self._turns.get(tag)
        if turn is None or turn.loop.is_closed():
            turn = self._turns[tag] = _Turn()
        task = asyncio.current_task()
        if task is not None and turn.holder is task:
            message = f"this task holds the tag {tag!r} already, and would wait for itself"
            raise RuntimeError(message)

        turn.count += 1
        try:
            async with turn.lock:
                turn.holder = task
                try:
                    yield
                finally:
                    turn.holder = None
        finally:
            turn.count -= 1
            if not turn.count and self._turns.get(tag) is turn:
                del self._turns[tag]


class _Turn:
    """A tag that somebody holds or waits for."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.loop = asyncio.get_running_loop()
        self.holder: asyncio.Task[object] | None = None
        self.count = 0
