"""The projection store in memory: what one must do, said in as few words as it takes.

Locks stand for those of rows: a batch holds those of its segments, and whatever fences a build
holds all of them, and the one of its arrangement, which keeps plans out. Whoever holds a lock lets
other tasks run, as a database would; what changes between two such moments changes as a whole.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from eventsourcing_core.stores import (
    Arrangement,
    Build,
    BuildState,
    FencedError,
    ProjectionKind,
    StorageError,
    has_caught_up,
    new_record,
    new_segments,
    not_live,
    not_registered,
    not_switching,
    rearranged,
    registered,
    still_live,
)
from eventsourcing_inmemory._batch import InMemoryBatch
from eventsourcing_inmemory._builds import KeptBuild, ProjectionShelf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from eventsourcing_core.stores import (
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

PAGE = 512
"""How many values are looked at between two chances for other tasks."""


class InMemoryProjectionStore:
    """Keeps builds in this process, and loses them with it; see ``ProjectionStore``.

    Args:
        shelf: What another store keeps, to share it.
    """

    def __init__(self, shelf: ProjectionShelf | None = None) -> None:
        self._shelf = shelf or ProjectionShelf()
        self._clock: Callable[[], float] = time.monotonic
        self._closed = False

    async def register(
        self,
        spec: BuildSpec,
        *,
        segments: int,
        start: Progress,
        create: Callable[[Any], Awaitable[None]] | None,
    ) -> BuildRecord:
        """Make a build, or find it; see ``ProjectionStore.register``."""
        async with self._shelf.lock(spec.build.name):
            records = [r for r in await self.builds() if r.spec.build.name == spec.build.name]
            found = registered(spec, records)
            if found is not None:
                if found.spec.event_types == ():
                    self._shelf.builds[spec.build].record = found._replace(spec=spec)
                return found
            if create is not None:
                await create(None)

            record = new_record(spec, records, segments)
            made = {segment.low: segment for segment in new_segments(segments, start)}
            self._shelf.builds[spec.build] = KeptBuild(record, made)
            return record

    async def builds(self) -> Sequence[BuildRecord]:
        """Give all builds; see ``ProjectionStore.builds``."""
        await asyncio.sleep(0)
        self._check_open()
        return [self._record(kept) for _, kept in sorted(self._shelf.builds.items())]

    async def arrangement(self, build: Build) -> Arrangement:
        """Give who works on what; see ``ProjectionStore.arrangement``."""
        await asyncio.sleep(0)
        return self._arrangement(self._kept(build))

    async def beat(
        self,
        build: Build,
        worker: Worker,
        lease: float,
        plan: Callable[[Arrangement], Plan],
    ) -> Arrangement:
        """Renew, and carry out a plan; see ``ProjectionStore.beat``."""
        await asyncio.sleep(0)
        kept = self._kept(build)
        kept.workers[worker.owner] = (self._clock() + lease, worker)

        before = self._arrangement(kept)
        after = rearranged(before, worker.owner, plan(before))
        touched = {segment.low for segment in set(before.segments) ^ set(after.segments)}
        locks = [self._shelf.lock(build, low) for low in (touched and touched | {_PLANS})]
        if any(lock.locked() for lock in locks):
            return before
        kept.segments = {segment.low: segment for segment in after.segments}
        kept.claims = dict(after.owners)
        return after

    async def leave(self, build: Build, owner: str) -> None:
        """Take a worker and its claims off; see ``ProjectionStore.leave``."""
        await asyncio.sleep(0)
        kept = self._kept(build)
        kept.workers.pop(owner, None)
        kept.claims = {low: other for low, other in kept.claims.items() if other != owner}

    async def calls(self) -> frozenset[Build]:
        """Tell which builds call for somebody; see ``ProjectionStore.calls``."""
        await asyncio.sleep(0)
        self._check_open()
        return frozenset(
            build for build, kept in self._shelf.builds.items() if self._is_calling(kept)
        )

    @asynccontextmanager
    async def batch(
        self,
        build: Build,
        move: Move,
        *,
        lease: float,  # noqa: ARG002 - a process in memory does not fall silent
    ) -> AsyncIterator[InMemoryBatch]:
        """Open a batch; see ``ProjectionStore.batch``."""
        await asyncio.sleep(0)
        async with AsyncExitStack() as locks:
            for segment in move.segments:
                await locks.enter_async_context(self._shelf.lock(build, segment.low))
            kept = self._kept(build)
            for known in move.segments:
                found = kept.segments.get(known.low)
                if (
                    found is None
                    or found.epoch != known.epoch
                    or found.progress.position != known.progress.position
                ):
                    message = f"segment {known.low} is not as {known}, but {found}"
                    raise FencedError(message)

            batch = InMemoryBatch(kept, move, self._clock)
            yield batch
            await asyncio.sleep(0)
            batch.commit()

    async def parked(self, build: Build, *, first: int | None = None) -> Sequence[ParkedKey]:
        """Give the parked keys; see ``ProjectionStore.parked``."""
        await asyncio.sleep(0)
        return self._kept(build).parked_keys(self._clock())[:first]

    async def due(
        self, build: Build, segments: Sequence[Segment], *, first: int
    ) -> Sequence[ParkedKey]:
        """Give the keys to try now; see ``ProjectionStore.due``."""
        await asyncio.sleep(0)
        return self._kept(build).due(segments, self._clock())[:first]

    async def count_parked(self, build: Build) -> Mapping[int, int]:
        """Count the parked keys of segments; see ``ProjectionStore.count_parked``."""
        keys = await self.parked(build)
        counts = {
            low: sum(segment.low <= key.hash <= segment.high for key in keys)
            for low, segment in self._kept(build).segments.items()
        }
        return {low: count for low, count in counts.items() if count}

    async def parked_at(self, build: Build, position: int) -> Sequence[ParkedKey]:
        """Give the keys that wait with an event; see ``ProjectionStore.parked_at``."""
        kept = self._kept(build)
        return [
            key for key in await self.parked(build) if position in kept.parked[key.key].positions
        ]

    async def wish(self, build: Build, wish: Wish, key: str | None = None) -> int:
        """Note a wish for parked keys; see ``ProjectionStore.wish``."""
        async with self.alone(build) as kept:
            wanted = {
                each: parked._replace(wish=wish)
                for each, parked in kept.parked.items()
                if key is None or each == key
            }
            kept.parked.update(wanted)
            return len(wanted)

    async def set_paused(self, build: Build, *, paused: bool) -> None:
        """Pause or resume; see ``ProjectionStore.set_paused``."""
        async with self.alone(build) as kept:
            kept.record = kept.record._replace(is_paused=paused)
            if paused:
                kept.fence()

    async def set_segments(self, build: Build, segments: int) -> None:
        """Note how many segments are wanted; see ``ProjectionStore.set_segments``."""
        await asyncio.sleep(0)
        kept = self._kept(build)
        kept.record = kept.record._replace(wanted_segments=segments)

    async def rewind(self, build: Build, to: Progress) -> None:
        """Set all segments to a progress; see ``ProjectionStore.rewind``."""
        async with self.alone(build) as kept:
            kept.fence()
            kept.parked.clear()
            kept.move_to(to)

    async def begin_switch(self, build: Build, *, seconds: float) -> Arrangement:
        """Hold the live build for a moment; see ``ProjectionStore.begin_switch``."""
        async with self.alone(build) as kept:
            if kept.record.state is not BuildState.LIVE:
                raise not_live(build)
            kept.switching_until = self._clock() + seconds
            kept.fence()
            return self._arrangement(kept)

    async def finish_switch(self, build: Build, *, copy_progress: bool) -> bool:
        """Make a build live; see ``ProjectionStore.finish_switch``."""
        async with self.alone(build) as kept:
            live = self._live(build.name)
            record = self._record(live)
            if not record.is_switching or record.is_paused:
                raise not_switching(record.spec.build)

            if copy_progress:
                kept.fence()
                epoch = max(s.epoch for k in (kept, live) for s in k.segments.values()) + 1
                kept.segments = {
                    low: segment._replace(epoch=epoch) for low, segment in live.segments.items()
                }
                kept.parked = dict(live.parked)
            elif not has_caught_up([*kept.segments.values()], [*live.segments.values()]):
                return False
            live.switching_until = 0
            live.record = live.record._replace(state=BuildState.RETIRED)
            kept.record = kept.record._replace(state=BuildState.LIVE)
            return True

    async def cancel_switch(self, name: str) -> None:
        """Let the live build go on; see ``ProjectionStore.cancel_switch``."""
        await asyncio.sleep(0)
        self._live(name).switching_until = 0

    async def drop(self, build: Build) -> None:
        """Forget a build; see ``ProjectionStore.drop``."""
        async with self._shelf.lock(build.name), self.alone(build) as kept:
            others = [other for other in self._shelf.builds if other.name == build.name]
            if kept.record.state is BuildState.LIVE and len(others) > 1:
                raise still_live(build)
            del self._shelf.builds[build]

    async def live_values(self, name: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Give values of the live build; see ``ProjectionStore.live_values``."""
        await asyncio.sleep(0)
        values = self._live(name).values
        return {key: values[key] for key in keys if key in values}

    async def live_pages(
        self, name: str, where: Mapping[str, str]
    ) -> AsyncIterator[Sequence[tuple[str, str]]]:
        """Give all values of the live build; see ``ProjectionStore.live_pages``."""
        await asyncio.sleep(0)
        kept = self._live(name)
        build = kept.record.spec.build
        wanted = {field: _loads(value) for field, value in where.items()}
        keys = sorted(kept.values)
        for start in range(0, len(keys), PAGE):
            await asyncio.sleep(0)
            if self._kept(build) is not kept:
                raise not_registered(build)
            page = [(k, kept.values[k]) for k in keys[start : start + PAGE] if k in kept.values]
            yield [(key, value) for key, value in page if _matches(value, wanted)]

    @asynccontextmanager
    async def alone(self, build: Build) -> AsyncIterator[KeptBuild]:
        """Wait for the batches of a build, and keep new ones and plans out."""
        await asyncio.sleep(0)
        async with AsyncExitStack() as locks:
            await locks.enter_async_context(self._shelf.lock(build, _PLANS))
            for low in sorted(self._kept(build).segments):
                await locks.enter_async_context(self._shelf.lock(build, low))
            yield self._kept(build)

    def close(self) -> None:
        """Refuse further calls."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            message = "the store is closed"
            raise StorageError(message)

    def _kept(self, build: Build) -> KeptBuild:
        self._check_open()
        if build not in self._shelf.builds:
            raise not_registered(build)
        return self._shelf.builds[build]

    def _live(self, name: str) -> KeptBuild:
        self._check_open()
        for build, kept in self._shelf.builds.items():
            if build.name == name and kept.record.state is BuildState.LIVE:
                return kept
        raise not_registered(name)

    def _record(self, kept: KeptBuild) -> BuildRecord:
        return kept.record._replace(is_switching=self._clock() < kept.switching_until)

    def _arrangement(self, kept: KeptBuild) -> Arrangement:
        now = self._clock()
        workers = [worker for until, worker in kept.workers.values() if until > now]
        return Arrangement(
            self._record(kept),
            tuple(segment for _, segment in sorted(kept.segments.items())),
            kept.owners(now),
            tuple(sorted(workers, key=attrgetter("owner"))),
        )

    def _is_calling(self, kept: KeptBuild) -> bool:
        record, now = self._record(kept), self._clock()
        if record.is_paused or record.is_switching or record.inline_from is not None:
            return False
        if record.spec.kind is ProjectionKind.REACTOR and record.state is not BuildState.LIVE:
            return False
        return kept.owners(now).keys() != kept.segments.keys() or any(
            key.wish or (key.due is not None and key.due <= now) for key in kept.parked.values()
        )


_PLANS = -1
"""In place of a segment: the lock that plans need."""


def _number(text: str) -> tuple[Decimal]:
    """Read a number as what is equal to no bool."""
    return (Decimal(text),)


_loads = partial(json.loads, parse_int=_number, parse_float=_number)


def _matches(value: str, wanted: Mapping[str, object]) -> bool:
    if not wanted:
        return True
    fields: object = _loads(value)
    return isinstance(fields, dict) and wanted.items() <= cast("dict[str, object]", fields).items()
