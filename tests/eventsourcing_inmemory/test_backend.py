"""The backend ``memory``: who shares what."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from eventsourcing_core import (
    Event,
    EventStore,
    EventTypes,
    StorageError,
    open_backend,
)
from eventsourcing_core.stores import Snapshot
from eventsourcing_inmemory import InMemoryEventStore, InMemorySnapshotStore
from eventsourcing_msgpack import MsgpackSerializer


def counted(number: int) -> list[Event[object]]:
    return [Event("counted", {"number": number})]


async def numbers(store: EventStore) -> list[int]:
    return [event.data["number"] async for event in store.read_all()]


def snapshot() -> Snapshot:
    return Snapshot("doc-1", 1, b"{}", "json", "1", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def url() -> str:
    """Name a store that no other test uses: a name is kept until the process ends."""
    return f"memory://{uuid4()}"


async def test_a_name_is_shared_while_both_are_open(url: str) -> None:
    async with open_backend(url) as one, open_backend(url) as other:
        await one.event_store.append("doc-1", counted(1), expected_version=0)
        assert await numbers(other.event_store) == [1]
        await one.snapshot_store.save(snapshot())
        assert await other.snapshot_store.load("doc-1") == snapshot()


async def test_what_has_a_name_is_kept_while_nobody_has_it_open(url: str) -> None:
    async with open_backend(url) as backend:
        await backend.event_store.append("doc-1", counted(1), expected_version=0)
        await backend.snapshot_store.save(snapshot())
    async with open_backend(url) as backend:
        assert await numbers(backend.event_store) == [1]
        assert await backend.snapshot_store.load("doc-1") == snapshot()


async def test_stores_of_one_name_may_use_different_serializers(url: str) -> None:
    async with (
        open_backend(url) as one,
        open_backend(url, serializer=MsgpackSerializer()) as other,
    ):
        await one.event_store.append("doc-1", counted(1), expected_version=0)
        await other.event_store.append("doc-1", counted(2), expected_version=1)
        assert await numbers(one.event_store) == [1, 2]
        assert await numbers(other.event_store) == [1, 2]


async def test_closing_one_leaves_the_others_of_its_name_open(url: str) -> None:
    async with open_backend(url) as one:
        async with open_backend(url) as other:
            await other.event_store.append("doc-1", counted(1), expected_version=0)
        assert await numbers(one.event_store) == [1]
        with pytest.raises(StorageError):
            await numbers(other.event_store)


async def test_a_waiter_is_woken_by_another_store_of_its_name(url: str) -> None:
    async with open_backend(url) as one, open_backend(url) as other:
        waiting = asyncio.create_task(one.event_store.wait(after_position=0, timeout=60))
        await asyncio.sleep(0)
        assert not waiting.done()
        await other.event_store.append("doc-1", counted(1), expected_version=0)
        async with asyncio.timeout(10):
            assert await waiting


async def test_a_name_that_is_in_use_in_another_event_loop_is_refused(url: str) -> None:
    async def append_elsewhere() -> None:
        async with open_backend(url) as backend:
            await backend.event_store.append("doc-1", counted(2), expected_version=1)

    async with open_backend(url) as backend:
        await backend.event_store.append("doc-1", counted(1), expected_version=0)
        with pytest.raises(RuntimeError, match="another event loop: open a store of another name"):
            await asyncio.to_thread(asyncio.run, append_elsewhere())
        assert await numbers(backend.event_store) == [1]


def test_a_name_can_be_used_in_one_event_loop_after_the_other(url: str) -> None:
    async def append(version: int) -> list[int]:
        async with open_backend(url) as backend:
            await backend.event_store.append("doc-1", counted(version), expected_version=version)
            return await numbers(backend.event_store)

    assert asyncio.run(append(0)) == [0]
    assert asyncio.run(append(1)) == [0, 1]


async def test_names_are_apart(url: str) -> None:
    async with open_backend(url) as one, open_backend(url + "-2") as other:
        await one.event_store.append("doc-1", counted(1), expected_version=0)
        assert await numbers(other.event_store) == []


@pytest.mark.parametrize("private", ["memory://", "memory:", "memory:///"])
async def test_without_a_name_a_store_is_private(private: str) -> None:
    async with open_backend(private) as one, open_backend(private) as other:
        await one.event_store.append("doc-1", counted(1), expected_version=0)
        assert await numbers(other.event_store) == []
        await one.snapshot_store.save(snapshot())
        assert await other.snapshot_store.load("doc-1") is None


async def test_private_data_are_gone_when_the_store_is_closed() -> None:
    async with open_backend("memory://") as backend:
        await backend.event_store.append("doc-1", counted(1), expected_version=0)
    async with open_backend("memory://") as backend:
        assert await numbers(backend.event_store) == []


async def test_leaving_the_block_closes_both_stores() -> None:
    async with open_backend("memory://") as backend:
        pass
    with pytest.raises(StorageError, match="closed"):
        await backend.event_store.append("doc-1", counted(1), expected_version=0)
    with pytest.raises(StorageError, match="closed"):
        await backend.snapshot_store.load("doc-1")


async def test_a_failing_block_closes_both_stores() -> None:
    opening = open_backend("memory://")
    backend = await opening.__aenter__()
    error = ZeroDivisionError()
    assert not await opening.__aexit__(ZeroDivisionError, error, None)
    with pytest.raises(StorageError, match="closed"):
        await numbers(backend.event_store)
    with pytest.raises(StorageError, match="closed"):
        await backend.snapshot_store.save(snapshot())


def test_it_has_no_options() -> None:
    with pytest.raises(ValueError, match="memory.*has no option 'size'; its options are: none"):
        open_backend("memory://", size=3)


async def test_closing_twice_does_no_harm() -> None:
    events, snapshots = InMemoryEventStore(), InMemorySnapshotStore()
    for _ in range(2):
        await events.close()
        snapshots.close()
    with pytest.raises(StorageError):
        events.read_all()


async def test_the_backend_uses_the_given_registry() -> None:
    async with open_backend("memory://", event_types=EventTypes(strict=True)) as backend:
        with pytest.raises(LookupError, match="strict"):
            await backend.event_store.append("doc-1", counted(1), expected_version=0)


async def test_closing_wakes_who_waits() -> None:
    store = InMemoryEventStore()
    waiting = asyncio.create_task(store.wait(after_position=0, timeout=60))
    await asyncio.sleep(0)
    await store.close()
    with pytest.raises(StorageError, match="closed"):
        await waiting
