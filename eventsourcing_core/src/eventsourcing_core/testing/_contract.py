"""What all contracts share: the fixtures that an author overrides, and the mark for async tests."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, ClassVar

import pytest
import pytest_asyncio

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._encoding.front import StorageEventStore
from eventsourcing_core._payloads.serializer import JsonSerializer, Serializer
from eventsourcing_core.stores._migrator import Migrator
from eventsourcing_core.stores._snapshot_store import SnapshotStore
from eventsourcing_core.stores._storage import Parts
from eventsourcing_core.testing._samples import EVENT_TYPES
from eventsourcing_core.testing._skipping import Need, skip_unless_met

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OpenParts = Callable[[], AbstractAsyncContextManager[Parts]]
"""Opens a backend, and closes it when its block is left."""

NewLocation = Callable[[], OpenParts]
"""Gives what opens the backend at a new location, such as a file of a new name.

What it gives is called again and again: the backend is empty at first, and then as it was left.
"""

OpenSnapshotStore = Callable[[], AbstractAsyncContextManager[SnapshotStore]]
"""Opens a snapshot store, and closes it when its block is left."""

NewSnapshotLocation = Callable[[], OpenSnapshotStore]
"""Gives what opens the snapshot store at a new location, again and again."""

OpenMigrator = Callable[[], AbstractAsyncContextManager[Migrator]]
"""Opens the migrator of a new place, where no migration was applied yet."""

OpenStore = Callable[[EventCodec], AbstractAsyncContextManager[StorageEventStore]]
"""Opens the core's front over a new, empty backend; for the chapters, not for authors."""

Reopen = Callable[[], AbstractAsyncContextManager[StorageEventStore]]
"""Opens the core's front over one backend, the same at each call; for the chapters."""


class AsyncContract:
    """Tests that pytest-asyncio runs in its strict mode, too, and what they need."""

    deadline: ClassVar[float] = 10.0
    """Seconds after which something that should happen counts as never happening."""
    is_durable: ClassVar[bool] = True
    """Whether what is stored is there when the store is opened again; False skips what tests it."""
    is_shared: ClassVar[bool] = True
    """Whether a store may be open twice at the same time; False skips what tests it."""
    needs: ClassVar[tuple[Need, ...]] = ()
    """What must be promised or offered; without it, the tests of the class are skipped."""

    def __init_subclass__(cls, *, needs: tuple[Need, ...] = (), **options: object) -> None:
        """Mark each async test; a mark on the class would reach the tests that are not async."""
        super().__init_subclass__(**options)
        cls.needs = needs
        for name, member in vars(cls).items():
            if name.startswith("test_") and inspect.iscoroutinefunction(member):
                pytest.mark.asyncio(loop_scope="function")(member)


class Chapter(AsyncContract):
    """A chapter of the contract of event stores: its fixtures, and what a backend needs for it."""

    @pytest.fixture
    def new_location(self, request: pytest.FixtureRequest) -> NewLocation:
        """Override this: return what gives, at each call, the opener of a new, empty backend."""
        skip_unless_met(request)
        message = (
            "override the fixture new_location (for a store that cannot be opened again: set "
            "is_durable = False, and override the fixture open_parts instead); see "
            "eventsourcing_core.testing"
        )
        raise NotImplementedError(message)

    @pytest.fixture
    def open_parts(self, new_location: NewLocation) -> OpenParts:
        """Return what opens a new, empty backend; for stores that cannot be opened again."""

        def open_new() -> AbstractAsyncContextManager[Parts]:
            return new_location()()

        return open_new

    @pytest.fixture
    def serializer(self) -> Serializer:
        """Override this to hold a store to the contract with another serializer."""
        return JsonSerializer()

    @pytest.fixture
    def open_store(self, request: pytest.FixtureRequest, open_parts: OpenParts) -> OpenStore:
        """Return what opens a store, the core's front over a new backend, with a codec."""

        @asynccontextmanager
        async def open_front(codec: EventCodec) -> AsyncIterator[StorageEventStore]:
            async with open_parts() as parts:
                skip_unless_met(request, parts)
                async with _closing(StorageEventStore(parts, codec), self.deadline) as store:
                    yield store

        return open_front

    @pytest.fixture
    def reopen(
        self, request: pytest.FixtureRequest, new_location: NewLocation, serializer: Serializer
    ) -> Reopen:
        """Return what opens stores at one location, which is new."""
        skip_unless_met(request)
        open_parts = new_location()

        @asynccontextmanager
        async def open_front() -> AsyncIterator[StorageEventStore]:
            codec = EventCodec(serializer, event_types=EVENT_TYPES)
            async with open_parts() as parts:
                skip_unless_met(request, parts)
                async with _closing(StorageEventStore(parts, codec), self.deadline) as store:
                    yield store

        return open_front

    @pytest_asyncio.fixture(loop_scope="function")
    async def parts(
        self, request: pytest.FixtureRequest, open_parts: OpenParts
    ) -> AsyncIterator[Parts]:
        """Open a backend."""
        async with open_parts() as parts:
            skip_unless_met(request, parts)
            yield parts

    @pytest_asyncio.fixture(loop_scope="function")
    async def store(self, parts: Parts, serializer: Serializer) -> AsyncIterator[StorageEventStore]:
        """Open a store with the registry of the contracts; most tests need no more."""
        codec = EventCodec(serializer, event_types=EVENT_TYPES)
        async with _closing(StorageEventStore(parts, codec), self.deadline) as store:
            yield store


@asynccontextmanager
async def _closing(store: StorageEventStore, deadline: float) -> AsyncIterator[StorageEventStore]:
    """Close a store in the end, but do not hang where a storage never answers."""
    try:
        yield store
    finally:
        async with asyncio.timeout(deadline):
            await store.close()
