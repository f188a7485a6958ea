"""The in-memory stores keep the contracts."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from eventsourcing_core.testing import (
    BackendContract,
    EventStoreContract,
    InliningContract,
    NewLocation,
    NewSnapshotLocation,
    NewUrl,
    OpenParts,
    ProjectionStoreContract,
    SnapshotStoreContract,
)
from eventsourcing_core.testing._storage.counting import CountingStorage
from eventsourcing_inmemory import InMemorySnapshotStore
from eventsourcing_inmemory._backend import _named, open_memory
from eventsourcing_msgpack import MsgpackSerializer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from eventsourcing_core.plugins import Serializer
    from eventsourcing_core.stores import Parts, Storage
    from eventsourcing_inmemory._snapshot_store import SnapshotShelf


@asynccontextmanager
async def opened_for_snapshots(shelf: SnapshotShelf) -> AsyncIterator[InMemorySnapshotStore]:
    """Open a snapshot store, and close it."""
    store = InMemorySnapshotStore(shelf)
    yield store
    store.close()


@pytest.fixture
def new_name() -> Iterator[Callable[[], str]]:
    """Give what makes URLs of names that nobody else uses, and forget what was kept under them."""
    names: list[str] = []

    def make() -> str:
        names.append(uuid4().hex)
        return f"memory://{names[-1]}"

    yield make
    for name in names:
        _named.pop(name, None)


class TestInMemoryEventStore(EventStoreContract):
    @pytest.fixture
    def new_location(self, new_name: Callable[[], str]) -> NewLocation:
        return lambda: partial(open_memory, new_name())


class TestPrivateMemory(EventStoreContract):
    examples = 20
    stretch = 5000
    is_durable = False

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
    def new_location(self, new_name: Callable[[], str]) -> NewLocation:
        @asynccontextmanager
        async def opened(url: str) -> AsyncIterator[Parts]:
            wrappers: list[tuple[CountingStorage, CountingStorage]] = []

            def wrap(storage: Storage) -> Storage:
                inner = CountingStorage(storage)
                wrappers.append((CountingStorage(inner), inner))
                return wrappers[-1][0]

            async with open_memory(url) as parts:
                yield parts.around(wrap)
            for outer, inner in wrappers:
                assert outer.calls == inner.calls

        return lambda: partial(opened, new_name())


class TestInMemorySnapshotStore(SnapshotStoreContract):
    @pytest.fixture
    def new_location(self) -> NewSnapshotLocation:
        return lambda: partial(opened_for_snapshots, {})


class TestInMemoryInlining(InliningContract):
    @pytest.fixture
    def new_location(self, new_name: Callable[[], str]) -> NewLocation:
        return lambda: partial(open_memory, new_name())


class TestInMemoryProjectionStore(ProjectionStoreContract):
    @pytest.fixture
    def new_location(self, new_name: Callable[[], str]) -> NewLocation:
        return lambda: partial(open_memory, new_name())


class TestPrivateProjections(ProjectionStoreContract):
    is_durable = False

    @pytest.fixture
    def open_parts(self) -> OpenParts:
        return lambda: open_memory("memory://")


class TestInMemoryBackend(BackendContract):
    @pytest.fixture
    def new_url(self, new_name: Callable[[], str]) -> NewUrl:
        folder = new_name()
        return lambda name: f"{folder}/{name}"
