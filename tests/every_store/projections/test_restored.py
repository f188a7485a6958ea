"""The event store was restored to an older state: what followed it says so, and is built anew."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from eventsourcing_core import ProjectionError
from tests.every_store.projections._shop import (
    DEADLINE,
    EventCounts,
    Placed,
    append,
    opened,
    until,
)
from tests.every_store.projections.test_versions import Tens

if TYPE_CHECKING:
    from eventsourcing_core import Backend


async def events_and_reports(
    stack: AsyncExitStack, store_url: str
) -> tuple[Backend, Backend, Backend]:
    """Give a store, what it is restored to, and a backend for projections that saw the first."""
    before, after = [
        await stack.enter_async_context(opened(f"memory://{uuid4()}")) for _ in range(2)
    ]
    reports = await stack.enter_async_context(opened(store_url))
    last = await append(before, "s", Placed("a"), Placed("a"), Placed("a"))
    async with before.projector([EventCounts()], on=reports) as projector:
        await projector.wait_for(last, EventCounts, timeout=DEADLINE)
    await append(after, "s", Placed("a"))
    return before, after, reports


async def test_it_stops_and_says_so(store_url: str) -> None:
    async with AsyncExitStack() as stack:
        _, after, reports = await events_and_reports(stack, store_url)
        projections = after.projections.on(reports)
        (status,) = await projections.status()
        assert "at position 3, and the event store ends at 1" in (status.last_error or "")
        projector = await stack.enter_async_context(
            after.projector([EventCounts()], on=reports, lease=1.0)
        )

        async def has_stopped() -> bool:
            found = await reports.projection_store.arrangement(status.build)
            return not found.owners and any(worker.last_error for worker in found.workers)

        await until(has_stopped)
        with pytest.raises(ProjectionError, match="has stopped: HistoryChangedError"):
            await projector.wait_for(1, EventCounts, timeout=DEADLINE)


async def test_a_new_version_can_take_its_place(store_url: str) -> None:
    async with AsyncExitStack() as stack:
        _, after, reports = await events_and_reports(stack, store_url)
        projector = await stack.enter_async_context(after.projector([Tens()], on=reports))

        async def is_built() -> bool:
            return (await projector.status())[-1].position == 1

        await until(is_built)
        await projector.switch(EventCounts)
        last = await append(after, "s", Placed("a"))
        await projector.wait_for(last, EventCounts, timeout=DEADLINE)
        assert await reports.view(EventCounts).get("s") == 20
