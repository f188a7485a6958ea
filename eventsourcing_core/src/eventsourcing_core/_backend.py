"""Backends: what one URL opens."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl

from eventsourcing_core._aggregate import Aggregate
from eventsourcing_core._codec import MAX_EVENT_BYTES, EventCodec
from eventsourcing_core._errors import StorageError
from eventsourcing_core._event_types import EventTypes, default_event_types
from eventsourcing_core._registry import find_backend
from eventsourcing_core._repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core._event_store import EventStore
    from eventsourcing_core._serializer import Serializer, Transformer
    from eventsourcing_core._snapshot_policy import SnapshotPolicy
    from eventsourcing_core._snapshot_store import SnapshotStore

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
        StorageError: On entering the block: the store cannot be opened.
    """
    if not isinstance(url, str):
        message = f"a backend URL is a str, got {type(url).__name__}"
        raise TypeError(message)
    scheme, separator, _ = url.partition(":")
    scheme = scheme.lower()
    if not separator or not scheme:
        shown = url.partition("@")[0] if "@" not in url else "…"
        message = f"not a backend URL: {shown!r}; it begins with a scheme, as sqlite:///file.db"
        raise ValueError(message)
    factory = find_backend(scheme)
    given = _checked_options(url, options, _options_of(factory))
    codec = EventCodec(
        serializer,
        transformers=transformers,
        event_types=event_types,
        max_event_bytes=max_event_bytes,
    )
    return factory(url.partition("?")[0], codec, **given)


def _options_of(factory: Callable[..., object]) -> dict[str, str]:
    """List the options of a factory, its keyword-only parameters, each with its type's name.

    Annotations are read as text: evaluating them would need names that plugins import for type
    checkers only.
    """
    return {
        parameter.name: inspect.formatannotation(parameter.annotation).strip("'").partition(" |")[0]
        for parameter in inspect.signature(factory).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    }


def _checked_options(
    url: str, options: Mapping[str, object], known: Mapping[str, str]
) -> dict[str, object]:
    """Gather the options of the URL and those beside it, which win; each must be known."""
    query = url.partition("?")[2].partition("#")[0]
    texts = dict(parse_qsl(query, keep_blank_values=True))
    for name in (*texts, *options):
        if name not in known:
            scheme = url.partition(":")[0].lower()
            listed = ", ".join(sorted(known)) or "none"
            message = f"the backend {scheme!r} has no option {name!r}; its options are: {listed}"
            raise ValueError(message)
    return {name: _converted(name, text, known) for name, text in texts.items()} | dict(options)


def _converted(name: str, text: str, known: Mapping[str, str]) -> object:
    """Turn a query parameter's text into the type that the option is annotated with."""
    try:
        return _FROM_TEXT[known[name]](text)
    except (ValueError, KeyError):
        message = f"the option {name!r} takes {known[name]}, got {text!r}"
        raise ValueError(message) from None


def _bool(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


_FROM_TEXT: Mapping[str, Callable[[str], object]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": _bool,
}
