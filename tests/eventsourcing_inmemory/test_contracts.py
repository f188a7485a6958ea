"""The in-memory stores keep the contracts."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.testing import (
    EventStoreContract,
    ImportingEventStoreContract,
    InspectableEventStoreContract,
    OpenEventStore,
    OpenSnapshotStore,
    SnapshotStoreContract,
)
from eventsourcing_inmemory import InMemoryEventStore, InMemorySnapshotStore
from eventsourcing_msgpack import MsgpackSerializer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import EventCodec, Serializer


@asynccontextmanager
async def opened(codec: EventCodec) -> AsyncIterator[InMemoryEventStore]:
    """Open a store, and close it."""
    store = InMemoryEventStore(codec)
    yield store
    store.close()


@asynccontextmanager
async def opened_for_snapshots() -> AsyncIterator[InMemorySnapshotStore]:
    """Open a snapshot store, and close it."""
    store = InMemorySnapshotStore()
    yield store
    store.close()


class TestInMemoryEventStore(
    EventStoreContract, ImportingEventStoreContract, InspectableEventStoreContract
):
    @pytest.fixture
    def open_store(self) -> OpenEventStore:
        return opened


class TestInMemoryEventStoreWithMsgpack(TestInMemoryEventStore):
    @pytest.fixture
    def serializer(self) -> Serializer:
        return MsgpackSerializer()


class TestInMemorySnapshotStore(SnapshotStoreContract):
    @pytest.fixture
    def open_store(self) -> OpenSnapshotStore:
        return opened_for_snapshots
