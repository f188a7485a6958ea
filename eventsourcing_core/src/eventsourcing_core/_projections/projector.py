"""The projector: what runs views, projections and reactors in a process."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from contextvars import Context
from typing import TYPE_CHECKING
from uuid import uuid4

from eventsourcing_core._errors import OutageError, ProjectionError, StorageError, said_of
from eventsourcing_core._projections.definition import Definition, definitions_of
from eventsourcing_core._projections.kinds import Reactor
from eventsourcing_core._projections.projections import Projections, check_segments
from eventsourcing_core._projections.sharing import Terms, raise_if_cancelled
from eventsourcing_core._projections.worker import ProjectionWorker
from eventsourcing_core.stores._builds import Progress
from eventsourcing_core.stores._checks import check_seconds, check_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core._projections.kinds import Follower
    from eventsourcing_core.stores._builds import Build
    from eventsourcing_core.stores._projection_store import ProjectionStore

logger = logging.getLogger("eventsourcing_core.projections")

_CALLS_PAUSE = 0.25  # seconds between two looks for something to do at once
_LONGEST_PAUSE = 5.0  # seconds between two looks in an outage
_LOOK = 0.05  # seconds between two looks at what others do
_SHORTEST_LEASE, _LONGEST_LEASE = 0.01, 86_400
_NOTHING = Progress(0, None)


class Projector(Projections):
    """Runs views, projections and reactors, as long as its block is open.

    Any number of processes run the same line: they share the work by segments of the keys. Leaving
    the block ends each after the batch that is under way, and gives all back, so that others go on
    at once. ``backend.projector`` gives it.

    Args:
        followers: What to run.
        events: The event store that they follow.
        store: Where they are.
        segments: How many segments a new one has: so many processes can work on it.
        max_segments: How many this process takes of each, at most; None: its fair share.
        lease: For how many seconds its claims hold: so long it takes until others go on after it
            was killed. A handler takes less.
        attempts: How often an event is tried before its key waits for somebody to decide.
        retry_pause: Seconds until the second try; each further pause is four times as long.
    """

    def __init__(  # noqa: PLR0913 - the options that users give, all by keyword
        self,
        followers: Iterable[Follower],
        events: StorageEventStore,
        store: ProjectionStore,
        *,
        segments: int = 8,
        max_segments: int | None = None,
        lease: float = 15.0,
        attempts: int = 5,
        retry_pause: float = 0.5,
    ) -> None:
        super().__init__(events, store)
        check_segments(segments)
        check_lease(lease)
        check_seconds("retry_pause", retry_pause)
        check_whole("attempts", attempts, lowest=1)
        if max_segments is not None:
            check_whole("max_segments", max_segments, lowest=1)
        self._definitions = definitions_of(followers, events.codec.event_types)
        _check_names(self._definitions)
        self._segments = segments
        owner = f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid4().hex[:12]}"
        self._terms = Terms(owner, lease, max_segments, attempts, retry_pause)
        self._workers: dict[Build, ProjectionWorker] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._calling: asyncio.Task[None] | None = None

    @property
    def owner(self) -> str:
        """What this process is called in the store."""
        return self._terms.owner

    async def __aenter__(self) -> Self:
        """Register what it runs, and begin to work.

        Raises:
            RuntimeError: It was begun before.
            ProjectionError: Something is registered as something else, is inline, or cannot be
                here.
            StorageError: The store failed, or cannot be written to; or the events cannot be
                followed where they are, as on a standby.
        """
        if self._calling is not None:
            message = "this projector was begun before: make another one"
            raise RuntimeError(message)
        await self._check_can_follow()
        for definition in self._definitions:
            await self._register(definition)
        for definition in self._definitions:
            worker = ProjectionWorker(definition, self._events, self._store, self._terms)
            self._workers[definition.build] = worker
            self._tasks.append(asyncio.create_task(worker.run(), context=Context()))
        self._calling = asyncio.create_task(self._call_on(), context=Context())
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the work after the batches that are under way; handlers have a lease's time."""
        for worker in self._workers.values():
            worker.stop()
        if self._calling is not None:
            self._calling.cancel()
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=self._terms.lease)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def run(self) -> None:
        """Do nothing until this is cancelled; for programs that only run projections."""
        await asyncio.Event().wait()

    async def _check_can_follow(self) -> None:
        """Refuse events that cannot be followed where they are; a store that is away is waited for.

        Raises:
            StorageError: It says why, and where they can be.
        """
        try:
            await self._events.last_position()
        except OutageError:
            return
        except StorageError as error:
            message = f"a projector cannot follow the events of this store: {error}"
            raise StorageError(message) from error

    async def _register(self, definition: Definition) -> None:
        follower = definition.follower
        create = getattr(follower, "create", None)
        record = await self._store.register(
            definition.spec,
            segments=self._segments,
            start=await self._start_of(follower),
            create=create,
        )
        if record.inline_from is not None:
            message = (
                f"{definition.build}, is inline: appends themselves apply their events to it; "
                "leave it out here, or let it follow with backend.projections.make_async(…)"
            )
            raise ProjectionError(message)

    async def _start_of(self, follower: Follower) -> Progress:
        if not isinstance(follower, Reactor) or follower.start != "now":
            return _NOTHING
        # The last event is not read: that it cannot be decoded is no reason not to begin after it.
        return Progress(await self._events.last_position(), None)

    async def _call_on(self) -> None:
        """Look again and again whether something is to be done at once."""
        pause = _CALLS_PAUSE
        while True:
            await asyncio.sleep(pause)
            try:
                calls = await self._store.calls()
            except StorageError as error:
                raise_if_cancelled(error)
                logger.debug("no look for calls: %s", said_of(error))
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            pause = _CALLS_PAUSE
            for build in calls:
                if build in self._workers:
                    self._workers[build].call()

    async def _wait_for(self, name: str, position: int) -> None:
        """Wait for one's own work without asking the store again and again."""
        mine = [worker for build, worker in self._workers.items() if build.name == name]
        if not mine:
            await super()._wait_for(name, position)
            return
        while True:
            events = [worker.progressed for worker in mine]  # before the look: none is missed
            for worker in mine:
                worker.want()
            if any(worker.has_seen(position) for worker in mine):
                return
            if await self._has_seen(name, position):
                return
            waits = [asyncio.ensure_future(event.wait()) for event in events]
            try:
                await asyncio.wait(waits, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()


def check_lease(lease: float) -> None:
    """Refuse a lease that no process could keep, or that no server knows.

    Raises:
        TypeError: It is no number.
        ValueError: It is not from 0.01 to 86,400 seconds.
    """
    check_seconds("lease", lease)
    if not _SHORTEST_LEASE <= lease <= _LONGEST_LEASE:
        message = (
            f"lease is from {_SHORTEST_LEASE} to {_LONGEST_LEASE:,} seconds (a day), got {lease:g}"
        )
        raise ValueError(message)


def _check_names(definitions: Sequence[Definition]) -> None:
    """Refuse two classes of one name and version.

    Raises:
        ProjectionError: There are.
    """
    seen: dict[Build, Definition] = {}
    for definition in definitions:
        other = seen.setdefault(definition.build, definition)
        if other is not definition:
            name, version = definition.build
            message = (
                f"{other.spec.class_name} and {definition.spec.class_name} are both version "
                f"{version} of projection {name!r}: give one another name, or another version"
            )
            raise ProjectionError(message)
