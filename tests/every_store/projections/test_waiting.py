"""Waiting until a projection has seen what was saved."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from eventsourcing_core import ProjectionError
from eventsourcing_core._projections import worker
from tests.every_store.projections._shop import (
    DEADLINE,
    CustomerOrders,
    EventCounts,
    Mailer,
    Placed,
    Shipped,
    append,
    is_shared,
    opened,
    until,
)


async def test_who_has_waited_sees_his_own_write(store_url: str) -> None:
    async with opened(store_url) as backend, backend.projector([EventCounts()]) as projector:
        view = backend.view(EventCounts)

        async def write(name: str) -> None:
            for count in range(1, 26):
                saved = await append(backend, name, Placed("a"))
                waiting = projector if count % 2 else backend.projections
                await waiting.wait_for(saved, "event-counts", timeout=DEADLINE)
                assert await view.get(name) == count

        await asyncio.gather(*(write(f"s-{number}") for number in range(20)))


async def test_an_event_that_is_not_for_it_is_not_waited_for_long(store_url: str) -> None:
    async with opened(store_url) as backend, backend.projector([Mailer()]) as projector:
        for _ in range(3):
            saved = await append(backend, "o", Shipped("a"))
            await projector.wait_for(saved, "mailer", timeout=DEADLINE)
            await projector.wait_for(saved.position, Mailer, timeout=DEADLINE)
            assert (await projector.status())[0].position >= saved.position


async def test_those_who_have_other_keys_move_on_soon(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else whoever waits in a process without a projector waits for that pause.
    monkeypatch.setattr(worker, "_SAVE_PAUSE", 3 * DEADLINE)
    async with (
        opened(store_url) as backend,
        opened(store_url) as other,
        backend.projector([EventCounts()]),
        other.projector([EventCounts()]),
    ):
        await until(is_shared(backend, 4, 4, 0))
        for number in range(5):
            saved = await append(backend, f"s-{number}", Placed("a"))
            await backend.projections.wait_for(saved, EventCounts, timeout=DEADLINE)


async def test_who_waits_in_vain_is_told_why(store_url: str) -> None:
    async with opened(store_url) as backend:
        async with backend.projector([EventCounts()]):
            pass
        saved = await append(backend, "o", Placed("a"))
        with pytest.raises(TimeoutError, match=r"not seen position 1 within 0.1 s: .* no process"):
            await backend.projections.wait_for(saved, "event-counts", timeout=0.1)
        with pytest.raises(ProjectionError, match=r"no projection 'x' here .*event-counts"):
            await backend.projections.wait_for(saved, "x", timeout=0.1)
        with pytest.raises(ProjectionError, match="its name or its class"):
            await backend.projections.wait_for(saved, 7, timeout=0.1)
        aggregate: Any = object()  # what ``update`` returns
        with pytest.raises(TypeError, match=r"it is repository\.saved\(aggregate\)"):
            await backend.projections.wait_for(aggregate, "event-counts", timeout=0.1)


async def test_who_waits_for_a_parked_event_is_told_what_it_failed_with(store_url: str) -> None:
    async with (
        opened(store_url) as backend,
        backend.projector([CustomerOrders()], retry_pause=DEADLINE) as projector,
    ):
        saved = await append(backend, "o", Placed("bad"))
        await until(lambda: projector.parked("customer-orders"))
        with pytest.raises(TimeoutError, match=r"key 'bad' is parked \(ValueError: out of order\)"):
            await projector.wait_for(saved, "customer-orders", timeout=0.1)


async def test_of_a_save_the_last_event_is_what_is_waited_for(store_url: str) -> None:
    async with (
        opened(store_url) as backend,
        backend.projector([CustomerOrders()], retry_pause=DEADLINE) as projector,
    ):
        saved = await append(backend, "o", Placed("bad"), Placed("ada"))
        await projector.wait_for(saved, "customer-orders", timeout=DEADLINE)
        orders = await backend.view(CustomerOrders).get("ada")
        assert orders is not None
        assert orders.open == ["o"]
        assert [each.key for each in await projector.parked("customer-orders")] == ["bad"]


async def test_who_gives_up_leaves_no_task_behind(store_url: str) -> None:
    async with opened(store_url) as backend, backend.projector([EventCounts()]) as projector:
        saved = await append(backend, "o", Placed("a"))
        await projector.wait_for(saved, EventCounts, timeout=DEADLINE)
        for _ in range(20):
            with pytest.raises(TimeoutError):
                await projector.wait_for(saved.position + 1, EventCounts, timeout=0.01)

        async def are_gone() -> bool:
            return sum("Event.wait" in repr(task) for task in asyncio.all_tasks()) < 10

        await until(are_gone)


async def test_any_position_can_be_waited_for_and_what_has_come_is_there_at_once(
    store_url: str,
) -> None:
    async with opened(store_url) as backend, backend.projector([EventCounts()]) as projector:
        saved = await append(backend, "o", Placed("a"))
        await projector.wait_for(saved, EventCounts, timeout=DEADLINE)
        for waiting in (projector, backend.projections):
            await waiting.wait_for(saved, EventCounts, timeout=0)
            with pytest.raises(TimeoutError, match=r"has not seen position \d+ yet: it is at 1"):
                await waiting.wait_for(2**63, EventCounts, timeout=0)
            nothing: Any = None
            with pytest.raises(TypeError, match="position"):
                await waiting.wait_for(nothing, EventCounts, timeout=0)
