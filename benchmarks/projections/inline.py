"""A view in the transaction of the append, beside plain appends."""

from __future__ import annotations

import asyncio
import inspect
import statistics
from itertools import count
from typing import TYPE_CHECKING, Any

from benchmarks._measure import deposits, report, take_turns
from benchmarks.projections import ours
from eventsourcing_core import open_backend

if TYPE_CHECKING:
    from benchmarks._measure import Side
    from benchmarks.projections.command import Run
    from eventsourcing_core import Backend

TASKS = 64
APPENDS = 6_400
LEAST = 0.5
numbers = count(1)


def measure(run: Run) -> None:
    """Measure; a target is half of the speed of plain appends."""
    if "inline" not in inspect.signature(open_backend).parameters:
        print("\nInline: skipped, open_backend takes no inline projections yet")
        return
    with run.database() as plain, run.database() as inline:
        asyncio.run(_measure(plain, inline, run.rounds))


async def _measure(plain: str, inline: str, rounds: int) -> None:
    options: dict[str, Any] = {"inline": [ours.CountView()]}
    async with ours.opened(plain) as one, ours.opened(inline, **options) as other:
        sides: dict[str, Side] = {
            "plain appends": lambda: append(one),
            "with an inline view": lambda: append(other),
        }
        seconds = await take_turns(sides, rounds)
    title = f"{TASKS} tasks append single events to streams of their own"
    report(title, seconds, count=APPENDS, unit="events")
    bare, view = (statistics.median(values) for values in seconds.values())
    print(f"  inline / plain: {bare / view:.2f} (target: at least {LEAST})")


async def append(backend: Backend) -> None:
    """Append from all tasks."""

    async def one_task() -> None:
        for _ in range(APPENDS // TASKS):
            stream_id = f"Inline-{next(numbers)}"
            await backend.event_store.append(stream_id, deposits(1), expected_version=0)

    await asyncio.gather(*(one_task() for _ in range(TASKS)))
