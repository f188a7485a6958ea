"""From a save until the view has it, while nothing else happens."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from uuid import uuid4

from benchmarks._measure import Purse
from benchmarks.projections import ours
from benchmarks.projections.apart import running
from benchmarks.projections.results import below, percentile

if TYPE_CHECKING:
    from benchmarks.projections.command import Run

MEDIAN, MOST = 8.0, 40.0  # milliseconds, the latter for 99 of 100
WARM_UP = 20
NAME = ours.CountView.name


def measure(run: Run) -> None:
    """Measure; targets: 8 ms for half of the saves, 40 ms for 99 of 100."""
    with run.database() as url:
        ours.made(url)
        show("the projector in this process", asyncio.run(saves(url, run.saves, here=True)))
        with running(ours.follow, url, NAME):
            show("the projector in another one", asyncio.run(saves(url, run.saves, here=False)))


def show(where: str, seconds: list[tuple[float, float]]) -> None:
    """Print what was measured; the save alone tells how busy the machine was."""
    print(f"\nFrom save until the view has it, {len(seconds)} times, {where}")
    milliseconds = [1_000 * one for one, _ in seconds]
    below("median", percentile(milliseconds, 50), MEDIAN, "ms")
    below("99 of 100", percentile(milliseconds, 99), MOST, "ms")
    print(f"  10 of 100: {percentile(milliseconds, 10):.1f} ms")
    alone = 1_000 * percentile([save for _, save in seconds], 50)
    print(f"  the longest: {max(milliseconds):.1f} ms; the save alone: median {alone:.1f} ms")


async def saves(url: str, count: int, *, here: bool) -> list[tuple[float, float]]:
    """Save, wait for the view, and get from it; give the seconds of all this, and of the save."""
    seconds: list[tuple[float, float]] = []
    async with AsyncExitStack() as stack:
        backend = await stack.enter_async_context(ours.opened(url))
        waiter = backend.projections
        if here:
            waiter = await stack.enter_async_context(backend.projector([ours.CountView()]))
        purses, view = backend.repository(Purse), backend.view(ours.CountView)
        for _ in range(WARM_UP + count):
            await asyncio.sleep(random.uniform(0.01, 0.03))  # noqa: S311 - seconds, no secret
            purse = Purse(uuid4().hex)
            purse.deposit()
            begin = time.perf_counter()
            saved = await purses.save(purse)
            save = time.perf_counter() - begin
            await waiter.wait_for(saved, NAME, timeout=10)
            value = await view.get(Purse.stream_id_of(purse.id))
            seconds.append((time.perf_counter() - begin, save))
            if value != 1:
                raise AssertionError(value)
    return seconds[WARM_UP:]
