"""How many connections of a pool batches take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsourcing_core import Projection, RecordedEvent, open_backend
from tests.every_store.projections._shop import DEADLINE, Placed, Shipped, append, types

if TYPE_CHECKING:
    from eventsourcing_core import Backend


class Shipping(Projection[Any]):
    """Appends in a transaction of its own, while its batch is open."""

    name = "shipping"

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def apply(self, event: RecordedEvent[Placed], connection: Any) -> None:
        await connection.execute("select pg_sleep(0.05)")
        await append(self._backend, f"{self.name}-{event.stream_id}", Shipped("a"))


async def test_handlers_that_append_do_not_wait_for_each_other_s_connections(url: str) -> None:
    async with open_backend(url, event_types=types, max_size=4) as backend:
        kinds = [
            type("Shipping", (Shipping,), {"name": f"shipping-{number}"}) for number in range(12)
        ]
        saved = await append(backend, "o", Placed("a"))
        async with backend.projector([kind(backend) for kind in kinds]) as projector:
            for kind in kinds:
                await projector.wait_for(saved, kind, timeout=DEADLINE)
