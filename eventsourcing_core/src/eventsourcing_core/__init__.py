"""Event sourcing for asyncio: aggregates, repositories, and the ports that stores implement.

Everything public is imported from here; ``hookspecs`` and ``plugins`` are for authors of plugins,
``testing`` is for authors of tests.
"""

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._backend import Backend, open_backend, open_migrator
from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._errors import (
    ConcurrencyError,
    DuplicateEventError,
    DuplicatePluginError,
    EventSourcingError,
    InvalidStreamIdError,
    PluginError,
    SchemaError,
    SerializationError,
    SnapshotError,
    StorageError,
    TransformError,
    UnknownEventTypeError,
    UnknownPluginError,
)
from eventsourcing_core._events.causation import caused_by
from eventsourcing_core._events.event import Event, RecordedEvent
from eventsourcing_core._events.event_types import EventTypes, event
from eventsourcing_core._events.metadata import recording_metadata
from eventsourcing_core._names import check_stream_id
from eventsourcing_core._payloads.scalars import SCALARS, Scalar
from eventsourcing_core._payloads.serializer import JsonSerializer, Serializer, Transformer
from eventsourcing_core._repositories.repository import Repository
from eventsourcing_core._snapshots.policy import (
    AllOf,
    AnyOf,
    CombinablePolicy,
    EveryEvents,
    OnDemand,
    SlowLoad,
    SnapshotOccasion,
    SnapshotPolicy,
)
from eventsourcing_core._snapshots.verification import SnapshotReport, StateDifference
from eventsourcing_core._state.state import Transient
from eventsourcing_core._versions import ExpectedVersion
from eventsourcing_core.stores._append import Append, EncodedEvent, Place
from eventsourcing_core.stores._append_queue import AppendQueue
from eventsourcing_core.stores._checks import check_read, check_read_all, check_wait
from eventsourcing_core.stores._event_store import (
    AppendResult,
    EventStore,
    ImportingEventStore,
    PagedEventStore,
)
from eventsourcing_core.stores._import import Import, ImportedEvent
from eventsourcing_core.stores._inspection import (
    Appender,
    InspectableEventStore,
    StoreStatistics,
    StreamInfo,
    check_streams,
)
from eventsourcing_core.stores._migrator import MigrationStatus, Migrator, check_rollback
from eventsourcing_core.stores._snapshot_store import (
    Snapshot,
    SnapshotStore,
    check_load,
    check_prune,
    check_save,
)

__all__ = [
    "SCALARS",
    "Aggregate",
    "AllOf",
    "AnyOf",
    "Append",
    "AppendQueue",
    "AppendResult",
    "Appender",
    "Backend",
    "CombinablePolicy",
    "ConcurrencyError",
    "DuplicateEventError",
    "DuplicatePluginError",
    "EncodedEvent",
    "Event",
    "EventCodec",
    "EventSourcingError",
    "EventStore",
    "EventTypes",
    "EveryEvents",
    "ExpectedVersion",
    "Import",
    "ImportedEvent",
    "ImportingEventStore",
    "InspectableEventStore",
    "InvalidStreamIdError",
    "JsonSerializer",
    "MigrationStatus",
    "Migrator",
    "OnDemand",
    "PagedEventStore",
    "Place",
    "PluginError",
    "RecordedEvent",
    "Repository",
    "Scalar",
    "SchemaError",
    "SerializationError",
    "Serializer",
    "SlowLoad",
    "Snapshot",
    "SnapshotError",
    "SnapshotOccasion",
    "SnapshotPolicy",
    "SnapshotReport",
    "SnapshotStore",
    "StateDifference",
    "StorageError",
    "StoreStatistics",
    "StreamInfo",
    "TransformError",
    "Transformer",
    "Transient",
    "UnknownEventTypeError",
    "UnknownPluginError",
    "caused_by",
    "check_load",
    "check_prune",
    "check_read",
    "check_read_all",
    "check_rollback",
    "check_save",
    "check_stream_id",
    "check_streams",
    "check_wait",
    "event",
    "open_backend",
    "open_migrator",
    "recording_metadata",
]
