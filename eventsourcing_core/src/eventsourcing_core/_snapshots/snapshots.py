"""Snapshots of states: a cache beside the events, which may be missing but is never wrong.

A snapshot holds the state, and beside it the id of the last event in it. Loading reads the events
from that one on, and uses the snapshot only if the event is there: so neither a snapshot that is
ahead of its stream, nor one of a stream that went on differently after a restore, can be mistaken.
Whatever else is wrong with a snapshot or its store, the events are replayed from the first one.

It also names the types of events that were read as dicts, for want of a class, before it was taken.
An older version of the program may not know a type of events, and pass over them; whoever has a
class for one of these types does not use the snapshot.
"""

from __future__ import annotations

from asyncio import CancelledError, current_task
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from eventsourcing_core._aggregates.fold import Folded, fold_from
from eventsourcing_core._encoding.pipeline import Pipeline, pipeline_named
from eventsourcing_core._errors import EventSourcingError, SnapshotError, TransformError, said_of
from eventsourcing_core._snapshots.log import (
    Availability,
    OutdatedError,
    log_untaken,
    log_unused,
    logger,
)
from eventsourcing_core._snapshots.policy import SnapshotOccasion
from eventsourcing_core._snapshots.verification import SnapshotReport, differences
from eventsourcing_core.stores._snapshot_store import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventsourcing_core._aggregates.fold import Pages
    from eventsourcing_core._aggregates.notebook import StoredAs
    from eventsourcing_core._snapshots.kind import Kind
    from eventsourcing_core._snapshots.policy import SnapshotPolicy
    from eventsourcing_core._snapshots.source import Source
    from eventsourcing_core.stores._event_store import StreamStore
    from eventsourcing_core.stores._snapshot_store import SnapshotStore

S = TypeVar("S")


class Found(NamedTuple, Generic[S]):
    """A state that was restored from a snapshot, to be used if its stream goes with it."""

    state: S
    """The state."""
    version: int
    """The version of the last event in it."""
    event_id: bytes
    """The id of that event."""
    untyped: frozenset[str]
    """The types of events in it that were read as dicts."""


