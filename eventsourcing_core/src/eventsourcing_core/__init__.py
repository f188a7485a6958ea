"""Event sourcing for asyncio: aggregates, deciders, repositories, and event stores.

What users need is imported from here. ``stores`` is for authors of stores, ``hookspecs`` and
``plugins`` are for authors of plugins, ``testing`` is for authors of tests.
"""

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._aggregates.decider import Decided, Decider
from eventsourcing_core._aggregates.fold import Folded, fold
from eventsourcing_core._backend.backend import Backend
from eventsourcing_core._backend.opening import open_backend, open_migrator
from eventsourcing_core._decisions.decision import DeciderDecision, Decision
from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._encoding.front import StorageEventStore
from eventsourcing_core._encoding.transaction import Transaction
from eventsourcing_core._errors import (
    AggregateNotFoundError,
    ConcurrencyError,
    DuplicateEventError,
    DuplicatePluginError,
    EventSourcingError,
    HistoryChangedError,
    InlineError,
    InlineMismatchError,
    InvalidStreamIdError,
    PluginError,
    ProjectionError,
    ProjectionParkedError,
    SchemaError,
    SerializationError,
    SnapshotError,
    StorageError,
    StoreBusyError,
    TransformError,
    UnknownEventTypeError,
    UnknownPluginError,
)
from eventsourcing_core._events.causation import caused_by
from eventsourcing_core._events.event import Event, RecordedEvent
from eventsourcing_core._events.event_types import EventTypes, event
from eventsourcing_core._events.metadata import recording_metadata
from eventsourcing_core._events.upcasters import upcaster
from eventsourcing_core._names import check_stream_id
from eventsourcing_core._payloads.annotations import WasNamed
from eventsourcing_core._payloads.serializer import JsonSerializer
from eventsourcing_core._payloads.shapes import TypedDecision
from eventsourcing_core._projections.kinds import Follower, Projection, Reactor, View
from eventsourcing_core._projections.projections import Projections
from eventsourcing_core._projections.projector import Projector
from eventsourcing_core._projections.status import ProjectionStatus
from eventsourcing_core._projections.view_reader import ViewReader
from eventsourcing_core._repositories.decider import DeciderRepository
from eventsourcing_core._repositories.repository import Repository
from eventsourcing_core._repositories.saving import Saved
from eventsourcing_core._snapshots.policy import (
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
from eventsourcing_core.stores._boundaries.words import (
    BoundaryError,
    Marker,
    MatchingEvents,
    Query,
    StreamAt,
    ToStream,
)
from eventsourcing_core.stores._event_store import (
    AppendResult,
    Checkpoint,
    EventStore,
    Page,
    StreamStore,
)

__all__ = [
    "Aggregate",
    "AggregateNotFoundError",
    "AppendResult",
    "Backend",
    "BoundaryError",
    "Checkpoint",
    "CombinablePolicy",
    "ConcurrencyError",
    "Decided",
    "Decider",
    "DeciderDecision",
    "DeciderRepository",
    "Decision",
    "DuplicateEventError",
    "DuplicatePluginError",
    "Event",
    "EventCodec",
    "EventSourcingError",
    "EventStore",
    "EventTypes",
    "EveryEvents",
    "ExpectedVersion",
    "Folded",
    "Follower",
    "HistoryChangedError",
    "InlineError",
    "InlineMismatchError",
    "InvalidStreamIdError",
    "JsonSerializer",
    "Marker",
    "MatchingEvents",
    "OnDemand",
    "Page",
    "PluginError",
    "Projection",
    "ProjectionError",
    "ProjectionParkedError",
    "ProjectionStatus",
    "Projections",
    "Projector",
    "Query",
    "Reactor",
    "RecordedEvent",
    "Repository",
    "Saved",
    "SchemaError",
    "SerializationError",
    "SlowLoad",
    "SnapshotError",
    "SnapshotOccasion",
    "SnapshotPolicy",
    "SnapshotReport",
    "StateDifference",
    "StorageError",
    "StorageEventStore",
    "StoreBusyError",
    "StreamAt",
    "StreamStore",
    "ToStream",
    "Transaction",
    "TransformError",
    "Transient",
    "TypedDecision",
    "UnknownEventTypeError",
    "UnknownPluginError",
    "View",
    "ViewReader",
    "WasNamed",
    "caused_by",
    "check_stream_id",
    "event",
    "fold",
    "open_backend",
    "open_migrator",
    "recording_metadata",
    "upcaster",
]
