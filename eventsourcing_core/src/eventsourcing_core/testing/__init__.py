"""For tests: given/when/then, and the contracts of stores and serializers, as tests to inherit.

What an aggregate or a decider does is tested by ``given``, which needs nothing else::

    given(Account, Opened("Ada")).when(lambda account: account.deposit(5)).then(Deposited(5))

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

    class TestMyFamily(PayloadFamilyContract):
        @pytest.fixture
        def family(self) -> PayloadFamily:
            return MyFamily()

        @pytest.fixture
        def define(self) -> DefinePayload:
            return make_class

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

The contracts need ``pip install "eventsourcing-core[testing]"``, and work in either mode of
pytest-asyncio. They are imported when one is asked for, so ``given`` does not need pytest.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from eventsourcing_core.testing._given import (
    AggregateOutcome,
    DeciderOutcome,
    GivenAggregate,
    GivenDecider,
    Outcome,
    given,
)

if TYPE_CHECKING:
    from eventsourcing_core.testing._backend_contract import BackendContract, NewUrl
    from eventsourcing_core.testing._contract import (
        NewLocation,
        NewSnapshotLocation,
        OpenMigrator,
        OpenParts,
        OpenSnapshotStore,
    )
    from eventsourcing_core.testing._event_store_contract import EventStoreContract
    from eventsourcing_core.testing._families.contract import DefinePayload, PayloadFamilyContract
    from eventsourcing_core.testing._frozen_events_contract import FrozenEventsContract
    from eventsourcing_core.testing._migrator_contract import MigratorContract
    from eventsourcing_core.testing._projection_store_contract import ProjectionStoreContract
    from eventsourcing_core.testing._projections.inlining_contract import InliningContract
    from eventsourcing_core.testing._serializer_contract import SerializerContract
    from eventsourcing_core.testing._snapshot_store_contract import SnapshotStoreContract
    from eventsourcing_core.testing._transformer_contract import (
        MakeTransformer,
        TransformerContract,
    )

_MODULES = {
    "BackendContract": "_backend_contract",
    "DefinePayload": "_families.contract",
    "EventStoreContract": "_event_store_contract",
    "FrozenEventsContract": "_frozen_events_contract",
    "InliningContract": "_projections.inlining_contract",
    "MakeTransformer": "_transformer_contract",
    "MigratorContract": "_migrator_contract",
    "NewLocation": "_contract",
    "NewSnapshotLocation": "_contract",
    "NewUrl": "_backend_contract",
    "OpenMigrator": "_contract",
    "OpenParts": "_contract",
    "OpenSnapshotStore": "_contract",
    "PayloadFamilyContract": "_families.contract",
    "ProjectionStoreContract": "_projection_store_contract",
    "SerializerContract": "_serializer_contract",
    "SnapshotStoreContract": "_snapshot_store_contract",
    "TransformerContract": "_transformer_contract",
}
"""Where each name is that needs pytest."""

_REWRITTEN = (
    "_appends",
    "_backend_contract",
    "_families",
    "_frozen_events_contract",
    "_handles",
    "_imports",
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
"""What holds tests."""

if "pytest" in sys.modules:  # not everybody has it
    # Before these modules are imported, so that a failed assert shows the values in it.
    sys.modules["pytest"].register_assert_rewrite(
        *(f"{__name__}.{module}" for module in _REWRITTEN)
    )


def __getattr__(name: str) -> object:
    """Import what needs pytest."""
    if name not in _MODULES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


__all__ = [
    "AggregateOutcome",
    "BackendContract",
    "DeciderOutcome",
    "DefinePayload",
    "EventStoreContract",
    "FrozenEventsContract",
    "GivenAggregate",
    "GivenDecider",
    "InliningContract",
    "MakeTransformer",
    "MigratorContract",
    "NewLocation",
    "NewSnapshotLocation",
    "NewUrl",
    "OpenMigrator",
    "OpenParts",
    "OpenSnapshotStore",
    "Outcome",
    "PayloadFamilyContract",
    "ProjectionStoreContract",
    "SerializerContract",
    "SnapshotStoreContract",
    "TransformerContract",
    "given",
]
