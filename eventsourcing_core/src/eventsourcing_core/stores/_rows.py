"""What storages take and give: rows, pages of rows, and which of them are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


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


class RowPage(NamedTuple):
    """Some of the rows of all streams, and how far the storage has looked."""

    rows: Sequence[Row]
    """The rows in the order that was asked for; there may be none."""
    seen_to: int
    """No row that matches is missing at or below this position, in this page and those before it.

    It never goes back from one page to the next. When reading backward, it is the position that
    reading began at.
    """


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


class Query(NamedTuple):
    """Which events of all streams are wanted; checked."""

    event_types: frozenset[str] | None = None
    """The stored names of their types; None: all. An empty set matches nothing."""
    stream_prefix: str = ""
    """How the ids of their streams begin."""

    @property
    def is_filter(self) -> bool:
        """Whether there can be events that are not wanted."""
        return self.event_types is not None or bool(self.stream_prefix)

    def matches(self, row: Row) -> bool:
        """Tell whether an event is wanted: what a storage's own filter must agree with."""
        is_of_type = self.event_types is None or row.event_type in self.event_types
        return is_of_type and row.stream_id.startswith(self.stream_prefix)
