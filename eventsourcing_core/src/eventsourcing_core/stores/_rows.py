"""What storages take and give: rows, pages of rows, and which of them are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple, cast, overload

if TYPE_CHECKING:
    from eventsourcing_core._events.event import Event
    from eventsourcing_core.stores._snapshot_store import Snapshot, SnapshotStore


class EncodedEvent(NamedTuple):
    """An event as storages keep it."""

    event_type: str
    """The stored name of its type."""
    data: bytes
    """The payload, encoded."""
    metadata: bytes | None
    """The metadata, encoded; None if there are none."""
    encoding: str
    """The names of what made the bytes: ``json``, ``msgpack``, ``msgpack+zstd``."""
    event_id: bytes
    """The 16 bytes of its UUID."""
    timestamp: int
    """Microseconds since 1970, in UTC."""
    tags: tuple[str, ...] | None = None
    """The tags, sorted, each once; None if there are none."""


class Place(NamedTuple):
    """Where an event stands."""

    stream_id: str
    """Its stream."""
    version: int
    """Its version in the stream."""
    position: int
    """Its position in the store."""


class Row(NamedTuple):
    """A stored event: its place, then the fields of its ``EncodedEvent``.

    A storage may give rows of a driver's own class, if they have these fields by position and by
    name.
    """

    stream_id: str
    """Its stream."""
    version: int
    """Its version in the stream: 1, 2, 3 …"""
    position: int
    """Its position in the store: strictly increasing, holes allowed."""
    event_type: str
    """See ``EncodedEvent``; so below."""
    data: bytes
    metadata: bytes | None
    encoding: str
    event_id: bytes
    timestamp: int
    tags: tuple[str, ...] | None = None


# Row._make without counting, which takes half as long.
_as_row = cast("Callable[[type[Row], tuple[Any, ...]], Row]", vars(tuple)["__new__"])


class Columns(Sequence[Row]):
    """Rows by the column, for storages that get them in a few large values.

    A storage may give a page in this form. A ``Row`` is made of it only for those who ask for
    one; the front checks and decodes the columns.

    Args:
        columns: The fields of ``Row``, each with its values for all rows. The last one, the tags,
            may be left out, or be None, if no row has any.
    """

    __slots__ = ("_columns",)

    def __init__(self, *columns: Sequence[Any] | None) -> None:
        *others, tags = columns if len(columns) == len(Row._fields) else (*columns, None)
        kept = cast("list[Sequence[Any]]", others)  # only the tags may be None
        if tags is None:
            tags = [None] * len(kept[0])
        self._columns: tuple[Sequence[Any], ...] = (*kept, tags)

    @property
    def versions(self) -> Sequence[int]:
        """The version of each row."""
        return self._columns[1]

    @property
    def positions(self) -> Sequence[int]:
        """The position of each row."""
        return self._columns[2]

    def values(self) -> Iterator[tuple[Any, ...]]:
        """Give the fields of each row, and make no ``Row``."""
        return zip(*self._columns, strict=True)

    def __len__(self) -> int:
        return len(self._columns[0])

    def __iter__(self) -> Iterator[Row]:
        return map(_as_row, repeat(Row), self.values())

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Columns: ...
    def __getitem__(self, place: int | slice) -> Row | Columns:
        found = [column[place] for column in self._columns]
        return Columns(*found) if isinstance(place, slice) else _as_row(Row, tuple(found))


class RowPage(NamedTuple):
    """Some of the rows of all streams, and how far the storage has looked."""

    rows: Sequence[Row]
    """The rows in the order that was asked for; there may be none."""
    seen_to: int
    """No row that matches is missing at or below this position, in this page and those before it.

    It never goes back from one page to the next. When reading backward, it is the position that
    reading began at.
    """


class AskedSnapshot:
    """The question for the newest snapshot, which comes with a span: one trip gives both.

    A storage that keeps the snapshots of ``store`` may answer. Others leave it as it is, and the
    front asks the store. Behind a wrapper that gives streams other ids, ``aggregate_id`` is still
    the one that the snapshots have.

    Args:
        store: Whose snapshot it is.
        aggregate_id: Of which aggregate.
    """

    __slots__ = ("aggregate_id", "found", "is_answered", "store")

    def __init__(self, store: SnapshotStore, aggregate_id: str) -> None:
        self.store: SnapshotStore = store
        self.aggregate_id: str = aggregate_id
        self.is_answered: bool = False
        """Whether the storage has answered."""
        self.found: Snapshot | None = None
        """The snapshot; None if there is none."""

    def answer(self, found: Snapshot | None) -> None:
        """Say which is the newest one up to the span's ``to_version``, or that there is none."""
        self.is_answered = True
        self.found = found


