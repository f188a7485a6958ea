"""What the chapters on projections share: fixtures, builds, and short ways to work on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
import pytest_asyncio

from eventsourcing_core.stores._builds import (
    Arrangement,
    Build,
    BuildSpec,
    Move,
    ParkedKey,
    Plan,
    Progress,
    ProjectionKind,
    Segment,
    Worker,
)
from eventsourcing_core.stores._event_store import Checkpoint
from eventsourcing_core.stores._projection_store import ProjectionStore
from eventsourcing_core.testing._contract import Chapter, NewLocation, OpenParts
from eventsourcing_core.testing._samples import let_others_run
from eventsourcing_core.testing._skipping import skip_unless_met

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping

    from eventsourcing_core.stores._projection_store import Batch

OpenProjections = Callable[[], AbstractAsyncContextManager[ProjectionStore]]
"""Opens projection stores at one location, the same at each call; for the chapters."""

LONG = 600.0
"""Seconds of a lease that does not run out while a test is at work."""
SHORT = 0.2
"""Seconds of a lease that a test waits for."""
RENEWED = 1.0
"""Seconds of a lease that is renewed before it runs out, also on a busy machine."""
ORDERS = Build("orders", 1)
NEXT = Build("orders", 2)


class ProjectionChapter(Chapter):
    """A chapter of the contract of projection stores: its fixtures."""

    @pytest_asyncio.fixture(loop_scope="function")
    async def projections(self, open_parts: OpenParts) -> AsyncIterator[ProjectionStore]:
        """Open a projection store that is empty."""
        async with open_parts() as parts:
            assert parts.projection_store is not None
            yield parts.projection_store

    @pytest.fixture
    def handles(self, request: pytest.FixtureRequest, new_location: NewLocation) -> OpenProjections:
        """Return what opens projection stores at one location, which is new."""
        skip_unless_met(request)
        open_parts = new_location()

        @asynccontextmanager
        async def open_projections() -> AsyncIterator[ProjectionStore]:
            async with open_parts() as parts:
                assert parts.projection_store is not None
                yield parts.projection_store

        return open_projections


def at(position: int) -> Progress:
    """Give a progress that differs in all it has from that at another position."""
    return Progress(position, Checkpoint(position, UUID(int=position)) if position else None)


def spec_of(build: Build = ORDERS, kind: ProjectionKind = ProjectionKind.VIEW) -> BuildSpec:
    """Give what a build is."""
    indexes = ("status", "größe") if kind is ProjectionKind.VIEW else ()
    return BuildSpec(build, kind, "Orders", indexes)


async def add(
    projections: ProjectionStore,
    build: Build = ORDERS,
    *,
    kind: ProjectionKind = ProjectionKind.VIEW,
    segments: int = 2,
    start: int = 0,
) -> tuple[Segment, ...]:
    """Register a build, and give its segments."""
    spec = spec_of(build, kind)
    await projections.register(spec, segments=segments, start=at(start), create=None)
    return (await projections.arrangement(build)).segments


def nothing(arrangement: Arrangement) -> Plan:
    """Change nothing."""
    del arrangement
    return Plan()


def take_free(arrangement: Arrangement) -> Plan:
    """Take all that nobody has claimed."""
    lows = {segment.low for segment in arrangement.segments}
    return Plan(take=frozenset(lows - arrangement.owners.keys()))


async def beat(
    projections: ProjectionStore,
    owner: str,
    plan: Callable[[Arrangement], Plan] = nothing,
    *,
    build: Build = ORDERS,
    lease: float = LONG,
) -> Arrangement:
    """Let a process say that it is alive."""
    return await projections.beat(build, Worker(owner, None, None), lease, plan)


async def take(
    projections: ProjectionStore, owner: str = "a", build: Build = ORDERS, *, lease: float = LONG
) -> tuple[Segment, ...]:
    """Take all that is free; give what the owner has then."""
    arrangement = await beat(projections, owner, take_free, build=build, lease=lease)
    return owned(arrangement, owner)


async def carry_out(
    projections: ProjectionStore, plan: Plan, owner: str = "a", build: Build = ORDERS
) -> Arrangement:
    """Carry a plan out that is already known."""
    return await beat(projections, owner, lambda _: plan, build=build)


def owned(arrangement: Arrangement, owner: str) -> tuple[Segment, ...]:
    """Give the segments of an owner."""
    return tuple(s for s in arrangement.segments if arrangement.owners.get(s.low) == owner)


async def segments_of(projections: ProjectionStore, build: Build = ORDERS) -> tuple[Segment, ...]:
    """Give the segments of a build as they are."""
    return (await projections.arrangement(build)).segments


def batch_to(
    projections: ProjectionStore, segments: Iterable[Segment], to: int, build: Build = ORDERS
) -> AbstractAsyncContextManager[Batch]:
    """Open a batch that moves segments to a position."""
    return projections.batch(build, Move(tuple(segments), at(to)), lease=LONG)


async def put(
    projections: ProjectionStore, values: Mapping[str, str | None], build: Build = ORDERS
) -> None:
    """Set values of a build, in a batch that stays where it is."""
    segments = await segments_of(projections, build)
    async with batch_to(projections, segments, segments[0].progress.position, build) as batch:
        await batch.put(values)


async def park(
    projections: ProjectionStore,
    key: str,
    *positions: int,
    retry_in: float | None = LONG,
    error: str = "broken",
    build: Build = ORDERS,
) -> None:
    """Park events of a key, in a batch that stays where it is."""
    segments = await segments_of(projections, build)
    async with batch_to(projections, segments, segments[0].progress.position, build) as batch:
        await batch.park(key, positions, error, retry_in)


async def parked(projections: ProjectionStore, build: Build = ORDERS) -> dict[str, ParkedKey]:
    """Give the parked keys of a build."""
    return {each.key: each for each in await projections.parked(build)}


async def pages(
    projections: ProjectionStore, name: str = ORDERS.name, **where: str
) -> list[tuple[str, str]]:
    """Give all values of a view."""
    return [each async for page in projections.live_pages(name, where) for each in page]


async def eventually(ask: Callable[[], Awaitable[object]], deadline: float) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(deadline):
        while not await ask():  # noqa: ASYNC110 - another process may bring it about
            await asyncio.sleep(0.01)


async def let_begin() -> None:
    """Give a task turns to begin; one that begins later finds what it would have waited for."""
    for turn in range(50):
        await let_others_run(turn)