class Snapshots(Generic[S]):
    """Loads states of one kind from their snapshots, and takes these.

    Args:
        kind: The kind of the states.
        store: Where the snapshots are.
        policy: When to take one.
        keep: How many of a stream stay.
        pipeline: What encodes the state.
    """

    def __init__(
        self,
        kind: Kind[S],
        store: SnapshotStore,
        *,
        policy: SnapshotPolicy,
        keep: int,
        pipeline: Pipeline,
    ) -> None:
        self._kind = kind
        self.store = store
        """Where the snapshots are."""
        self._policy = policy
        self._keep = keep
        self._pipeline = pipeline
        self._availability = Availability()

    async def load(
        self,
        source: Source,
        stream_id: str,
        state: S,
        renew: Callable[[], S],
        at_version: int | None,
    ) -> Folded[S]:
        """Make a state of its snapshot and the events after it, or else of all events.

        Where there is a snapshot that cannot be used, a log line says why. Only the event store's
        errors are raised.

        Args:
            source: Where to load from.
            stream_id: The stream.
            state: The state before the first event; it may be changed.
            renew: Makes that state again, where a snapshot that was tried has spoiled it.
            at_version: The last event that counts; None: all do.
        """
        folded = await self._with_snapshot(source, stream_id, state, at_version)
        if folded is not None:
            return folded
        # Not the state that a snapshot was tried on: that may be half restored.
        return await self._replay(source, stream_id, renew(), at_version)

    async def _replay(
        self, source: Source, stream_id: str, state: S, at_version: int | None
    ) -> Folded[S]:
        pages = source.events.read_pages(stream_id, to_version=at_version)
        return await self._kind.fold(pages, state, 0)

    async def _with_snapshot(
        self, source: Source, stream_id: str, state: S, at_version: int | None
    ) -> Folded[S] | None:
        """Give None if there is a snapshot that cannot be used; the state may be half restored."""
        if source.snapshots is None:
            return await self._replay(source, stream_id, state, at_version)
        try:
            expected = self._kind.state_version()
        except Exception as error:  # noqa: BLE001 - there are none, so the store is not asked
            logger.debug("%s: all events are replayed, since %s", stream_id, error)
            return await self._replay(source, stream_id, state, at_version)

        pages: Pages | None = None  # the events, if they came with the snapshot
        try:
            begun = await source.read_from_snapshot(stream_id, at_version)
            if begun is None:
                snapshot = await source.snapshots.load(stream_id, max_version=at_version)
            else:
                snapshot, pages = begun
            self._availability.note_answer()
            found = None
            if snapshot is not None:
                found = self._restored(snapshot, stream_id, state, expected)
        except (Exception, CancelledError) as error:  # noqa: BLE001 - whatever a store raises, the events are there
            _raise_if_cancelled(error)
            _check_usable(source, stream_id)
            log_unused(stream_id, error, self._availability.level_of(error))
            return None
        if found is not None:
            return await self._go_on(source, stream_id, found, pages, at_version)
        logger.debug("%s: all events are replayed, there is no snapshot", stream_id)
        if pages is not None:
            return await self._kind.fold(pages, state, 0)
        return await self._replay(source, stream_id, state, at_version)

    async def _go_on(
        self,
        source: Source,
        stream_id: str,
        found: Found[S],
        pages: Pages | None,
        at_version: int | None,
    ) -> Folded[S] | None:
        state, version, event_id, untyped = found
        if pages is None:
            pages = source.events.read_pages(stream_id, from_version=version, to_version=at_version)
        try:
            folded = await fold_from(
                pages, self._kind.fold, state, version=version, event_id=event_id
            )
        except EventSourcingError:  # the event store's: replaying would meet it, too
            raise
        except Exception as error:  # noqa: BLE001 - apply never fails: then the state is not right
            _check_usable(source, stream_id)
            log_unused(stream_id, error)
            return None
        if isinstance(folded, Folded):
            both = {**folded.untyped, **dict.fromkeys(untyped, 0)}
            return replace(folded, untyped=both) if untyped else folded
        log_unused(stream_id, SnapshotError(folded))
        if source.snapshots is not None:  # in a transaction it is not the store of other times
            await self._drop(source.snapshots, stream_id)
        return None

    async def _drop(self, snapshots: SnapshotStore, stream_id: str) -> None:
        """Delete snapshots that are ahead of their stream: new ones would count as older ones."""
        try:
            await snapshots.prune(stream_id, keep=0)
        except (Exception, CancelledError) as error:  # noqa: BLE001 - they are only a cache
            _raise_if_cancelled(error)
            logger.debug("%s: its snapshots were not dropped: %s", stream_id, said_of(error))

    async def after_save(  # noqa: PLR0913 - the facts about a save
        self,
        state: S,
        stored: StoredAs,
        stream_id: str,
        *,
        before: int,
        version: int,
        is_more: bool,
    ) -> None:
        """Take a snapshot if it is due; whatever goes wrong is logged, and not raised.

        Args:
            state: The state that was saved.
            stored: Which event it ends with.
            stream_id: Its stream.
            before: The version before the save.
            version: The version after it.
            is_more: Whether more was recorded during the save.
        """
        try:
            occasion = SnapshotOccasion(
                before, version, stored.snapshot_version, stored.load_seconds
            )
            if not self._policy.is_due(occasion):
                return
            if is_more:
                message = "%s: no snapshot at version %d, more was recorded during the save"
                logger.debug(message, stream_id, version)
                return
            await self.take(state, stored, stream_id, version=version)
        except (Exception, CancelledError) as error:  # noqa: BLE001 - the events are stored: the save succeeded
            _raise_if_cancelled(error)
            level = self._availability.level_of(error)
            log_untaken(stream_id, type(state), version, error, level)

    async def take(self, state: S, stored: StoredAs, stream_id: str, *, version: int) -> None:
        """Take a snapshot now.

        Args:
            state: The state.
            stored: Which stored event it is known to end with.
            stream_id: Its stream.
            version: The version that it should be at.

        Raises:
            ValueError: The state may not be what its events make of it.
            SnapshotError: The state cannot be stored.
            TransformError: A transformer failed.
            StorageError: The snapshot store failed.
        """
        stored.load_seconds = None
        if stored.version != version:
            message = (
                f"{stream_id!r} is not known to be what its events up to version {version} make of "
                "it: load it first"
            )
            raise ValueError(message)
        snapshot = self._snapshot(state, stored, stream_id)
        await self.store.save(snapshot, keep=self._keep)
        self._availability.note_answer()
        stored.snapshot_version = snapshot.version
        message = "%s: a snapshot was taken at version %d, of %d bytes"
        logger.debug(message, snapshot.aggregate_id, snapshot.version, len(snapshot.state))

    async def verify(
        self, events: StreamStore, stream_id: str, new: Callable[[], S]
    ) -> SnapshotReport:
        """Compare the newest snapshot with what its events make.

        Raises:
            StorageError: A store failed.
            SerializationError: An event cannot be read.
        """
        try:
            expected = self._kind.state_version()
            snapshot = await self.store.load(stream_id)
            self._availability.note_answer()
            if snapshot is None:
                return SnapshotReport(stream_id, None, reason="there is no snapshot")
            found = self._restored(snapshot, stream_id, new(), expected)
        except (SnapshotError, OutdatedError) as error:
            return SnapshotReport(stream_id, None, reason=str(error))

        pages = events.read_pages(stream_id, to_version=found.version)
        replayed = await self._kind.fold(pages, new(), 0)
        if replayed.version < found.version:
            reason = f"the stream ends before version {found.version} of its snapshot"
            return SnapshotReport(stream_id, None, reason=reason)
        if replayed.event_id != found.event_id:
            reason = f"the event at version {found.version} is not the one of the snapshot"
            return SnapshotReport(stream_id, None, reason=reason)
        return SnapshotReport(stream_id, found.version, differences(replayed.state, found.state))

    def _restored(self, snapshot: Snapshot, stream_id: str, state: S, expected: str) -> Found[S]:
        """Restore a state that was just made.

        Raises:
            OutdatedError: The snapshot was made by something else than the kind as it is.
            SnapshotError: It cannot be read; says why.
        """
        if snapshot.state_version != expected:
            message = (
                f"the snapshot at version {snapshot.version} has the state version "
                f"{snapshot.state_version}, {self._kind.name} has {expected}"
            )
            raise OutdatedError(message)
        try:
            return self._restore(stream_id, state, snapshot)
        except OutdatedError:
            raise
        except Exception as error:
            message = f"the snapshot at version {snapshot.version} cannot be read: {said_of(error)}"
            raise SnapshotError(message) from error

    def _restore(self, stream_id: str, state: S, snapshot: Snapshot) -> Found[S]:
        if snapshot.aggregate_id != stream_id:
            message = f"it is one of {snapshot.aggregate_id!r}"
            raise SnapshotError(message)
        pipeline = self._pipeline
        if snapshot.encoding != pipeline.name:
            pipeline = pipeline_named(snapshot.encoding, pipeline)
        envelope: Any = pipeline.read(snapshot.state)
        event_id: UUID = envelope["event_id"]
        untyped = frozenset[str](envelope.get("untyped", ()))
        if known := sorted(filter(self._kind.knows, untyped)):
            message = (
                f"the snapshot at version {snapshot.version} was taken by a process that has no "
                f"class for events of type {known[0]!r}"
            )
            raise OutdatedError(message)
        restored = self._kind.decode(envelope["state"], state)
        return Found(restored, snapshot.version, event_id.bytes, untyped)

    def _snapshot(self, state: S, stored: StoredAs, stream_id: str) -> Snapshot:
        state_version = self._kind.state_version(state)
        try:
            tree = self._kind.encode(state)
            envelope: dict[str, object] = {
                "event_id": UUID(bytes=stored.event_id),
                "state": tree,
            }
            if stored.untyped:
                envelope["untyped"] = sorted(stored.untyped)
            data = self._pipeline.write(envelope)
        except (SnapshotError, TransformError):  # the latter is not the class's fault
            raise
        except Exception as error:
            name = type(state).__name__
            message = f"the state of {name} cannot be stored in a snapshot: {said_of(error)}"
            raise SnapshotError(message) from error
        return Snapshot(
            aggregate_id=stream_id,
            version=stored.version,
            state=data,
            encoding=self._pipeline.name,
            state_version=state_version,
            created_at=datetime.now(UTC),
        )


def _check_usable(source: Source, stream_id: str) -> None:
    """Raise what the event store raises if it is closed, or of another event loop.

    All events are not replayed then, and nobody should read in the log that they are. Stores
    say so when they are called, before anything is read.
    """
    source.events.read_pages(stream_id)


def _raise_if_cancelled(error: BaseException) -> None:
    """Let through what cancels this task, and not what a store's own task was cancelled by."""
    task = current_task()
    if isinstance(error, CancelledError) and (task is None or task.cancelling()):
        raise error
