"""Snapshots of aggregates: a cache beside the events, which may be missing but is never wrong.

A snapshot holds the state, and beside it the id of the last event in it. Loading reads the events
from that one on, and uses the snapshot only if the event is there: so neither a snapshot that is
ahead of its stream, nor one of a stream that went on differently after a restore, can be mistaken.
Whatever else is wrong with a snapshot or its store, the events are replayed from the first one.
"""

from __future__ import annotations

from asyncio import CancelledError, current_task
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from eventsourcing_core._aggregates.aggregate import Aggregate, stored_as
from eventsourcing_core._encoding.pipeline import Pipeline, pipeline_named
from eventsourcing_core._errors import EventSourcingError, SnapshotError, TransformError, said_of
from eventsourcing_core._payloads.scalars import check_tree
from eventsourcing_core._snapshots.log import (
    OutdatedError,
    log_untaken,
    log_unused,
    logger,
)
from eventsourcing_core._snapshots.policy import SnapshotOccasion
from eventsourcing_core._snapshots.state_version import state_version_of
from eventsourcing_core._snapshots.verification import SnapshotReport, differences
from eventsourcing_core.stores._snapshot_store import Snapshot

if TYPE_CHECKING:
    from eventsourcing_core._aggregates.fold import StreamReader
    from eventsourcing_core._snapshots.policy import SnapshotPolicy
    from eventsourcing_core.stores._snapshot_store import SnapshotStore

A = TypeVar("A", bound=Aggregate)


class Found(NamedTuple):
    """A snapshot that an aggregate was restored from, if its stream goes with it."""

    version: int
    """The version of the last event in the state."""
    event_id: bytes
    """The id of that event."""


