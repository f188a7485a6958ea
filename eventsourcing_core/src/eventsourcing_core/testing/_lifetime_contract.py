"""A store is open within its block, and belongs to one event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._errors import StorageError
from eventsourcing_core.stores._event_store import EventStore
from eventsourcing_core.testing._contract import OpenedEventStore
from eventsourcing_core.testing._samples import collected, counted, numbers_of

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from eventsourcing_core.testing._contract import OpenEventStore

METHODS = ("append", "read", "read_all", "wait")


def call(store: EventStore, method: str) -> Awaitable[object]:
    """Use one method of a store."""
    match method:
        case "append":
            return store.append("doc-2", counted(2), expected_version=0)
        case "read":
            return collected(store.read("doc-1"))
        case "read_all":
            return collected(store.read_all())
        case _:
            return store.wait(after_position=0, timeout=0)


class LifetimeContract(OpenedEventStore):
    """Opening, closing, and threads."""

    async def test_a_store_has_the_methods_of_the_port(self, store: EventStore) -> None:
        assert isinstance(store, EventStore)

    async def test_each_opened_store_is_new_and_empty(self, open_store: OpenEventStore) -> None:
        async with open_store(EventCodec()) as first:
            await first.append("doc-1", counted(1), expected_version=0)
            async with open_store(EventCodec()) as second:
                assert await collected(second.read_all()) == []
        async with open_store(EventCodec()) as third:
            assert (await third.append("doc-1", counted(1), expected_version=0)).version == 1

    @pytest.mark.parametrize("method", METHODS)
    async def test_a_closed_store_refuses(self, open_store: OpenEventStore, method: str) -> None:
        async with open_store(EventCodec()) as store:
            await store.append("doc-1", counted(1), expected_version=0)
        with pytest.raises(StorageError):
            async with asyncio.timeout(self.deadline):
                await call(store, method)

    @pytest.mark.parametrize("method", METHODS)
    async def test_another_event_loop_is_refused(self, store: EventStore, method: str) -> None:
        await store.append("doc-1", counted(1), expected_version=0)

        async def use_elsewhere() -> None:
            async with asyncio.timeout(self.deadline):  # so that a hang ends, as another error
                await call(store, method)

        with pytest.raises(RuntimeError, match="loop"):
            await asyncio.to_thread(asyncio.run, use_elsewhere())
        assert numbers_of(await collected(store.read_all())) == [1]
        assert (await store.append("doc-2", counted(2), expected_version=0)).version == 1
