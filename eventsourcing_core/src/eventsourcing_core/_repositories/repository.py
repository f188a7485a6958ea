"""Repositories: load an aggregate, let it decide, save what it recorded."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Generic, TypeVar

from eventsourcing_core._aggregates.aggregate import Aggregate, use_event_ids
from eventsourcing_core._aggregates.known_types import check_known
from eventsourcing_core._aggregates.notebook import stored_as
from eventsourcing_core._encoding.pipeline import Pipeline
from eventsourcing_core._encoding.transaction import transaction_given
from eventsourcing_core._errors import AggregateNotFoundError, ConcurrencyError, shown
from eventsourcing_core._repositories.cache import Cache
from eventsourcing_core._repositories.checks import check_class, check_reached, check_savable
from eventsourcing_core._repositories.command import (
    check_callable,
    check_unique_ids,
    confirm,
    event_ids_of,
    holds_as_they_are,
    pause,
)
from eventsourcing_core._repositories.deciding import refuse_coroutine_function
from eventsourcing_core._repositories.loading import Loading
from eventsourcing_core._repositories.saving import (
    Saved,
    save_pending,
    saving_inside,
    take_if_due,
)
from eventsourcing_core._repositories.turns import Turns
from eventsourcing_core._snapshots.kind import AggregateKind
from eventsourcing_core._snapshots.policy import policy_of
from eventsourcing_core._snapshots.snapshots import Snapshots
from eventsourcing_core.stores._checks import check_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from eventsourcing_core._encoding.transaction import Transaction
    from eventsourcing_core._payloads.serializer import Serializer, Transformer
    from eventsourcing_core._snapshots.policy import SnapshotPolicy
    from eventsourcing_core._snapshots.verification import SnapshotReport
    from eventsourcing_core.stores._event_store import EventStore
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
        cache: How many aggregates to keep in memory, 1 or more: those used last. Loading one reads
            only what came after it was kept, and those who ``update`` one take turns and share
            appends. None keeps nothing.

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
        cache: int | None = None,
    ) -> None:
        given: object = aggregate_class
        if not (isinstance(given, type) and issubclass(given, Aggregate)):
            message = (
                f"a repository takes a class of aggregates, got {shown(given)}; a decider's is its "
                "aggregate_class"
            )
            raise TypeError(message)
        self._store = store
        self._class = aggregate_class
        kind = AggregateKind(aggregate_class)
        self._snapshots: Snapshots[A] | None = None
        policy = None if snapshot_frequency is None else policy_of(snapshot_frequency)
        # Both are checked also where there is no snapshot store: it may come.
        check_whole("keep_snapshots", keep_snapshots, lowest=1)
        if snapshot_store is not None and policy is not None:
            self._snapshots = Snapshots(
                kind,
                snapshot_store,
                policy=policy,
                keep=keep_snapshots,
                pipeline=Pipeline.of(serializer, transformers),
            )
        self._loading = Loading(store, aggregate_class, kind, self._snapshots)
        check_whole("cache", cache, lowest=1, may_be_none=True)
        self._cache: Cache[A] | None = None
        if cache is not None:
            self._cache = Cache(aggregate_class, self._loading, cache)
            self._turns = Turns(store, self._cache, self._snapshots)

    async def load(
        self,
        id: str,  # noqa: A002 - the word of the domain
        *,
        at_version: int | None = None,
        transaction: Transaction | None = None,
    ) -> A:
        """Rebuild an aggregate from its events; a new one (version 0) if there are none.

        Args:
            id: The aggregate's id, without the category.
            at_version: Rebuild it as it was at that version.
            transaction: Read in this transaction, what was saved in it included.

        Raises:
            ValueError: If ``at_version`` is below 1, or was not reached yet; or the transaction is
                of another backend.
            InvalidStreamIdError: If the id cannot be part of a stream id.
            SerializationError: If an event cannot be read; it says which.
            StorageError: If the store fails, or an event is missing: it was deleted by hand, or
                lost. Where the last ones are missing, that is found out by the next save.
        """
        aggregate = await self._load(id, at_version, transaction)
        check_reached(aggregate, at_version)
        return aggregate

    async def get(
        self,
        id: str,  # noqa: A002 - the word of the domain
        *,
        at_version: int | None = None,
        transaction: Transaction | None = None,
    ) -> A:
        """Rebuild an aggregate that must be there; see ``load``.

        Raises:
            AggregateNotFoundError: It has no events.
        """
        aggregate = await self._load(id, at_version, transaction)
        if not aggregate.version:
            raise AggregateNotFoundError(aggregate.stream_id)
        check_reached(aggregate, at_version)
        return aggregate

    async def _load(
        self,
        id: str,  # noqa: A002 - the word of the domain
        at_version: int | None,
        transaction: Transaction | None,
    ) -> A:
        if self._cache is None or at_version is not None or transaction is not None:
            return await self._loading.load(id, at_version, transaction)
        return await self._cache.load(id)

    async def exists(self, id: str, *, transaction: Transaction | None = None) -> bool:  # noqa: A002 - the word of the domain
        """Tell whether an aggregate has events; it is not loaded."""
        events = self._loading.source(transaction).events
        return await events.stream_version(self._class(id).stream_id) > 0

    async def save(self, aggregate: A, *, transaction: Transaction | None = None) -> Saved:
        """Append the pending events; give the place of the last stored event.

        The pending events are cleared when they are stored, and kept when anything fails: saving
        again is then safe, also if the first attempt did reach the store. If a snapshot is due, it
        is taken after that; its failure is logged, and never raised. A save that is cancelled
        while it takes one, by a timeout say, has stored the events: none are pending any more.

        With ``transaction`` the events are stored when it commits. Only then they are cleared, and
        a snapshot is taken. After a rollback they are pending as before.

        Raises:
            ConcurrencyError: If somebody saved the aggregate since it was loaded.
            SerializationError: If an event cannot be stored; nothing is.
            StorageError: If the store fails.
            TypeError: It is not of the repository's class, or of one below it with other streams.
            UnknownEventTypeError: Its stream has an event of a type that this program does not
                know; see ``Aggregate.ignores``. Nothing is stored.
            ValueError: The transaction is of another backend.
        """
        check_class(aggregate, self._class)
        check_savable(aggregate, self._class)
        if transaction is not None:
            transaction_given(transaction).check_is_of(self._store)
            return await saving_inside(aggregate, transaction, self._snapshots).save()

        pending = aggregate.pending_events
        before = aggregate.version - len(pending)
        saved = await save_pending(self._store, aggregate)
        if pending and self._snapshots is not None:
            await take_if_due(self._snapshots, aggregate, before, saved.version)
        return saved

    def saved(self, aggregate: A) -> Saved:
        """Give the place of the last stored event of an aggregate that was loaded or saved here.

        Readers that follow the log have seen the save once they are at its position. Both are 0
        where nothing is stored yet.
        """
        check_class(aggregate, self._class)
        stored = stored_as(aggregate)
        return Saved(aggregate.version - len(aggregate.pending_events), stored.position)

    async def update(
        self,
        id: str,  # noqa: A002 - the word of the domain
        change: Callable[[A], object],
        *,
        attempts: int = 3,
        command_id: UUID | str | None = None,
    ) -> A:
        """Load, change and save, again from the start when somebody else was faster.

        With ``command_id`` the ids of the events follow from it. So a command that is repeated,
        by whoever and whenever, is stored once: its events are found, and the aggregate is given
        as it is now.

        With a cache, those who update one aggregate take turns. The commands that wait are decided
        one after the other on one state, and appended as one. Each caller gets its own result, or
        its own refusal. A caller that is cancelled while its command waits has not done it; one
        whose command is being appended has.

        Args:
            id: The aggregate's id.
            change: Gives commands to the aggregate; may be a coroutine function, but not with a
                cache. It is called once per attempt, each time with an aggregate of its own (with a
                cache perhaps more often: where it was decided by what turned out to be old).
            attempts: How often to try at the most; between two tries there is a short pause.
            command_id: Identifies the command, for example the id of the message that brings it.

        Returns:
            The aggregate as saved; ``saved`` gives its place.

        Raises:
            ConcurrencyError: If the last attempt met a conflict, too.
            ValueError: If ``attempts`` is below 1, or ``command_id`` is empty.
            TypeError: With a cache, the command would have to be awaited, or the state cannot be
                copied.
            StoreBusyError: With a cache, too many commands are waiting; this one was not done.
            StorageError: With ``command_id``, the store does not keep event ids unique; or as for
                ``save``.
        """
        check_whole("attempts", attempts, lowest=1)
        check_callable(change)
        if command_id is not None:
            check_unique_ids(self._store)
        if self._cache is not None:
            return await self._update_in_turn(id, change, attempts, command_id)
        for attempt in range(1, attempts + 1):
            is_last = attempt == attempts
            try:
                return await self._try(id, change, command_id)
            except Exception as error:
                # What the command has done before may be why it cannot be done again. But after a
                # conflict the next try finds that out by itself.
                is_conflict = isinstance(error, ConcurrencyError)
                if is_conflict and not is_last:
                    await pause(attempt)
                    continue
                if command_id is None or not await self._holds(id, command_id):
                    raise
                return await self.load(id)
        raise AssertionError  # pragma: no cover - the loop returns or raises

    async def _update_in_turn(
        self,
        id: str,  # noqa: A002 - the word of the domain
        change: Callable[[A], object],
        attempts: int,
        command_id: UUID | str | None,
    ) -> A:
        refuse_coroutine_function(change)
        key = self._class(id).stream_id
        try:
            return await self._turns.update(key, id, change, attempts, command_id)
        except Exception:
            if command_id is None or not await self._holds(id, command_id):
                raise
            return await self.load(id)

    async def _try(
        self,
        id: str,  # noqa: A002 - the word of the domain
        change: Callable[[A], object],
        command_id: UUID | str | None,
    ) -> A:
        aggregate = await self.load(id)
        if command_id is not None:
            use_event_ids(aggregate, event_ids_of(aggregate.stream_id, command_id))
        outcome = change(aggregate)
        if inspect.isawaitable(outcome):
            await outcome
        if command_id is None:
            await self.save(aggregate)
            return aggregate

        check_savable(aggregate, self._class)
        pending = aggregate.pending_events
        before = aggregate.version - len(pending)
        saved = await save_pending(self._store, aggregate)
        use_event_ids(aggregate, None)
        if not pending:  # what the command has done before may be why there is nothing to do
            last = stored_as(aggregate).event_id
            await confirm(self._store, aggregate.stream_id, before, last)
        if not await holds_as_they_are(self._store, aggregate.stream_id, before, pending):
            aggregate = await self.load(id)
        if pending and self._snapshots is not None:
            await take_if_due(self._snapshots, aggregate, before, saved.version)
        return aggregate

    async def _holds(self, id: str, command_id: UUID | str) -> bool:  # noqa: A002 - the word of the domain
        """Tell whether the events of a command are in a stream, to stay; the newest ones first."""
        stream_id = self._class(id).stream_id
        first = next(event_ids_of(stream_id, command_id)).bytes
        last: tuple[int, bytes] | None = None
        async for event in self._store.read(stream_id, backward=True):
            last = last or (event.version, event.raw_event_id)
            if event.raw_event_id == first:
                await confirm(self._store, stream_id, *last)
                return True
        return False

    async def take_snapshot(self, aggregate: A) -> None:
        """Take a snapshot of an aggregate as it is, whatever the policy says.

        Of its snapshots the newest ``keep_snapshots`` stay: where there are as many of later
        versions, one that was loaded with ``at_version`` leaves none.

        Raises:
            ValueError: It has no events, or some that are not saved; or the repository has no
                snapshots.
            SnapshotError: Its state cannot be stored; says which attribute, and what to do.
            UnknownEventTypeError: As for ``save``.
            TransformError: A transformer failed.
            StorageError: The snapshot store failed.
        """
        check_class(aggregate, self._class)
        snapshots = self._with_snapshots()
        if aggregate.pending_events:
            message = f"{aggregate.stream_id!r} has events that are not saved: save it first"
            raise ValueError(message)
        if aggregate.version == 0:
            message = f"{aggregate.stream_id!r} has no events yet: there is nothing to snapshot"
            raise ValueError(message)
        check_known(aggregate, stored_as(aggregate), "put into a snapshot")
        await snapshots.take(
            aggregate, stored_as(aggregate), aggregate.stream_id, version=aggregate.version
        )

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
        stream_id = self._class(id).stream_id
        return await self._with_snapshots().verify(self._store, stream_id, lambda: self._class(id))

    def _with_snapshots(self) -> Snapshots[A]:
        if self._snapshots is None:
            message = (
                f"this repository of {self._class.__name__} has no snapshots: give it a "
                "snapshot_store, and a snapshot_frequency (OnDemand() for none by itself)"
            )
            raise ValueError(message)
        return self._snapshots
