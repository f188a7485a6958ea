"""Several processes: here, several projectors on one store."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core.stores import Move
from tests.every_store.projections._shop import (
    DEADLINE,
    EventCounts,
    Mailer,
    Placed,
    append,
    is_shared,
    opened,
    shares_of,
    until,
)

if TYPE_CHECKING:
    from eventsourcing_core import AppendResult, Backend, Projector

LEASE = 1.5  # seconds


async def test_projectors_share_the_segments_fairly_and_take_over(store_url: str) -> None:
    async with opened(store_url) as backend, AsyncExitStack() as first:
        await first.enter_async_context(backend.projector([EventCounts()], lease=LEASE))
        await until(is_shared(backend, 8, 0))
        async with AsyncExitStack() as others:
            for _ in range(2):
                await others.enter_async_context(backend.projector([EventCounts()], lease=LEASE))
            await until(is_shared(backend, 2, 3, 3, 0))
            last: AppendResult | int = 0
            for number in range(100):
                last = await append(backend, f"s-{number}", Placed("a"))
            await backend.projections.wait_for(last, EventCounts, timeout=DEADLINE)
            await first.aclose()
            await until(is_shared(backend, 4, 4, 0))
        assert await shares_of(backend, "event-counts") == [8]
        assert len([key async for key, _ in backend.view(EventCounts).all()]) == 100


async def test_a_limit_is_kept_and_the_others_take_the_rest(store_url: str) -> None:
    async with (
        opened(store_url) as backend,
        backend.projector([EventCounts()], lease=LEASE, max_segments=1),
    ):
        await until(is_shared(backend, 1, 7))
        async with backend.projector([EventCounts()], lease=LEASE):
            await until(is_shared(backend, 1, 7, 0))


@pytest.mark.parametrize("segments", [1, 3, 64])
async def test_segments_are_split_and_joined_while_all_goes_on(
    store_url: str, segments: int
) -> None:
    stopping = asyncio.Event()

    async def write(backend: Backend) -> int:
        number = 0
        while not stopping.is_set():
            await append(backend, f"s-{number % 50}", Placed("a"))
            number += 1
        return number

    async with opened(store_url) as backend, AsyncExitStack() as projectors:
        for _ in range(2):
            await projectors.enter_async_context(backend.projector([EventCounts()], lease=LEASE))
        writing = asyncio.create_task(write(backend))
        await until(is_shared(backend, 4, 4, 0))
        await backend.projections.set_segments(EventCounts, segments)

        async def is_done() -> bool:
            shares = await shares_of(backend, "event-counts")
            return sum(shares) == segments and shares[-1] == 0

        await until(is_done)
        stopping.set()
        count = await writing
        last = await append(backend, "s-0", Placed("a"))
        await backend.projections.wait_for(last, EventCounts, timeout=DEADLINE)
        values = [value async for _, value in backend.view(EventCounts).all()]
        assert sum(values) == count + 1


async def test_one_that_falls_silent_is_replaced_and_writes_nothing_more(store_url: str) -> None:
    async with opened(store_url) as backend, opened(store_url) as other:
        silent = backend.projector([EventCounts()], lease=LEASE)
        await silent.__aenter__()
        try:
            await until(is_shared(backend, 8, 0))
            silence(silent)
            async with other.projector([EventCounts()], lease=LEASE) as projector:
                await until(lambda: owners_are(other, projector.owner))
                last = await append(other, "s", Placed("a"))
                await projector.wait_for(last, EventCounts, timeout=DEADLINE)
                assert await other.view(EventCounts).get("s") == 1
        finally:
            await silent.__aexit__(None, None, None)


def silence(projector: Projector) -> None:
    """Let a projector send no heartbeat any more, and think that all is well."""
    for worker in projector._workers.values():

        async def no_beat(*_: object) -> Any:
            await asyncio.Event().wait()

        worker._claims._beat = no_beat  # type: ignore[method-assign,assignment]  # it is broken on purpose
        worker._claims.forget()


async def owners_are(backend: Backend, owner: str) -> bool:
    """Tell whether one process has all segments."""
    (record,) = await backend.projection_store.builds()
    arrangement = await backend.projection_store.arrangement(record.spec.build)
    return [*arrangement.owners.values()] == [owner] * 8


async def test_a_batch_that_does_not_end_is_told(store_url: str) -> None:
    async with opened(store_url) as backend, opened(store_url) as other:
        async with other.projector([EventCounts()]):
            pass
        (record,) = await other.projection_store.builds()
        build = record.spec.build
        segments = (await other.projection_store.arrangement(build)).segments
        move = Move(segments, segments[0].progress)

        async def last_error() -> str:
            return (await backend.projections.status())[0].last_error or ""

        async def is_told() -> bool:
            return "somebody's batch is in the way" in await last_error()

        async def is_well() -> bool:
            return not await last_error()

        async with AsyncExitStack() as stack:
            async with other.projection_store.batch(build, move, lease=DEADLINE):
                await stack.enter_async_context(backend.projector([EventCounts()], lease=LEASE))
                await until(is_told)
            await until(is_shared(backend, 8, 0))
            await until(is_well)


async def test_a_projection_that_is_paused_stands_still(store_url: str) -> None:
    mailer = Mailer()
    async with opened(store_url) as backend, backend.projector([mailer]) as projector:
        first = await append(backend, "o", Placed("a"))
        await projector.wait_for(first, "mailer", timeout=DEADLINE)
        await projector.pause(Mailer)
        second = await append(backend, "o", Placed("a"))
        with pytest.raises(TimeoutError, match="it is paused"):
            await projector.wait_for(second, "mailer", timeout=0.3)
        assert len(mailer.seen) == 1
        await projector.resume(Mailer)
        await projector.wait_for(second, "mailer", timeout=DEADLINE)
        assert mailer.seen == [("o", 1), ("o", 2)]


@pytest.mark.parametrize("lease", [0, 0.001, 86_401, float("inf"), float("nan")])
async def test_a_lease_that_cannot_be_kept_is_refused(lease: float) -> None:
    async with opened("memory://") as backend:
        with pytest.raises(ValueError, match="lease"):
            backend.projector([EventCounts()], lease=lease)
