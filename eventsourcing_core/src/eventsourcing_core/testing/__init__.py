"""The contracts that every store and every serializer keeps, as tests to inherit.

A store is held to them by a few lines in a test file of its author's. Each call of what the
fixture returns gives the opener of a backend at a new location, which is opened again and again;
the tests put the core's front over it::

    class TestMyEventStore(EventStoreContract):
        @pytest.fixture
        def new_location(self, tmp_path: Path) -> NewLocation:
            return lambda: partial(open_mine, tmp_path / f"{uuid4()}.db")

    class TestMySnapshotStore(SnapshotStoreContract):
        @pytest.fixture
        def new_location(self, tmp_path: Path) -> NewSnapshotLocation:
            return lambda: partial(MySnapshotStore.open, tmp_path / f"{uuid4()}.db")

    class TestMyProjectionStore(ProjectionStoreContract):
        @pytest.fixture
        def new_location(self, tmp_path: Path) -> NewLocation:
            return lambda: partial(open_mine, tmp_path / f"{uuid4()}.db")

    class TestMyInlining(InliningContract):
        @pytest.fixture
        def new_location(self, tmp_path: Path) -> NewLocation:
            return lambda: partial(open_mine, tmp_path / f"{uuid4()}.db")

    class TestMySerializer(SerializerContract):
        @pytest.fixture
        def serializer(self) -> Serializer:
            return MySerializer()

    class TestMyTransformer(TransformerContract):
        @pytest.fixture
        def make_transformer(self) -> MakeTransformer:
            return MyTransformer

    class TestMyBackend(BackendContract):
        @pytest.fixture
        def new_url(self, tmp_path: Path) -> NewUrl:
            return lambda name: f"mine:///{tmp_path}/{name}"

    class TestMyMigrator(MigratorContract):
        @pytest.fixture
        def open_migrator(self, tmp_path: Path) -> OpenMigrator:
            return lambda: MyMigrator.open(tmp_path / f"{uuid4()}.db")

The events of an application have a suite of their own: it reads what was ever frozen of them::

    class TestFrozenEvents(FrozenEventsContract):
        folder = Path(__file__).parent / "frozen"

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
            "_backend_contract",
            "_frozen_events_contract",
            "_handles",
            "_imports",
            "_inlining_contract",
            "_machine",
            "_migrator_contract",
            "_projections",
            "_reads",
            "_serializer_contract",
            "_snapshot_store_contract",
            "_storage",
            "_store",
            "_transactions",
            "_transformer_contract",
        )
    )
)

# ruff: noqa: E402 - imported after the lines above, as they ask
from eventsourcing_core.testing._backend_contract import BackendContract, NewUrl
from eventsourcing_core.testing._contract import (
    NewLocation,
    NewSnapshotLocation,
    OpenMigrator,
    OpenParts,
    OpenSnapshotStore,
)
from eventsourcing_core.testing._event_store_contract import EventStoreContract
from eventsourcing_core.testing._frozen_events_contract import FrozenEventsContract
from eventsourcing_core.testing._inlining_contract import InliningContract
from eventsourcing_core.testing._migrator_contract import MigratorContract
from eventsourcing_core.testing._projection_store_contract import ProjectionStoreContract
from eventsourcing_core.testing._serializer_contract import SerializerContract
from eventsourcing_core.testing._snapshot_store_contract import SnapshotStoreContract
from eventsourcing_core.testing._transformer_contract import MakeTransformer, TransformerContract

__all__ = [
    "BackendContract",
    "EventStoreContract",
    "FrozenEventsContract",
    "InliningContract",
    "MakeTransformer",
    "MigratorContract",
    "NewLocation",
    "NewSnapshotLocation",
    "NewUrl",
    "OpenMigrator",
    "OpenParts",
    "OpenSnapshotStore",
    "ProjectionStoreContract",
    "SerializerContract",
    "SnapshotStoreContract",
    "TransformerContract",
]
