"""Checking a store: whether the code of today reads what is in it."""

# Data without types is this module's trade: its Anys are meant.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eventsourcing_core._encoding.all_streams import Reading
from eventsourcing_core._encoding.pipeline import Pipeline, pipeline_named
from eventsourcing_core._encoding.refusals import no_class
from eventsourcing_core._errors import said_of, shortened
from eventsourcing_core._events.chains import described_chain
from eventsourcing_core._names import is_name
from eventsourcing_core._payloads.converter import Compiler, compile_conversion, fields_of
from eventsourcing_core.evolution._layouts.describing import layout_of
from eventsourcing_core.evolution._unknown import unknown_fields
from eventsourcing_core.stores._rows import Columns, Place, RowQuery

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core._events.event_types import EventTypes
    from eventsourcing_core.stores._rows import Row

_PLACES = 64
"""At how many places of the store a sample is taken."""


@dataclass(slots=True)
class TypeCheck:
    """What was found of one event type."""

    event_type: str
    """Its stored name."""
    has_class: bool
    """Whether a class is registered; else its events are read as dicts, or through upcasters."""
    chain: str = ""
    """Through which names upcasters lead, from it on, as ``'a' → 'b' → 'c'``; empty: there are
    none."""
    decoded: int = 0
    """How many events were read."""
    failed: int = 0
    """How many could not be."""
    unknown_fields: Counter[str] = field(default_factory=Counter[str])
    """Fields that are stored and that no class has, as ``Opened.colour``; in how many events."""
    first_failure: Place | None = None
    """Where the first event stands that cannot be read."""
    field: str = ""
    """The field of it that cannot be read; empty if it is none in particular."""
    reason: str = ""
    """Why it cannot be read."""


_Way = tuple[TypeCheck, Callable[[Any], object], Callable[[Any], Collection[str]]]
"""Where a type's events are counted, what reads them, and what names their unknown fields."""


async def check_store(
    store: StorageEventStore,
    event_types: EventTypes,
    *,
    sample: int | None = None,
    on_position: Callable[[int], None] = lambda _: None,
) -> list[TypeCheck]:
    """Read the events of a store with the classes of a registry, and count what comes of it.

    An event that cannot be read is counted, and the next one is read.

    Args:
        store: Any; its own registry is not used.
        event_types: The registry of today.
        sample: Read only so many events, from places all over the store; None: all.
        on_position: Told after each page how far it is.

    Returns:
        What was found, by type, sorted by name.

    Raises:
        StorageError: The store cannot be read.
        ValueError: The upcasters go in a circle, or end without a class.
    """
    event_types.check_upcasters()
    checker = _Checker(event_types, store.codec)
    async for rows in _pages(store, sample):
        checker.check(rows)
        if rows:
            on_position(rows[-1].position)
    return [checker.found[name] for name in sorted(checker.found)]


async def stored_rows(
    store: StorageEventStore,
    *,
    after_position: int = 0,
    event_types: Collection[str] | None = None,
    stream_prefix: str | None = None,
) -> AsyncGenerator[Sequence[Row], None]:
    """Give the rows of all streams as they are stored, by position, a page at a time.

    Args:
        store: Where they are.
        after_position: They come after this one.
        event_types: The stored names of their types; None: all.
        stream_prefix: How the ids of their streams begin; None: anyhow.

    Raises:
        StorageError: The store cannot be read.
    """
    prefix = stream_prefix or ""
    if prefix and not is_name(prefix):  # no stream begins so
        return
    types = None if event_types is None else frozenset(filter(is_name, event_types))
    async for page in store.pages(Reading(after_position, RowQuery(types, prefix))):
        yield page.rows


async def _pages(store: StorageEventStore, sample: int | None) -> AsyncIterator[Sequence[Row]]:
    if sample is None:
        async for page in store.pages(Reading(0, RowQuery())):
            yield page.rows
        return
    last, after, taken = await store.last_position(), 0, 0
    places = min(_PLACES, sample)
    for place in range(places):
        after = max(after, last * place // places)
        limit = sample * (place + 1) // places - taken
        async for page in store.pages(Reading(after, RowQuery(), limit=limit)):
            yield page.rows
            taken += len(page.rows)
            after = page.rows[-1].position if page.rows else after


class _Checker:
    """Counts what is read.

    Args:
        event_types: The registry of today.
        codec: Finds what made the bytes.
    """

    def __init__(self, event_types: EventTypes, codec: Any) -> None:
        self._event_types = event_types
        self._pipeline = Pipeline(codec.serializer, codec.transformers, None)
        self._readers: dict[str, Callable[[bytes], object]] = {}
        self._ways: dict[str, _Way] = {}
        self.found: dict[str, TypeCheck] = {}

    def check(self, rows: Sequence[Row]) -> None:
        """Read rows."""
        ways, readers = self._ways, self._readers
        values = rows.values() if isinstance(rows, Columns) else rows
        for stream_id, version, position, event_type, data, metadata, encoding, _, _, _ in values:
            found, decode, unknown = ways.get(event_type) or self._way(event_type)
            tree: Any = None
            try:
                read = readers.get(encoding) or self._reader(encoding)
                tree = read(data)
                decode(tree)
                if metadata is not None:
                    read(metadata)
            except Exception as error:  # noqa: BLE001 - damaged bytes raise anything
                found.failed += 1
                if found.first_failure is None:
                    found.first_failure = Place(stream_id, version, position)
                    found.field, found.reason = self._why(event_type, tree, error)
                continue
            found.decoded += 1
            names = unknown(tree)
            if names:
                found.unknown_fields.update(names)

    def _way(self, event_type: str) -> _Way:
        """Prepare what reads the events of a type."""
        cls = self._event_types.classes.get(event_type)
        upcasters = self._event_types.upcasters
        found = TypeCheck(event_type, cls is not None)
        if event_type in upcasters:
            found.chain = described_chain(event_type, upcasters)
            way: _Way = (found, self._event_types.chains[event_type], _nothing_unknown)
        elif cls is None:
            way = (found, self._no_class(event_type), _nothing_unknown)
        else:
            decode = compile_conversion(cls).decode  # tells the log nothing: it is told here
            way = (found, decode, unknown_fields(layout_of(cls)))
        self._ways[event_type] = way
        self.found[event_type] = found
        return way

    def _no_class(self, event_type: str) -> Callable[[Any], object]:
        if not self._event_types.strict:
            return _as_dict

        def refuse(_: object) -> object:
            raise no_class(event_type)

        return refuse

    def _reader(self, encoding: str) -> Callable[[bytes], object]:
        read = pipeline_named(encoding, self._pipeline).read
        self._readers[encoding] = read
        return read

    def _why(self, event_type: str, tree: Any, error: Exception) -> tuple[str, str]:
        """Find the field at fault: the first one that cannot be read by itself."""
        cls = self._event_types.classes.get(event_type)
        if cls is not None and isinstance(tree, dict):
            for name, hint, _ in fields_of(cls, cls.__name__):
                where = f"{cls.__name__}.{name}"
                try:
                    if name in tree:
                        Compiler().conversion(hint, where).decode(tree[name])
                except Exception:  # noqa: BLE001 - as above
                    return where, said_of(error)
            if isinstance(error, KeyError):
                name = str(error.args[0])
                where = f"{cls.__name__}.{shortened(name)}"
                return where, "it is missing, and has no default"
        return "", said_of(error)


def _as_dict(tree: object) -> None:
    if type(tree) is not dict:
        message = f"expected a dict, found {type(tree).__name__}"
        raise TypeError(message)


def _nothing_unknown(_: object) -> tuple[str, ...]:
    return ()
