"""The port to a store of events, and the words it is spoken to with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Sequence
    from typing import Any

    from eventsourcing_core._events.event import Event, RecordedEvent
    from eventsourcing_core._versions import ExpectedVersion


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
