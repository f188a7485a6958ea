"""The contracts that every store and every serializer keeps, as tests to inherit.

A store is held to them by five lines in a test file of its author's. The fixture returns a
callable that opens a new, empty store, which the tests call with a codec of their choice::

    class TestMyEventStore(EventStoreContract):
        @pytest.fixture
        def open_store(self, tmp_path: Path) -> OpenEventStore:
            return lambda codec: MyEventStore.open(tmp_path / f"{uuid4()}.db", codec)

    class TestMySnapshotStore(SnapshotStoreContract):
        @pytest.fixture
        def open_store(self) -> OpenSnapshotStore:
            return MySnapshotStore.open

    class TestMySerializer(SerializerContract):
        @pytest.fixture
        def serializer(self) -> Serializer:
            return MySerializer()

    class TestMyMigrator(MigratorContract):
        @pytest.fixture
        def open_migrator(self, tmp_path: Path) -> OpenMigrator:
            return lambda: MyMigrator.open(tmp_path / f"{uuid4()}.db")

They need ``pip install "eventsourcing-core[testing]"``, and work in either mode of pytest-asyncio.
"""

from __future__ import annotations

import pytest

# Before these modules are imported, so that a failed assert shows the values in it.
pytest.register_assert_rewrite(
    *(
        f"eventsourcing_core.testing.{module}"
        for module in (
            "_append_contract",
            "_concurrency_contract",
            "_event_store_machine",
            "_idempotency_contract",
            "_import_contract",
            "_import_neighbour_contract",
            "_import_refusal_contract",
            "_import_samples",
            "_input_contract",
            "_inspectable_event_store_contract",
            "_lifetime_contract",
            "_migrator_contract",
            "_paged_event_store_contract",
            "_read_all_contract",
            "_read_contract",
            "_serializer_contract",
            "_snapshot_store_contract",
            "_value_contract",
            "_wait_contract",
        )
    )
)

# ruff: noqa: E402 - imported after the lines above, as they ask
from eventsourcing_core.testing._contract import (
    OpenEventStore,
    OpenMigrator,
    OpenSnapshotStore,
)
from eventsourcing_core.testing._event_store_contract import EventStoreContract
from eventsourcing_core.testing._importing_event_store_contract import (
    ImportingEventStoreContract,
)
from eventsourcing_core.testing._inspectable_event_store_contract import (
    InspectableEventStoreContract,
)
from eventsourcing_core.testing._migrator_contract import MigratorContract
from eventsourcing_core.testing._paged_event_store_contract import PagedEventStoreContract
from eventsourcing_core.testing._serializer_contract import SerializerContract
from eventsourcing_core.testing._snapshot_store_contract import SnapshotStoreContract

__all__ = [
    "EventStoreContract",
    "ImportingEventStoreContract",
    "InspectableEventStoreContract",
    "MigratorContract",
    "OpenEventStore",
    "OpenMigrator",
    "OpenSnapshotStore",
    "PagedEventStoreContract",
    "SerializerContract",
    "SnapshotStoreContract",
]
