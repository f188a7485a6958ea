"""Events: what you record, and what you read back.

Ten thousand of these are built on every replay, so they are made cheap in two ways. An instance
is filled while it is of a class that allows assignment, and then becomes one of the class that
does not: a fifth of the time of a frozen dataclass. And id, time and tags are kept as stores keep
them, as 16 bytes, as microseconds, and as a sorted tuple or None; ``UUID``, ``datetime`` and set
objects are made when somebody asks.
"""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar
from uuid import UUID

from eventsourcing_core._errors import shown
from eventsourcing_core._events.event_types import EventTypes, default_event_types
from eventsourcing_core._events.identity import new_event_id
from eventsourcing_core._events.metadata import NO_METADATA, current_metadata
from eventsourcing_core._events.tags import NO_TAGS, Tagger, joined_tags, stored_tags, tags_of
from eventsourcing_core._events.times import to_datetime, to_microseconds
from eventsourcing_core._names import check_event_type, check_stream_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

T_co = TypeVar("T_co", covariant=True)
P = TypeVar("P")


class Event(Generic[T_co]):
    """Something that happened, ready to be recorded.

    ``Event.of(payload)`` is the usual way to make one; ``Event("Opened", {...})`` records a plain
    dict under a name that no class is registered for.

    >>> event = Event("Opened", {"owner": "Alice"})
    >>> event.event_type, event.data
    ('Opened', {'owner': 'Alice'})

    Args:
        event_type: The stored name of the type, 1 to 255 characters, no control characters.
        data: The payload: an instance of a registered class, or a dict.
        event_id: Unique in the store; by default a new UUID of version 7.
        timestamp: When it happened, with a time zone; by default now. Kept in UTC, in microseconds.
        metadata: Facts about the recording, added to those of ``recording_metadata``.
        tags: What it is about, beside its stream, such as ``course:1``: at most 100 texts of 1 to
            255 characters. ``Event.of`` adds those that ``@event(tags=…)`` gives.

    Raises:
        ValueError: For a naive timestamp, a bad type name, or a bad tag.
    """

    __slots__ = ("_event_id", "_tags", "_timestamp", "data", "event_type", "metadata")

    event_type: str
    """The stored name of the event's type."""
    data: T_co
    """The payload: an instance of a registered class, or a dict."""
    metadata: Mapping[str, object]
    """Facts about the recording (who, why, correlation); read-only."""
    _event_id: bytes
    _timestamp: int
    _tags: tuple[str, ...] | None

    def __init__(  # noqa: PLR0913 - a value with eight documented fields
        self,
        event_type: str,
        data: T_co,
        *,
        event_id: UUID | None = None,
        timestamp: datetime | None = None,
        metadata: Mapping[str, object] | None = None,
        tags: Iterable[str] = NO_TAGS,
    ) -> None:
        check_event_type(event_type)
        _fill(
            self,
            event_type=event_type,
            data=data,
            _event_id=_id_bytes(event_id),
            _timestamp=_microseconds(timestamp),
            metadata=current_metadata(metadata),
            _tags=stored_tags(tags_of(tags, f"the event {event_type!r}:")),
        )

    @staticmethod
    def of(  # noqa: PLR0913 - as above
        payload: P,
        *,
        event_id: UUID | None = None,
        timestamp: datetime | None = None,
        metadata: Mapping[str, object] | None = None,
        tags: Iterable[str] = NO_TAGS,
        event_types: EventTypes = default_event_types,
    ) -> Event[P]:
        """Make an event of a payload, named by the payload's class, and with its tags.

        Raises:
            UnknownEventTypeError: If the class is not registered.
            ValueError: For a naive timestamp or a bad tag.
        """
        name = event_types.name_of(type(payload))
        stored = None
        if tags is not NO_TAGS or event_types.taggers:
            stored = _joined(name, payload, tags, event_types.taggers.get(name))
        return new_event(
            name,
            payload,
            # Without the calls of functions that nearly always do nothing else.
            new_event_id() if event_id is None else _id_bytes(event_id),
            time.time_ns() // 1000 if timestamp is None else to_microseconds(timestamp),
            current_metadata(metadata),
            stored,
        )

    @property
    def tags(self) -> frozenset[str]:
        """What it is about, beside its stream."""
        return NO_TAGS if self._tags is None else frozenset(self._tags)

    @property
    def event_id(self) -> UUID:
        """The id, unique in the store."""
        return UUID(bytes=self._event_id)

    @property
    def timestamp(self) -> datetime:
        """When it happened, in UTC, to the microsecond."""
        return to_datetime(self._timestamp)

    @property
    def raw_event_id(self) -> bytes:
        """The id's 16 bytes, for stores: no UUID object is made."""
        return self._event_id

    @property
    def raw_timestamp(self) -> int:
        """Microseconds since 1970 in UTC, for stores: no datetime object is made."""
        return self._timestamp

    def _facts(self) -> tuple[object, ...]:
        facts = (self.event_type, self.data, self._event_id, self._timestamp, self.metadata)
        return (*facts, self._tags)

    def __eq__(self, other: object) -> bool:
        """Compare every field; an event never equals a recorded event."""
        if type(other) is not type(self):
            return NotImplemented
        return self._facts() == other._facts()

    def __hash__(self) -> int:
        """Hash by the id."""
        return hash(self._event_id)

    def __repr__(self) -> str:
        """Show what the event says, then what identifies it."""
        tags = f", tags={{{', '.join(map(repr, self._tags))}}}" if self._tags else ""
        return (
            f"{type(self).__name__}({self.event_type!r}, {self.data!r}, "
            f"event_id={str(self.event_id)!r}, timestamp={self.timestamp.isoformat()!r}, "
            f"metadata={dict(self.metadata)!r}{tags})"
        )

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickle and copy through the constructor, since assignment is refused."""
        return _event_from_state, (
            self.event_type,
            self.data,
            self._event_id,
            self._timestamp,
            dict(self.metadata),
            *((self.tags,) if self._tags else ()),
        )

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: what happened does not change."""
        message = f"events are immutable: cannot set {name!r}"
        raise AttributeError(message)

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse: what happened does not change."""
        message = f"events are immutable: cannot delete {name!r}"
        raise AttributeError(message)


class RecordedEvent(Event[T_co]):
    """An event as it stands in a store: the event, and its place.

    Stores make these (see ``EventCodec.decode``); tests may, through the constructor.

    Args:
        event_type: See ``Event``.
        data: See ``Event``.
        stream_id: The stream it stands in.
        version: Its place in the stream: 1, 2, 3 …, without holes.
        position: Its place in the store: strictly increasing, holes allowed.
        event_id: See ``Event``.
        timestamp: See ``Event``.
        metadata: See ``Event``; nothing is added to it here.
        tags: See ``Event``.

    Raises:
        ValueError: For a naive timestamp, a bad name or tag, or a version or position below 1.
    """

    __slots__ = ("position", "stream_id", "version")

    stream_id: str
    """The stream it stands in."""
    version: int
    """Its place in the stream: 1, 2, 3 …, without holes."""
    position: int
    """Its place in the store: strictly increasing, holes allowed."""

    def __init__(  # noqa: PLR0913 - a value with eight documented fields
        self,
        event_type: str,
        data: T_co,
        *,
        stream_id: str,
        version: int,
        position: int,
        event_id: UUID | None = None,
        timestamp: datetime | None = None,
        metadata: Mapping[str, object] | None = None,
        tags: Iterable[str] = NO_TAGS,
    ) -> None:
        check_event_type(event_type)
        check_stream_id(stream_id)
        if version < 1 or position < 1:
            message = f"versions and positions count from 1, got {version} and {position}"
            raise ValueError(message)
        _fill(
            self,
            event_type=event_type,
            data=data,
            _event_id=_id_bytes(event_id),
            _timestamp=_microseconds(timestamp),
            metadata=MappingProxyType(dict(metadata)) if metadata else NO_METADATA,
            stream_id=stream_id,
            version=version,
            position=position,
            _tags=stored_tags(tags_of(tags, f"the event {event_type!r}:")),
        )

    def _facts(self) -> tuple[object, ...]:
        return (*super()._facts(), self.stream_id, self.version, self.position)

    def __repr__(self) -> str:
        """Show where the event stands, then the event."""
        place = f"{self.stream_id!r}, version={self.version}, position={self.position}"
        return f"{super().__repr__()[:-1]}, stream_id={place})"

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickle and copy through the constructor, since assignment is refused."""
        rebuild, state = super().__reduce__()
        return rebuild, (*state, self.stream_id, self.version, self.position)


