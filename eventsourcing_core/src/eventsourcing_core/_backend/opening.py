"""Opening backends and migrators by their URLs."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from eventsourcing_core._backend.backend import Backend
from eventsourcing_core._discovery.opening import Opening, scheme_of
from eventsourcing_core._discovery.registry import backend_of, find_backend, find_migrator
from eventsourcing_core._encoding.codec import MAX_EVENT_BYTES, EventCodec
from eventsourcing_core._encoding.front import MAX_WAITING
from eventsourcing_core._errors import PluginError
from eventsourcing_core._events.event_types import EventTypes, default_event_types
from eventsourcing_core._inline.activation import activate
from eventsourcing_core._inline.inline_set import InlineSet
from eventsourcing_core.stores._builds import ProjectionKind
from eventsourcing_core.stores._storage import Parts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from eventsourcing_core._payloads.serializer import Serializer, Transformer
    from eventsourcing_core._projections.kinds import Projection, View
    from eventsourcing_core.stores._migrator import Migrator


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
