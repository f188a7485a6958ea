"""The port to a store of events, and the words it is spoken to with."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from eventsourcing_core._names import check_stream_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from typing import Any

    from eventsourcing_core._event import Event, RecordedEvent


class ExpectedVersion(Enum):
    """What an append expects of its stream, where it is not a number."""

    ANY = "any"
    """Nothing: append whatever is there."""
    NO_STREAM = "no stream"
    """The stream has no events; the same as 0."""
    STREAM_EXISTS = "stream exists"
    """The stream has at least one event."""


class AppendResult(NamedTuple):
    """Where an append left its stream."""

    version: int
    """The version of the last event written."""
    position: int
    """The position of the last event written."""


@runtime_checkable
class EventStore(Protocol):
    """Keeps events in streams, and all of them in one order.

    Implemented by every backend; ``eventsourcing_core.testing.EventStoreContract`` holds each of
    them to what is said here. A store belongs to the event loop that it was first used in: from
    another one its methods raise ``RuntimeError``.
    """

    async def append(
        self,
        stream_id: str,
        events: Sequence[Event[object]],
        *,
        expected_version: int | ExpectedVersion,
    ) -> AppendResult:
        """Append events to a stream, all or none.

        ``expected_version`` is the stream's version as the caller knows it (0: there is no such
        stream yet), or a member of ``ExpectedVersion``.

        An append can be repeated when its outcome is unknown, with the same events: if the stream
        holds these event ids at exactly the expected place (with ``ANY`` or ``STREAM_EXISTS``: at
        any place, in this order), nothing is written and the original result is returned. A
        cancelled append has happened or has not, never half. Appends to one stream through one
        store object are decided in the order of the calls; but one that was cancelled, or failed
        with a ``StorageError``, may still happen after later ones.

        Raises:
            ConcurrencyError: The stream is at another version.
            DuplicateEventError: An event id is in the store already, elsewhere.
            InvalidStreamIdError: The id is empty, over 255 characters, or has control characters.
            SerializationError: An event cannot be stored, or is larger than the store allows.
            ValueError: No events, or a negative expected version.
            StorageError: The storage failed; whether it was written is unknown: repeat.
        """
        ...

    def read(
        self,
        stream_id: str,
        *,
        from_version: int = 1,
        to_version: int | None = None,
        backward: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent[Any]]:
        """Read the events of one stream by version, bounds included; none if it is unknown.

        ``limit`` is the largest number of events, counted from where reading begins: the lowest
        version, or the highest one when reading ``backward``.

        Raises:
            ValueError: A version below 1 or a negative limit.
            InvalidStreamIdError: As for ``append``.
            SerializationError: Stored bytes cannot be read; names stream, version and encoding.
        """
        ...

    def read_all(
        self,
        *,
        after_position: int = 0,
        limit: int | None = None,
        event_types: Collection[str] | None = None,
        stream_prefix: str | None = None,
        backward: bool = False,
    ) -> AsyncIterator[RecordedEvent[Any]]:
        """Read the events of all streams by position, those with a position above the given one.

        An event that is delivered comes after every event of a lower position: a reader that
        goes on after the last position it saw misses nothing. ``event_types`` (an empty
        collection matches nothing) and ``stream_prefix`` filter before the limit counts.

        Raises:
            ValueError: A negative position or limit.
        """
        ...

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's own word; a caller's timeout would cancel, this one answers
        """Sleep until there may be events after a position; False when ``timeout`` seconds passed.

        Raises:
            ValueError: A negative position or timeout.
        """
        ...


@runtime_checkable
class PagedEventStore(Protocol):
    """An event store that also gives a stream's events by the page.

    Nothing needs it: a repository that finds it loads faster, since going from one event to the
    next is then a plain loop. Implemented by the stores that fetch pages anyway.
    """

    def read_pages(
        self, stream_id: str, *, from_version: int = 1, to_version: int | None = None
    ) -> AsyncIterator[Iterable[RecordedEvent[Any]]]:
        """Give what ``EventStore.read`` gives, in pages that are decoded as they are gone through.

        A page is gone through before the next one is asked for.

        Raises:
            ValueError: A version below 1.
            InvalidStreamIdError: The stream id is not one.
            SerializationError: As ``read``, while a page is gone through.
        """
        ...


@runtime_checkable
class ImportingEventStore(Protocol):
    """An event store that also takes events as another store recorded them.

    Nothing in an application needs it: it is how a store's events move to another store.
    ``eventsourcing_core.testing.ImportingEventStoreContract`` holds a store to what is said here.
    """

    async def import_events(self, events: Sequence[RecordedEvent[object]]) -> int:
        """Write events as they were recorded elsewhere, all or none.

        Ids, streams, versions, types, timestamps and metadata are kept. Positions are given anew,
        in the order of the sequence; streams may be interleaved in it. Payloads are encoded with
        this store's own codec. To copy every payload as it is stored, also those that no class
        fits any more, read and write without classes: open both stores with
        ``event_types=EventTypes()``.

        An event that is here already, with the same id at the same place, is passed over. So an
        import is repeated when its outcome is unknown, and goes on where it was interrupted.

        Returns:
            How many events were written; 0 if there was nothing (more) to write.

        Raises:
            ConcurrencyError: An event is not the next one of its stream: those before it are
                missing, or the stream has other events. ``expected`` is the version before it,
                ``actual`` the one that the stream has reached, with the events before it in this
                call.
            DuplicateEventError: An event id is in the store already, elsewhere, or comes twice.
            InvalidStreamIdError: As for ``append``.
            SerializationError: An event cannot be stored, or is larger than the store allows.
            TypeError: Something else than recorded events.
            ValueError: A version below 1, or a type with a name that no store keeps.
            StorageError: The storage failed; whether it was written is unknown: repeat.
        """
        ...


def check_read(
    stream_id: str,
    *,
    from_version: int,
    to_version: int | None,
    limit: int | None,
) -> None:
    """Check the arguments of ``EventStore.read``; for stores.

    Raises:
        ValueError: A version below 1 or a negative limit.
        InvalidStreamIdError: The stream id is not one.
    """
    check_stream_id(stream_id)
    _check_whole("from_version", from_version, lowest=1)
    _check_whole("to_version", to_version, lowest=1)
    _check_whole("limit", limit, lowest=0)


def check_read_all(
    *,
    after_position: int,
    limit: int | None,
    event_types: Collection[str] | None,
    stream_prefix: str | None,
) -> None:
    """Check the arguments of ``EventStore.read_all``; for stores.

    Raises:
        ValueError: A negative position or limit.
        TypeError: An argument of another type, as one string for a collection of event types.
    """
    _check_whole("after_position", after_position, lowest=0)
    _check_whole("limit", limit, lowest=0)
    if isinstance(event_types, str | bytes) or not isinstance(event_types, Collection | None):
        message = f"event_types is a collection of names, got {event_types!r}"
        raise TypeError(message)
    for event_type in event_types or ():
        if not isinstance(event_type, str):
            message = f"event_types holds names, got {event_type!r}"
            raise TypeError(message)
    if not isinstance(stream_prefix, str | None):
        message = f"stream_prefix is a str, got {stream_prefix!r}"
        raise TypeError(message)


def check_wait(*, after_position: int, timeout: float) -> None:
    """Check the arguments of ``EventStore.wait``; for stores.

    Raises:
        ValueError: A negative position or timeout.
    """
    _check_whole("after_position", after_position, lowest=0)
    if not timeout >= 0:  # so that NaN is refused, too
        message = f"timeout must be a number of seconds, 0 or more, got {timeout}"
        raise ValueError(message)


def _check_whole(name: str, value: int | None, *, lowest: int) -> None:
    if value is None:
        return
    if type(value) is not int:
        message = f"{name} must be an int, got {value!r}"
        raise TypeError(message)
    if value < lowest:
        message = f"{name} must be {lowest} or more, got {value}"
        raise ValueError(message)
