"""Many tasks race for few boundaries: by optimism alone, and by holding the tag."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from uuid import uuid4

from benchmarks._measure import deposits
from benchmarks.boundaries.appending import migrate
from benchmarks.projections.results import ratio
from eventsourcing_core import BoundaryError, Event, Query, ToStream, open_backend

if TYPE_CHECKING:
    from benchmarks.boundaries.command import Run
    from eventsourcing_core import Marker, StorageEventStore

BOUNDARIES, TASKS = 3, 48
SEATS = 30  # accepted decisions after which a boundary is full, and another takes its place


class Race:
    """What all tasks of a round share."""

    def __init__(self, store: StorageEventStore) -> None:
        self._store = store
        self._name = uuid4().hex
        self._accepted = [0] * BOUNDARIES

    async def run(self, seconds: float, *, is_held: bool) -> float:
        """Race for some time; give how many were accepted in a second."""
        begin = time.perf_counter()
        end = begin + seconds
        decide = self._hold if is_held else self._race
        await asyncio.gather(*(decide(task % BOUNDARIES, end) for task in range(TASKS)))
        return sum(self._accepted) / (time.perf_counter() - begin)

    def _tag(self, number: int) -> str:
        return f"seats:{self._name}-{number}-{self._accepted[number] // SEATS}"

    async def _race(self, number: int, end: float) -> None:
        while time.perf_counter() < end:
            tag = self._tag(number)
            _, marker = await self._store.read_matching(Query(tags={tag}))
            while time.perf_counter() < end and tag == self._tag(number):
                try:
                    await self._append(tag, marker)
                except BoundaryError as error:
                    marker = error.marker
                else:
                    self._accepted[number] += 1
                    break

    async def _hold(self, number: int, end: float) -> None:
        while time.perf_counter() < end:
            tag = self._tag(number)
            async with self._store.hold(tag):
                _, marker = await self._store.read_matching(Query(tags={tag}))
                await self._append(tag, marker)
                self._accepted[number] += 1

    async def _append(self, tag: str, marker: Marker) -> None:
        event = Event.of(deposits(1)[0].data, tags={tag})
        write = ToStream(uuid4().hex, [event], expected_version=0)
        await self._store.append_together([write], unless_changed=marker)


def measure(run: Run) -> None:
    """Measure; target: 5 times as many are accepted with ``hold``."""
    with run.database() as url:
        free, held = asyncio.run(_rates(url, run))
    print(f"\nAccepted a second: {BOUNDARIES} hot boundaries, {TASKS} tasks")
    print(f"  optimism alone {free:>10,.0f}\n  with hold      {held:>10,.0f}")
    ratio("hold, to optimism alone", held, free, 5)


async def _rates(url: str, run: Run) -> tuple[float, float]:
    await migrate(url)
    free: list[float] = []
    held: list[float] = []
    async with open_backend(url) as backend:
        for _ in range(run.rounds + 1):
            free.append(await Race(backend.event_store).run(run.seconds, is_held=False))
            held.append(await Race(backend.event_store).run(run.seconds, is_held=True))
    middle = (run.rounds + 1) // 2
    return sorted(free[1:])[middle - 1], sorted(held[1:])[middle - 1]
