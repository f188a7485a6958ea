"""The projection store in memory: what is its own, beside the contract."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from eventsourcing_core.stores import (
    Build,
    BuildSpec,
    Move,
    Progress,
    ProjectionKind,
    StorageError,
)
from eventsourcing_inmemory import InMemoryProjectionStore
from eventsourcing_inmemory._backend import open_memory
from eventsourcing_inmemory._builds import ProjectionShelf
from eventsourcing_inmemory._projection_store import PAGE

if TYPE_CHECKING:
    from eventsourcing_core.stores import ProjectionStore

ORDERS = Build("orders", 1)
SPEC = BuildSpec(ORDERS, ProjectionKind.VIEW, "Orders")
START = Progress(0, None)


async def move_of(store: ProjectionStore) -> Move:
    """Register a build, and give a move of all that it has."""
    await store.register(SPEC, segments=1, start=START, create=None)
    return Move((await store.arrangement(ORDERS)).segments, START)


async def test_there_is_no_connection() -> None:
    async def create(connection: Any) -> None:
        given.append(connection)

    given: list[object] = []
    store = InMemoryProjectionStore()
    await store.register(SPEC, segments=1, start=START, create=create)
    async with store.batch(ORDERS, await move_of(store), lease=1) as batch:
        given.append(batch.connection)
    assert given == [None, None]


async def test_a_backend_without_a_name_has_builds_of_its_own() -> None:
    async with open_memory("memory://") as one, open_memory("memory://") as other:
        assert one.projection_store
        assert other.projection_store
        await move_of(one.projection_store)
        assert await other.projection_store.builds() == []


async def test_what_is_closed_refuses_calls() -> None:
    async with open_memory(f"memory://{uuid4()}") as parts:
        store = parts.projection_store
        assert store
        move = await move_of(store)
    for call in (
        store.builds(),
        store.calls(),
        store.arrangement(ORDERS),
        store.live_values("orders", []),
        store.batch(ORDERS, move, lease=1).__aenter__(),
    ):
        with pytest.raises(StorageError, match="closed"):
            await call


async def test_a_long_view_is_read_in_pages_and_lets_other_tasks_run() -> None:
    store = InMemoryProjectionStore()
    async with store.batch(ORDERS, await move_of(store), lease=1) as batch:
        await batch.put({f"{number:05}": "1" for number in range(3 * PAGE + 1)})
    turns: list[int] = []
    asyncio.get_running_loop().call_soon(turns.append, 1)
    sizes = [len(page) async for page in store.live_pages("orders", {})]
    assert sizes == [PAGE, PAGE, PAGE, 1]
    assert turns == [1]


def test_a_batch_that_was_open_when_its_loop_was_closed_holds_nobody_up() -> None:
    shelf = ProjectionShelf()
    store = InMemoryProjectionStore(shelf)
    opened: list[object] = []

    async def open_and_leave() -> Move:
        move = await move_of(store)
        batch = store.batch(ORDERS, move, lease=1)
        opened.append(batch)
        await batch.__aenter__()
        return move

    loop = asyncio.new_event_loop()
    move = loop.run_until_complete(open_and_leave())
    loop.close()

    async def work() -> None:
        async with (
            asyncio.timeout(10),
            InMemoryProjectionStore(shelf).batch(ORDERS, move, lease=1) as batch,
        ):
            await batch.put({"a": "1"})

    asyncio.run(work())
    assert shelf.builds[ORDERS].values == {"a": "1"}
