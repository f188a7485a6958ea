"""The status of builds, seen from outside: how far they are, and what holds them up."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import Context
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from eventsourcing_core._encoding.all_streams import Reading
from eventsourcing_core._errors import HistoryChangedError, ProjectionError, StorageError
from eventsourcing_core.stores._builds import BuildState, ProjectionKind
from eventsourcing_core.stores._rows import RowQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core.stores._builds import Arrangement, Build, BuildRecord
    from eventsourcing_core.stores._inspection import Appender
    from eventsourcing_core.stores._projection_store import ProjectionStore

_ENDS = HistoryChangedError.__name__
"""What the errors begin with that end the work on a build for good."""
_HIGHEST = 2**63 - 1  # what is inline has seen whatever was saved
_BEGINNING = 2.0  # seconds that a process may take until it says that it is there
_LOOK = 0.05  # seconds between two looks whether it does
READY_LAG = 1.0
"""Seconds: a build that is no further behind is ready."""


class ProjectionStatus(NamedTuple):
    """How a version of a projection stands."""

    build: Build
    """Its name and version."""
    kind: ProjectionKind
    """View, projection or reactor."""
    state: str
    """``building``, ``ready`` (building, and not a second behind), ``live``, ``inline`` (live, and
    applied by the appends themselves) or ``retired``."""
    is_paused: bool
    """Whether nobody may work on it."""
    segments: int
    """How many parts it has, each of which one process works on."""
    owners: Sequence[str]
    """The processes at work on it; none: nobody runs it."""
    free: int
    """How many of its segments nobody works on."""
    position: int
    """The position up to which every event has been brought in, or parked."""
    head: int
    """The position up to which the event store has decided everything."""
    lag_events: int
    """How many positions it is behind the head: events at most, since positions have holes, and it
    may not be given all of them."""
    lag_seconds: float
    """How old the oldest event is that it has not seen; or, if it is older, the transaction of an
    appender that holds all readers back. By the clocks of those who append."""
    held_by: Appender | None
    """Who holds readers of the store back for a second or longer: no event after his can be seen
    by anybody. None: nobody does."""
    parked: int
    """How many keys are parked."""
    last_error: str | None
    """What one of its processes last failed with, until it goes on."""


class Look(NamedTuple):
    """How far the live version of a projection was, at one moment."""

    build: Build
    position: int
    has_parked: bool
    """Whether keys were parked, a moment later; False where it is behind all who asked."""
    end: str | None
    """Why it has stopped for good; None if it has not."""


class Looks:
    """Looks at how far projections are, one look for all who wait.

    Whoever comes while a look is under way takes the next one, so what he sees is never older than
    his question.

    Args:
        store: Where the builds are.
    """

    def __init__(self, store: ProjectionStore) -> None:
        self._store = store
        self._running: dict[str, asyncio.Task[Look]] = {}
        self._next: dict[str, asyncio.Task[Look]] = {}
        self._wanted: dict[str, int] = {}  # the lowest position that the next look is for
        self._live: dict[str, Build] = {}

    async def look(self, name: str, position: int) -> Look:
        """Look at the live version of a projection.

        Args:
            name: That of the projection.
            position: What is waited for; what is parked is asked for only if it is there.

        Raises:
            ProjectionError: There is none.
        """
        look = self._next.get(name)
        if look is None:
            work = self._look_after(self._running.get(name), name)
            look = self._next[name] = asyncio.create_task(work, context=Context())
        self._wanted[name] = min(position, self._wanted.get(name, position))
        return await asyncio.shield(look)

    async def _look_after(self, running: asyncio.Task[Look] | None, name: str) -> Look:
        if running is not None:
            await asyncio.wait({running})
        self._running[name] = self._next.pop(name)
        wanted = self._wanted.pop(name)
        arrangement = await self._arrangement(name)
        build = arrangement.record.spec.build
        errors = [each.last_error or "" for each in arrangement.workers]
        end = next((each for each in errors if each.startswith(_ENDS)), None)
        is_inline = arrangement.record.inline_from is not None
        position = _HIGHEST if is_inline else position_of(arrangement)
        has_parked = position >= wanted and bool(await self._store.count_parked(build))
        return Look(build, position, has_parked, end)

    async def _arrangement(self, name: str) -> Arrangement:
        """Give the arrangement of the live version; which one that is is looked up once."""
        known = self._live.get(name)
        if known is not None:
            with suppress(ProjectionError):
                arrangement = await self._store.arrangement(known)
                if arrangement.record.state is BuildState.LIVE:
                    return arrangement
        for record in await self._store.builds():
            if record.spec.build.name == name and record.state is BuildState.LIVE:
                self._live[name] = record.spec.build
                return await self._store.arrangement(record.spec.build)
        raise unknown(name, await self._store.builds())


def unknown(name: str, records: Sequence[BuildRecord]) -> ProjectionError:
    """Make the error for a projection that is not there."""
    known = ", ".join(sorted({record.spec.build.name for record in records})) or "none yet"
    message = (
        f"there is no projection {name!r} here (there are: {known}): it is made when a process "
        "first runs it"
    )
    return ProjectionError(message)


async def statuses(
    events: StorageEventStore, store: ProjectionStore, name: str | None
) -> list[ProjectionStatus]:
    """Give the status of all builds, or of those of one name, by name and version."""
    head = await events.last_position()
    holder = await _holder(events)
    found: list[ProjectionStatus] = []
    for record in await store.builds():
        if name in {None, record.spec.build.name}:
            build = record.spec.build
            arrangement = await store.arrangement(build)
            position = position_of(arrangement)
            if position > head:  # it has gone on meanwhile, or the event store was restored
                head = await events.last_position()
            parked = sum((await store.count_parked(build)).values())
            if record.inline_from is not None:
                position = head
            lag = await _lag(events, position, head)
            found.append(_status(arrangement, position, head, lag, holder, parked))
    return found


async def check_switch(
    events: StorageEventStore, store: ProjectionStore, target: BuildRecord, live: BuildRecord
) -> None:
    """Refuse to let readers see a version that would stand still, or that stands back.

    Raises:
        ProjectionError: It is live already, or a second or more behind; or one of the two is
            paused; or processes run the live version, and none this one.
    """
    if target.state is BuildState.LIVE:
        message = f"{said_build(target)} is live already"
        raise ProjectionError(message)
    for record in (target, live):
        if record.is_paused:
            message = f"{said_build(record)} is paused: resume it, and switch then"
            raise ProjectionError(message)

    stays = f"version {live.spec.build.version} stays live"
    if target.spec.kind is not ProjectionKind.REACTOR:
        for status in await statuses(events, store, target.spec.build.name):
            if status.build == target.spec.build and status.lag_seconds >= READY_LAG:
                message = (
                    f"{said_build(target)} is not ready: it is {status.lag_events} positions and "
                    f"{status.lag_seconds:.0f} s behind, and {len(status.owners)} processes run "
                    f"it; {stays}"
                )
                raise ProjectionError(message)
    if not await _is_run_if(store, target, live):
        message = (
            f"no process runs {said_build(target)}, so readers would see what stands still: start "
            f"its processes first; {stays}"
        )
        raise ProjectionError(message)


async def _is_run_if(store: ProjectionStore, target: BuildRecord, live: BuildRecord) -> bool:
    """Tell whether a version is run, if the live one is; a process may have begun just now.

    Who is alive is told by the store's clock.
    """

    async def is_run(record: BuildRecord) -> bool:
        return bool((await store.arrangement(record.spec.build)).workers)

    until = asyncio.get_running_loop().time() + _BEGINNING
    while not await is_run(target) and await is_run(live):
        if asyncio.get_running_loop().time() >= until:
            return False
        await asyncio.sleep(_LOOK)
    return True


def said_build(record: BuildRecord) -> str:
    """Give a version of a projection as messages about it begin."""
    name, version = record.spec.build
    return f"version {version} of projection {name!r}"


def position_of(arrangement: Arrangement) -> int:
    """Give the position up to which a build has seen everything."""
    return min(segment.progress.position for segment in arrangement.segments)


def _status(  # noqa: PLR0913 - what a status is made of
    arrangement: Arrangement,
    position: int,
    head: int,
    lag: float,
    holder: Appender | None,
    parked: int,
) -> ProjectionStatus:
    record, segments, owners, _ = arrangement
    seconds = max(lag, _age(holder.since) if holder is not None else 0.0)
    is_inline = record.inline_from is not None
    is_ready = record.state is BuildState.BUILDING and seconds < READY_LAG
    return ProjectionStatus(
        build=record.spec.build,
        kind=record.spec.kind,
        state=_state_of(record, is_ready=is_ready),
        is_paused=record.is_paused,
        segments=len(segments),
        owners=sorted(set(owners.values())),
        free=sum(segment.low not in owners for segment in segments if not is_inline),
        position=position,
        head=head,
        lag_events=max(head - position, 0),
        lag_seconds=seconds,
        held_by=holder,
        parked=parked,
        last_error=_last_error(arrangement, position, head),
    )


def _last_error(arrangement: Arrangement, position: int, head: int) -> str | None:
    for worker in arrangement.workers:
        if worker.last_error:
            return worker.last_error
    if position > head:
        return (
            f"HistoryChangedError: it is at position {position}, and the event store ends at "
            f"{head}: the store was restored or failed over: build a new version; or the events "
            "are in another store: give both"
        )
    return None


def _state_of(record: BuildRecord, *, is_ready: bool) -> str:
    if record.inline_from is not None:
        return "inline"
    return "ready" if is_ready else record.state.value


async def _lag(events: StorageEventStore, position: int, head: int) -> float:
    """Give the age of the first event after a position; 0 if there is none."""
    if position >= head:
        return 0.0
    try:
        async for page in events.pages(Reading(position, RowQuery(), limit=1)):
            for row in page.rows:
                return max(_now() - row.timestamp / 1_000_000, 0.0)
    except HistoryChangedError:
        pass
    return 0.0


async def _holder(events: StorageEventStore) -> Appender | None:
    """Give who holds readers back for longer than an append takes."""
    try:
        appenders = await events.appenders()
    except StorageError:  # the storage cannot tell
        return None
    first = next(iter(appenders), None)
    return first if first is not None and _age(first.since) >= READY_LAG else None


def _age(since: datetime | None) -> float:
    return 0.0 if since is None else max(_now() - since.timestamp(), 0.0)


def _now() -> float:
    return datetime.now(UTC).timestamp()
