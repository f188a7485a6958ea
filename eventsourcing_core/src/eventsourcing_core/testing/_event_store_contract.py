"""The contract of event stores: all its chapters in one class."""

from __future__ import annotations

from eventsourcing_core.testing._appends.append import AppendContract
from eventsourcing_core.testing._appends.concurrency import ConcurrencyContract
from eventsourcing_core.testing._appends.repetition import RepetitionContract
from eventsourcing_core.testing._appends.unique_ids import UniqueIdContract
from eventsourcing_core.testing._imports.ids import ImportedIdContract
from eventsourcing_core.testing._imports.imports import ImportContract
from eventsourcing_core.testing._imports.neighbours import ImportNeighbourContract
from eventsourcing_core.testing._imports.refusals import ImportRefusalContract
from eventsourcing_core.testing._machine.machine import MachineContract
from eventsourcing_core.testing._reads.follow import FollowContract
from eventsourcing_core.testing._reads.pages import PageContract
from eventsourcing_core.testing._reads.questions import QuestionContract
from eventsourcing_core.testing._reads.read import ReadContract
from eventsourcing_core.testing._reads.read_all import ReadAllContract
from eventsourcing_core.testing._reads.wait import WaitContract
from eventsourcing_core.testing._storage.reads import StorageReadContract
from eventsourcing_core.testing._storage.writes import StorageWriteContract
from eventsourcing_core.testing._store.inspection import InspectionContract
from eventsourcing_core.testing._store.lifetime import LifetimeContract
from eventsourcing_core.testing._store.values import ValueContract
from eventsourcing_core.testing._transactions.ids import TransactionIdContract
from eventsourcing_core.testing._transactions.misuse import TransactionMisuseContract
from eventsourcing_core.testing._transactions.transactions import TransactionContract


class EventStoreContract(
    # Storage.write, then what the front makes of it.
    StorageWriteContract,
    AppendContract,
    RepetitionContract,
    UniqueIdContract,
    ConcurrencyContract,
    # Storage.rows and rows_of_all, then what the front makes of them.
    StorageReadContract,
    ReadContract,
    PageContract,
    ReadAllContract,
    WaitContract,
    FollowContract,
    QuestionContract,
    ValueContract,
    LifetimeContract,
    MachineContract,
    # What not every backend has.
    ImportContract,
    ImportRefusalContract,
    ImportedIdContract,
    ImportNeighbourContract,
    TransactionContract,
    TransactionIdContract,
    TransactionMisuseContract,
    InspectionContract,
):
    """Every rule of ``Storage``, and what users get of it; inherit and override ``open_parts``.

    The fixture returns a callable that gives an async context manager of the ``Parts`` of a
    backend that is new and empty each time, and closed when its block is left. The tests put the
    core's front over them.

    A chapter about something that the backend does not promise (``Parts.guarantees``) or does not
    have (``transactions``, ``inspection``) is skipped, and the skip is printed.

    ``deadline``, ``examples`` and ``steps`` can be set in the class, for a slow store; the fixture
    ``serializer`` can be overridden, to test a store with another than JSON.
    """
