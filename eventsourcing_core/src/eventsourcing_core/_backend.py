"""Backends: what one URL opens."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, overload

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._aggregates.decider import Decider
from eventsourcing_core._discovery.opening import Opening, scheme_of
from eventsourcing_core._discovery.registry import backend_of, find_backend, find_migrator
from eventsourcing_core._encoding.codec import MAX_EVENT_BYTES, EventCodec
from eventsourcing_core._encoding.front import MAX_WAITING, StorageEventStore
from eventsourcing_core._errors import PluginError, StorageError
from eventsourcing_core._events.event_types import EventTypes, default_event_types
from eventsourcing_core._inline.activation import activate
from eventsourcing_core._inline.inline_set import InlineSet
from eventsourcing_core._projections.projections import Projections
from eventsourcing_core._projections.projector import Projector
from eventsourcing_core._projections.view_reader import ViewReader
from eventsourcing_core._repositories.decider import DeciderRepository
from eventsourcing_core._repositories.repository import Repository
from eventsourcing_core.stores._builds import ProjectionKind
from eventsourcing_core.stores._storage import Parts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from eventsourcing_core._encoding.transaction import Transaction
    from eventsourcing_core._payloads.serializer import Serializer, Transformer
    from eventsourcing_core._projections.kinds import Projection, Reactor, View
    from eventsourcing_core._snapshots.policy import SnapshotPolicy
    from eventsourcing_core.stores._migrator import Migrator
    from eventsourcing_core.stores._projection_store import ProjectionStore
    from eventsourcing_core.stores._snapshot_store import SnapshotStore

A = TypeVar("A", bound=Aggregate)
C = TypeVar("C")
E = TypeVar("E")
S = TypeVar("S")
V = TypeVar("V")


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


P = TypeVar("P")


def open_backend(  # noqa: PLR0913 - the options of every backend, all by keyword
    url: str,
    *,
    serializer: Serializer | str = "json",
    transformers: Sequence[Transformer | str] = (),
    event_types: EventTypes = default_event_types,
    max_event_bytes: int = MAX_EVENT_BYTES,
    max_waiting: int = MAX_WAITING,
    inline: Iterable[View[Any] | Projection[Any]] = (),
    **options: object,
) -> AbstractAsyncContextManager[Backend]:
    """Open the backend of a URL; leaving the ``async with`` block closes it.

    ``memory://`` is private, ``memory://name`` shared within the process; ``sqlite:///file.db``
    is a file beside the program, ``sqlite:////var/lib/file.db`` one at an absolute path.

    Args:
        url: ``scheme://…``; query parameters are options.
        serializer: What new events are written with: an object, or an installed one's name.
        transformers: Applied to the bytes after it.
        event_types: The registry of event classes.
        max_event_bytes: The largest event, data and metadata together, encoded.
        max_waiting: How many appends may wait to be written; one more raises ``StoreBusyError``.
        inline: Views and projections that each append applies its events to, in its own
            transaction. Every process that appends has to be opened with the same ones: the others
            get ``InlineMismatchError``. On entering the block, those that are not inline yet are
            brought up to the last event and made so, which may take long where the log is.
        options: The backend's own options; they win over those of the URL.

    Raises:
        UnknownPluginError: Nothing installed offers the scheme, or the serializer.
        PluginError: The plugin that does is broken, or two offer it.
        ValueError: The text is no URL, or an option does not exist or has no such value.
        TypeError: A keyword option is of another type; or something is neither a view nor a
            projection.
        ProjectionError: Something cannot be inline; also on entering the block.
        SerializationError: The values of a view cannot be stored.
        StorageError: On entering the block: the store cannot be opened, or applies nothing inline.
    """
    from eventsourcing_core._discovery.options import gathered_options  # noqa: PLC0415 - it takes longer to import than the core may take

    scheme = scheme_of(url)
    factory = find_backend(scheme)
    given = gathered_options(factory, url, options, arguments=open_backend.__kwdefaults__ or ())
    codec = EventCodec(
        serializer,
        transformers=transformers,
        event_types=event_types,
        max_event_bytes=max_event_bytes,
    )
    if max_waiting < 1:
        message = f"max_waiting must be 1 or more, got {max_waiting}"
        raise ValueError(message)
    inlined = InlineSet(inline, codec)
    parts = factory(url.partition("?")[0], **given)
    return Opening(_built_on(parts, scheme, codec, max_waiting, inlined), "backend")


@asynccontextmanager
async def _built_on(
    opening: AbstractAsyncContextManager[Parts],
    scheme: str,
    codec: EventCodec,
    max_waiting: int,
    inline: InlineSet,
) -> AsyncIterator[Backend]:
    """Build the stores on what a plugin opens, and close them before it closes that."""
    _check_given(scheme, opening, AbstractAsyncContextManager, "an async context manager")
    async with opening as parts:
        _check_given(scheme, parts, Parts, "eventsourcing_core.stores.Parts")
        # Two batches lock the keys of a view in one order. Statements of the user's keep none.
        are_views = all(kind is ProjectionKind.VIEW for kind in inline.builds.values())
        writes = parts.max_writes if are_views else 1
        backend = Backend(scheme, codec, replace(parts, max_writes=writes), max_waiting=max_waiting)
        try:
            if inline.builds:
                await activate(inline, backend.event_store, backend.projection_store)
            yield backend
        finally:
            await backend.close()


def _check_given(scheme: str, given: object, kind: type, wanted: str) -> None:
    if not isinstance(given, kind):
        message = (
            f"the plugin of the backend {scheme!r} gave {type(given).__name__}, not {wanted}: "
            "mend the plugin, or install its latest version"
        )
        raise PluginError(message)


def open_migrator(url: str, **options: object) -> AbstractAsyncContextManager[Migrator]:
    """Open the migrator of a URL; leaving the ``async with`` block closes it.

    It takes the URL of the application as it is: an option that only the backend of that scheme
    knows is passed over. ::

        async with open_migrator("postgresql://localhost/bank?schema=bank") as migrator:
            await migrator.migrate()

    Args:
        url: ``scheme://…``, as ``open_backend`` takes it; query parameters are options.
        options: The migrator's own options; they win over those of the URL.

    Raises:
        UnknownPluginError: Nothing installed offers the scheme, or its backend has no schema.
        PluginError: The plugin that does is broken, or two offer it.
        ValueError: The text is no URL, or an option does not exist or has no such value.
        TypeError: A keyword option is of another type.
        StorageError: On entering the block: the storage cannot be reached.
    """
    from eventsourcing_core._discovery.options import gathered_options  # noqa: PLC0415 - it takes longer to import than the core may take

    scheme = scheme_of(url)
    factory = find_migrator(scheme)
    given = gathered_options(factory, url, options, beside=backend_of(scheme))
    return Opening(factory(url.partition("?")[0], **given), "migrator")
