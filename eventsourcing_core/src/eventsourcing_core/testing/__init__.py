"""The contracts that every store and every serializer keeps, as tests to inherit.

A store is held to them by five lines in a test file of its author's. The fixture returns a
callable that opens a new, empty backend; the tests put the core's front over it::

    class TestMyEventStore(EventStoreContract):
        @pytest.fixture
        def open_parts(self, tmp_path: Path) -> OpenParts:
            return lambda: open_mine(tmp_path / f"{uuid4()}.db")

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
        f"eventsourcing_core.testing.{name}"
        for name in (
            "_appends",
            "_imports",
            "_machine",
            "_migrator_contract",
            "_reads",
            "_serializer_contract",
            "_snapshot_store_contract",
            "_storage",
            "_store",
            "_transactions",
        )
    )
)

# ruff: noqa: E402 - imported after the lines above, as they ask
from eventsourcing_core.testing._contract import OpenMigrator, OpenParts, OpenSnapshotStore
from eventsourcing_core.testing._event_store_contract import EventStoreContract
from eventsourcing_core.testing._migrator_contract import MigratorContract
from eventsourcing_core.testing._serializer_contract import SerializerContract
from eventsourcing_core.testing._snapshot_store_contract import SnapshotStoreContract

__all__ = [
    "EventStoreContract",
    "MigratorContract",
    "OpenMigrator",
    "OpenParts",
    "OpenSnapshotStore",
    "SerializerContract",
    "SnapshotStoreContract",
]
