"""A shop: events, and what follows them."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eventsourcing_core import (
    EventTypes,
    ExpectedVersion,
    Reactor,
    RecordedEvent,
    View,
    event,
    open_backend,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from eventsourcing_core import AppendResult, Backend

types = EventTypes()
DEADLINE = 20.0  # seconds


@event("placed", event_types=types)
class Placed:
    """An order was placed."""

    customer: str
    cents: int = 0


@event("shipped", event_types=types)
class Shipped:
    """An order was shipped."""

    customer: str


@dataclass
class Orders:
    """The orders of a customer."""

    status: str = "idle"
    open: list[str] = field(default_factory=list[str])
    count: int = 0


class CustomerOrders(View[Orders]):
    """The orders of each customer; one that is called ``bad`` cannot be served."""

    name = "customer-orders"
    indexes = ("status", "count")

    def __init__(self) -> None:
        self.is_broken = True

    def key(self, event: RecordedEvent[Any]) -> str:
        customer: str = event.data.customer
        return customer

    def evolve(self, value: Orders | None, event: RecordedEvent[Placed | Shipped]) -> Orders | None:
        orders = value or Orders()
        orders.count += 1
        if event.data.customer.startswith("bad") and self.is_broken:
            message = "out of order"
            raise ValueError(message)
        if isinstance(event.data, Placed):
            orders.open.append(event.stream_id)
        elif event.data.customer == "gone":
            return None
        elif event.stream_id in orders.open:
            orders.open.remove(event.stream_id)
        orders.status = "open" if orders.open else "idle"
        return orders


class EventCounts(View[int]):
    """How many events each stream has; nothing is said of their types."""

    name = "event-counts"

    def evolve(self, value: int | None, event: RecordedEvent[Any]) -> int:  # noqa: ARG002 - it only counts
        return (value or 0) + 1


class Mailer(Reactor):
    """Notes what it is given, and fails as often as it is told to."""

    name = "mailer"

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []
        self.failures: Counter[str] = Counter()

    async def react(self, event: RecordedEvent[Placed]) -> None:
        await asyncio.sleep(0)
        if self.failures[event.stream_id] > 0:
            self.failures[event.stream_id] -= 1
            message = "no mail today"
            raise OSError(message)
        self.seen.append((event.stream_id, event.version))


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Backend]:
    """Open a backend, migrated."""
    options: dict[str, Any] = {} if url.startswith("memory") else {"migrate": True}
    async with open_backend(url, event_types=types, **options) as backend:
        yield backend


async def append(backend: Backend, stream_id: str, *payloads: object) -> AppendResult:
    """Append payloads to a stream."""
    return await backend.event_store.append(
        stream_id, payloads, expected_version=ExpectedVersion.ANY
    )


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(DEADLINE):
        while not await condition():  # noqa: ASYNC110 - other processes' work has no event
            await asyncio.sleep(0.01)


async def shares_of(backend: Backend, name: str) -> list[int]:
    """Count the segments of each process, and last those that nobody has."""
    for record in await backend.projection_store.builds():
        if record.spec.build.name == name:
            arrangement = await backend.projection_store.arrangement(record.spec.build)
            owners = [*arrangement.owners.values()]
            counts = sorted(owners.count(owner) for owner in set(owners))
            return [*counts, len(arrangement.segments) - len(owners)]
    return []


def is_shared(backend: Backend, *shares: int) -> Callable[[], Awaitable[bool]]:
    """Tell whether the segments are shared so."""

    async def is_so() -> bool:
        return await shares_of(backend, "event-counts") == [*shares]

    return is_so
