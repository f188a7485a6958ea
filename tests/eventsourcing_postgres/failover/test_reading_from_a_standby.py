"""Reading from a hot standby: it refuses what it cannot tell, so no reader misses an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    Event,
    ExpectedVersion,
    RecordedEvent,
    StorageError,
    View,
    open_backend,
)
from eventsourcing_core.stores import (
    Build,
    BuildSpec,
    Progress,
    ProjectionError,
    ProjectionKind,
)
from eventsourcing_postgres._backend import open_postgres
from tests.eventsourcing_postgres.failover._aggregate import types

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import Backend, EventStore
    from tests.eventsourcing_postgres.failover._pair import Pair

ANY = ExpectedVersion.ANY
REFUSED = "a standby cannot tell which appends are in flight"


@pytest.fixture
async def standby(pair: Pair) -> AsyncIterator[Backend]:
    """Open a backend on the standby."""
    async with open_backend(pair.standby.url(), event_types=types) as opened:
        yield opened


async def append(store: EventStore, stream_id: str) -> int:
    result = await store.append(stream_id, [Event("Placed", {})], expected_version=ANY)
    return result.position


async def delivered_by_follow(store: EventStore, after: int) -> list[int]:
    """Give the positions of the first page."""
    async for page in store.follow(after):
        return [event.position for event in page.events]
    raise AssertionError


async def test_a_projection_is_refused_and_says_where_it_can_be(pair: Pair) -> None:
    spec = BuildSpec(Build("orders", 1), ProjectionKind.VIEW, "Orders")
    async with open_postgres(pair.standby.url()) as parts:
        assert parts.projection_store is not None
        with pytest.raises(ProjectionError, match="is a standby. Run it on the primary, or keep"):
            await parts.projection_store.register(
                spec, segments=1, start=Progress(0, None), create=None
            )


async def test_events_on_a_standby_are_not_followed_and_it_is_said_why(standby: Backend) -> None:
    class Counts(View[int]):
        name = "counts"

        def evolve(self, value: int | None, event: RecordedEvent[Any]) -> int:
            raise NotImplementedError

    refused = f"(?s)projector cannot follow the events.*{REFUSED}.*from the primary"
    async with open_backend("memory://") as elsewhere:
        with pytest.raises(StorageError, match=refused):
            async with standby.projector([Counts()], on=elsewhere):
                pass
        assert not await elsewhere.projection_store.builds()


async def test_a_stream_is_read(backend: Backend, standby: Backend) -> None:
    position = await append(backend.event_store, "read")
    assert [event.position async for event in standby.event_store.read("read")] == [position]


async def test_events_without_a_hole_are_read(backend: Backend, standby: Backend) -> None:
    first = await append(backend.event_store, "whole")
    second = await append(backend.event_store, "whole")
    events = standby.event_store.read_all(after_position=first - 1)
    assert [event.position async for event in events] == [first, second]
    assert await delivered_by_follow(standby.event_store, first - 1) == [first, second]


async def test_a_position_that_is_in_flight_on_the_primary_is_not_passed(
    pair: Pair, backend: Backend, standby: Backend
) -> None:
    before = await append(backend.event_store, "flight-1")
    async with pair.connected() as connection, connection.transaction():
        await backend.event_store.append(
            "flight-2", [Event("Placed", {})], expected_version=0, connection=connection
        )
        await append(backend.event_store, "flight-3")
        events = standby.event_store.read_all(after_position=before)
        with pytest.raises(StorageError, match=REFUSED):
            await anext(events)
        with pytest.raises(StorageError, match=REFUSED):
            await delivered_by_follow(standby.event_store, before)


async def test_what_needs_the_horizon_is_refused(backend: Backend, standby: Backend) -> None:
    await append(backend.event_store, "horizon")
    store = standby.event_store
    with pytest.raises(StorageError, match=REFUSED):
        await anext(store.read_all(event_types=["Placed"]))
    with pytest.raises(StorageError, match=REFUSED):
        await anext(store.read_all(backward=True))
    with pytest.raises(StorageError, match=REFUSED):
        await store.last_position()


async def test_an_append_is_refused(standby: Backend) -> None:
    with pytest.raises(StorageError, match="append failed: .*read-only transaction"):
        await append(standby.event_store, "refused")
