"""Repositories: load an aggregate, let it decide, save what it recorded."""

from __future__ import annotations

import asyncio
import inspect
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from eventsourcing_core._aggregates.aggregate import UNKNOWN, Aggregate, stored_as
from eventsourcing_core._aggregates.fold import StreamReader
from eventsourcing_core._encoding.pipeline import Pipeline
from eventsourcing_core._errors import ConcurrencyError, StorageError
from eventsourcing_core._snapshots.policy import policy_of
from eventsourcing_core._snapshots.snapshots import Snapshots

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from eventsourcing_core._events.event import Event
    from eventsourcing_core._payloads.serializer import Serializer, Transformer
    from eventsourcing_core._snapshots.policy import SnapshotPolicy
    from eventsourcing_core._snapshots.verification import SnapshotReport
    from eventsourcing_core.stores._event_store import AppendResult, EventStore
    from eventsourcing_core.stores._snapshot_store import SnapshotStore

A = TypeVar("A", bound=Aggregate)


class Repository(Generic[A]):
    """The aggregates of one class, in one event store, under optimistic concurrency.

    With a snapshot store, loading reads only the events after the newest snapshot. Snapshots are a
    cache: where one is missing or cannot be used, all events are replayed. What was taken, and what
    could not be used and why, is in the log ``eventsourcing_core.snapshots``.

    Args:
        store: Where the events are.
        aggregate_class: The class to rebuild from them; it takes the id as its only argument.
        snapshot_store: Where snapshots are; None for none.
        snapshot_frequency: When a save takes a snapshot: each time it reaches or crosses a multiple
            of this number of events, or as a policy says. None switches snapshots off.
        keep_snapshots: How many snapshots of an aggregate stay, 1 or more.
        serializer: What snapshots are encoded with: a serializer, or the name of an installed one.
        transformers: Applied to the bytes after it. Give those of the event store's codec if it
            encrypts: a snapshot holds what the events hold.

    Raises:
        TypeError: The class is not one of aggregates, or an option of another type.
        ValueError: A number below 1.
        UnknownPluginError: No installed plugin offers a name.
    """

    def __init__(  # noqa: PLR0913 - two parts, and the options of the second one by keyword
        self,
        store: EventStore,
        aggregate_class: type[A],
        *,
        snapshot_store: SnapshotStore | None = None,
        snapshot_frequency: int | SnapshotPolicy | None = 100,
        keep_snapshots: int = 2,
        serializer: Serializer | str = "json",
        transformers: Sequence[Transformer | str] = (),
    ) -> None:
        given: object = aggregate_class
        if not (isinstance(given, type) and issubclass(given, Aggregate)):
            message = f"a repository takes a class of aggregates, got {given!r}"
            raise TypeError(message)
        self._store = store
        self._class = aggregate_class
        self._reader = StreamReader(store)
        self._snapshots: Snapshots[A] | None = None
        policy = None if snapshot_frequency is None else policy_of(snapshot_frequency)
        _check_keep(keep_snapshots)  # both also where there is no snapshot store: it may come
        if snapshot_store is not None and policy is not None:
            self._snapshots = Snapshots(
                aggregate_class,
                snapshot_store,
                self._reader,
                policy=policy,
                keep=keep_snapshots,
                pipeline=Pipeline.of(serializer, transformers),
            )

    async def load(self, id: str, *, at_version: int | None = None) -> A:  # noqa: A002 - the word of the domain
        """Rebuild an aggregate from its events; a new one (version 0) if there are none.

        Args:
            id: The aggregate's id, without the category.
            at_version: Rebuild it as it was at that version.

        Raises:
            ValueError: If ``at_version`` is below 1, or was not reached yet.
            InvalidStreamIdError: If the id cannot be part of a stream id.
            SerializationError: If an event cannot be read; it says which.
            StorageError: If the store fails, or holds the stream with a hole.
        """
        if at_version is not None and at_version < 1:
            message = f"at_version must be 1 or more, got {at_version}"
            raise ValueError(message)
        started = perf_counter()
        aggregate = self._class(id)
        if self._snapshots is None:
            await self._reader.replay(aggregate, at_version)
        elif not await self._snapshots.load(aggregate, at_version):
            aggregate = self._class(id)  # a snapshot that was given up may have left its traces
            await self._reader.replay(aggregate, at_version)
        version = aggregate.version
        if at_version is not None and version < at_version:
            message = (
                f"{aggregate.stream_id!r} is at version {version}, {at_version} was not reached yet"
            )
            raise ValueError(message)
        stored_as(aggregate).load_seconds = perf_counter() - started
        return aggregate

    async def save(self, aggregate: A) -> int:
        """Append the pending events; give the version of the stream.

        The pending events are cleared when they are stored, and kept when anything fails: saving
        again is then safe, also if the first attempt did reach the store. If a snapshot is due, it
        is taken after that; its failure is logged, and never raised. A save that is cancelled
        while it takes one, by a timeout say, has stored the events: none are pending any more.

        Raises:
            ConcurrencyError: If somebody saved the aggregate since it was loaded.
            SerializationError: If an event cannot be stored; nothing is.
            StorageError: If the store fails.
        """
        self._check_class(aggregate)
        pending, in_doubt = aggregate.pending_events, stored_as(aggregate).in_doubt
        version = aggregate.version
        before = version - len(pending)
        # What may have reached the store is repeated as it was, and the rest comes after it.
        for batch in (pending[:in_doubt], pending[in_doubt:]):
            if batch:
                version = (await self._append(aggregate, batch)).version
        if pending and self._snapshots is not None:
            await self._snapshots.after_save(aggregate, before, version)
        return version

    async def _append(self, aggregate: A, batch: tuple[Event[Any], ...]) -> AppendResult:
        expected = aggregate.version - len(aggregate.pending_events)
        try:
            result = await self._store.append(aggregate.stream_id, batch, expected_version=expected)
        except (StorageError, asyncio.CancelledError):
            stored_as(aggregate).in_doubt = len(batch)
            raise
        aggregate.clear_pending(batch)
        stored = stored_as(aggregate)
        # Else its state holds events that were given up, or lacks some: nobody knows of which.
        is_known = stored.version == expected
        stored.version = result.version if is_known else UNKNOWN
        stored.event_id = batch[-1].raw_event_id
        return result

    async def update(
        self,
        id: str,  # noqa: A002 - the word of the domain
        change: Callable[[A], object],
        *,
        attempts: int = 1,
    ) -> A:
        """Load, change and save, again from the start when somebody else was faster.

        Args:
            id: The aggregate's id.
            change: Gives commands to the aggregate; may be a coroutine function. It is called
                once per attempt, each time with a freshly loaded aggregate.
            attempts: How often to try at the most.

        Returns:
            The aggregate as saved.

        Raises:
            ConcurrencyError: If the last attempt met a conflict, too.
            ValueError: If ``attempts`` is below 1.
        """
        if attempts < 1:
            message = f"attempts must be 1 or more, got {attempts}"
            raise ValueError(message)
        while True:
            attempts -= 1
            aggregate = await self.load(id)
            outcome = change(aggregate)
            if inspect.isawaitable(outcome):
                await outcome
            try:
                await self.save(aggregate)
            except ConcurrencyError:
                if not attempts:
                    raise
            else:
                return aggregate

    async def take_snapshot(self, aggregate: A) -> None:
        """Take a snapshot of an aggregate as it is, whatever the policy says.

        Of its snapshots the newest ``keep_snapshots`` stay: where there are as many of later
        versions, one that was loaded with ``at_version`` leaves none.

        Raises:
            ValueError: It has no events, or some that are not saved; or the repository has no
                snapshots.
            SnapshotError: Its state cannot be stored; says which attribute, and what to do.
            TransformError: A transformer failed.
            StorageError: The snapshot store failed.
        """
        self._check_class(aggregate)
        await self._with_snapshots().take(aggregate)

    async def verify(self, id: str) -> SnapshotReport:  # noqa: A002 - the word of the domain
        """Compare an aggregate's newest snapshot with the events that it was made of.

        All events up to the snapshot are replayed, in constant memory: for tests, and for a sample
        of the aggregates in production. The report names the attributes that differ. A difference
        has one of these causes:

        - ``apply`` or ``__init__`` was changed without raising ``state_version``;
        - ``apply`` is not deterministic, or reads a cached property of what it changes;
        - the state was changed outside ``apply``, or shared with a payload or its caller;
        - ``snapshot_state`` and ``restore_state`` lose something.

        Where there was nothing to compare, the report's ``version`` is None.

        Raises:
            ValueError: The repository has no snapshots.
            SerializationError: An event cannot be read.
            StorageError: A store failed.
        """
        return await self._with_snapshots().verify(self._class(id), self._class(id))

    def _with_snapshots(self) -> Snapshots[A]:
        if self._snapshots is None:
            message = (
                f"this repository of {self._class.__name__} has no snapshots: give it a "
                "snapshot_store, and a snapshot_frequency (OnDemand() for none by itself)"
            )
            raise ValueError(message)
        return self._snapshots

    def _check_class(self, aggregate: A) -> None:
        if not isinstance(aggregate, self._class):
            message = f"this repository keeps {self._class.__name__}, got {aggregate!r}"
            raise TypeError(message)


def _check_keep(keep: object) -> None:
    if type(keep) is not int:
        message = f"keep_snapshots is an int, got {keep!r}"
        raise TypeError(message)
    if keep < 1:
        message = f"keep_snapshots must be 1 or more, got {keep}"
        raise ValueError(message)
