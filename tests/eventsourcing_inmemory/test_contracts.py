"""The in-memory stores keep the contracts."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.testing import (
    EventStoreContract,
    OpenParts,
    OpenSnapshotStore,
    SnapshotStoreContract,
)
from eventsourcing_core.testing._storage.counting import CountingStorage
from eventsourcing_inmemory import InMemorySnapshotStore
from eventsourcing_inmemory._backend import open_memory
from eventsourcing_msgpack import MsgpackSerializer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core.plugins import Serializer
    from eventsourcing_core.stores import Parts, Storage


@asynccontextmanager
async def opened_for_snapshots() -> AsyncIterator[InMemorySnapshotStore]:
    """Open a snapshot store, and close it."""
    store = InMemorySnapshotStore()
    yield store
    store.close()


class TestInMemoryEventStore(EventStoreContract):
    @pytest.fixture
    def open_parts(self) -> OpenParts:
        return lambda: open_memory("memory://")


class TestInMemoryEventStoreWithMsgpack(TestInMemoryEventStore):
    @pytest.fixture
    def serializer(self) -> Serializer:
        return MsgpackSerializer()


class TestThroughAWrapper(TestInMemoryEventStore):
    """A storage around a storage, and nothing that goes past it, in any version of Python."""

    examples = 20
    stretch = 5000

    @pytest.fixture
    def open_parts(self) -> OpenParts:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Parts]:
            wrappers: list[tuple[CountingStorage, CountingStorage]] = []

            def wrap(storage: Storage) -> Storage:
                inner = CountingStorage(storage)
                wrappers.append((CountingStorage(inner), inner))
                return wrappers[-1][0]

            async with open_memory("memory://") as parts:
                yield parts.around(wrap)
            for outer, inner in wrappers:
                assert outer.calls == inner.calls

        return opened


class TestInMemorySnapshotStore(SnapshotStoreContract):
    @pytest.fixture
    def open_store(self) -> OpenSnapshotStore:
        return opened_for_snapshots
