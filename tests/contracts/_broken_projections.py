"""The projection store in memory, taken apart, so that a fault is one step of it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, ClassVar

from eventsourcing_core.stores import (
    Arrangement,
    BuildState,
    FencedError,
    Parts,
    ProjectionError,
    has_caught_up,
    new_record,
    new_segments,
    rearranged,
    registered,
)
from eventsourcing_inmemory import InMemoryProjectionStore
from eventsourcing_inmemory._batch import InMemoryBatch
from eventsourcing_inmemory._builds import KeptBuild, ProjectionShelf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from typing import Any

    from eventsourcing_core.stores import (
        Build,
        BuildRecord,
        BuildSpec,
        Move,
        Plan,
        Progress,
        Segment,
        Worker,
    )
    from eventsourcing_core.testing import NewLocation, OpenParts


class BrokenBatch(InMemoryBatch):
    """Writes as it should; a fault does a step in another way."""

    @property
    def kept(self) -> KeptBuild:
        """Give the build."""
        return self._kept


class BrokenProjections(InMemoryProjectionStore):
    """Does as it should; a fault does a step in another way."""

    caught_by: ClassVar[tuple[str, ...]] = ()
    batch_kind: ClassVar[type[BrokenBatch]] = BrokenBatch

    def __init__(self, shelf: ProjectionShelf) -> None:
        super().__init__(shelf)
        self.shelf = shelf

    @classmethod
    def closing(cls, shelf: ProjectionShelf) -> None:
        """Do what closing a handle does to what is kept: nothing."""

    # Registering.

    async def register(
        self,
        spec: BuildSpec,
        *,
        segments: int,
        start: Progress,
        create: Callable[[Any], Awaitable[None]] | None,
    ) -> BuildRecord:
        async with self.lock_of_names(spec):
            records = [r for r in await self.builds() if r.spec.build.name == spec.build.name]
            found = self.registered(spec, records)
            if found is not None:
                return found
            if create is not None:
                await self.create(spec, create)
            record = self.new_record(spec, records, segments)
            made = {segment.low: segment for segment in self.new_segments(segments, start)}
            self.keep(spec.build, KeptBuild(record, made))
            return record

    def lock_of_names(self, spec: BuildSpec) -> asyncio.Lock:
        return self.shelf.lock(spec.build.name)

    def registered(self, spec: BuildSpec, records: Sequence[BuildRecord]) -> BuildRecord | None:
        return registered(spec, records)

    async def create(self, spec: BuildSpec, create: Callable[[Any], Awaitable[None]]) -> None:
        del spec
        await create(None)

    def new_record(
        self, spec: BuildSpec, records: Sequence[BuildRecord], segments: int
    ) -> BuildRecord:
        return new_record(spec, records, segments)

    def new_segments(self, count: int, start: Progress) -> Sequence[Segment]:
        return new_segments(count, start)

    def keep(self, build: Build, kept: KeptBuild) -> None:
        self.shelf.builds[build] = kept

    # Working.

    async def beat(
        self, build: Build, worker: Worker, lease: float, plan: Callable[[Arrangement], Plan]
    ) -> Arrangement:
        await asyncio.sleep(0)
        kept = self._kept(build)
        await self.renew(build, kept, worker, lease)
        before = self._arrangement(kept)
        wanted = plan(self.planned_with(before, worker))
        await self.planned()
        try:
            after = self.rearranged(kept, before, worker.owner, wanted)
        except ProjectionError:
            return before
        touched = {segment.low for segment in {*before.segments} ^ {*after.segments}}
        if await self.is_in_the_way(build, touched):
            return before
        kept.segments = {segment.low: segment for segment in after.segments}
        kept.claims = dict(after.owners)
        return after

    async def renew(self, build: Build, kept: KeptBuild, worker: Worker, lease: float) -> None:
        del build
        kept.workers[worker.owner] = (self._clock() + lease, worker)

    def planned_with(self, before: Arrangement, worker: Worker) -> Arrangement:
        del worker
        return before

    async def planned(self) -> None:
        pass

    def rearranged(
        self, kept: KeptBuild, before: Arrangement, owner: str, plan: Plan
    ) -> Arrangement:
        del kept
        return rearranged(before, owner, plan)

    async def is_in_the_way(self, build: Build, touched: set[int]) -> bool:
        return any(self.shelf.lock(build, low).locked() for low in touched)

    @asynccontextmanager
    async def batch(self, build: Build, move: Move, *, lease: float) -> AsyncIterator[BrokenBatch]:
        del lease
        await asyncio.sleep(0)
        async with AsyncExitStack() as locks:
            for lock in self.locks_of(build, move):
                await locks.enter_async_context(lock)
            kept = self._kept(build)
            for known in move.segments:
                found = kept.segments.get(known.low)
                if found is None or self.is_stale(found, known, move):
                    message = "a segment is not as it was"
                    raise FencedError(message)
            batch = self.batch_kind(kept, move, self._clock)
            yield batch
            await asyncio.sleep(0)
            batch.commit()

    def locks_of(self, build: Build, move: Move) -> Sequence[asyncio.Lock]:
        return [self.shelf.lock(build, segment.low) for segment in move.segments]

    def is_stale(self, found: Segment, known: Segment, move: Move) -> bool:
        del move
        return (found.epoch, found.progress) != (known.epoch, known.progress)

    # Switching.

    async def finish_switch(self, build: Build, *, copy_progress: bool) -> bool:
        async with self.alone(build) as kept:
            live = self._live(build.name)
            self.check_switch(live)
            if copy_progress:
                self.copy_progress(live, kept)
            elif not self.has_caught_up(kept, live):
                return False
            live.switching_until = 0
            await self.set_states(live, kept)
            return True

    def check_switch(self, live: KeptBuild) -> None:
        if not self._record(live).is_switching or live.record.is_paused:
            message = f"{live.record.spec.build} is not being switched from"
            raise ProjectionError(message)

    def copy_progress(self, live: KeptBuild, kept: KeptBuild) -> None:
        kept.fence()
        epoch = max(s.epoch for k in (kept, live) for s in k.segments.values()) + 1
        kept.segments = {low: s._replace(epoch=epoch) for low, s in live.segments.items()}
        kept.parked = dict(live.parked)

    def has_caught_up(self, kept: KeptBuild, live: KeptBuild) -> bool:
        return has_caught_up([*kept.segments.values()], [*live.segments.values()])

    async def set_states(self, live: KeptBuild, kept: KeptBuild) -> None:
        live.record = live.record._replace(state=BuildState.RETIRED)
        kept.record = kept.record._replace(state=BuildState.LIVE)


def new_location_of(fault: type[BrokenProjections]) -> NewLocation:
    """Give what opens handles with a fault, again and again, on builds that outlive them."""

    def make() -> OpenParts:
        shelf = ProjectionShelf()

        @asynccontextmanager
        async def open_broken() -> AsyncIterator[Parts]:
            try:
                yield Parts(projection_store=fault(shelf))
            finally:
                fault.closing(shelf)

        return open_broken

    return make