class _OpenEvent(Event[T_co]):
    """An event that can still be filled in; it leaves ``new_event`` as an ``Event``."""

    __slots__ = ()
    __init__: Any = object.__init__
    __setattr__: Any = object.__setattr__
    __delattr__: Any = object.__delattr__  # only with both does CPython take its fast way


class _OpenRecordedEvent(RecordedEvent[T_co]):
    """The same for ``RecordedEvent``."""

    __slots__ = ()
    __init__: Any = object.__init__
    __setattr__: Any = object.__setattr__
    __delattr__: Any = object.__delattr__  # only with both does CPython take its fast way


_open_event: Any = _OpenEvent
OpenRecordedEvent: Any = _OpenRecordedEvent
"""Makes a recorded event that can still be filled in; for ``EventCodec.decode``."""


def new_event(  # noqa: PLR0913 - six fields, by position for speed
    event_type: str,
    data: P,
    event_id: bytes,
    timestamp: int,
    metadata: Mapping[str, object],
    tags: tuple[str, ...] | None = None,
) -> Event[P]:
    """Make an event of what was checked already."""
    event: Any = _open_event()
    event.event_type = event_type
    event.data = data
    event._event_id = event_id  # noqa: SLF001 - it is being built
    event._timestamp = timestamp  # noqa: SLF001 - as above
    event.metadata = metadata
    event._tags = tags  # noqa: SLF001 - as above
    event.__class__ = Event
    closed: Event[P] = event
    return closed


