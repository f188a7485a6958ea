"""Backends: what one URL opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from eventsourcing_core._aggregates.aggregate import Aggregate
from eventsourcing_core._discovery.opening import Opening, scheme_of
from eventsourcing_core._discovery.options import gathered_options
from eventsourcing_core._discovery.registry import backend_of, find_backend, find_migrator
from eventsourcing_core._encoding.codec import MAX_EVENT_BYTES, EventCodec
from eventsourcing_core._errors import StorageError
from eventsourcing_core._events.event_types import EventTypes, default_event_types
from eventsourcing_core._repositories.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core._payloads.serializer import Serializer, Transformer
    from eventsourcing_core._snapshots.policy import SnapshotPolicy
    from eventsourcing_core.stores._event_store import EventStore
    from eventsourcing_core.stores._migrator import Migrator
    from eventsourcing_core.stores._snapshot_store import SnapshotStore

A = TypeVar("A", bound=Aggregate)


class Backend:
    """Stores that live together: in one process's memory, one file, one connection pool.

    ``open_backend`` gives one by URL; plugins build it.

    Args:
        name: The URL scheme, for messages.
        codec: What its stores encode with.
        event_store: The event store, if the backend has one.
        snapshot_store: The snapshot store, if the backend has one.
    """

    def __init__(
        self,
        name: str,
        codec: EventCodec,
        *,
        event_store: EventStore | None = None,
        snapshot_store: SnapshotStore | None = None,
    ) -> None:
        self.name: str = name
        self.codec: EventCodec = codec
        self._event_store = event_store
        self._snapshot_store = snapshot_store

    @property
    def event_store(self) -> EventStore:
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

    def repository(
        self,
        aggregate_class: type[A],
        *,
        snapshot_frequency: int | SnapshotPolicy | None = 100,
        keep_snapshots: int = 2,
        snapshot_store: SnapshotStore | None = None,
    ) -> Repository[A]:
        """Give the repository of an aggregate class, on this backend's stores.

        Snapshots are encoded as events are, transformers included.

        Args:
            aggregate_class: The class of the aggregates.
            snapshot_frequency: See ``Repository``; None switches snapshots off.
            keep_snapshots: See ``Repository``.
            snapshot_store: Where snapshots are; unless given, in the backend's own snapshot store,
                if it has one.

        Raises:
            StorageError: The backend has no event store.
            ValueError: A number below 1.
        """
        return Repository(
            self.event_store,
            aggregate_class,
            snapshot_store=self._snapshot_store if snapshot_store is None else snapshot_store,
            snapshot_frequency=snapshot_frequency,
            keep_snapshots=keep_snapshots,
            serializer=self.codec.serializer,
            transformers=self.codec.transformers,
        )

    def _part(self, part: P | None, what: str) -> P:
        if part is None:
            message = f"the backend {self.name!r} has no {what}: open another backend for it"
            raise StorageError(message)
        return part


P = TypeVar("P")


def open_backend(
    url: str,
    *,
    serializer: Serializer | str = "json",
    transformers: Sequence[Transformer | str] = (),
    event_types: EventTypes = default_event_types,
    max_event_bytes: int = MAX_EVENT_BYTES,
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
        options: The backend's own options; they win over those of the URL.

    Raises:
        UnknownPluginError: Nothing installed offers the scheme, or the serializer.
        PluginError: The plugin that does is broken, or two offer it.
        ValueError: The text is no URL, or an option does not exist or has no such value.
        TypeError: A keyword option is of another type.
        StorageError: On entering the block: the store cannot be opened.
    """
    factory = find_backend(scheme_of(url))
    given = gathered_options(factory, url, options)
    codec = EventCodec(
        serializer,
        transformers=transformers,
        event_types=event_types,
        max_event_bytes=max_event_bytes,
    )
    return Opening(factory(url.partition("?")[0], codec, **given), "backend")


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
    scheme = scheme_of(url)
    factory = find_migrator(scheme)
    given = gathered_options(factory, url, options, beside=backend_of(scheme))
    return Opening(factory(url.partition("?")[0], **given), "migrator")
