"""Whether a store may be used, and what waits for events in it, which closing ends."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from eventsourcing_core._encoding.refusals import waits_for_itself
from eventsourcing_core._errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eventsourcing_core.stores._storage import Storage


class Lifetime:
    """The life of a store, from its first use to its end.

    Args:
        storage: What is waited for.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._waits: set[asyncio.Task[bool]] = set()
        self._in_transaction: set[asyncio.Task[Any]] = set()

    def check_open(self) -> None:
        """Refuse use of what is closed.

        Raises:
            StorageError: It is.
        """
        if self._closed:
            message = "the store is closed"
            raise StorageError(message)

    def check_usable(self) -> None:
        """Refuse use that cannot go well.

        Raises:
            StorageError: It is closed.
            RuntimeError: It is of another loop, or the task has a transaction open on it.
        """
        self.check_open()
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            message = "the store belongs to another event loop: open one in this loop"
            raise RuntimeError(message)
        if self._in_transaction and asyncio.current_task() in self._in_transaction:
            raise waits_for_itself()

    @contextmanager
    def transaction_of(self, task: asyncio.Task[Any]) -> Iterator[None]:
        """Know that a task has a transaction open."""
        self._in_transaction.add(task)
        try:
            yield
        finally:
            self._in_transaction.discard(task)

    async def wait(self, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        """Wait in a task of its own, which closing can end without ending the caller."""
        self.check_open()
        waiting = asyncio.ensure_future(
            self._storage.wait(after_position=after_position, timeout=timeout)
        )
        self._waits.add(waiting)
        try:
            await asyncio.wait({waiting})
        finally:
            self._waits.discard(waiting)
            waiting.cancel()
        if self._closed and waiting.cancelled():
            self.check_open()
        return waiting.result()

    def begin_closing(self) -> None:
        """Refuse further use."""
        self._closed = True

    async def end_waits(self) -> None:
        """End what waits for events."""
        for waiting in self._waits:
            waiting.cancel()
        if self._waits:
            await asyncio.wait(self._waits)
