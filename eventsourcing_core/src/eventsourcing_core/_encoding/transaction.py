"""Transactions: events of several streams, and the user's own rows, all stored or none."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from eventsourcing_core._encoding._boundaries.groups import in_order, listed
from eventsourcing_core._encoding.streams import StreamReader
from eventsourcing_core._errors import StorageError, shown
from eventsourcing_core._events.tags import NO_TAGS
from eventsourcing_core.stores._boundaries.words import ToStream
from eventsourcing_core.stores._checks import check_verdicts
from eventsourcing_core.stores._rows import Span

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

    from eventsourcing_core._encoding._boundaries.groups import Groups
    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core._versions import ExpectedVersion
    from eventsourcing_core.stores._append import Append, Written
    from eventsourcing_core.stores._boundaries.words import Marker, StreamAt
    from eventsourcing_core.stores._event_store import AppendResult
    from eventsourcing_core.stores._snapshot_store import SnapshotStore
    from eventsourcing_core.stores._storage import Parts, StorageTransaction


class End:
    """How a transaction ends, and what is to be done then."""

    def __init__(self) -> None:
        self.is_committing = False
        """Whether the block was left without an error."""
        self.savings: dict[int, object] = {}
        """What repositories know of the aggregates that they save in it, by identity."""
        self.on_commit: list[Callable[[], None]] = []
        """Called at once when the commit is confirmed."""
        self.after_commit: list[Callable[[], Awaitable[None]]] = []
        """Called after that; these may take a while, and may be cancelled."""
        self.in_doubt: list[Callable[[], None]] = []
        """Called if the commit failed, so that nobody knows."""


@asynccontextmanager
async def ending() -> AsyncIterator[End]:
    """Give the end of a transaction, and do what is to be done once the block is left."""
    end = End()
    try:
        yield end
    except BaseException:
        if end.is_committing:
            for note in end.in_doubt:
                note()
        raise
    for note in end.on_commit:
        note()
    for act in end.after_commit:
        await act()


class Transaction:
    """A transaction that is open on a store; ``backend.transaction()`` opens one.

    It is a ``StreamStore``: it appends and reads as the store does, and reads what it wrote.
    Repositories take it as ``transaction=``. It belongs to the task that opened it.
    """

    def __init__(  # noqa: PLR0913 - the front makes it of its parts
        self,
        store: object,
        opened: StorageTransaction,
        codec: EventCodec,
        groups: Groups,
        snapshot_store: SnapshotStore | None,
        task: asyncio.Task[Any],
        end: End,
    ) -> None:
        self._store = store
        self._snapshot_store = snapshot_store
        self._opened = opened
        self._codec = codec
        self._groups = groups
        self._task = task
        self._closed = False
        self._is_exposed = False  # statements of the user's may run on the connection
        self._written: dict[str, dict[int, bytes]] = {}  # by stream and version, the event's id
        self._taken_back: set[str] = set()  # streams of which an event is known to be gone
        self._streams = StreamReader(opened, codec, self._check_usable)
        self.end = end
        """How it ends; for repositories."""

    @property
    def connection(self) -> Any:
        """The driver's own connection, for your own statements; None on ``memory://``."""
        self._check_usable()
        self._is_exposed = True
        return self._opened.connection

    @property
    def snapshot_store(self) -> SnapshotStore | None:
        """The backend's snapshots, read on the connection of the transaction; for repositories."""
        self._check_usable()
        return self._opened.snapshot_store

    async def append(
        self,
        stream_id: str,
        events: Sequence[object],
        *,
        expected_version: int | ExpectedVersion,
        tags: Iterable[str] = NO_TAGS,
    ) -> AppendResult:
        """Append events to a stream; they are stored when the transaction commits.

        A conflict leaves the transaction usable. See ``StreamStore.append``.
        """
        append = self._codec.encode_append(stream_id, events, expected_version, tags)
        if self._groups.are_limited:
            self._groups.check_promised(append)
        self._check_usable()
        return (await self._write(append)).results[0]

    async def append_together(
        self,
        writes: Sequence[ToStream],
        *,
        requires: Sequence[StreamAt] = (),
        unless_changed: Marker | None = None,
    ) -> tuple[AppendResult, ...]:
        """Append to several streams; all is stored when the transaction commits.

        A refusal leaves the transaction usable. See ``StreamStore.append_together``.
        """
        writes = listed(writes, "writes", ToStream)
        group = self._groups.encode(writes, requires, unless_changed)
        self._check_usable()
        return in_order(writes, group, await self._groups.write(group, unless_changed, self._write))

    def read(
        self,
        stream_id: str,
        *,
        from_version: int = 1,
        to_version: int | None = None,
        backward: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent[Any]]:
        """Read a stream, what was appended here included; see ``StreamStore.read``."""
        return self._streams.read(
            stream_id,
            from_version=from_version,
            to_version=to_version,
            backward=backward,
            limit=limit,
        )

    def read_pages(
        self, stream_id: str, *, from_version: int = 1, to_version: int | None = None
    ) -> AsyncIterator[Iterable[RecordedEvent[Any]]]:
        """Read a stream by the page; see ``StreamStore.read_pages``."""
        return self._streams.read_pages(stream_id, from_version=from_version, to_version=to_version)

    async def stream_version(self, stream_id: str) -> int:
        """Give the version of a stream; see ``StreamStore.stream_version``."""
        return await self._streams.stream_version(stream_id)

    def is_snapshot_store(self, snapshot_store: object) -> bool:
        """Tell whether a snapshot store is the one of this backend; for repositories."""
        return snapshot_store is self._snapshot_store

    def check_is_of(self, store: object) -> None:
        """Refuse use with another store than its own.

        Raises:
            ValueError: It is of another store.
            RuntimeError: It has ended, or belongs to another task.
        """
        self._check_usable()
        if store is not self._store:
            message = "the transaction is of another backend: open one on the repository's backend"
            raise ValueError(message)

    async def check_kept(self) -> None:
        """Refuse to commit if a savepoint of the user's has taken back what was appended.

        The aggregates that were saved would count as stored.

        Raises:
            StorageError: It says of which stream.
        """
        if not self._is_exposed:
            return
        for stream_id, written in self._written.items():
            found: dict[int, bytes] = {}
            span = Span(min(written), max(written))
            try:
                async for rows in self._opened.rows(stream_id, span):
                    found.update({row.version: row.event_id for row in rows})
            except StorageError:  # the transaction has failed: the commit says why
                return
            is_kept = all(found.get(version) == event_id for version, event_id in written.items())
            if not is_kept or stream_id in self._taken_back:
                message = (
                    f"commit refused, nothing was stored: events of stream {stream_id!r} were "
                    "appended, and then taken back by a savepoint or a rollback of yours; append "
                    "and save outside of a savepoint, and leave the end to the block"
                )
                raise StorageError(message)

    def close(self) -> None:
        """Refuse further use."""
        self._closed = True

    async def _write(self, append: Append) -> Written:
        verdicts = await self._opened.write([append])
        check_verdicts(verdicts, 1, self._opened.write)
        (verdict,) = verdicts
        if isinstance(verdict, Exception):
            raise verdict
        for write, result in zip(append.writes, verdict.results, strict=True):
            last = write.events[-1].event_id
            written_here = self._written.setdefault(write.stream_id, {})
            if written_here.setdefault(result.version, last) != last:
                self._taken_back.add(write.stream_id)  # the version was given twice
        return verdict

    def _check_usable(self) -> None:
        if self._closed:
            message = "the transaction has ended: open another one"
            raise RuntimeError(message)
        if asyncio.current_task() is not self._task:
            message = "the transaction belongs to the task that opened it: open another one here"
            raise RuntimeError(message)


async def write_inside(parts: Parts, connection: object, append: Append) -> Written:
    """Write an append in a transaction that the caller has opened on a connection.

    Raises:
        StorageError: The storage cannot, or failed.
        EventSourcingError: The append is refused.
    """
    if parts.joining is None:
        message = (
            f"{type(parts.storage).__name__} does not append in a transaction of yours: open one "
            "with transaction(), and append in that"
        )
        raise StorageError(message)
    verdict = await parts.joining.write(connection, append)
    if isinstance(verdict, Exception):
        raise verdict
    return verdict


def transaction_given(given: object) -> Transaction:
    """Give what a repository was given as a transaction.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(given, Transaction):
        message = (
            f"transaction is what backend.transaction() gives, got {shown(given)}: "
            "async with backend.transaction() as transaction"
        )
        raise TypeError(message)
    return given