class Snapshots(Generic[A]):
    """Loads aggregates of a class from their snapshots, and takes these.

    Args:
        cls: The class of the aggregates.
        store: Where the snapshots are.
        reader: What reads the events.
        policy: When to take one.
        keep: How many of an aggregate stay.
        pipeline: What encodes the state.
    """

    def __init__(  # noqa: PLR0913 - the parts of a repository that it needs
        self,
        cls: type[A],
        store: SnapshotStore,
        reader: StreamReader,
        *,
        policy: SnapshotPolicy,
        keep: int,
        pipeline: Pipeline,
    ) -> None:
        self._class = cls
        self._store = store
        self._reader = reader
        self._policy = policy
        self._keep = keep
        self._pipeline = pipeline

    async def load(self, aggregate: A, at_version: int | None) -> bool:
        """Rebuild an aggregate that was just made, from its snapshot and the events after it.

        Without a snapshot that is of all its events. False if there is one that cannot be used:
        then a log line says why, and the aggregate may be half restored. Only the event store's
        errors are raised.
        """
        try:
            expected = state_version_of(self._class)
        except Exception as error:  # noqa: BLE001 - there are none, so the store is not asked
            logger.debug("%s: all events are replayed, since %s", aggregate.stream_id, error)
            await self._reader.replay(aggregate, at_version)
            return True
        try:
            found = await self._find(aggregate, expected, at_version)
        except (Exception, CancelledError) as error:  # noqa: BLE001 - whatever a store raises, the events are there
            _raise_if_cancelled(error)
            self._check_usable(aggregate, at_version)
            log_unused(aggregate, error)
            return False
        if found is None:
            logger.debug("%s: all events are replayed, there is no snapshot", aggregate.stream_id)
            await self._reader.replay(aggregate, at_version)
            return True
        return await self._go_on(aggregate, found, at_version)

    async def _go_on(self, aggregate: A, found: Found, at_version: int | None) -> bool:
        try:
            fault = await self._reader.replay_after(aggregate, *found, at_version)
        except EventSourcingError:  # the event store's: replaying would meet it, too
            raise
        except Exception as error:  # noqa: BLE001 - apply never fails: then the state is not right
            self._check_usable(aggregate, at_version)
            log_unused(aggregate, error)
            return False
        if fault:
            log_unused(aggregate, SnapshotError(fault))
            await self._drop(aggregate.stream_id)
            return False
        stored_as(aggregate).snapshot_version = found.version
        return True

    def _check_usable(self, aggregate: A, at_version: int | None) -> None:
        """Raise what the event store raises if it is closed, or of another event loop.

        All events are not replayed then, and nobody should read in the log that they are. Stores
        say so when they are called, before anything is read.
        """
        self._reader.pages(aggregate.stream_id, 1, at_version)

    async def _drop(self, stream_id: str) -> None:
        """Delete snapshots that are ahead of their stream: new ones would count as older ones."""
        try:
            await self._store.prune(stream_id, keep=0)
        except (Exception, CancelledError) as error:  # noqa: BLE001 - they are only a cache
            _raise_if_cancelled(error)
            logger.debug("%s: its snapshots were not dropped: %s", stream_id, said_of(error))

    async def after_save(self, aggregate: A, before: int, version: int) -> None:
        """Take a snapshot if it is due; whatever goes wrong is logged, and not raised."""
        try:
            stored = stored_as(aggregate)
            occasion = SnapshotOccasion(
                before, version, stored.snapshot_version, stored.load_seconds
            )
            if not self._policy.is_due(occasion):
                return
            if aggregate.version != version:
                logger.debug(
                    "%s: no snapshot at version %d, more was recorded during the save",
                    aggregate.stream_id,
                    version,
                )
                return
            await self._take(aggregate)
        except (Exception, CancelledError) as error:  # noqa: BLE001 - the events are stored: the save succeeded
            _raise_if_cancelled(error)
            log_untaken(aggregate, version, error)

    async def take(self, aggregate: A) -> None:
        """Take a snapshot now.

        Raises:
            ValueError: The state is not that of a stored version.
            SnapshotError: The state cannot be stored.
            TransformError: A transformer failed.
            StorageError: The snapshot store failed.
        """
        if aggregate.pending_events:
            message = f"{aggregate.stream_id!r} has events that are not saved: save it first"
            raise ValueError(message)
        if aggregate.version == 0:
            message = f"{aggregate.stream_id!r} has no events yet: there is nothing to snapshot"
            raise ValueError(message)
        await self._take(aggregate)

    async def verify(self, restored: A, replayed: A) -> SnapshotReport:
        """Compare the newest snapshot, restored into one aggregate, with the events, in another.

        Raises:
            StorageError: A store failed.
            SerializationError: An event cannot be read.
        """
        stream_id = restored.stream_id
        try:
            found = await self._find(restored, state_version_of(self._class), None)
        except (SnapshotError, OutdatedError) as error:
            return SnapshotReport(stream_id, None, reason=str(error))
        if found is None:
            return SnapshotReport(stream_id, None, reason="there is no snapshot")
        await self._reader.replay(replayed, found.version)
        stored = stored_as(replayed)
        if stored.version < found.version:
            reason = f"the stream ends before version {found.version} of its snapshot"
            return SnapshotReport(stream_id, None, reason=reason)
        if stored.event_id != found.event_id:
            reason = f"the event at version {found.version} is not the one of the snapshot"
            return SnapshotReport(stream_id, None, reason=reason)
        return SnapshotReport(stream_id, found.version, differences(replayed, restored))

    async def _find(self, aggregate: A, expected: str, max_version: int | None) -> Found | None:
        """Restore an aggregate from the newest snapshot, if there is one.

        Raises:
            OutdatedError: It was made by something else than the class as it is.
            SnapshotError: It cannot be read; says why.
        """
        snapshot = await self._store.load(aggregate.stream_id, max_version=max_version)
        if snapshot is None:
            return None
        if snapshot.state_version != expected:
            message = (
                f"the snapshot at version {snapshot.version} has the state version "
                f"{snapshot.state_version}, {self._class.__name__} has {expected}"
            )
            raise OutdatedError(message)
        try:
            return self._restore(aggregate, snapshot)
        except Exception as error:
            message = f"the snapshot at version {snapshot.version} cannot be read: {said_of(error)}"
            raise SnapshotError(message) from error

    def _restore(self, aggregate: A, snapshot: Snapshot) -> Found:
        if snapshot.aggregate_id != aggregate.stream_id:
            message = f"it is one of {snapshot.aggregate_id!r}"
            raise SnapshotError(message)
        pipeline = self._pipeline
        if snapshot.encoding != pipeline.name:
            pipeline = pipeline_named(snapshot.encoding, pipeline)
        envelope: Any = pipeline.read(snapshot.state)
        event_id: UUID = envelope["event_id"]
        aggregate.restore_state(envelope["state"])
        return Found(snapshot.version, event_id.bytes)

    async def _take(self, aggregate: A) -> None:
        stored = stored_as(aggregate)
        stored.load_seconds = None
        if stored.version != aggregate.version:
            message = (
                f"{aggregate.stream_id!r} is not known to be what its events up to version "
                f"{aggregate.version} make of it: load it first"
            )
            raise ValueError(message)
        snapshot = self._snapshot(aggregate)
        await self._store.save(snapshot, keep=self._keep)
        stored.snapshot_version = snapshot.version
        message = "%s: a snapshot was taken at version %d, of %d bytes"
        logger.debug(message, snapshot.aggregate_id, snapshot.version, len(snapshot.state))

    def _snapshot(self, aggregate: A) -> Snapshot:
        name = type(aggregate).__name__
        state_version = state_version_of(type(aggregate))  # may be a class below the repository's
        try:
            state = aggregate.snapshot_state()
            if type(aggregate).snapshot_state is not Aggregate.snapshot_state:
                check_tree(state, f"what {name}.snapshot_state() gives")
            event_id = UUID(bytes=stored_as(aggregate).event_id)
            data = self._pipeline.write({"event_id": event_id, "state": state})
        except (SnapshotError, TransformError):  # the latter is not the class's fault
            raise
        except Exception as error:
            message = f"the state of {name} cannot be stored in a snapshot: {said_of(error)}"
            raise SnapshotError(message) from error
        return Snapshot(
            aggregate_id=aggregate.stream_id,
            version=aggregate.version,
            state=data,
            encoding=self._pipeline.name,
            state_version=state_version,
            created_at=datetime.now(UTC),
        )


def _raise_if_cancelled(error: BaseException) -> None:
    """Let through what cancels this task, and not what a store's own task was cancelled by."""
    task = current_task()
    if isinstance(error, CancelledError) and (task is None or task.cancelling()):
        raise error
