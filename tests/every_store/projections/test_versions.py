"""Versions: one is built beside the other, and takes its place."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import ProjectionError, RecordedEvent, View
from tests.every_store.projections._shop import (
    DEADLINE,
    EventCounts,
    Placed,
    append,
    opened,
    until,
)

if TYPE_CHECKING:
    from eventsourcing_core import AppendResult, Backend


class Tens(View[int]):
    """The second version counts in tens."""

    name = "event-counts"
    version = 2
    class_name = "EventCounts"

    def evolve(self, value: int | None, event: RecordedEvent[Any]) -> int:  # noqa: ARG002 - it only counts
        return (value or 0) + 10


async def is_near(backend: Backend) -> bool:
    """Tell whether no version is a second behind."""
    return all(each.lag_seconds < 1 for each in await backend.projections.status())


async def is_ready(backend: Backend) -> bool:
    """Tell whether the second version is not a second behind."""
    return [each.state for each in await backend.projections.status()][-1] == "ready"


async def has_caught_up(backend: Backend) -> bool:
    """Tell whether the second version has seen all."""
    return [each.lag_events for each in await backend.projections.status()][-1] == 0


async def is_run(backend: Backend) -> bool:
    """Tell whether somebody runs the first version."""
    return bool((await backend.projections.status())[0].owners)


async def test_a_new_version_is_built_beside_and_switched_to_and_back(store_url: str) -> None:
    async with opened(store_url) as backend, AsyncExitStack() as projectors:
        await projectors.enter_async_context(backend.projector([EventCounts()]))
        last: AppendResult | int = 0
        for number in range(50):
            last = await append(backend, f"s-{number % 5}", Placed("a"))
        view = backend.view(EventCounts)
        await backend.projections.wait_for(last, EventCounts, timeout=DEADLINE)
        await projectors.enter_async_context(backend.projector([Tens()]))
        await until(lambda: is_ready(backend))
        assert await view.get("s-0") == 10
        assert [s.state for s in await backend.projections.status("event-counts")] == [
            "live",
            "ready",
        ]
        assert await backend.projections.switch(EventCounts) == ("event-counts", 2)
        assert await view.get("s-0") == 100
        last = await append(backend, "s-0", Placed("a"))
        await backend.projections.wait_for(last, EventCounts, timeout=DEADLINE)
        assert await view.get("s-0") == 110
        assert await backend.projections.switch(EventCounts, version=1) == ("event-counts", 1)
        await backend.projections.wait_for(last, EventCounts, timeout=DEADLINE)
        assert await view.get("s-0") == 11
        with pytest.raises(ProjectionError, match="live already"):
            await backend.projections.switch(EventCounts, version=1)


async def test_readers_see_the_old_or_the_new_version(store_url: str) -> None:
    seen: set[int | None] = set()
    async with opened(store_url) as backend, opened(store_url) as other:
        async with backend.projector([EventCounts()]), other.projector([Tens()]):
            last = await append(backend, "s", Placed("a"))
            await backend.projections.wait_for(last, EventCounts, timeout=DEADLINE)
            await until(lambda: is_ready(backend))

            async def read() -> None:
                view = other.view(EventCounts)
                while 10 not in seen:
                    seen.add(await view.get("s"))
                    async for _, value in view.all():
                        seen.add(value)

            reading = asyncio.create_task(read())
            await backend.projections.switch(EventCounts)
            async with asyncio.timeout(DEADLINE):
                await reading
        await backend.projections.drop(EventCounts, 1)
        assert [each.build.version for each in await backend.projections.status()] == [2]
    assert seen <= {1, 10}


async def test_one_that_is_behind_is_not_switched_to(store_url: str) -> None:
    async with opened(store_url) as backend, backend.projector([EventCounts()]) as projector:
        last = await append(backend, "s", Placed("a"))
        await projector.wait_for(last, EventCounts, timeout=DEADLINE)
        async with backend.projector([Tens()]):
            await until(lambda: has_caught_up(backend))
        last = await append(backend, "s", Placed("a"))
        await asyncio.sleep(1.1)  # so old is an event that makes a version late
        with pytest.raises(ProjectionError, match=r"not ready: it is 1 positions and \d s behind"):
            await projector.switch(EventCounts)
        await projector.wait_for(last, EventCounts, timeout=DEADLINE)
        assert await backend.view(EventCounts).get("s") == 2


async def test_one_that_nobody_runs_or_that_is_paused_is_not_switched_to(store_url: str) -> None:
    async with opened(store_url) as backend:
        projections = backend.projections
        async with backend.projector([EventCounts(), Tens()]):
            await until(lambda: has_caught_up(backend))
            await projections.pause(Tens, version=2)
            with pytest.raises(ProjectionError, match="version 2 .* is paused: resume it"):
                await projections.switch(Tens)
            await projections.resume(Tens, version=2)
        async with backend.projector([EventCounts()]):
            await until(lambda: is_run(backend))
            with pytest.raises(ProjectionError, match="no process runs version 2 .* start its"):
                await projections.switch(Tens)
            begun = asyncio.create_task(projections.switch(Tens))
            async with backend.projector([Tens()]):
                assert (await begun).version == 2
        assert (await projections.switch(Tens, version=1)).version == 1  # nobody runs either


async def test_an_older_version_is_not_new(store_url: str) -> None:
    class Older(EventCounts):
        class_name = "Tens"

    class Newer(Tens):
        class_name = "Tens"

    async with opened(store_url) as backend:
        async with backend.projector([Newer()]):
            pass
        with pytest.raises(ProjectionError, match="version 2 is live"):
            await backend.projector([Older()]).__aenter__()


async def test_a_name_belongs_to_one_class(store_url: str) -> None:
    class Other(EventCounts):
        pass

    async with opened(store_url) as backend, backend.projector([EventCounts()]):
        with pytest.raises(ProjectionError, match="registered as view EventCounts"):
            await backend.projector([Other()]).__aenter__()
        with pytest.raises(ProjectionError, match="both version 1"):
            backend.projector([EventCounts(), Other()])


async def test_of_several_switches_at_once_one_succeeds(store_url: str) -> None:
    async with (
        opened(store_url) as backend,
        backend.projector([EventCounts(), Tens()]) as projector,
    ):
        for version in (2, 1, 2, 1):
            saved = await append(backend, "a", Placed("a"))
            await projector.wait_for(saved, EventCounts, timeout=DEADLINE)
            await until(partial(is_near, backend))
            switches = [
                projector.switch(EventCounts, version=version, timeout=DEADLINE) for _ in range(3)
            ]
            results = await asyncio.gather(*switches, return_exceptions=True)
            won = [each for each in results if not isinstance(each, BaseException)]
            lost = [each for each in results if isinstance(each, ProjectionError)]
            assert (won, len(lost)) == ([("event-counts", version)], 2)
            assert not any("did not come as far" in str(each) for each in lost)
