"""Callers that append as fast as they can until the time is over: tasks, or threads.

The time of a round is fixed and not the number of appends, since sides differ by two orders of
magnitude. It ends when the last append that was begun in time has ended.
"""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from benchmarks.peers.side import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.peers.side import AsyncSide, Figures, SyncSide


class Stopwatch:
    """Collects what the callers of one round did."""

    def __init__(self, seconds: float) -> None:
        self.begin = time.perf_counter()
        self.deadline = self.begin + seconds
        self.latencies: list[float] = []
        self.conflicts = 0

    def figures(self, events: int) -> Figures:
        """Give the figures of the round that has just ended, for so many events per append."""
        seconds = time.perf_counter() - self.begin
        found = self.latencies if len(self.latencies) > 1 else [*self.latencies, 0.0, 0.0]
        cuts = statistics.quantiles(found, n=100, method="inclusive")
        return {
            "appends": len(self.latencies),
            "events_per_second": len(self.latencies) * events / seconds,
            "p50_ms": 1000 * cuts[49],
            "p99_ms": 1000 * cuts[98],
            "conflicts": self.conflicts,
        }


async def by_tasks(
    side: AsyncSide, tasks: int, events: int, seconds: float, race: UUID | None
) -> Figures:
    """Append in so many tasks: to a new stream each time, or all to one stream."""
    watch = Stopwatch(seconds)

    async def append() -> None:
        while (begin := time.perf_counter()) < watch.deadline:
            await side.append(uuid4(), 0, events)
            watch.latencies.append(time.perf_counter() - begin)

    async def compete(stream: UUID) -> None:
        at = await side.last(stream)
        while (begin := time.perf_counter()) < watch.deadline:
            try:
                at = await side.append(stream, at, events)
            except Conflict:
                watch.conflicts += 1
                at = await side.last(stream)
            else:
                watch.latencies.append(time.perf_counter() - begin)

    await asyncio.gather(*(append() if race is None else compete(race) for _ in range(tasks)))
    return watch.figures(events)


def by_threads(
    side: SyncSide, threads: int, events: int, seconds: float, race: UUID | None
) -> Figures:
    """Do the same in threads. The watch begins when all of them are there."""

    def append(watch: Stopwatch) -> None:
        while (begin := time.perf_counter()) < watch.deadline:
            side.append(uuid4(), 0, events)
            watch.latencies.append(time.perf_counter() - begin)

    def compete(watch: Stopwatch, stream: UUID) -> None:
        at = side.last(stream)
        while (begin := time.perf_counter()) < watch.deadline:
            try:
                at = side.append(stream, at, events)
            except Conflict:
                watch.conflicts += 1
                at = side.last(stream)
            else:
                watch.latencies.append(time.perf_counter() - begin)

    return _together(
        threads, seconds, events, lambda w: append(w) if race is None else compete(w, race)
    )


def _together(
    threads: int, seconds: float, events: int, work: Callable[[Stopwatch], None]
) -> Figures:
    ready = threading.Barrier(threads + 1)
    go = threading.Event()
    watches: list[Stopwatch] = []
    errors: list[BaseException] = []

    def run() -> None:
        ready.wait()
        go.wait()
        try:
            work(watches[0])
        except BaseException as error:  # noqa: BLE001 - raised below, in the main thread
            errors.append(error)

    running = [threading.Thread(target=run, daemon=True) for _ in range(threads)]
    for thread in running:
        thread.start()
    ready.wait()
    watches.append(Stopwatch(seconds))
    go.set()
    for thread in running:
        thread.join()
    if errors:
        raise errors[0]
    return watches[0].figures(events)
