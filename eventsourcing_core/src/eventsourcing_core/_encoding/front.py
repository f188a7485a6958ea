"""The front of every store: what users speak to, over a storage that keeps rows.

Whatever is the same in all stores is here, once: arguments are checked, events are encoded and
decoded, concurrent appends share a write, and a store that is closed, or used from another event
loop, says so.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from eventsourcing_core._appending.queue import AppendQueue
from eventsourcing_core._encoding._boundaries.asking import Asking, Wanted
from eventsourcing_core._encoding._boundaries.groups import Groups, in_order, listed
from eventsourcing_core._encoding.all_streams import AllStreams, Reading
from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._encoding.following import Following, Rows
from eventsourcing_core._encoding.lifetime import Lifetime
from eventsourcing_core._encoding.refusals import no_inlining, no_inspection
from eventsourcing_core._encoding.streams import HIGHEST, StreamReader
from eventsourcing_core._encoding.transaction import Transaction, ending, write_inside
from eventsourcing_core._errors import StorageError
from eventsourcing_core._events.tags import NO_TAGS
from eventsourcing_core.stores._boundaries.words import ToStream
from eventsourcing_core.stores._checks import check_streams, check_wait

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Sequence
    from typing import Self

    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core._payloads.serializer import Serializer
    from eventsourcing_core._versions import ExpectedVersion
    from eventsourcing_core.stores._append import Append
    from eventsourcing_core.stores._boundaries.words import Marker, MatchingEvents, Query, StreamAt
    from eventsourcing_core.stores._event_store import AppendResult, Checkpoint, Page
    from eventsourcing_core.stores._inline import Inlining
    from eventsourcing_core.stores._inspection import (
        Appender,
        Inspection,
        StoreStatistics,
        StreamInfo,
    )
    from eventsourcing_core.stores._projection_store import ProjectionStore
    from eventsourcing_core.stores._rows import Row, RowPage
    from eventsourcing_core.stores._storage import Guarantee, Parts, Storage

MAX_WAITING = 100_000
"""How many appends may wait to be written, unless said otherwise."""


class StorageEventStore:
    """An event store over the parts of a backend; ``open_backend`` builds one by URL.

    ``async with`` closes it: what waits is written, whoever waits for events gets a
    ``StorageError``, and further calls are refused. The parts themselves stay open.

    Args:
        parts: What the backend is made of; it has a storage.
        codec: What encodes the events.
        serializer: In place of a codec: a serializer or its name; JSON unless given.
        max_waiting: How many appends may wait to be written; one more is refused.

    Raises:
        StorageError: The backend has no storage.
        ValueError: Both a codec and a serializer, or a number below 1.
    """

    def __init__(
        self,
        parts: Parts,
        codec: EventCodec | None = None,
        *,
        serializer: Serializer | str | None = None,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        if parts.storage is None:
            message = "the backend has no event store: open another backend for it"
            raise StorageError(message)
        self._parts = parts
        self._storage: Storage = parts.storage
        self._codec = EventCodec.given(codec, serializer)
        self._queue = AppendQueue(
            parts.storage.write,
            max_wait=parts.max_wait,
            max_writes=parts.max_writes,
            max_waiting=max_waiting,
        )
        self._life = Lifetime(parts.storage)
        self._check_usable = self._life.check_usable
        check_open = self._life.check_open
        asking = Asking(self._codec.event_types)
        self._groups = Groups(parts, self._codec, asking)
        self._streams = StreamReader(parts.storage, self._codec, check_open, parts.snapshot_store)
        self._all = AllStreams(parts.storage, self._codec, asking, check_open)
        self._following = Following(self._all, self._codec, asking, check_open)

    @property
    def codec(self) -> EventCodec:
        """What encodes the events."""
        return self._codec

    @property
    def stream_reader(self) -> StreamReader:
        """What reads streams, snapshots in the same trip; for repositories."""
        self._check_usable()
        return self._streams

    @property
    def guarantees(self) -> frozenset[Guarantee]:
        """What the storage promises."""
        return self._parts.guarantees

    def inlining(self, store: ProjectionStore) -> Inlining:
        """Give what applies the builds of a projection store inside appends; for backends.

        Raises:
            StorageError: Nothing does: it is another database's, or the backend cannot.
        """
        inlining = self._parts.inline
        if inlining is None or store is not self._parts.projection_store:
            raise no_inlining(self._storage, store)
        return inlining

    async def append(
        self,
        stream_id: str,
        events: Sequence[object],
        *,
        expected_version: int | ExpectedVersion,
        tags: Iterable[str] = NO_TAGS,
        connection: Any = None,
    ) -> AppendResult:
        """Append events to a stream, all or none; see ``StreamStore.append``.

        With ``connection`` (PostgreSQL) the append is part of the transaction that you have opened
        on it: it is stored when that commits. Such appends do not share a commit with others, and
        are not in the order of other calls. Until then readers of all streams stop before it, and
        other appends to the stream wait (at most ``max_wait`` seconds), so keep such a transaction
        short. ``transaction()`` opens one for you, on every store.
        """
        append = self._codec.encode_append(stream_id, events, expected_version, tags)
        if self._groups.are_limited:
            self._groups.check_promised(append)
        self._check_usable()
        if connection is not None:
            return (await write_inside(self._parts, connection, append)).results[0]
        written = await self._queue.append(append)
        return written.results[0]

    async def append_together(
        self,
        writes: Sequence[ToStream],
        *,
        requires: Sequence[StreamAt] = (),
        unless_changed: Marker | None = None,
        connection: Any = None,
    ) -> tuple[AppendResult, ...]:
        """Append to several streams, all or nothing; see ``StreamStore.append_together``.

        With ``connection`` it is part of your transaction, as for ``append``.
        """
        writes = listed(writes, "writes", ToStream)
        group = self._groups.encode(writes, requires, unless_changed)
        self._check_usable()
        inside = None if connection is None else partial(write_inside, self._parts, connection)
        written = await self._groups.write(group, unless_changed, inside or self._queue.append)
        return in_order(writes, group, written)

    async def read_matching(self, query: Query) -> MatchingEvents:
        """Read what a decision rests on; see ``EventStore.read_matching``."""
        self._check_usable()
        return await self._groups.read(query)

    @asynccontextmanager
    async def hold(self, *tags: str) -> AsyncIterator[None]:
        """Wait until nobody else holds these tags, and hold them; see ``EventStore.hold``."""
        wanted = self._groups.to_hold(tags)
        self._check_usable()
        async with AsyncExitStack() as stack:
            for each in wanted:
                await stack.enter_async_context(each)
            yield

    async def import_events(self, events: Sequence[RecordedEvent[object]]) -> int:
        """Write events as another store recorded them; see ``EventStore.import_events``."""
        return await self._import(self._codec.encode_import(events))

    async def import_rows(self, rows: Sequence[Row]) -> int:
        """Write stored events as they are, without their positions; for tools that move stores.

        As ``import_events``, for bytes that the caller has read: in the encoding of this store.
        """
        return await self._import(self._codec.encode_rows(rows))

    async def _import(self, append: Append | None) -> int:
        self._check_usable()
        if append is None:
            return 0
        self._groups.check_promised(append)
        return (await self._queue.append(append)).count

    def read(
        self,
        stream_id: str,
        *,
        from_version: int = 1,
        to_version: int | None = None,
        backward: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent[Any]]:
        """Read the events of one stream by version; see ``StreamStore.read``."""
        events = self._streams.read(
            stream_id,
            from_version=from_version,
            to_version=to_version,
            backward=backward,
            limit=limit,
        )
        self._check_usable()
        return events

    def read_pages(
        self, stream_id: str, *, from_version: int = 1, to_version: int | None = None
    ) -> AsyncIterator[Iterable[RecordedEvent[Any]]]:
        """Read a stream by the page; see ``StreamStore.read_pages``."""
        pages = self._streams.read_pages(
            stream_id, from_version=from_version, to_version=to_version
        )
        self._check_usable()
        return pages

    async def stream_version(self, stream_id: str) -> int:
        """Give the version of a stream; see ``StreamStore.stream_version``."""
        self._check_usable()
        return await self._streams.stream_version(stream_id)

    def read_all(  # noqa: PLR0913 - see the port
        self,
        *,
        after_position: int = 0,
        limit: int | None = None,
        event_types: Collection[str | type] | None = None,
        stream_prefix: str | None = None,
        query: Query | None = None,
        backward: bool = False,
    ) -> AsyncIterator[RecordedEvent[Any]]:
        """Read the events of all streams by position; see ``EventStore.read_all``."""
        events = self._all.read(
            after_position,
            event_types=event_types,
            stream_prefix=stream_prefix,
            query=query,
            limit=limit,
            backward=backward,
        )
        self._check_usable()
        return events

    def follow(
        self,
        after: int | Checkpoint = 0,
        *,
        event_types: Collection[str | type] | None = None,
        stream_prefix: str | None = None,
        query: Query | None = None,
    ) -> AsyncIterator[Page]:
        """Read all streams and go on with what comes; see ``EventStore.follow``."""
        pages = self._following.follow(
            after,
            self._life.wait,
            event_types=event_types,
            stream_prefix=stream_prefix,
            query=query,
        )
        self._check_usable()
        return pages

    def follow_rows(
        self, after: int | Checkpoint, event_types: Collection[str] | None
    ) -> AsyncGenerator[Rows, None]:
        """Follow all streams, and decode nothing; for projectors."""
        names = None if event_types is None else frozenset(event_types)
        rows = self._following.rows(after, self._life.wait, Wanted(names))
        self._check_usable()
        return rows

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        """Sleep until there may be events after a position; see ``EventStore.wait``."""
        check_wait(after_position=after_position, timeout=timeout)
        self._check_usable()
        return await self._life.wait(min(after_position, HIGHEST), timeout)

    async def last_position(self) -> int:
        """Give the position up to which all is decided; see ``EventStore.last_position``."""
        self._check_usable()
        return await self._all.last_position()

    def pages(self, reading: Reading) -> AsyncIterator[RowPage]:
        """Give stored rows as they are, for what reads them by other means than the codec."""
        self._check_usable()
        return self._all.pages(reading)

    async def ping(self) -> None:
        """Ask the storage for a sign of life; see ``EventStore.ping``."""
        self._check_usable()
        await self._life.wait(0, 0)

    def streams(self, *, prefix: str | None = None) -> AsyncIterator[StreamInfo]:
        """Go through the streams whose ids begin so, by id, in the order of Unicode code points.

        They come by the page, so memory is constant. A stream that begins meanwhile may be among
        them or not; each is there once at most.

        Raises:
            TypeError: The prefix is not a text.
            StorageError: The storage cannot tell.
        """
        check_streams(prefix=prefix)
        return self._inspection().streams(prefix or "")

    async def statistics(self) -> StoreStatistics:
        """Count what the store holds, exactly and all at one moment.

        It may look at every event, so it takes the longer the more there are.

        Raises:
            StorageError: The storage cannot tell.
        """
        return await self._inspection().statistics()

    async def appenders(self) -> Sequence[Appender]:
        """List who appends now; the first one holds readers of all streams back.

        Empty where nothing can hold them back.

        Raises:
            StorageError: The storage cannot tell.
        """
        return await self._inspection().appenders()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction: leaving the block commits, an error in it rolls back.

        Events, and on a database the user's own statements on ``transaction.connection``, are
        stored together or not at all. It belongs to the task that opened it. Keep it short: others
        wait for its streams.

        Raises:
            StorageError: The storage has no transactions, or it cannot be opened or committed.
            RuntimeError: This task has one open on this store already.
        """
        self._check_usable()
        if self._parts.transactions is None:
            message = f"{type(self._storage).__name__} has no transactions"
            raise StorageError(message)
        task = asyncio.current_task()
        if task is None:  # pragma: no cover - code that awaits runs in a task
            message = "a transaction belongs to a task: open it in one"
            raise RuntimeError(message)

        async with ending() as end, self._parts.transactions.begin() as opened:
            transaction = Transaction(
                self, opened, self._codec, self._groups, self._parts.snapshot_store, task, end
            )
            try:
                with self._life.transaction_of(task):
                    yield transaction
                    await transaction.check_kept()
                    end.is_committing = True
            finally:
                transaction.close()

    async def close(self) -> None:
        """Write what waits, end what waits for events, and refuse further calls."""
        self._life.begin_closing()
        await self._queue.close()
        await self._life.end_waits()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _inspection(self) -> Inspection:
        self._check_usable()
        if self._parts.inspection is None:
            raise no_inspection(self._storage)
        return self._parts.inspection
