"""The contract of event stores: all its chapters in one class."""

from __future__ import annotations

from eventsourcing_core.testing._append_contract import AppendContract
from eventsourcing_core.testing._concurrency_contract import ConcurrencyContract
from eventsourcing_core.testing._event_store_machine import EventStoreMachineContract
from eventsourcing_core.testing._idempotency_contract import IdempotencyContract
from eventsourcing_core.testing._input_contract import InputContract
from eventsourcing_core.testing._lifetime_contract import LifetimeContract
from eventsourcing_core.testing._read_all_contract import ReadAllContract
from eventsourcing_core.testing._read_contract import ReadContract
from eventsourcing_core.testing._value_contract import ValueContract
from eventsourcing_core.testing._wait_contract import WaitContract


class EventStoreContract(
    AppendContract,
    IdempotencyContract,
    ReadContract,
    ReadAllContract,
    WaitContract,
    ValueContract,
    InputContract,
    ConcurrencyContract,
    LifetimeContract,
    EventStoreMachineContract,
):
    """Every rule of ``EventStore``, one test each; inherit from it and override ``open_store``.

    The fixture returns a callable that takes an ``EventCodec`` and gives an async context manager
    of a store that is new and empty each time, and closed when its block is left.

    ``deadline``, ``examples`` and ``steps`` can be set in the class, for a slow store; the fixture
    ``serializer`` can be overridden, to test a store with another than JSON.
    """
