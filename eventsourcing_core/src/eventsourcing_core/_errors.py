"""The errors of this library.

EventSourcingError                 never raised itself
├── AggregateNotFoundError         (LookupError) no aggregate has that id
├── BoundaryError                  events that match were not read (see ``stores``)
├── ConcurrencyError               the stream is not at the expected version
├── DuplicateEventError            an event id occurs once in a store
├── HistoryChangedError            the log is not the one that a reader has followed
├── InvalidStreamIdError           (ValueError)
├── SerializationError             (ValueError) a value cannot be stored, or bytes not be read
│   └── UnknownEventTypeError      (LookupError) a payload or a stored type without a class
├── TransformError                 bytes that cannot be compressed, decrypted, …
├── SnapshotError                  state that cannot be stored or restored
├── ProjectionError                a projection is not what it is said to be
│   └── ProjectionParkedError      an event that a caller waits for has failed
├── StorageError                   the driver failed: its error is ``__cause__``
│   ├── OutageError                the storage is away
│   ├── InlineError                a projection in the append's transaction has failed
│   ├── InlineMismatchError        the store wants more to be applied inline
│   ├── SchemaError                tables are missing or of another version
│   ├── StoreBusyError             too many appends are waiting; nothing was written
│   └── StreamHeldError            another transaction holds the stream
└── PluginError                    a plugin that cannot be used
    ├── UnknownPluginError         (LookupError) nothing installed offers that name
    └── DuplicatePluginError       two plugins offer one name

Wrong arguments (a version below 1, a naive timestamp, no events) are a plain ``ValueError``,
a wrong type is a ``TypeError``: they are mistakes in the calling code, not events of its life.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from eventsourcing_core._versions import ExpectedVersion


class EventSourcingError(Exception):
    """The root of all errors of this library; never raised itself."""


class ConcurrencyError(EventSourcingError):
    """The stream is not at the version that was expected; nothing was written.

    Load the aggregate again and repeat the command, or let ``Repository.update`` do it.

    Attributes:
        stream_id: The stream that was appended to.
        expected: What the append asked for.
        actual: The stream's version at that moment (0: there is no such stream).
        doing: What failed: ``append`` or ``import``.
    """

    def __init__(
        self,
        stream_id: str,
        expected: int | ExpectedVersion,
        actual: int,
        doing: Literal["append", "import"] = "append",
    ) -> None:
        self.stream_id = stream_id
        self.expected = expected
        self.actual = actual
        self.doing: Literal["append", "import"] = doing
        wanted = f"version {expected}" if isinstance(expected, int) else expected.name
        is_behind = not isinstance(expected, int) or actual > expected
        if doing == "import":
            cause = (
                "it has other events here; import into a store that has none of its own in it"
                if is_behind
                else "events before it are missing; import the stream from its beginning, in order"
            )
        elif not isinstance(expected, int) and not actual:
            cause = "there is no such stream; correct its id, or begin it with NO_STREAM"
        elif is_behind:
            cause = (
                "somebody else wrote first, or an earlier try of yours did; load again and repeat "
                "the command"
            )
        else:
            cause = (
                "that version is not there (yet); load from the store that it was saved to, do not "
                "count pending events, and pass the transaction to every load and save inside it"
            )
        super().__init__(
            f"stream {stream_id!r} is at version {actual}, the {doing} expected {wanted}: {cause}"
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Pickle by the facts, so that the error crosses process borders."""
        return type(self), (self.stream_id, self.expected, self.actual, self.doing)


