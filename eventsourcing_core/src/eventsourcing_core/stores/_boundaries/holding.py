"""Holding a tag: for a boundary that is too hot for optimism. Correctness never depends on it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from eventsourcing_core._errors import StorageError

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
    """Holds tags within this process, for those who share this object; see ``Holding``.

    Args:
        max_wait: For how many seconds somebody waits for a tag. Without an end, tasks that hold one
            and want that of each other would wait for ever.
    """

    def __init__(self, max_wait: float = 30.0) -> None:
        self._max_wait = max_wait
        self._turns: dict[str, _Turn] = {}

    @asynccontextmanager
    async def hold(self, tag: str) -> AsyncIterator[None]:
        """Hold a tag; whoever came first gets it first.

        Raises:
            RuntimeError: The task holds it already.
            StorageError: Others have held it for too long.
        """
        turn = self._turns.get(tag)
        if turn is None or turn.loop.is_closed():
            turn = self._turns[tag] = _Turn()
        task = asyncio.current_task()
        if task is not None and turn.holder is task:
            message = f"this task holds the tag {tag!r} already, and would wait for itself"
            raise RuntimeError(message)

        turn.count += 1
        try:
            await self._wait(turn, tag)
            turn.holder = task
            try:
                yield
            finally:
                turn.holder = None
                turn.lock.release()
        finally:
            turn.count -= 1
            if not turn.count and self._turns.get(tag) is turn:
                del self._turns[tag]

    async def _wait(self, turn: _Turn, tag: str) -> None:
        try:
            async with asyncio.timeout(self._max_wait):
                await turn.lock.acquire()
        except TimeoutError:
            message = (
                f"hold failed: other tasks of this process have held the tag {tag!r} for "
                f"{self._max_wait:g} seconds: hold it for a shorter time, and all tags that you "
                "need by one call"
            )
            raise StorageError(message) from None


class _Turn:
    """A tag that somebody holds or waits for."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.loop = asyncio.get_running_loop()
        self.holder: asyncio.Task[object] | None = None
        self.count = 0
