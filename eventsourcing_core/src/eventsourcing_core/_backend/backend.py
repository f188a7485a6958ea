"""Backends: what one URL opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._aggregates.decider import Decider
from eventsourcing_core._decisions.decision import DeciderDecision, Decision, opened
from eventsourcing_core._encoding.front import MAX_WAITING, StorageEventStore
from eventsourcing_core._errors import StorageError
from eventsourcing_core._projections.projections import Projections
from eventsourcing_core._projections.projector import Projector
from eventsourcing_core._projections.view_reader import ViewReader
from eventsourcing_core._repositories.decider import DeciderRepository
from eventsourcing_core._repositories.repository import Repository
from eventsourcing_core._repositories.together import save_together

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._encoding.transaction import Transaction
    from eventsourcing_core._projections.kinds import Projection, Reactor, View
    from eventsourcing_core._repositories.saving import Saved
    from eventsourcing_core._snapshots.policy import SnapshotPolicy
    from eventsourcing_core.stores._boundaries.words import Query
    from eventsourcing_core.stores._projection_store import ProjectionStore
    from eventsourcing_core.stores._snapshot_store import SnapshotStore
    from eventsourcing_core.stores._storage import Parts

A = TypeVar("A", bound=Aggregate)
C = TypeVar("C")
E = TypeVar("E")
S = TypeVar("S")
V = TypeVar("V")
P = TypeVar("P")


class Backend:
    """Stores that live together: in one process's memory, one file, one connection pool.

    ``open_backend`` gives one by URL.

    Args:
        name: The URL scheme, for messages.
        codec: What its stores encode with.
        parts: What a plugin has opened.
        max_waiting: How many appends may wait to be written; one more is refused.
    """

    def __init__(
        self,
        name: str,
        codec: EventCodec,
        parts: Parts,
        *,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.name: str = name
        self.codec: EventCodec = codec
        self._event_store = (
            None
            if parts.storage is None
            else StorageEventStore(parts, codec, max_waiting=max_waiting)
        )
        self._snapshot_store = parts.snapshot_store
        self._projection_store = parts.projection_store
        self._projections: Projections | None = None

    @property
    def event_store(self) -> StorageEventStore:
        """The event store.

        Raises:
            StorageError: The backend has none.
        """
        return self._part(self._event_store, "event store")

    @property
    def snapshot_store(self) -> SnapshotStore:
        """The snapshot store.

        Raises:
            StorageError: The backend has none.
        """
        return self._part(self._snapshot_store, "snapshot store")

    @property
    def projections(self) -> Projections:
        """The projections that follow this backend's events: their status, and what to do.

        Raises:
            StorageError: The backend has no event store, or keeps no projections.
        """
        if self._projections is None:
            self._projections = Projections(self.event_store, self.projection_store)
        return self._projections

    @property
    def projection_store(self) -> ProjectionStore:
        """The projection store, for tools and for tests of it.

        Raises:
            StorageError: The backend has none.
        """
        return self._part(self._projection_store, "projection store")

    def projector(  # noqa: PLR0913 - the options that users give, all by keyword
        self,
        followers: Iterable[View[Any] | Projection[Any] | Reactor],
        *,
        on: Backend | None = None,
        segments: int = 8,
        max_segments: int | None = None,
        lease: float = 15.0,
        attempts: int = 5,
        retry_pause: float = 0.5,
    ) -> Projector:
        """Run views, projections and reactors for as long as the block is open.

        For example, in any number of processes::

            async with backend.projector([CustomerOrders(), Mailer()]) as projector:
                saved = await orders.save(order)
                await projector.wait_for(saved, "customer-orders", timeout=2)

        Args:
            followers: What to run.
            on: The backend in whose database they are; unless given, this one.
            segments: See ``Projector``; so below.
            max_segments: How many it takes of each, at most.
            lease: Seconds until others go on after it was killed.
            attempts: How often an event is tried.
            retry_pause: Seconds until the second try.

        Raises:
            TypeError: Something is no view, projection or reactor, or a handler is not what it
                must be.
            ValueError: A name, a version, an index or a number cannot be.
            ProjectionError: Two have one name and version; or, on entering, one is registered as
                something else.
            SerializationError: The values of a view cannot be stored.
            StorageError: The backend keeps no projections; or, on entering, it failed.
        """
        return Projector(
            followers,
            self.event_store,
            (self if on is None else on).projection_store,
            segments=segments,
            max_segments=max_segments,
            lease=lease,
            attempts=attempts,
            retry_pause=retry_pause,
        )

    def view(self, view: type[View[V]]) -> ViewReader[V]:
        """Give the values of a view that is in this backend's database.

        Raises:
            StorageError: The backend keeps no projections.
        """
        return ViewReader(view, self.projection_store)

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction: what is saved in it is stored together, or not at all.

        For example::

            async with backend.transaction() as transaction:
                await orders.save(order, transaction=transaction)
                await stocks.save(stock, transaction=transaction)

        See ``StorageEventStore.transaction``.

        Raises:
            StorageError: The backend has no event store, or no transactions.
        """
        return self.event_store.transaction()

    async def save_together(
        self, aggregates: Iterable[Aggregate], *, transaction: Transaction | None = None
    ) -> list[Saved]:
        """Save several aggregates, of one class or of several: all of them, or none.

        For example::

            await backend.save_together([order, stock_a, stock_b])

        It is one append, so nobody sees a part of it. The streams are locked in one order, whatever
        the order of the list. An aggregate that has no pending events is not written, and has to be
        as it was loaded: give those that were only read, too, if the decision depends on them.

        Pending events are cleared when they are stored, and kept when anything fails: saving the
        same aggregates again is then safe, also if the first attempt did reach the store. After
        that snapshots are taken where they are due, as the repository does that has loaded the
        aggregate. One that was loaded by none gets no snapshot now. What repositories keep in
        memory is read again as after any other save.

        With ``transaction`` the events are stored when it commits, as with ``Repository.save``.

        Args:
            aggregates: What to save, each once. If none of them has pending events, nothing is
                done, and nothing is checked.
            transaction: Save in this transaction.

        Returns:
            For each aggregate, in the order given, the place of its last stored event.

        Raises:
            ConcurrencyError: Somebody has saved one of them since it was loaded; ``stream_id``
                tells which. Nothing is stored.
            SerializationError: An event cannot be stored; nothing is.
            StorageError: If the store fails, or cannot write to several streams at once.
            TypeError: Something is no aggregate.
            UnknownEventTypeError: As for ``Repository.save``.
            ValueError: There is no aggregate, or one comes twice; or the transaction is of another
                backend.
        """
        return await save_together(self.event_store, aggregates, transaction)

    @overload
    def decide(
        self,
        query: Query,
        subject: Decider[C, E, S],
        *,
        stream_id: str,
        attempts: int = ...,
        hold: str | None = ...,
    ) -> AbstractAsyncContextManager[DeciderDecision[C, E, S]]: ...
    @overload
    def decide(
        self,
        query: Query,
        subject: type[A],
        *,
        stream_id: str,
        attempts: int = ...,
        hold: str | None = ...,
    ) -> AbstractAsyncContextManager[Decision[A]]: ...
    def decide(
        self,
        query: Query,
        subject: Decider[C, E, S] | type[A],
        *,
        stream_id: str,
        attempts: int = 3,
        hold: str | None = None,
    ) -> AbstractAsyncContextManager[DeciderDecision[C, E, S] | Decision[A]]:
        """Decide by the events that match a query, of whatever streams they are.

        On entering the block they are read, and become a state. What is decided in it is stored if
        no other event that matches has come meanwhile. If one has, it is applied, and the command
        is decided again. For example::

            query = Query(tags={"course:c1"}) | Query(tags={"student:s9"})
            async with backend.decide(query, subscriptions, stream_id="course-c1") as decision:
                await decision.decide(Subscribe("c1", "s9"))

        Args:
            query: What the decision depends on.
            subject: A decider; or a class of aggregates, for ``decision.update``. The id of such an
                aggregate is what follows the category in the stream id, or all of it.
            stream_id: The stream that gets the events, whatever its version is: it is only where
                they are kept. The query decides by tags and types who reads them.
            attempts: How often a command is decided at the most.
            hold: A tag that is held until the block is left, for a boundary that many want at the
                same time: they wait for each other then, and lose no attempt. See
                ``StorageEventStore.hold``.

        Raises:
            InvalidStreamIdError: The stream id is none.
            TypeError: The subject is neither a decider nor a class of aggregates.
            ValueError: ``attempts`` is below 1.
            StorageError: On entering the block: the store failed, or has no boundaries.
        """
        store = self.event_store
        if isinstance(subject, Decider):
            decided = DeciderDecision(
                store, query, subject.aggregate_class, stream_id=stream_id, attempts=attempts
            )
            return opened(decided, store, hold)
        return opened(
            Decision(store, query, subject, stream_id=stream_id, attempts=attempts), store, hold
        )

    @overload
    def repository(
        self,
        aggregate_class: type[A],
        *,
        snapshot_frequency: int | SnapshotPolicy | None = ...,
        keep_snapshots: int = ...,
        snapshot_store: SnapshotStore | None = ...,
        cache: int | None = ...,
    ) -> Repository[A]: ...
    @overload
    def repository(
        self,
        aggregate_class: Decider[C, E, S],
        *,
        snapshot_frequency: int | SnapshotPolicy | None = ...,
        keep_snapshots: int = ...,
        snapshot_store: SnapshotStore | None = ...,
        cache: int | None = ...,
    ) -> DeciderRepository[C, E, S]: ...
    def repository(
        self,
        aggregate_class: type[A] | Decider[C, E, S],
        *,
        snapshot_frequency: int | SnapshotPolicy | None = 100,
        keep_snapshots: int = 2,
        snapshot_store: SnapshotStore | None = None,
        cache: int | None = None,
    ) -> Repository[A] | DeciderRepository[C, E, S]:
        """Give the repository of an aggregate class or a decider, on this backend's stores.

        Snapshots are encoded as events are, transformers included.

        Args:
            aggregate_class: The class of the aggregates; or a decider.
            snapshot_frequency: See ``Repository``; None switches snapshots off.
            keep_snapshots: See ``Repository``.
            snapshot_store: Where snapshots are; unless given, in the backend's own snapshot store,
                if it has one.
            cache: How many aggregates to keep in memory, 1 or more, and let those who update one
                take turns; see ``Repository``. None keeps nothing.

        Raises:
            StorageError: The backend has no event store.
            TypeError: A number that is not an ``int``.
            ValueError: A number below 1.
        """
        options: dict[str, Any] = {
            "snapshot_store": self._snapshot_store if snapshot_store is None else snapshot_store,
            "snapshot_frequency": snapshot_frequency,
            "keep_snapshots": keep_snapshots,
            "serializer": self.codec.serializer,
            "transformers": self.codec.transformers,
            "cache": cache,
        }
        if isinstance(aggregate_class, Decider):
            decided = aggregate_class.aggregate_class
            return DeciderRepository(self.event_store, decided, **options)
        return Repository(self.event_store, aggregate_class, **options)

    async def close(self) -> None:
        """Close the event store; ``open_backend`` does it when its block is left."""
        if self._event_store is not None:
            await self._event_store.close()

    def _part(self, part: P | None, what: str) -> P:
        if part is None:
            message = f"the backend {self.name!r} has no {what}: open another backend for it"
            raise StorageError(message)
        return part
