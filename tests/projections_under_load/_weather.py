"""What befalls workers and their store while they work."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import cycle
from random import Random
from typing import TYPE_CHECKING

from eventsourcing_core import StorageError
from tests.projections_under_load._workers import Worker, start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from eventsourcing_core import Backend
    from tests.projections_under_load._places import Place
    from tests.projections_under_load._proxy import Proxy

    Ways = Mapping[str, Callable[[Random], Awaitable[None]]]

LEASE = 2.0  # seconds
LONGEST_CALM = 3.0  # seconds
BEGUN = 0.75  # of the workers that are started are at work when something befalls them
PAUSE = 0.1  # seconds before trying again
NAMES = ("tally", "ledger")


class Slot:
    """A worker, and the next one when it has ended.

    Args:
        url: What they open, unless there is a proxy.
        proxy: What they go through.
    """

    def __init__(self, url: str, proxy: Proxy | None) -> None:
        self._url = url
        self.proxy = proxy
        self.version = 1
        """Of what they work on."""
        self.worker: Worker | None = None
        self.is_busy = asyncio.Lock()
        """Something befalls it."""

    async def start(self) -> None:
        """Start a worker."""
        url = self.proxy.url if self.proxy else self._url
        self.worker = await start("follow", url, LEASE, self.version)

    async def kill(self, random: Random) -> None:
        """Kill the worker, and start another one."""
        assert self.worker
        await self.worker.kill()
        await self._start_again(random)

    async def end(self, random: Random) -> None:
        """Let the worker end in order, and start another one."""
        assert self.worker
        await self.worker.end()
        await self._start_again(random)

    async def stop(self, random: Random) -> None:
        """Let the worker stand still for longer than its lease."""
        assert self.worker
        self.worker.stop()
        await asyncio.sleep(LEASE * random.uniform(1.1, 2))
        self.worker.go_on()

    async def stall(self, random: Random) -> None:
        """Let nothing come to the worker, nor from it, for about as long as its lease."""
        assert self.proxy
        self.proxy.stand_still()
        await asyncio.sleep(LEASE * random.uniform(0.5, 2))
        self.proxy.flow()

    async def cut(self, _: Random) -> None:
        """End all connections of the worker."""
        assert self.proxy
        self.proxy.hang_up()

    async def _start_again(self, random: Random) -> None:
        """Start a worker, and mostly let it come to work before anything befalls it.

        On a busy machine it starts for longer than the weather is calm, and none would ever work.
        """
        await self.start()
        assert self.worker
        if random.random() < BEGUN:
            await self.worker.begin()


@asynccontextmanager
async def working(place: Place, count: int) -> AsyncIterator[list[Slot]]:
    """Start workers; those that still run are killed in the end."""
    async with AsyncExitStack() as stack:
        slots: list[Slot] = []
        for _ in range(count):
            proxy = place.proxy()
            if proxy is not None:
                await stack.enter_async_context(proxy.running())
            slot = Slot(place.url, proxy)
            await slot.start()
            slots.append(slot)
        try:
            yield slots
        finally:
            for slot in slots:
                if slot.worker and slot.worker.is_running:
                    await slot.worker.kill()


async def insist(work: Callable[[], Awaitable[object]]) -> None:
    """Try again where the store is away."""
    while True:
        try:
            await work()
        except StorageError:
            await asyncio.sleep(PAUSE)
        else:
            return


class Weather:
    """All that happens, in an order that follows from a name.

    Args:
        slots: The workers.
        place: Where they work.
        backend: What segments are asked for with.
        name: What the choices follow from.
        may_go_on: While this is not set, nothing more happens.
    """

    def __init__(
        self,
        slots: list[Slot],
        place: Place,
        backend: Backend,
        name: str,
        may_go_on: asyncio.Event,
    ) -> None:
        self._slots = slots
        self._place = place
        self._backend = backend
        self._name = name
        self._may_go_on = may_go_on
        self._counts = cycle((32, 4, 16))
        self.happened = Counter[str]()
        """How often each thing happened."""

    async def rage(self, seconds: float) -> None:
        """Let things happen for a while, to all at once."""
        async with asyncio.TaskGroup() as tasks:
            for number, slot in enumerate(self._slots):
                ways: Ways = {"kill": slot.kill, "stop": slot.stop, "end": slot.end}
                if slot.proxy is not None:
                    ways = {**ways, "stall": slot.stall, "cut": slot.cut}
                tasks.create_task(self._befall(f"{number}", ways, seconds, slot.is_busy))
            ways = {**self._place.storms, "segments": self._set_segments}
            tasks.create_task(self._befall("all", ways, seconds, asyncio.Lock()))

    async def _befall(
        self,
        whom: str,
        ways: Ways,
        seconds: float,
        is_busy: asyncio.Lock,
    ) -> None:
        """Let each thing happen once, in some order, and begin again; rests do not count."""
        random = Random(f"{self._name}-{whom}")  # noqa: S311 - no secret
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            for way in random.sample(sorted(ways), len(ways)):
                await asyncio.sleep(random.uniform(0.5, LONGEST_CALM))
                begin = loop.time()
                await self._may_go_on.wait()
                end += loop.time() - begin
                if loop.time() > end:
                    return
                async with is_busy:
                    await ways[way](random)
                self.happened[way] += 1

    async def _set_segments(self, _: Random) -> None:
        """Let all segments be split or joined."""
        projections = self._backend.projections
        count = next(self._counts)
        for name in NAMES:
            await insist(partial(projections.set_segments, name, count))
