"""The port that users speak to, and the words it is spoken to with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Sequence
    from contextlib import AbstractAsyncContextManager
    from typing import Any
    from uuid import UUID

    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core._versions import ExpectedVersion
    from eventsourcing_core.stores._boundaries.words import (
        Marker,
        MatchingEvents,
        Query,
        StreamAt,
        ToStream,
    )


class AppendResult(NamedTuple):
    """Where an append left its stream."""

    version: int
    """The version of the last event written."""
    position: int
    """The position of the last event written."""


class Checkpoint(NamedTuple):
    """How far a reader of all streams is, and by which event that can be checked."""

    position: int
    """The position of an event, up to which it has looked."""
    event_id: UUID
    """The id of that event."""


class Page(NamedTuple):
    """Some of the events of all streams, and how far the store has looked."""

    events: Sequence[RecordedEvent[Any]]
    """The events by position; there may be none."""
    seen_to: int
    """No event that matches is missing at or below this position: go on after it."""
    checkpoint: Checkpoint | None = None
    """The last event up to which the store has looked, one that a filter let not through included:
    go on after it, and be told if it has changed. None if there was no event yet."""


@runtime_checkable
class StreamStore(Protocol):
    """Appends to streams and reads them: an event store, or a transaction on one."""

    async def append(
        self,
        stream_id: str,
        events: Sequence[object],
        *,
        expected_version: int | ExpectedVersion,
        tags: Iterable[str] = ...,
    ) -> AppendResult:
        """Append events to a stream, all or none.

        ``events`` are events, or payloads of registered classes, of which events are made.
        ``tags`` are added to those that each event has.
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
            UnknownEventTypeError: The class of a payload is not registered.
            ValueError: No events, a negative expected version, or a bad tag.
            StoreBusyError: Too many appends are waiting; nothing was written.
            StorageError: The storage failed; whether it was written is unknown: repeat.
        """
        ...

    async def append_together(
        self,
        writes: Sequence[ToStream],
        *,
        requires: Sequence[StreamAt] = (),
        unless_changed: Marker | None = None,
    ) -> tuple[AppendResult, ...]:
        """Append to several streams: all of it is written, or nothing.

        No reader sees a part of it. ``requires`` names streams that the caller has read, and does
        not write to: each must still be at its version. ``unless_changed`` takes the marker of
        ``read_matching``: nothing that matches may have come since.

        It can be repeated with the same events as ``append`` can: if all of them stand where this
        group would have put them, nothing is written, and the original results are returned,
        whatever has happened to the streams that it requires, or to what its marker is about.

        Returns:
            Where each stream is left, in the order in which they were given.

        Raises:
            ConcurrencyError: A stream is at another version, written or required.
            BoundaryError: Events match that were not read; it has them, and a new marker.
            HistoryChangedError: The store is not the one that was read: it was restored, or failed
                over. Read again.
            ValueError: Nothing to write, a stream that is named twice, or the marker of another
                store object; and as for ``append``.
            StorageError: The storage failed, or does not promise what is asked for.
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
        version, or the highest one when reading ``backward``. It counts stored events, of which
        upcasters may make several, or none.

        Raises:
            StorageError: An event is missing: it was deleted by hand, or lost. Reading forward,
                that is said where it should come; of a stream that has lost all, at once.
            ValueError: A version below 1 or a negative limit.
            InvalidStreamIdError: As for ``append``.
            SerializationError: Stored bytes cannot be read; names stream, version and encoding.
        """
        ...

    def read_pages(
        self, stream_id: str, *, from_version: int = 1, to_version: int | None = None
    ) -> AsyncIterator[Iterable[RecordedEvent[Any]]]:
        """Give what ``read`` gives, in pages that are decoded as they are gone through.

        Going from one event to the next is then a plain loop, so repositories load by it. A page is
        gone through before the next one is asked for.

        Raises:
            ValueError: A version below 1.
            InvalidStreamIdError: As for ``append``.
            SerializationError: As for ``read``, while a page is gone through.
        """
        ...

    async def stream_version(self, stream_id: str) -> int:
        """Give the version of a stream; 0 if there is no such stream.

        Raises:
            InvalidStreamIdError: As for ``append``.
        """
        ...


@runtime_checkable
class EventStore(StreamStore, Protocol):
    """Keeps events in streams, and all of them in one order.

    ``open_backend`` gives one, whatever the backend; ``eventsourcing_core.testing`` holds it to
    what is said here. A store belongs to the event loop that it was first used in: from another one
    its methods raise ``RuntimeError``. After closing they raise ``StorageError``.
    """

    def read_all(  # noqa: PLR0913 - filters, each with a default
        self,
        *,
        after_position: int = 0,
        limit: int | None = None,
        event_types: Collection[str | type] | None = None,
        stream_prefix: str | None = None,
        query: Query | None = None,
        backward: bool = False,
    ) -> AsyncIterator[RecordedEvent[Any]]:
        """Read the events of all streams by position, those with a position above the given one.

        It ends at the last event; ``follow`` goes on. An event that is delivered comes after every
        event of a lower position: a reader that goes on after the last position it saw misses
        nothing. ``event_types`` (classes or stored names; an empty collection matches nothing) and
        ``stream_prefix`` filter before the limit counts. Types are those that events have once they
        are read: what upcasters make of other stored types comes, too, and what they make into
        other ones does not. The limit counts stored events. With a ``query``, events must match
        that, too.

        Raises:
            HistoryChangedError: Reading forward, the position is above every one that the store
                has ever given: it was restored, or failed over, since the reader was there.
            ValueError: A negative position or limit.
            UnknownEventTypeError: A class that is not registered.
        """
        ...

    def follow(
        self,
        after: int | Checkpoint = 0,
        *,
        event_types: Collection[str | type] | None = None,
        stream_prefix: str | None = None,
        query: Query | None = None,
    ) -> AsyncIterator[Page]:
        """Read all streams as ``read_all`` does, and go on for ever with what comes.

        It waits by itself. Events come by the page, each with ``seen_to``: go on from there after a
        restart. Pages without events come, too, where a filter let nothing through. Leaving the
        loop ends it.

        Args:
            after: A position, or a checkpoint, whose event is checked before anything is read.
            event_types: As for ``read_all``.
            stream_prefix: As for ``read_all``.
            query: As for ``read_all``.

        Raises:
            HistoryChangedError: The event of the checkpoint is not at its position; or as for
                ``read_all``, also while it follows.
            ValueError: A negative position, or a checkpoint below 1.
            TypeError: A checkpoint whose event id is not a UUID.
            UnknownEventTypeError: A class that is not registered.
            StorageError: The storage failed: begin anew after the last page.
        """
        ...

    async def read_matching(self, query: Query) -> MatchingEvents:
        """Read what a decision rests on: all events that match, and a marker.

        Decide by the events, and append with ``append_together(…, unless_changed=view.marker)``: it
        is refused if an event that matches has come meanwhile. Events of a group or a transaction
        that is not committed yet are not seen, and refuse it.

        Raises:
            UnknownEventTypeError: A class is not registered.
            StorageError: The storage failed, or does not keep tags.
        """
        ...

    def hold(self, *tags: str) -> AbstractAsyncContextManager[None]:
        """Wait until nobody else holds these tags, and hold them until the block is left.

        For a boundary at which so many decide at once that most are refused: let them take turns.
        Whoever does not hold a tag may append nevertheless, so the condition is what makes a
        decision right. Name all tags in one call: then nobody waits in a circle.

        Raises:
            ValueError: No tag, or a bad one.
            RuntimeError: The task holds one of them already.
            StorageError: The storage holds no tags, or somebody else has held one for too long.
        """
        ...

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's own word; a caller's timeout would cancel, this one answers
        """Sleep until there may be events after a position; False when ``timeout`` seconds passed.

        Raises:
            HistoryChangedError: As for ``read_all``.
            ValueError: A negative position or timeout.
        """
        ...

    async def last_position(self) -> int:
        """Give the position up to which everything is decided: 0 in an empty store.

        It is the highest position that ``read_all`` would have looked at.
        """
        ...

    async def ping(self) -> None:
        """Ask the storage for a sign of life.

        Raises:
            StorageError: It gives none.
        """
        ...

    async def import_events(self, events: Sequence[RecordedEvent[object]]) -> int:
        """Write events as they were recorded elsewhere, all or none.

        Ids, streams, versions, types, timestamps and metadata are kept. Positions are given anew,
        in the order of the sequence; streams may be interleaved in it. Payloads are encoded with
        this store's own codec. To copy every payload as it is stored, also those that no class
        fits any more, read and write without classes: open both stores with
        ``event_types=EventTypes()``.

        An event that is here already, with the same id at the same place, is skipped. So an
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
