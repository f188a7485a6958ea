"""The contract of event stores: all its chapters in one class."""

from __future__ import annotations

from eventsourcing_core.testing._appends.append import AppendContract
from eventsourcing_core.testing._appends.concurrency import ConcurrencyContract
from eventsourcing_core.testing._appends.repetition import RepetitionContract
from eventsourcing_core.testing._appends.unique_ids import UniqueIdContract
from eventsourcing_core.testing._boundaries.conditions import (
    ConditionContract,
    ConditionTransactionContract,
)
from eventsourcing_core.testing._boundaries.groups import GroupContract, GroupTransactionContract
from eventsourcing_core.testing._boundaries.holding import HoldContract
from eventsourcing_core.testing._boundaries.storages import StorageConditionContract
from eventsourcing_core.testing._boundaries.tags import TagContract
from eventsourcing_core.testing._handles.reopened import (
    ReopenedContract,
    ReopenedIdContract,
    ReopenedImportContract,
    ReopenedInspectionContract,
    ReopenedTransactionContract,
)
from eventsourcing_core.testing._handles.shared import (
    SharedContract,
    SharedIdContract,
    SharedImportContract,
    SharedTransactionContract,
)
from eventsourcing_core.testing._imports.commits import ImportCommitContract
from eventsourcing_core.testing._imports.ids import ImportedIdContract
from eventsourcing_core.testing._imports.imports import ImportContract
from eventsourcing_core.testing._imports.neighbours import ImportNeighbourContract
from eventsourcing_core.testing._imports.refusals import ImportRefusalContract
from eventsourcing_core.testing._machine.boundaries import BoundaryMachineContract
from eventsourcing_core.testing._machine.machine import MachineContract
from eventsourcing_core.testing._reads.follow import FollowContract
from eventsourcing_core.testing._reads.long_logs import LongLogContract
from eventsourcing_core.testing._reads.pages import PageContract
from eventsourcing_core.testing._reads.questions import QuestionContract
from eventsourcing_core.testing._reads.read import ReadContract
from eventsourcing_core.testing._reads.read_all import ReadAllContract
from eventsourcing_core.testing._reads.wait import WaitContract
from eventsourcing_core.testing._storage.reads import StorageReadContract
from eventsourcing_core.testing._storage.writes import StorageWriteContract
from eventsourcing_core.testing._store.inspection import InspectionContract
from eventsourcing_core.testing._store.lifetime import LifetimeContract
from eventsourcing_core.testing._store.likeness import LikeIdContract, LikenessContract
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
    LongLogContract,
    ValueContract,
    LikenessContract,
    LikeIdContract,
    LifetimeContract,
    MachineContract,
    # Handles: one after the other, and two at the same time.
    ReopenedContract,
    ReopenedIdContract,
    ReopenedImportContract,
    ReopenedTransactionContract,
    ReopenedInspectionContract,
    SharedContract,
    SharedIdContract,
    SharedImportContract,
    SharedTransactionContract,
    # What not every backend has.
    ImportContract,
    ImportRefusalContract,
    ImportedIdContract,
    ImportNeighbourContract,
    ImportCommitContract,
    TransactionContract,
    TransactionIdContract,
    TransactionMisuseContract,
    InspectionContract,
    # Several streams, and what matches in any of them.
    GroupContract,
    GroupTransactionContract,
    TagContract,
    StorageConditionContract,
    ConditionContract,
    ConditionTransactionContract,
    BoundaryMachineContract,
    HoldContract,
):
    """Every rule of ``Storage``, and what users get of it; inherit and override ``new_location``.

    The fixture returns a callable. Each call makes a new, empty location, such as the name of a
    file, and gives what opens the backend there: a callable that gives an async context manager of
    its ``Parts``, again and again. The tests put the core's front over them.

    A store that cannot be opened again sets ``is_durable = False``, and overrides ``open_parts``
    instead: a callable that opens a new, empty backend. One that cannot be open twice at the same
    time sets ``is_shared = False``.

    A chapter about something that the backend does not promise (``Parts.guarantees``) or does not
    have (``transactions``, ``inspection``, ``holding``), or that these settings rule out, is
    skipped, and the skip is printed.

    ``deadline``, ``notice``, ``examples``, ``steps`` and ``stretch`` can be set in the class, for a
    slow store; the fixture ``serializer`` can be overridden, to test a store with another than
    JSON.
    """
