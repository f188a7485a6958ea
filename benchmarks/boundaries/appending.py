"""Appends with and without tags, conditions and groups, by tasks that share commits."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from benchmarks._measure import deposits
from benchmarks.projections.results import ratio
from eventsourcing_core import Event, Query, ToStream, open_backend, open_migrator
from eventsourcing_core.stores import QueryItem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from benchmarks.boundaries.command import Run
    from eventsourcing_core import Marker, StorageEventStore

    Write = Callable[[], Awaitable[object]]

FRESH = 64  # appends after which a marker is read again


async def migrate(url: str) -> None:
    """Make the tables."""
    async with open_migrator(url) as migrator:
        await migrator.migrate()


class Writer:
    """What all tasks do; each append is one event, or two, of about 100 bytes."""

    def __init__(self, store: StorageEventStore) -> None:
        self._store = store
        self._marker: Marker | None = None
        self._count = 0

    async def plain(self) -> None:
        """Begin a stream."""
        await self._store.append(uuid4().hex, deposits(1), expected_version=0)

    async def tagged(self) -> None:
        """Begin a stream with an event of two tags."""
        tags = (f"account:{uuid4()}", "bank:1")
        await self._store.append(uuid4().hex, deposits(1), expected_version=0, tags=tags)

    async def conditional(self) -> None:
        """Begin a stream unless there is an event of a tag, which there is not."""
        tag = f"account:{uuid4()}"
        # A marker for this tag, as reading it would give: what is measured is the append.
        self._count += 1
        if self._marker is None or self._count % FRESH == 0:
            self._marker = (await self._store.read_matching(Query(tags={tag}))).marker
        items = (QueryItem(frozenset({tag})),)
        marker = replace(
            self._marker, items=items, condition=self._marker.condition._replace(items=items)
        )
        event = Event.of(deposits(1)[0].data, tags={tag})
        write = ToStream(uuid4().hex, [event], expected_version=0)
        await self._store.append_together([write], unless_changed=marker)

    async def decided(self) -> None:
        """Read what there is of a tag, and begin a stream unless something came."""
        tag = f"account:{uuid4()}"
        _, marker = await self._store.read_matching(Query(tags={tag}))
        event = Event.of(deposits(1)[0].data, tags={tag})
        write = ToStream(uuid4().hex, [event], expected_version=0)
        await self._store.append_together([write], unless_changed=marker)

    async def two_events(self) -> None:
        """Begin a stream with two events."""
        await self._store.append(uuid4().hex, deposits(2), expected_version=0)

    async def two_streams(self) -> None:
        """Begin two streams."""
        streams = [ToStream(uuid4().hex, deposits(1), expected_version=0) for _ in range(2)]
        await self._store.append_together(streams)


SIDES = ("plain", "tagged", "conditional", "decided", "two_events", "two_streams")


def measure(run: Run) -> None:
    """Measure; targets: 0.8 tagged, 0.6 conditional, beside plain; 0.8 two streams."""
    with run.database() as url:
        rates = asyncio.run(_rates(url, run))
    print(f"\nAppends a second, {run.tasks} tasks, PostgreSQL")
    for name, rate in rates.items():
        print(f"  {name:<14}{rate:>10,.0f}")
    ratio("tagged, to plain", rates["tagged"], rates["plain"], 0.8)
    ratio("conditional, to plain", rates["conditional"], rates["plain"], 0.6)
    ratio("a group of two streams, to two events", rates["two_streams"], rates["two_events"], 0.8)
    run.rates.update(rates)


async def _rates(url: str, run: Run) -> dict[str, float]:
    await migrate(url)
    found: dict[str, list[float]] = {name: [] for name in SIDES}
    async with AsyncExitStack() as stack:
        store = (await stack.enter_async_context(open_backend(url))).event_store
        for number in range(run.rounds + 1):
            for name in SIDES:
                write = getattr(Writer(store), name)
                rate = await timed([write] * run.tasks, run.seconds)
                if number:
                    found[name].append(rate)
    return {name: sorted(rates)[len(rates) // 2] for name, rates in found.items()}


async def timed(writes: list[Write], seconds: float) -> float:
    """Let each task write again and again for some time; give how often in a second."""
    begin = time.perf_counter()
    counts = await asyncio.gather(*(_repeat(write, begin + seconds) for write in writes))
    return sum(counts) / (time.perf_counter() - begin)


async def _repeat(write: Write, end: float) -> int:
    count = 0
    while time.perf_counter() < end:
        await write()
        count += 1
    return count