def new_recorded_event(  # noqa: PLR0913 - eight fields, by position for speed
    event_type: str,
    data: P,
    event_id: bytes,
    timestamp: int,
    metadata: Mapping[str, object],
    stream_id: str,
    version: int,
    position: int,
    tags: tuple[str, ...] | None = None,
) -> RecordedEvent[P]:
    """Make a recorded event of what a store holds; not checked again."""
    event: Any = OpenRecordedEvent()
    event.event_type = event_type
    event.data = data
    event._event_id = event_id  # noqa: SLF001 - it is being built
    event._timestamp = timestamp  # noqa: SLF001 - as above
    event.metadata = metadata
    event.stream_id = stream_id
    event.version = version
    event.position = position
    event._tags = tags  # noqa: SLF001 - as above
    event.__class__ = RecordedEvent
    closed: RecordedEvent[P] = event
    return closed


def _joined(
    name: str, payload: object, given: Iterable[str], tagger: Tagger | None
) -> tuple[str, ...] | None:
    """Join the tags that an event is given with those of its payload's class."""
    tags = tags_of(given, f"the event {name!r}:")
    if tagger is not None:
        own = tags_of(tagger(payload), f"@event({name!r}, tags=…):")
        tags = joined_tags(tags, own, f"the event {name!r}:")
    return stored_tags(tags)


def _fill(event: object, **fields: object) -> None:
    for name, value in fields.items():
        object.__setattr__(event, name, value)


def _microseconds(timestamp: datetime | None) -> int:
    return time.time_ns() // 1000 if timestamp is None else to_microseconds(timestamp)


def _id_bytes(event_id: UUID | None) -> bytes:
    if event_id is None:
        return new_event_id()
    if not isinstance(event_id, UUID):
        message = f"an event id is a UUID, got {shown(event_id)}"
        raise TypeError(message)
    return event_id.bytes


def _event_from_state(
    event_type: str,
    data: object,
    event_id: bytes,
    timestamp: int,
    metadata: Mapping[str, object],
    *others: Any,
) -> object:
    """Make an event of what ``__reduce__`` gives: its tags, if it has any, come after the metadata.

    A recorded one's place comes last.
    """
    kept = MappingProxyType(metadata) if metadata else NO_METADATA
    tags, place = None, others
    if others and not isinstance(others[0], str):  # else a stream id
        tags, place = stored_tags(others[0]), others[1:]
    if not place:
        return new_event(event_type, data, event_id, timestamp, kept, tags)
    stream_id, version, position = place
    return new_recorded_event(
        event_type, data, event_id, timestamp, kept, stream_id, version, position, tags
    )
