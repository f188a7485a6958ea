"""A backend in memory whose commits can fail, with repositories on it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal

from eventsourcing_core import Backend, EventCodec, Repository, StorageEventStore
from eventsourcing_core.stores import OutageError, Parts
from eventsourcing_inmemory._log import EventLog
from eventsourcing_inmemory._storage import InMemoryStorage
from eventsourcing_inmemory._transactions import InMemoryTransactions
from tests.core._tills import Shelf, Till, types

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core.stores import StorageTransaction, Transactions


class Failing:
    """Transactions of which one fails when it commits, before it is done or after."""

    def __init__(self, transactions: Transactions) -> None:
        self.transactions = transactions
        self.fails: Literal["", "before", "after"] = ""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[StorageTransaction]:
        async with self.transactions.begin() as opened:
            yield opened
            self._fail("before")
        self._fail("after")

    def _fail(self, when: str) -> None:
        if self.fails == when:
            self.fails = ""
            message = "connection lost during commit"
            raise OutageError(message)


class Bank:
    """A backend in memory, with all that it is made of."""

    def __init__(self, shelf: Shelf) -> None:
        log = EventLog()
        self.failing = Failing(InMemoryTransactions(log, shelf))
        parts = Parts(InMemoryStorage(log), shelf, self.failing)
        self.backend = Backend("memory", EventCodec(event_types=types), parts)
        self.store = self.backend.event_store
        self.tills = self.backend.repository(Till, snapshot_frequency=5)
        self.plain = Repository(StorageEventStore(parts, self.backend.codec), Till)
        """The same from outside."""

    async def stored(self) -> list[tuple[str, int]]:
        """List what is stored."""
        return [(event.stream_id, event.data.count) async for event in self.store.read_all()]

    async def move(self, *counts: int, fails: bool = False) -> tuple[Till, Till]:
        """Sell at two tills in one transaction."""
        one, two = await self.tills.load("1"), await self.tills.load("2")
        for till in (one, two):
            till.sell(*counts)
        await self.commit(one, two, fails=fails)
        return one, two

    async def commit(self, *tills: Till, fails: bool = False) -> None:
        """Save some tills in one transaction."""
        async with self.backend.transaction() as transaction:
            for till in tills:
                await self.tills.save(till, transaction=transaction)
            if fails:
                raise LookupError
