"""A worker: one process at work on one build.

It follows the store from where the segments are that it has claimed, and brings each page into the
build by one transaction. Whatever changes who owns what is done between two batches, so no batch of
its own is under way then; a heartbeat beside it only renews the claims, and tells when there is
something to change. If the claims could not be renewed for the time of a lease, by the clock of
this process, its handlers are stopped: somebody else may be at work on its segments by now.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING

from eventsourcing_core._errors import (
    HistoryChangedError,
    OutageError,
    ProjectionError,
    StorageError,
    said_of,
)
from eventsourcing_core._projections._reading.delivery import events_of
from eventsourcing_core._projections._reading.reader import Reader
from eventsourcing_core._projections.deliveries import (
    MOST_ROWS,
    Fetcher,
    Parking,
    cut,
    decided,
    ended,
    progress_at,
)
from eventsourcing_core._projections.handlers import carefully, handler_of, react
from eventsourcing_core._projections.kinds import Reactor
from eventsourcing_core._projections.retrying import Retrying
from eventsourcing_core._projections.sharing import Claims, Group, Terms, covers_all, first_group
from eventsourcing_core.stores._build_checks import hash_of
from eventsourcing_core.stores._builds import BatchRefusedError, FencedError, Move, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core._projections._reading.delivery import Delivery
    from eventsourcing_core._projections.definition import Definition
    from eventsourcing_core._projections.deliveries import Cut
    from eventsourcing_core.stores._builds import Build, Segment
    from eventsourcing_core.stores._projection_store import ProjectionStore

logger = logging.getLogger("eventsourcing_core.projections")

MOST_PARKED = 1_000
"""How many keys of a segment may be parked; above, it is not moved on."""
_SAVE_PAUSE = 1.0  # seconds between two moves over a stretch without events
_SOON = 0.05  # the same, if there were events of others: somebody may wait for them
_FIRST_ROWS = 16  # in a batch, after something went wrong
_MOST_ONE_BY_ONE = 1_000  # events in a batch that are tried so: each takes a savepoint
_LONGEST_BATCH = 0.5  # seconds; those after one that took longer are smaller
_BRIEFLY = 0.05  # seconds to wait for a page while keys are due
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0  # seconds before trying again


class ProjectionWorker:
    """Works on a build until it is stopped.

    Args:
        definition: What to do.
        events: What it follows.
        store: Where the build is.
        terms: How it works.
    """

    def __init__(
        self,
        definition: Definition,
        events: StorageEventStore,
        store: ProjectionStore,
        terms: Terms,
    ) -> None:
        self._definition = definition
        self._events = events
        self._store = store
        self._terms = terms
        self._handler = handler_of(definition, events.codec)
        self._retrying = Retrying(definition, self._handler, events, store, terms)
        self._changed = asyncio.Event()  # somebody else owns something else, or a key is due
        self._stopping = asyncio.Event()
        self._wanted = asyncio.Event()  # somebody waits for a position that needs no event
        self._working: asyncio.Task[None] | None = None
        self._parked: dict[str, int] = {}
        self._deaf_until = 0.0
        self._saved_at = 0.0
        self._is_unsure = True  # what is parked, since somebody else may have been at work
        self._seen = -1
        self._width = _FIRST_ROWS
        self._pause = _SAVE_PAUSE
        self._claims = Claims(
            definition.build, store, terms, self._changed.set, self._stop_handlers
        )
        self.progressed: asyncio.Event = asyncio.Event()
        """Set when positions have moved; then a new one."""
        self.applied: int = 0
        """How many events were brought into the build."""

    @property
    def build(self) -> Build:
        """What it works on."""
        return self._definition.build

    async def run(self) -> None:
        """Work until ``stop`` is called, and then give all back."""
        beating = asyncio.create_task(self._claims.renew(), context=Context())
        pause = _SHORTEST_PAUSE
        try:
            while not self._stopping.is_set():
                before = self.applied
                self._working = asyncio.create_task(self._work(), context=Context())
                await asyncio.wait({self._working})
                self._is_unsure = True
                is_cancelled = self._working.cancelled()  # its lease ran out
                error = None if is_cancelled else self._working.exception()
                self._note(error)
                self._width = _FIRST_ROWS
                # Whoever was fenced has no fault that would pass with time.
                is_new = self.applied > before or error is None or isinstance(error, FencedError)
                pause = _SHORTEST_PAUSE if is_new else min(2 * pause, _LONGEST_PAUSE)
                await _until(self._stopping, pause)
        finally:
            await ended([beating, self._working])
            self._claims.forget()
            with suppress(StorageError):
                await self._store.leave(self.build, self._terms.owner)

    def stop(self) -> None:
        """Let it end after the batch that is under way."""
        self._stopping.set()
        self._changed.set()

    def call(self) -> None:
        """Tell it that something should be done at once: a segment is free, or a key is due."""
        if asyncio.get_running_loop().time() >= self._deaf_until:
            self._changed.set()

    def has_seen(self, position: int) -> bool:
        """Tell whether the live version has seen a position, as far as this process knows.

        It knows while all segments are its own and nothing is parked. Another version cannot take
        its place with less: to do so it must have come as far.
        """
        return self._seen >= position

    def want(self) -> None:
        """Tell it that somebody waits for a position, also where no event is."""
        self._wanted.set()

    async def _work(self) -> None:
        while not self._stopping.is_set():
            segments = await self._arrange()
            is_brief = await self._retrying.retry_due(segments, self._parked)
            group = first_group(self._unpaused(segments))
            if group is not None:
                await self._follow(group, is_brief=is_brief)
            elif not is_brief:
                await _until(self._changed, self._terms.lease)

    async def _arrange(self) -> Sequence[Segment]:
        """Change who owns what, if something is to be changed; give what this one owns."""
        self._changed.clear()
        self._seen = -1
        segments = await self._claims.arrange()
        if self._claims.has_changed or self._is_unsure:  # else nobody but this process parks here
            parked = await self._store.parked(self.build)
            self._parked = {key.key: key.hash for key in parked}
            self._is_unsure = False
        if not self._claims.has_changed:
            pause = min(self._terms.lease / 3, 1.0)
            self._deaf_until = asyncio.get_running_loop().time() + pause
        return segments

    def _unpaused(self, segments: Sequence[Segment]) -> list[Segment]:
        """Leave out the segments that have too many parked keys."""
        hashes = self._parked.values()
        return [
            segment
            for segment in segments
            if sum(segment.low <= each <= segment.high for each in hashes) <= MOST_PARKED
        ]

    async def _follow(self, group: Group, *, is_brief: bool) -> None:
        """Bring page after page into the build, until something changes; or one page, in brief."""
        start = group.progress.checkpoint or group.progress.position
        pages = self._events.follow_rows(start, self._definition.event_types)
        reader = Reader(self._definition, self._events.codec, group.segments)
        unsaved: Progress | None = None
        fetcher = Fetcher(pages, reader)
        try:
            while not self._changed.is_set():
                await self._wait(fetcher, is_unsaved=unsaved is not None, is_brief=is_brief)
                if fetcher.is_ready.is_set():
                    page = cut(read := fetcher.take(), group)  # the next ones come meanwhile
                    for deliveries, to in self._slices(page):
                        if deliveries or page.is_last:
                            group, unsaved = await self._deliver(group, deliveries, to), None
                        elif to != group.progress:
                            unsaved = to
                            self._pause = _SOON if read.has_events else self._pause
                        if self._changed.is_set():
                            break  # what is left of the page comes again
                    if page.is_last:
                        return
                if unsaved is not None and self._is_due():
                    group, unsaved = await self._deliver(group, [], unsaved), None
                if is_brief:
                    return
        finally:
            await fetcher.end()
            await pages.aclose()

    def _slices(self, page: Cut) -> Iterator[tuple[Sequence[Delivery], Progress]]:
        """Give a page in parts that take about so long as a batch may.

        What interrupts a batch undoes it. So few events come first after something went wrong:
        where that comes often, small batches still get on.
        """
        now = asyncio.get_running_loop().time
        deliveries, to, _ = page
        done = 0
        while True:
            begin, width = now(), self._width
            part = deliveries[done : done + width]
            done += len(part)
            is_last = done == len(deliveries)
            yield part, to if is_last else progress_at(part[-1].row)
            if now() - begin > _LONGEST_BATCH:
                self._width = max(width // 2, _FIRST_ROWS)
            elif len(part) == width:
                self._width = min(width * 2, MOST_ROWS)
            if is_last:
                return

    async def _deliver(self, group: Group, deliveries: Sequence[Delivery], to: Progress) -> Group:
        """Bring deliveries into the build; give the group as it is then."""
        known, doubt = await decided(self._store, self.build, deliveries)
        if doubt is not None:
            if known:
                await self._deliver(group, known, progress_at(known[-1].row))
            raise doubt
        reactor = self._definition.follower
        if isinstance(reactor, Reactor):
            if deliveries:  # else what was taken over meanwhile would have its effect twice
                await self._check_fence(group)
            for delivery in deliveries:
                group = await self._react(reactor, group, delivery)
        if not isinstance(reactor, Reactor) or to != group.progress:
            group = await self._batch(group, deliveries, to)
        self.applied += len(deliveries)
        self._saved_at = asyncio.get_running_loop().time()
        self._wanted.clear()
        self._pause = _SAVE_PAUSE
        if self._claims.is_live and not self._parked and covers_all(group.segments):
            self._seen = to.position
        self._claims.last_error = None
        self.progressed.set()
        self.progressed = asyncio.Event()
        return group

    async def _batch(self, group: Group, deliveries: Sequence[Delivery], to: Progress) -> Group:
        """Bring deliveries into the build; what cannot be committed together, in two batches.

        So it ends with batches of one delivery, and those that are refused park their keys.
        """
        try:
            return await self._in_one(group, deliveries, to)
        except BatchRefusedError as error:
            if all(delivery.error for delivery in deliveries):
                raise  # nothing of the user's was done in it
            refusal = str(error)
        if len(deliveries) == 1:
            parked = deliveries[0]._replace(error=refusal)
            return await self._batch(group, [parked], to)
        logger.warning("%s: %s; its events are tried in smaller batches", self.build, refusal)
        middle = len(deliveries) // 2
        first, second = deliveries[:middle], deliveries[middle:]
        group = await self._batch(group, first, progress_at(first[-1].row))
        return await self._batch(group, second, to)

    async def _in_one(self, group: Group, deliveries: Sequence[Delivery], to: Progress) -> Group:
        """Bring deliveries into the build at once; if that fails, one by one."""
        parking = Parking(self._parked, self._terms.first_pause)
        move = Move(group.segments, to)
        try:
            async with self._store.batch(self.build, move, lease=self._terms.lease) as batch:
                await self._handler.many(batch, deliveries, parking)
                await parking.park(batch)
        except (FencedError, BatchRefusedError, OutageError):
            raise
        except Exception as error:  # it is the user's code
            if len(deliveries) > _MOST_ONE_BY_ONE:  # what does not fail is quick in one
                raise BatchRefusedError(said_of(error)) from error
            logger.warning("%s: %s; its events are tried one by one", self.build, said_of(error))
            parking = Parking(self._parked, self._terms.first_pause)
            async with self._store.batch(self.build, move, lease=self._terms.lease) as batch:
                await carefully(self._handler, self._events.codec, batch, deliveries, parking)
                await parking.park(batch)
        self._note_parked(parking)
        return group.moved(to)

    async def _check_fence(self, group: Group) -> None:
        """Make sure that nobody has taken a segment over.

        Raises:
            FencedError: Somebody has.
        """
        move = Move(group.segments, group.progress)
        async with self._store.batch(self.build, move, lease=self._terms.lease):
            pass

    async def _react(self, reactor: Reactor, group: Group, delivery: Delivery) -> Group:
        """Let a reactor react to one event, and note that it did."""
        parking = Parking(self._parked, self._terms.first_pause)
        position = delivery.position
        for key in delivery.keys:
            if parking.holds(key):
                parking.wait(key, position)
                continue
            events = events_of(self._events.codec, delivery, key)
            error = delivery.error or await react(reactor, events)
            if error:
                parking.fail(key, position, error)
        to = progress_at(delivery.row)
        async with self._store.batch(
            self.build, Move(group.segments, to), lease=self._terms.lease
        ) as batch:
            await parking.park(batch)
        self._note_parked(parking)
        return group.moved(to)

    def _note_parked(self, parking: Parking) -> None:
        for key in parking.added:
            self._parked[key] = hash_of(key)
        if parking.added:
            logger.error(
                "%s: parked keys: %d; the first is %r, whose event at position %d failed with %s",
                self.build,
                len(parking.added),
                *parking.first,
                exc_info=parking.cause,
            )
            self._changed.set()  # they are tried again soon, and may be too many

    def _is_due(self) -> bool:
        """Tell whether to save how far it has looked, although no event came."""
        now = asyncio.get_running_loop().time()
        return self._wanted.is_set() or now >= self._saved_at + self._pause

    async def _wait(self, fetcher: Fetcher, *, is_unsaved: bool, is_brief: bool) -> None:
        """Wait for a page, or for whatever is to be done at once."""
        if fetcher.is_ready.is_set():
            return
        waiting = [fetcher.is_ready, self._changed] + ([self._wanted] if is_unsaved else [])
        tasks = [asyncio.create_task(event.wait()) for event in waiting]
        try:
            await asyncio.wait(
                tasks,
                timeout=_BRIEFLY if is_brief else self._pause if is_unsaved else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for task in tasks:
                task.cancel()

    def _stop_handlers(self) -> None:
        if self._working is not None:
            logger.warning("%s: the lease ran out, so the handlers were stopped", self.build)
            self._working.cancel()

    def _note(self, error: BaseException | None) -> None:
        """Say what it failed with."""
        if error is None or isinstance(error, FencedError):
            return  # somebody else has gone on
        kind, text = type(error).__name__, said_of(error)
        self._claims.last_error = text if text.startswith(kind) else f"{kind}: {text}"
        if isinstance(error, HistoryChangedError):
            self._claims.has_ended = True
            logger.error("%s has stopped: %s", self.build, self._claims.last_error)
        elif isinstance(error, StorageError | ProjectionError):
            logger.warning("%s waits: %s", self.build, self._claims.last_error)
        else:
            logger.error("%s failed, and is tried again", self.build, exc_info=error)


async def _until(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, so many seconds at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