class Span(NamedTuple):
    """Which events of a stream are wanted; checked."""

    from_version: int = 1
    """The lowest version."""
    to_version: int | None = None
    """The highest version, included; None: no bound."""
    backward: bool = False
    """Whether to begin at the highest version."""
    limit: int | None = None
    """The most events; None: no bound."""
    snapshot: AskedSnapshot | None = None
    """If it is answered with a snapshot, rows begin with its version; and before the first page, or
    the end. None: nobody asks. It is only asked forward, from version 1 on, and without a limit."""


class QueryItem(NamedTuple):
    """Some of the events that a query is about: those with all of the tags and one of the types."""

    tags: frozenset[str] = frozenset()
    """The tags that an event must have, all of them; none: whatever its tags are."""
    event_types: frozenset[str] | None = None
    """The stored names of the types; None: all. An empty set matches nothing."""

    def matches(self, row: Row) -> bool:
        """Tell whether an event is meant."""
        is_of_type = self.event_types is None or row.event_type in self.event_types
        return is_of_type and self.tags.issubset(row.tags or ())


class RowQuery(NamedTuple):
    """Which events of all streams are wanted, by all that is said here; checked."""

    event_types: frozenset[str] | None = None
    """The stored names of their types; None: all. An empty set matches nothing."""
    stream_prefix: str = ""
    """How the ids of their streams begin."""
    items: tuple[QueryItem, ...] | None = None
    """One of these must match; None: all events do. Without any item nothing matches."""

    @property
    def is_filter(self) -> bool:
        """Whether there can be events that are not wanted."""
        return self != _EVERYTHING

    def matches(self, row: Row) -> bool:
        """Tell whether an event is wanted: what a storage's own filter must agree with."""
        is_of_type = self.event_types is None or row.event_type in self.event_types
        if not (is_of_type and row.stream_id.startswith(self.stream_prefix)):
            return False
        return self.items is None or any(item.matches(row) for item in self.items)


_EVERYTHING = RowQuery()


class EncodedEvents(list["Event[Any]"]):
    """Events, and what a codec made of them; an append by that very codec takes it as it is.

    It is a list of the events, so whatever stands before a store may look at them, and give the
    store other ones.

    Args:
        codec: What encodes them; None: nobody has.
    """

    __slots__ = ("_codec", "_encoded", "_events", "size")

    def __init__(self, codec: object | None) -> None:
        super().__init__()
        self._codec = codec
        self._events: list[Event[Any]] = []
        self._encoded: list[EncodedEvent] = []
        self.size: int = 0
        """Bytes of data and metadata of all events together."""

    def add(self, events: Iterable[Event[Any]], encoded: Iterable[EncodedEvent]) -> None:
        """Add events, and what was made of them."""
        self += events
        self._events += events
        for each in encoded:
            self._encoded.append(each)
            self.size += len(each.data) + len(each.metadata or b"")

    def by(self, codec: object) -> tuple[tuple[EncodedEvent, ...], int] | None:
        """Give what a codec has made of the list's events, and its size; None if it has not."""
        is_theirs = codec is self._codec and self == self._events
        return (tuple(self._encoded), self.size) if is_theirs else None
