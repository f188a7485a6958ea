"""What all contracts share: the fixture that a store's author overrides, and the mark for async."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, ClassVar

import pytest
import pytest_asyncio

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._payloads.serializer import JsonSerializer, Serializer
from eventsourcing_core.stores._event_store import EventStore
from eventsourcing_core.stores._migrator import Migrator
from eventsourcing_core.stores._snapshot_store import SnapshotStore
from eventsourcing_core.testing._samples import EVENT_TYPES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OpenEventStore = Callable[[EventCodec], AbstractAsyncContextManager[EventStore]]
"""Opens a new, empty event store that encodes with the given codec."""

OpenSnapshotStore = Callable[[], AbstractAsyncContextManager[SnapshotStore]]
"""Opens a new, empty snapshot store."""

OpenMigrator = Callable[[], AbstractAsyncContextManager[Migrator]]
"""Opens the migrator of a new place, where no migration was applied yet."""


class AsyncContract:
    """Tests that pytest-asyncio runs in its strict mode, too."""

    deadline: ClassVar[float] = 10.0
    """Seconds after which something that should happen counts as never happening."""

    def __init_subclass__(cls, **options: object) -> None:
        """Mark each async test; a mark on the class would reach the tests that are not async."""
        super().__init_subclass__(**options)
        for name, member in vars(cls).items():
            if name.startswith("test_") and inspect.iscoroutinefunction(member):
                pytest.mark.asyncio(loop_scope="function")(member)


class OpenedEventStore(AsyncContract):
    """The fixtures of the tests of event stores."""

    @pytest.fixture
    def open_store(self) -> OpenEventStore:
        """Override this: return what opens a new, empty store; it is called with a codec."""
        message = "override the fixture open_store; see eventsourcing_core.testing"
        raise NotImplementedError(message)

    @pytest.fixture
    def serializer(self) -> Serializer:
        """Override this to hold a store to the contract with another serializer."""
        return JsonSerializer()

    @pytest_asyncio.fixture(loop_scope="function")
    async def store(
        self, open_store: OpenEventStore, serializer: Serializer
    ) -> AsyncIterator[EventStore]:
        """Open a store with the registry of the contracts; most tests need no more."""
        async with open_store(EventCodec(serializer, event_types=EVENT_TYPES)) as store:
            yield store
