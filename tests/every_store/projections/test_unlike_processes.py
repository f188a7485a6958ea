"""Processes of one version that run other code: what one of them cannot read is not left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import ProjectionError, RecordedEvent, View
from tests.every_store.projections._shop import (
    DEADLINE,
    Placed,
    Shipped,
    append,
    opened,
    until,
)

if TYPE_CHECKING:
    from eventsourcing_core import Backend, Projector

STREAMS = 40
OPTIONS: Any = {"segments": 2, "attempts": 2, "retry_pause": 0.01, "lease": 1.5}


class Customers(View[list[str]]):
    """Which orders each customer has placed."""

    name = "customers"

    def key(self, event: RecordedEvent[Any]) -> str:
        customer: str = event.data.customer
        return customer

    def evolve(self, value: list[str] | None, event: RecordedEvent[Placed]) -> list[str]:
        return [*(value or []), event.stream_id]


class OlderCustomers(Customers):
    """The same, by code that cannot tell the customer of some orders."""

    class_name = "Customers"

    def key(self, event: RecordedEvent[Any]) -> str:
        if event.data.cents:
            message = "no such field"
            raise AttributeError(message)
        return super().key(event)


class MoreCustomers(Customers):
    """The same, by code that is given other events."""

    class_name = "Customers"

    def evolve(self, value: list[str] | None, event: RecordedEvent[Placed | Shipped]) -> list[str]:
        return [*(value or []), event.stream_id]


async def owners(backend: Backend) -> int:
    """Count the processes that have a segment."""
    (status,) = await backend.projections.status(Customers)
    return len(status.owners) if not status.free else 0


async def values(backend: Backend) -> dict[str, list[str]]:
    """Give all values of the view."""
    return {key: value async for key, value in backend.view(Customers).all()}


async def place(backend: Backend, cents: int) -> tuple[dict[str, list[str]], int]:
    """Place many orders; give what the view is to have, and the last position."""
    expected: dict[str, list[str]] = {}
    position = 0
    for number in range(STREAMS):
        for order, price in ((f"a-{number}", cents), (f"b-{number}", 0)):
            result = await append(backend, order, Placed(f"c-{number}", price))
            position = result.position or 0
        expected[f"c-{number}"] = [f"a-{number}", f"b-{number}"]
    return expected, position


async def test_what_one_process_cannot_read_is_brought_in_by_the_next_one_in_order(
    store_url: str,
) -> None:
    async with opened(store_url) as backend:
        older = backend.projector([OlderCustomers()], **OPTIONS)
        async with backend.projector([Customers()], **OPTIONS) as newer:
            async with older:

                async def are_two() -> bool:
                    return await owners(backend) == 2

                await until(are_two)
                expected, last = await place(backend, cents=1)

                async def has_stopped() -> bool:
                    (status,) = await backend.projections.status(Customers)
                    return "run the same code in all" in (status.last_error or "")

                await until(has_stopped)
            # What the old one had parked is told; whatever else is there, and in order.
            await until_position(newer, last)
            parked = await told(backend)
            found = await values(backend)
    streams = {order for orders in expected.values() for order in orders}
    assert streams - parked == {order for orders in found.values() for order in orders} - parked
    for customer, orders in found.items():
        assert orders == sorted(orders), customer


async def until_position(projector: Projector, position: int) -> None:
    """Wait until all segments have come so far, whatever is parked."""

    async def is_so() -> bool:
        (status,) = await projector.status(Customers)
        return status.position >= position

    await until(is_so)


async def told(backend: Backend) -> set[str]:
    """Give the streams that are parked."""
    return {key.key for key in await backend.projections.parked(Customers)}


async def test_what_nobody_can_read_is_parked_once_and_holds_nobody_up(store_url: str) -> None:
    async with (
        opened(store_url) as backend,
        backend.projector([OlderCustomers()], **OPTIONS) as one,
        backend.projector([OlderCustomers()], **OPTIONS),
    ):

        async def are_two() -> bool:
            return await owners(backend) == 2

        await until(are_two)
        expected, last = await place(backend, cents=1)
        await until_position(one, last)
        assert await told(backend) == {orders[0] for orders in expected.values()}
        assert await values(backend) == {key: orders[1:] for key, orders in expected.items()}
        for orders in expected.values():
            await one.skip(Customers, orders[0])

        async def are_gone() -> bool:
            return not await told(backend)

        await until(are_gone)
        last = (await append(backend, "z", Placed("z"))).position or 0
        await one.wait_for(last, Customers, timeout=DEADLINE)


async def test_a_process_that_is_given_other_events_is_refused(store_url: str) -> None:
    async with opened(store_url) as backend, backend.projector([Customers()], **OPTIONS):
        with pytest.raises(ProjectionError, match=r"for events placed, and .* placed, shipped:"):
            async with backend.projector([MoreCustomers()], **OPTIONS):
                pass
