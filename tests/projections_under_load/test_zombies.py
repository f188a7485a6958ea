"""Processes that sleep, or die, and others that go on in their place.

Each case is also run with a worker that breaks a promise: then it is seen.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Event, ExpectedVersion, open_backend
from tests.projections_under_load._events import Moved, key_of, types
from tests.projections_under_load._histories import Applied, wrong_counts, wrong_order
from tests.projections_under_load._places import PostgresPlace, counts_in, entries_of
from tests.projections_under_load._waiting import have_arrived, until
from tests.projections_under_load._workers import started

if TYPE_CHECKING:
    from eventsourcing_core import Backend
    from tests.projections_under_load._places import Place
    from tests.projections_under_load._workers import Worker

LEASE = 1.0  # seconds


async def append(backend: Backend, *amounts: int) -> int:
    """Write events of three keys, and give the position of the last."""
    events = [
        Event.of(Moved(amount, f"account-{amount % 3}"), event_types=types) for amount in amounts
    ]
    result = await backend.event_store.append("moves", events, expected_version=ExpectedVersion.ANY)
    return result.position


async def followed(backend: Backend, position: int) -> None:
    """Wait until all have come to a position."""
    await until(lambda: have_arrived(backend, position))


async def faults_of(backend: Backend, place: Place, name: str) -> list[str]:
    """Say where a projection has not applied each event once, and in order."""
    expected = [
        Applied(str(event.event_id), key_of(event), event.position)
        async for event in backend.event_store.read_all()
    ]
    log = await entries_of(place, name)
    counts = await counts_in(place, name)
    assert sum(counts.values()) == len(log)
    return [*wrong_counts(expected, counts), *wrong_order(log)]


async def faults_after_a_sleep_before_a_batch(place: Place, how: str) -> list[str]:
    """Let a process sleep with a page in its hand, until another one has gone on."""
    async with open_backend(place.url, event_types=types, migrate=True) as backend:
        async with AsyncExitStack() as stack:
            command = ("sleep", place.url, LEASE)
            first = await stack.enter_async_context(started(*command, f"before {how}"))
            position = await append(backend, 1, 2, -1, 4, 5)
            assert await first.hear() == ["asleep"]
            second = await stack.enter_async_context(started(*command, "nowhere right"))
            await followed(backend, position)
            first.tell()
            await second.end()
            await followed(backend, await append(backend, 6, 7))
            await first.end()
        return await faults_of(backend, place, "sleeper")


async def faults_after_a_death_within_a_batch(place: Place, where: str, how: str) -> list[str]:
    """Let a process die in the middle of its work, and another one go on."""
    async with open_backend(place.url, event_types=types, migrate=True) as backend:
        async with AsyncExitStack() as stack:
            command = ("sleep", place.url, LEASE)
            first = await stack.enter_async_context(started(*command, f"{where} {how}"))
            position = await append(backend, 1, 2, -1, 4, 5)
            assert await first.hear() == ["asleep"]
            await first.kill()
            second = await stack.enter_async_context(started(*command, "nowhere right"))
            await followed(backend, position)
            await second.end()
        return await faults_of(backend, place, "sleeper")


@pytest.mark.parametrize("how", ["right", "fearless"])
async def test_who_slept_before_a_batch_writes_nothing(place: Place, how: str) -> None:
    assert await faults_after_a_sleep_before_a_batch(place, how) == []


async def test_a_store_that_compares_nothing_is_found_out(place: Place) -> None:
    faults = await faults_after_a_sleep_before_a_batch(place, "careless")
    assert any("applied 2 times" in fault for fault in faults)


async def test_who_died_in_the_middle_of_a_batch_leaves_nothing(place: Place) -> None:
    assert await faults_after_a_death_within_a_batch(place, "within", "right") == []


async def test_a_store_that_moves_segments_too_early_is_found_out(place: Place) -> None:
    faults = await faults_after_a_death_within_a_batch(place, "within", "early")
    assert any("never applied" in fault for fault in faults)


async def test_a_store_that_moves_segments_too_late_is_found_out(place: Place) -> None:
    faults = await faults_after_a_death_within_a_batch(place, "nowhere", "late")
    assert any("applied 2 times" in fault for fault in faults)


async def test_who_slept_in_the_middle_of_a_batch_writes_nothing(place: Place) -> None:
    async with open_backend(place.url, event_types=types, migrate=True) as backend:
        async with AsyncExitStack() as stack:
            command = ("sleep", place.url, LEASE)
            first = await stack.enter_async_context(started(*command, "within right"))
            position = await append(backend, 1, 2, -1, 4, 5)
            assert await first.hear() == ["asleep"]
            first.stop()
            second = await stack.enter_async_context(started(*command, "nowhere right"))
            if isinstance(place, PostgresPlace):  # in SQLite it holds the lock of the file
                await followed(backend, position)
            else:
                await asyncio.sleep(2 * LEASE)  # until its lease has run out
            first.tell()
            first.go_on()
            await followed(backend, await append(backend, 6, 7))
            await second.end()
            await followed(backend, await append(backend, 8, 9))
            await first.end()
        assert await faults_of(backend, place, "sleeper") == []


async def test_who_sleeps_in_the_middle_of_a_heartbeat_keeps_nobody_from_going_on(
    place: Place,
) -> None:
    async with open_backend(place.url, event_types=types, migrate=True) as backend:
        async with AsyncExitStack() as stack:
            command = ("sleep", place.url, LEASE)
            first = await stack.enter_async_context(started(*command, "nowhere frozen"))
            assert await first.hear() == ["asleep"]
            second = await stack.enter_async_context(started(*command, "nowhere right"))
            await followed(backend, await append(backend, 1, 2, 3))
            first.tell()
            await second.end()
            await followed(backend, await append(backend, 4, 5))
            await first.end()
        assert await faults_of(backend, place, "sleeper") == []


async def stop_between_writes(sleeper: Worker, place: Place) -> None:
    """Let a process do nothing, but not while it keeps all others from writing."""
    sleeper.stop()
    while not await place.is_free():
        sleeper.go_on()
        await asyncio.sleep(0)
        sleeper.stop()


async def test_who_sleeps_between_two_batches_writes_nothing_twice(place: Place) -> None:
    async with open_backend(place.url, event_types=types, migrate=True) as backend:
        async with AsyncExitStack() as stack:
            first, second = [
                await stack.enter_async_context(started("follow", place.url, LEASE, 1))
                for _ in range(2)
            ]
            for sleeper in (first, second, first, second):
                await followed(backend, await append(backend, *range(20)))
                await stop_between_writes(sleeper, place)
                await followed(backend, await append(backend, *range(20)))
                sleeper.go_on()
            await first.end()
            await followed(backend, await append(backend, *range(20)))
            await second.end()
        assert await faults_of(backend, place, "ledger") == []


async def test_processes_that_start_at_the_same_moment_share_the_work(place: Place) -> None:
    async with open_backend(place.url, event_types=types, migrate=True) as backend:
        position = await append(backend, *range(100))
        async with AsyncExitStack() as stack:
            workers = await asyncio.gather(
                *(
                    stack.enter_async_context(started("follow", place.url, LEASE, 1))
                    for _ in range(4)
                )
            )
            await followed(backend, position)
            await until(lambda: are_shared(backend, len(workers)))
            await asyncio.gather(*(worker.end() for worker in workers))
        assert await faults_of(backend, place, "ledger") == []


async def are_shared(backend: Backend, workers: int) -> bool:
    """Tell whether each worker has its share of the segments of each build."""
    store = backend.projection_store
    for record in await store.builds():
        segments = (arrangement := await store.arrangement(record.spec.build)).segments
        counts = [
            list(arrangement.owners.values()).count(worker.owner) for worker in arrangement.workers
        ]
        if counts != [len(segments) // workers] * workers:
            return False
    return True


async def test_a_parked_key_keeps_its_order_when_others_take_over(place: Place) -> None:
    async with open_backend(place.url, event_types=types, migrate=True) as backend:
        async with started("pick", place.url, LEASE, "as it was") as worker:
            await followed(backend, await append(backend, 2, -1, 5, 3, 8, 4))
            parked = await backend.projections.parked("picky")
            assert [each.key for each in parked] == ["account-2"]
            await worker.kill()
        async with started("pick", place.url, LEASE, "mended") as worker:
            await followed(backend, await append(backend, 11, 6, 14))
            await backend.projections.retry("picky")
            await until(lambda: nothing_is_parked(backend))
            await followed(backend, await append(backend, 17, 9))
            await worker.end()
        assert await faults_of(backend, place, "picky") == []


async def nothing_is_parked(backend: Backend) -> bool:
    return not await backend.projections.parked("picky")
