"""The projection store in PostgreSQL.

The registry, and how far builds are, are tables in the store's schema. What a build makes is in a
schema of its own: ``customer_orders`` while it is live, ``customer_orders_v3`` while it is not.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from eventsourcing_postgres._projections import _parking, _work
from eventsourcing_postgres._projections._batch import open_batch
from eventsourcing_postgres._projections._changes import Changes
from eventsourcing_postgres._projections._registering import New, Registering
from eventsourcing_postgres._projections._views import Views

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from eventsourcing_core.stores import (
        Arrangement,
        Build,
        BuildRecord,
        BuildSpec,
        Move,
        ParkedKey,
        Plan,
        Progress,
        Segment,
        Wish,
        Worker,
    )
    from eventsourcing_postgres._database import Database
    from eventsourcing_postgres._projections._batch import PostgresBatch
    from eventsourcing_postgres._transactions import PostgresTransactions


class PostgresProjectionStore:
    """Keeps builds in PostgreSQL; see ``ProjectionStore``.

    Args:
        database: Where.
        transactions: Opens transactions there.
    """

    def __init__(self, database: Database, transactions: PostgresTransactions) -> None:
        self._database = database
        self._transactions = transactions
        self._registering = Registering(database, transactions)
        self._changes = Changes(database)
        self._views = Views(database)
        # A handler may need a connection of its own, to append, and renewals need one, too.
        self._places = asyncio.Semaphore(max(database.pool.get_max_size() // 2, 1))

    async def register(
        self,
        spec: BuildSpec,
        *,
        segments: int,
        start: Progress,
        create: Callable[[Any], Awaitable[None]] | None,
    ) -> BuildRecord:
        """Make a build, or find it; see ``ProjectionStore.register``."""
        return await self._registering.register(spec, New(segments, start, create))

    async def builds(self) -> Sequence[BuildRecord]:
        """Give all builds; see ``ProjectionStore.builds``."""
        return await self._registering.builds()

    async def arrangement(self, build: Build) -> Arrangement:
        """Give who works on what; see ``ProjectionStore.arrangement``."""
        return await _work.arrangement(self._database, build)

    async def beat(
        self,
        build: Build,
        worker: Worker,
        lease: float,
        plan: Callable[[Arrangement], Plan],
    ) -> Arrangement:
        """Renew, and carry out a plan; see ``ProjectionStore.beat``."""
        return await _work.beat(self._database, build, worker, lease, plan)

    async def leave(self, build: Build, owner: str) -> None:
        """Take a worker and its claims off; see ``ProjectionStore.leave``."""
        await _work.leave(self._database, build, owner)

    async def calls(self) -> frozenset[Build]:
        """Tell which builds call for somebody; see ``ProjectionStore.calls``."""
        return await _work.calls(self._database)

    @asynccontextmanager
    async def batch(
        self, build: Build, move: Move, *, lease: float
    ) -> AsyncIterator[PostgresBatch]:
        """Open a batch; see ``ProjectionStore.batch``.

        The server ends it where the process is silent for longer than ``lease`` seconds. Batches
        take half of the pool at most; others wait until one of these has ended.
        """
        async with self._places:
            self._database.check_usable()
            schema = self._database.schema
            async with open_batch(self._transactions, schema, build, move, lease) as batch:
                yield batch

    async def parked(self, build: Build, *, first: int | None = None) -> Sequence[ParkedKey]:
        """Give the parked keys; see ``ProjectionStore.parked``."""
        return await _parking.parked(self._database, build, first=first)

    async def due(
        self, build: Build, segments: Sequence[Segment], *, first: int
    ) -> Sequence[ParkedKey]:
        """Give parked keys that are to be tried; see ``ProjectionStore.due``."""
        return await _parking.due(self._database, build, segments, first)

    async def count_parked(self, build: Build) -> Mapping[int, int]:
        """Count the parked keys of segments; see ``ProjectionStore.count_parked``."""
        return await _parking.count_parked(self._database, build)

    async def parked_at(self, build: Build, position: int) -> Sequence[ParkedKey]:
        """Give the keys that wait with an event; see ``ProjectionStore.parked_at``."""
        return await _parking.parked(self._database, build, at=position)

    async def wish(self, build: Build, wish: Wish, key: str | None = None) -> int:
        """Note a wish for parked keys; see ``ProjectionStore.wish``."""
        return await _parking.wish(self._database, build, wish, key)

    async def set_paused(self, build: Build, *, paused: bool) -> None:
        """Pause or resume; see ``ProjectionStore.set_paused``."""
        await self._changes.set_paused(build, paused=paused)

    async def set_segments(self, build: Build, segments: int) -> None:
        """Note how many segments are wanted; see ``ProjectionStore.set_segments``."""
        await self._changes.set_segments(build, segments)

    async def rewind(self, build: Build, to: Progress) -> None:
        """Set all segments to a progress; see ``ProjectionStore.rewind``."""
        await self._changes.rewind(build, to)

    async def begin_switch(self, build: Build, *, seconds: float) -> Arrangement:
        """Hold the live build for a moment; see ``ProjectionStore.begin_switch``."""
        return await self._changes.begin_switch(build, seconds)

    async def finish_switch(self, build: Build, *, copy_progress: bool) -> bool:
        """Make a build live; see ``ProjectionStore.finish_switch``."""
        return await self._changes.finish_switch(build, copy_progress=copy_progress)

    async def cancel_switch(self, name: str) -> None:
        """Let the live build go on; see ``ProjectionStore.cancel_switch``."""
        await self._changes.cancel_switch(name)

    async def drop(self, build: Build) -> None:
        """Forget a build; see ``ProjectionStore.drop``."""
        await self._changes.drop(build)

    async def live_values(self, name: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Give values of the live build; see ``ProjectionStore.live_values``."""
        return await self._views.values(name, keys)

    def live_pages(
        self, name: str, where: Mapping[str, str]
    ) -> AsyncIterator[Sequence[tuple[str, str]]]:
        """Give all values of the live build; see ``ProjectionStore.live_pages``."""
        return self._views.pages(name, where)
