"""Two processes: what the second one adds, and how fast it takes over."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING

from benchmarks._measure import deposits
from benchmarks.projections import ours
from benchmarks.projections.apart import Figures, running
from benchmarks.projections.results import below, rates, ratio

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from benchmarks.projections.command import Run
    from eventsourcing_core import Backend

STREAMS = 128
EVENTS_EACH = 10
LEAST_OF_TWO = 1.5
LEASE = 3.0
AFTER_LEASE, AFTER_LEAVING = 2.0, 0.5  # seconds
NAME, COUNTS = ours.Waiting.name, ours.CountByPage.name
numbers = count(1)


def measure(run: Run) -> None:
    """Measure; a target is 1.5 times for handlers that wait for the server."""
    runs: dict[str, list[Figures]] = {"one process": [], "two processes": []}
    for _ in range(run.rounds):
        for workers, figures in enumerate(runs.values(), start=1):
            with run.database() as url, ExitStack() as stack:
                ours.made(url)
                for _ in range(workers):
                    stack.enter_context(running(ours.follow, url, NAME))
                figures.append(asyncio.run(wait_for_work(url, workers)))
    found = rates("One statement of 2 ms for each event", runs)
    ratio("two processes / one", found["two processes"], found["one process"], LEAST_OF_TWO)


async def wait_for_work(url: str, workers: int) -> Figures:
    """Append what takes a while once so many processes have their share; wait until it is done."""
    async with ours.opened(url) as backend:
        await shared(backend, NAME, workers)
        begin = time.perf_counter()
        await append_everywhere(backend, EVENTS_EACH, NAME)
        return Figures(STREAMS * EVENTS_EACH, time.perf_counter() - begin)


async def append_everywhere(backend: Backend, events: int, name: str) -> None:
    """Append to streams of all segments, and wait until a projection has all of it."""
    store, number = backend.event_store, next(numbers)
    results = await asyncio.gather(
        *(
            store.append(f"Shared-{number}-{stream}", deposits(events), expected_version=0)
            for stream in range(STREAMS)
        )
    )
    last = max(result.position for result in results)
    await backend.projections.wait_for(last, name, timeout=ours.PATIENCE)


async def shared(backend: Backend, name: str, workers: int) -> None:
    """Wait until so many processes have a share."""
    async with asyncio.timeout(60):
        while True:
            found = [one for one in await backend.projections.status() if one.build.name == name]
            if found and len(set(found[0].owners)) == workers:
                return
            await asyncio.sleep(0.02)


def measure_taking_over(run: Run) -> None:
    """Measure; targets: the lease and 2 s after a kill, 0.5 s after an orderly end."""
    print("\nTaking over: until events of all streams, appended then, are counted by the other one")
    killed: list[float] = []
    left: list[float] = []
    with run.database() as url:
        ours.made(url)
        for _ in range(run.rounds):
            killed.append(take_over(url, kill=True))
            left.append(take_over(url, kill=False))
    limit = LEASE + AFTER_LEASE
    below(f"after SIGKILL, lease of {LEASE:g} s, median", statistics.median(killed), limit, "s")
    below("after SIGKILL, the longest", max(killed), limit, "s")
    below("after SIGTERM, median", statistics.median(left), AFTER_LEAVING, "s")
    below("after SIGTERM, the longest", max(left), AFTER_LEAVING, "s")


def take_over(url: str, *, kill: bool) -> float:
    """End one of two processes; give the seconds until the other one has done what came then."""
    with (
        running(ours.follow, url, COUNTS, LEASE) as first,
        running(ours.follow, url, COUNTS, LEASE),
    ):
        return asyncio.run(_take_over(url, first, kill=kill))


async def _take_over(url: str, process: SpawnProcess, *, kill: bool) -> float:
    async with ours.opened(url) as backend:
        await shared(backend, COUNTS, 2)
        await append_everywhere(backend, 1, COUNTS)
        begin = time.perf_counter()
        if kill:
            process.kill()
        else:
            process.terminate()
        await append_everywhere(backend, 1, COUNTS)
        return time.perf_counter() - begin
