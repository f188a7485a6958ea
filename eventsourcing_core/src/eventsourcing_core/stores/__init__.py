"""The door for authors of stores: the ports they implement, and the values these speak with.

A store is a ``Storage``: rows go in, rows come out. A plugin gives it to the core in ``Parts``, and
the core builds what users speak to. ``eventsourcing_core.testing`` has the contracts.
"""

from eventsourcing_core._errors import (
    OutageError,
    ProjectionError,
    StorageError,
    StreamHeldError,
    missing_events,
)
from eventsourcing_core.stores._append import (
    Append,
    Imported,
    Judge,
    Placed,
    Verdict,
    Write,
    Written,
)
from eventsourcing_core.stores._builds import (
    HASHES,
    Arrangement,
    Build,
    BuildRecord,
    BuildSpec,
    BuildState,
    FencedError,
    Move,
    ParkedKey,
    Plan,
    Progress,
    ProjectionKind,
    Segment,
    Wish,
    Worker,
)
from eventsourcing_core.stores._checks import check_given, path_in
from eventsourcing_core.stores._event_store import AppendResult
from eventsourcing_core.stores._inspection import (
    Appender,
    Inspection,
    StoreStatistics,
    StreamInfo,
)
from eventsourcing_core.stores._migrator import MigrationStatus, Migrator, check_rollback
from eventsourcing_core.stores._projection_store import Batch, ProjectionStore
from eventsourcing_core.stores._rows import EncodedEvent, Place, Query, Row, RowPage, Span
from eventsourcing_core.stores._snapshot_store import (
    Snapshot,
    SnapshotStore,
    check_load,
    check_prune,
    check_save,
)
from eventsourcing_core.stores._storage import (
    ALL_GUARANTEES,
    Guarantee,
    Joining,
    Parts,
    Storage,
    StorageTransaction,
    Transactions,
)

__all__ = [
    "ALL_GUARANTEES",
    "HASHES",
    "Append",
    "AppendResult",
    "Appender",
    "Arrangement",
    "Batch",
    "Build",
    "BuildRecord",
    "BuildSpec",
    "BuildState",
    "EncodedEvent",
    "FencedError",
    "Guarantee",
    "Imported",
    "Inspection",
    "Joining",
    "Judge",
    "MigrationStatus",
    "Migrator",
    "Move",
    "OutageError",
    "ParkedKey",
    "Parts",
    "Place",
    "Placed",
    "Plan",
    "Progress",
    "ProjectionError",
    "ProjectionKind",
    "ProjectionStore",
    "Query",
    "Row",
    "RowPage",
    "Segment",
    "Snapshot",
    "SnapshotStore",
    "Span",
    "Storage",
    "StorageError",
    "StorageTransaction",
    "StoreStatistics",
    "StreamHeldError",
    "StreamInfo",
    "Transactions",
    "Verdict",
    "Wish",
    "Worker",
    "Write",
    "Written",
    "check_given",
    "check_load",
    "check_prune",
    "check_rollback",
    "check_save",
    "missing_events",
    "path_in",
]
