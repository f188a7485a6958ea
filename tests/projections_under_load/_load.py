"""Workers at work in bad weather, and what came of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from eventsourcing_core import ProjectionError, StorageError, open_backend
from eventsourcing_core.stores import Build, BuildState
from tests.projections_under_load._events import Moved, key_of, types
from tests.projections_under_load._histories import Applied, Held, Reading
from tests.projections_under_load._places import counts_in, entries_of
from tests.projections_under_load._projections import Count, counts_of, view_of
from tests.projections_under_load._waiting import at_last, have_arrived, positions, switched, until
from tests.projections_under_load._weather import NAMES, Weather, working
from tests.projections_under_load._writers import Reader, Waiter, Writer

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from eventsourcing_core import Backend
    from eventsourcing_core.stores import ProjectionStore
    from tests.projections_under_load._places import Place
    from tests.projections_under_load._weather import Slot

WORKERS = 4
WRITERS = 4
VERSIONS = (1, 2)
SWITCHES = (2, 1, 2)
"""To which versions, one after the other."""
FEW = 4
"""How many segments there are in the end."""
SAMPLES = 0.05  # seconds between two looks at segments


class Outcome(NamedTuple):
    """What came of it."""

    happened: Counter[str]
    """How often each kind of weather came."""
    expected: list[Applied]
    """What every build of the ledger must have applied, by position."""
    logs: dict[int, list[Applied]]
    """What each build has applied, in that order."""
    counts: dict[int, dict[str, int]]
    """How often each build has applied each event."""
    plain: dict[int, dict[str, Count]]
    """The view as a plain loop makes it."""
    views: dict[int, dict[str, Count]]
    """The view of each build."""
    samples: dict[str, list[Sequence[Held]]]
    """The segments of each build, at one moment after the other."""
    readings: dict[str, list[Reading]]
    """What readers saw, in each way of reading."""
    errors: list[str]
    """What readers met."""
    waited: int
    """How often somebody has waited for what he wrote."""
    early: list[str]
    """What was not there then."""
    left: list[str]
    """Who was still said to work when all had ended."""


class Sampler:
    """Looks at the segments of all builds, over and over.

    Args:
        store: Where they are.
    """

    def __init__(self, store: ProjectionStore) -> None:
        self._store = store
        self.samples: dict[str, list[Sequence[Held]]] = {
            f"{name} {version}": [] for name in NAMES for version in VERSIONS
        }
        """The segments of each build, at one moment after the other."""

    async def work(self) -> None:
        """Look again and again; what is not there yet has no segments."""
        while True:
            for name in NAMES:
                for version in VERSIONS:
                    with suppress(StorageError, ProjectionError):
                        found = await self._store.arrangement(Build(name, version))
                        self.samples[f"{name} {version}"].append(
                            [
                                Held(
                                    each.low,
                                    each.high,
                                    each.progress.position,
                                    each.epoch,
                                    found.owners.get(each.low),
                                )
                                for each in found.segments
                            ]
                        )
            await asyncio.sleep(SAMPLES)


async def rebuild(
    slots: list[Slot], backend: Backend, seconds: float, may_go_on: asyncio.Event
) -> None:
    """Let half of the workers work on a second version; switch to it, back, and again."""
    await asyncio.sleep(seconds / 5)
    for slot in slots[: len(slots) // 2]:
        async with slot.is_busy:
            slot.version = 2
            assert slot.worker
            await slot.worker.end()
            await slot.start()
    for version in SWITCHES:
        await asyncio.sleep(seconds / 5)
        for name in NAMES:
            await at_last(partial(switched, backend, name, version), may_go_on)


async def joined(backend: Backend) -> None:
    """Let the segments of the live builds be joined, and wait until they are few."""
    for name in NAMES:
        await backend.projections.set_segments(name, FEW)

    async def are_few() -> bool:
        return all(
            each.segments == FEW
            for each in await backend.projections.status()
            if each.state == BuildState.LIVE.value
        )

    await until(are_few, lambda: positions(backend))


async def run(place: Place, seconds: float, name: str) -> Outcome:
    """Let workers work in bad weather, and come to their end."""
    async with open_backend(place.url, event_types=types, migrate=True) as backend:
        is_over, may_go_on = asyncio.Event(), asyncio.Event()
        may_go_on.set()
        store = backend.projection_store
        sampler = Sampler(store)
        async with working(place, WORKERS) as slots, asyncio.TaskGroup() as tasks:
            await until(lambda: are_registered(store))
            reader = Reader(backend, view_of(1), place)
            watching = [tasks.create_task(each.work()) for each in (sampler, reader)]
            writers = [Writer(backend, f"{name}-{n}", is_over, may_go_on) for n in range(WRITERS)]
            waiter = Waiter(backend, f"{name}-waiter", is_over, may_go_on, view_of(1))
            writing = [tasks.create_task(each.work()) for each in (*writers, waiter)]
            weather = Weather(slots, place, backend, name, may_go_on)
            try:
                rebuilding = tasks.create_task(rebuild(slots, backend, seconds, may_go_on))
                await weather.rage(seconds)
                await rebuilding
                await at_last(partial(joined, backend), may_go_on)
                is_over.set()
                await asyncio.gather(*writing)
                head = await backend.event_store.last_position()
                await until(lambda: have_arrived(backend, head), lambda: positions(backend))
            finally:
                is_over.set()
                for task in watching:
                    task.cancel()
            await asyncio.gather(*(slot.worker.end() for slot in slots if slot.worker))
        return await outcome_of(backend, place, weather, sampler, reader, waiter)


async def are_registered(store: ProjectionStore) -> bool:
    with suppress(StorageError):
        return {record.spec.build.name for record in await store.builds()} == {*NAMES}
    return False


async def outcome_of(  # noqa: PLR0913 - all who took part
    backend: Backend,
    place: Place,
    weather: Weather,
    sampler: Sampler,
    reader: Reader,
    waiter: Waiter,
) -> Outcome:
    events = [
        event async for event in backend.event_store.read_all() if isinstance(event.data, Moved)
    ]
    left: list[str] = []
    for record in await backend.projection_store.builds():
        arrangement = await backend.projection_store.arrangement(record.spec.build)
        left += [f"{record.spec.build}: {worker}" for worker in arrangement.workers]
        left += [f"{record.spec.build}: {low}" for low in arrangement.owners]
    outcome = Outcome(
        happened=weather.happened,
        expected=[Applied(str(e.event_id), key_of(e), e.position) for e in events],
        logs={},
        counts={},
        plain={version: counts_of(events, version) for version in VERSIONS},
        views={},
        samples=sampler.samples,
        readings=reader.readings,
        errors=reader.errors,
        waited=waiter.waited,
        early=waiter.early,
        left=left,
    )
    for version in VERSIONS:
        for name in NAMES:
            await switched(backend, name, version)
        outcome.logs[version] = await entries_of(place, "ledger")
        outcome.counts[version] = await counts_in(place, "ledger")
        values = backend.view(view_of(version)).all()
        outcome.views[version] = {key: value async for key, value in values}
    return outcome
