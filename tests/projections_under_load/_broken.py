"""Stores of projections that break a promise, so that the tests see what they look for, or stop."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from eventsourcing_core._projections.worker import ProjectionWorker
from eventsourcing_core.stores import Move

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from eventsourcing_core import Backend
    from eventsourcing_core.stores import (
        Arrangement,
        Batch,
        Build,
        Plan,
        ProjectionStore,
        Worker,
    )


class Twisted:
    """A store that does all as another one does it.

    Args:
        store: The other one.
    """

    def __init__(self, store: ProjectionStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def here(self, build: Build, move: Move) -> Move:
        """Give a move as if one knew where its segments are now, and whose they are."""
        lows = {segment.low for segment in move.segments}
        found = (await self._store.arrangement(build)).segments
        segments = tuple(segment for segment in found if segment.low in lows)
        return Move(segments, max(move.to, segments[0].progress, key=lambda each: each.position))


class Careless(Twisted):
    """It compares neither positions nor epochs."""

    @asynccontextmanager
    async def batch(self, build: Build, move: Move, *, lease: float) -> AsyncIterator[Batch]:
        """See ``ProjectionStore.batch``."""
        move = await self.here(build, move)
        async with self._store.batch(build, move, lease=lease) as batch:
            yield batch


class Early(Twisted):
    """It moves the segments in a transaction of their own, before what belongs to it."""

    @asynccontextmanager
    async def batch(self, build: Build, move: Move, *, lease: float) -> AsyncIterator[Batch]:
        """See ``ProjectionStore.batch``."""
        async with self._store.batch(build, move, lease=lease):
            pass
        async with self._store.batch(build, await self.here(build, move), lease=lease) as batch:
            yield batch


class Frozen(Twisted):
    """It stands still in the middle of a heartbeat, once it has claimed something.

    Args:
        store: The other one.
        freeze: Stands still.
    """

    def __init__(self, store: ProjectionStore, freeze: Callable[[], None]) -> None:
        super().__init__(store)
        self._freeze = freeze
        self._was_frozen = False

    async def beat(
        self, build: Build, worker: Worker, lease: float, plan: Callable[[Arrangement], Plan]
    ) -> Arrangement:
        """See ``ProjectionStore.beat``."""

        def slowly(arrangement: Arrangement) -> Plan:
            if worker.owner in arrangement.owners.values() and not self._was_frozen:
                self._was_frozen = True
                self._freeze()
            return plan(arrangement)

        return await self._store.beat(build, worker, lease, slowly)


class Late(Twisted):
    """It moves the segments in a transaction of their own, after what belongs to it.

    Args:
        store: The other one.
        between: Is awaited between the two transactions.
    """

    def __init__(self, store: ProjectionStore, between: Callable[[], Any]) -> None:
        super().__init__(store)
        self._between = between

    @asynccontextmanager
    async def batch(self, build: Build, move: Move, *, lease: float) -> AsyncIterator[Batch]:
        """See ``ProjectionStore.batch``."""
        stay = Move(move.segments, move.segments[0].progress)
        async with self._store.batch(build, stay, lease=lease) as batch:
            yield batch
        await self._between()
        async with self._store.batch(build, move, lease=lease):
            pass


def _let_go_on(self: ProjectionWorker) -> None:
    """Stop nobody whose lease ran out."""


def twist(
    backend: Backend, how: str, between: Callable[[], Any], freeze: Callable[[], None]
) -> None:
    """Break a promise of a backend, or of what runs on it.

    Args:
        backend: The backend.
        how: ``right``: none; ``fearless``: who has slept goes on, and only the store stops him;
            ``careless``, ``early``, ``frozen``, ``late``: see the classes.
        between: See ``Late``.
        freeze: See ``Frozen``.
    """
    store = backend.projection_store
    if how in {"fearless", "careless"}:
        ProjectionWorker._stop_handlers = _let_go_on  # type: ignore[method-assign]  # on purpose
    twisted: dict[str, Callable[[], Any]] = {
        "careless": lambda: Careless(store),
        "early": lambda: Early(store),
        "frozen": lambda: Frozen(store, freeze),
        "late": lambda: Late(store, between),
    }
    if how in twisted:
        backend._projection_store = twisted[how]()