class DuplicateEventError(EventSourcingError):
    """An event id is already in the store, elsewhere; nothing was written.

    Attributes:
        event_id: The id that occurs twice.
        stream_id: The stream that holds it.
        version: The version it has there.
    """

    def __init__(self, event_id: UUID, stream_id: str, version: int) -> None:
        self.event_id = event_id
        self.stream_id = stream_id
        self.version = version
        super().__init__(
            f"event id {event_id} is already taken by stream {stream_id!r}, version {version}: "
            "an event id occurs once in a store; give the new event an id of its own",
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Pickle by the facts, so that the error crosses process borders."""
        return type(self), (self.event_id, self.stream_id, self.version)


class AggregateNotFoundError(EventSourcingError, LookupError):
    """No aggregate has that id: its stream has no events.

    Attributes:
        stream_id: The stream that has no events.
    """

    def __init__(self, stream_id: str) -> None:
        self.stream_id = stream_id
        super().__init__(
            f"there is no aggregate {stream_id!r}: correct its id, or use load() where a new one "
            "will do"
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Pickle by the facts, so that the error crosses process borders."""
        return type(self), (self.stream_id,)


class HistoryChangedError(EventSourcingError):
    """The log is not the one that a reader has followed: it was restored, or failed over.

    What the reader knows may be missing from the store, and positions that it has passed may have
    been given again. Build what was derived from the log anew, or go on from a position that both
    are known to share.

    Attributes:
        position: The position that the reader had reached.
        event_id: The id of the event that it saw there; None if it told the position only.
        found: The id of the event that is there now; None if there is none.
        last_position: The last position of the store.
    """

    def __init__(
        self, position: int, event_id: UUID | None, found: UUID | None, last_position: int
    ) -> None:
        self.position = position
        self.event_id = event_id
        self.found = found
        self.last_position = last_position
        saw = f"saw event {event_id} at" if event_id else "is at"
        there = f"event {found} is there now" if found else "no event is there now"
        super().__init__(
            f"the reader {saw} position {position}, but {there} (the store ends at "
            f"{last_position}): the store was restored or failed over, or the position is of "
            "another store; build what was derived from it anew, or go on from a position before "
            "the change"
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Pickle by the facts, so that the error crosses process borders."""
        return type(self), (self.position, self.event_id, self.found, self.last_position)


class InvalidStreamIdError(EventSourcingError, ValueError):
    """A stream id that no store accepts: empty, too long, or with a control character.

    Attributes:
        stream_id: The id that was refused.
    """

    def __init__(self, stream_id: str, reason: str) -> None:
        self.stream_id = stream_id
        self.reason = reason
        super().__init__(f"invalid stream id {shown(stream_id, 60)}: {reason}")

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Pickle by the facts, so that the error crosses process borders."""
        return type(self), (self.stream_id, self.reason)


class SerializationError(EventSourcingError, ValueError):
    """A value that cannot be stored, or stored bytes that cannot be read."""


class UnknownEventTypeError(SerializationError, LookupError):
    """A payload class that is not registered, or a stored type that no class is registered for."""


class TransformError(EventSourcingError):
    """A transformer failed to transform or to restore bytes."""


class SnapshotError(EventSourcingError):
    """An aggregate's state cannot be stored as, or restored from, a snapshot."""


class StorageError(EventSourcingError):
    """The storage failed; the driver's error is the ``__cause__``."""


class OutageError(StorageError):
    """The storage is away (the connection, the server, the disk): any append would meet this."""


class StreamHeldError(StorageError):
    """Another transaction is at work on the stream; nothing was written now.

    It may be an earlier try of the same append, whose commit still waits for a standby: repeated
    with the same events, it is stored once.
    """


class StoreBusyError(StorageError):
    """So many appends are waiting that one more is refused at once; nothing was written.

    Slow down, or raise ``max_waiting``.

    Attributes:
        waiting: How many appends are waiting.
    """

    def __init__(self, waiting: int) -> None:
        self.waiting = waiting
        super().__init__(
            f"append refused, nothing was written: {waiting:,} appends are waiting already; let "
            "callers slow down, or raise max_waiting"
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Pickle by the facts, so that the error crosses process borders."""
        return type(self), (self.waiting,)


class InlineError(StorageError):
    """An inline projection failed with an event, so the append was not written.

    What the projection's own code raised is the ``__cause__``.
    """


class InlineMismatchError(StorageError):
    """This process does not apply inline what the store wants; nothing was written.

    Attributes:
        wanted: What the store wants: names and versions of projections.
        given: What this process applies.
    """

    def __init__(self, wanted: str, given: str) -> None:
        self.wanted = wanted
        self.given = given
        super().__init__(
            f"append refused, nothing was written: the store wants {wanted or 'nothing'} to be "
            f"applied inline, and this process applies {given or 'nothing'}: open the backend with "
            "the same inline= everywhere; or let a projection follow again, with "
            "backend.projections.make_async(…)"
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Pickle by the facts, so that the error crosses process borders."""
        return type(self), (self.wanted, self.given)


class SchemaError(StorageError):
    """The store's tables are missing or were made by another version of the library."""


class ProjectionError(EventSourcingError):
    """A projection is not what it is said to be, or is not where it would have to be."""


class ProjectionParkedError(ProjectionError):
    """An event that a caller waits for has failed in a projection, and its key is parked.

    Attributes:
        projection: The name of the projection.
        key: The key.
        error: What the first event of the key failed with.
    """

    def __init__(self, projection: str, key: str, error: str) -> None:
        self.projection = projection
        self.key = key
        self.error = error
        super().__init__(
            f"key {shown(key)} of projection {projection!r} is parked, since an event of it failed "
            f"({shortened(error, 200)}): mend the cause, and retry the key or skip the event"
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Pickle by the facts, so that the error crosses process borders."""
        return type(self), (self.projection, self.key, self.error)


class PluginError(EventSourcingError):
    """A plugin cannot be used: it does not import, or it breaks the rules of its hooks."""


class UnknownPluginError(PluginError, LookupError):
    """Nothing that is installed offers that name.

    Attributes:
        kind: What was looked for: ``backend``, ``migrator``, ``serializer`` or ``transformer``.
        name: The name that nobody offers.
        installed: The names that are offered.
    """

    def __init__(self, kind: str, name: str, installed: Sequence[str], cure: str) -> None:
        self.kind = kind
        self.name = name
        self.installed: tuple[str, ...] = tuple(installed)
        self.cure = cure
        names = ", ".join(self.installed) or "none"
        super().__init__(f"no {kind} for {name!r} (installed: {names}); {cure}")

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Pickle by the facts, so that the error crosses process borders."""
        return type(self), (self.kind, self.name, self.installed, self.cure)


class DuplicatePluginError(PluginError):
    """Two installed plugins offer the same name.

    Attributes:
        kind: What both offer: ``backend``, ``migrator``, ``serializer`` or ``transformer``.
        name: The name both offer.
        plugins: The entry points of both.
    """

    def __init__(self, kind: str, name: str, plugins: Sequence[str]) -> None:
        self.kind = kind
        self.name = name
        self.plugins: tuple[str, ...] = tuple(plugins)
        super().__init__(
            f"the {kind} {name!r} is offered by more than one plugin: {', '.join(self.plugins)}; "
            "uninstall all but one of them",
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Pickle by the facts, so that the error crosses process borders."""
        return type(self), (self.kind, self.name, self.plugins)


def missing_events(stream_id: str, version: int) -> StorageError:
    """Give the error of a stream that should have an event of a version, and has none."""
    message = (
        f"stream {shown(stream_id)} has no version {version}: events are missing, and loading "
        "again does not bring them back; restore them from a backup, or use another id if they "
        "were deleted on purpose"
    )
    return StorageError(message)


_SHOWN = 80
"""How much of a value a message shows, in characters."""
_SAID = 400
"""How much of the text of another library's error a message shows, in characters."""


def shown(value: object, length: int = _SHOWN) -> str:
    """Give a value as messages show it: cut, as messages reach logs, and whatever its class does.

    Args:
        value: Anything; it may be large, secret, or unable to show itself.
        length: The longest text, in characters; what is cut ends in ``…``.
    """
    if isinstance(value, str | bytes) and len(value) > length:
        value = value[: length + 1]  # no copy of a large one
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - an integer of too many digits, or any class's own
        return f"<{shortened(type(value).__name__)} that cannot be shown>"
    return shortened(text, length)


def shortened(text: str, length: int = _SHOWN) -> str:
    """Give a text as messages show it, cut."""
    return text if len(text) <= length else f"{text[:length]}…"


def said_of(error: BaseException) -> str:
    """Give what an error says, and its class if it is not of this library; cut."""
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - an error of the caller's, which may hold anything
        said = "(it cannot be shown)"
    if isinstance(error, EventSourcingError):
        return said
    return f"{type(error).__name__}: {shortened(said, _SAID)}"
