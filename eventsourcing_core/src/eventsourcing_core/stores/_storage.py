"""The ports that authors of stores implement: rows go in, rows come out.

Nothing is checked or encoded here. Every storage gets the same front, which does that, and which
lets concurrent appends share a commit. So whatever stands between the front and a storage is a
storage itself: a wrapper that counts, traces or renames is a ``Storage`` around a ``Storage``, and
nothing can bypass it: ``Parts.around`` puts it around what a transaction reads and writes, too.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core.stores._append import Append, Verdict
    from eventsourcing_core.stores._boundaries.conditions import Matched
    from eventsourcing_core.stores._boundaries.holding import Holding
    from eventsourcing_core.stores._inline import Inlining
    from eventsourcing_core.stores._inspection import Inspection
    from eventsourcing_core.stores._projection_store import ProjectionStore
    from eventsourcing_core.stores._rows import QueryItem, Row, RowPage, RowQuery, Span
    from eventsourcing_core.stores._snapshot_store import SnapshotStore


class Storage(Protocol):
    """Keeps rows: streams of them, and all of them in one order.

    Implemented by every backend; ``eventsourcing_core.testing.EventStoreContract`` holds each of
    them to what is said here.
    """

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write appends; give a verdict for each, in the order given.

        ``Append.settle`` decides what becomes of each. Those that share a stream are written in the
        order given, each judged by what the earlier ones leave; others may get their positions in
        another order. One that is refused leaves its neighbours alone. What
        is confirmed is durable. A cancelled write leaves each append whole or undone.

        A verdict may be a ``StreamHeldError``: the append was not written, since somebody else's
        transaction is at work on its stream; then no later one to this stream is written either.
        The front tries it again. One that its condition refuses gets a ``MissedError``.

        An append that requires streams, or has a condition, is judged by what is there when it is
        written: until its end nobody else writes to those streams, or what the condition is about.
        A storage that does not promise this (``Guarantee``) is given none.

        Raises:
            OutageError: The storage is away: no append was written, or nobody knows.
            StorageError: The batch failed for another reason, or it is not known which append is
                to blame. The front writes each of them again, alone.
        """
        ...

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Give the rows of a stream by version, in pages; nothing if it is not there.

        What is appended while the consumer is at work need not come. A page may be ``Columns``. A
        span may ask for a snapshot: see ``AskedSnapshot``.

        Raises:
            StorageError: It should have events, and has none: see ``missing_events``. A storage
                that keeps the versions of streams beside the events says so of reads from version
                1 on. The front finds the holes between rows.
        """
        ...

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> AsyncIterator[RowPage]:
        """Give the rows of all streams with positions above ``after``, in pages.

        Each page says how far it has looked, so at least one page comes, though it may be empty.
        ``limit`` counts rows that match. The last page of a forward reading that meets no limit
        says how far everything is decided: no event comes later at or below that position. A page
        may end early; a long stretch without a match is no reason to hold the event loop, or to
        keep the consumer waiting for one page.

        Raises:
            HistoryChangedError: Reading forward, ``after`` is above every position that was ever
                given. One that was drawn by an append that then failed was given, if it is not
                given again.
        """
        ...

    async def matching(self, items: Sequence[QueryItem]) -> Matched:
        """Give all rows that match any of the items, and the horizon, which is asked for first.

        What is committed is seen, above the horizon, too. So whatever is not among the rows, and is
        at or below the horizon, does not match. Only asked of storages that promise
        ``Guarantee.BOUNDARIES``.
        """
        ...

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's own word; a caller's timeout would cancel, this one answers
        """Sleep until ``rows_of_all`` may give a row after a position; False at the timeout.

        Raises:
            HistoryChangedError: As for ``rows_of_all``.
        """
        ...


class StorageTransaction(Protocol):
    """A transaction that is open: its writes are kept when it commits, or none of them.

    It reads what it wrote. ``write`` and ``rows`` are those of ``Storage``.
    """

    @property
    def connection(self) -> Any:
        """The driver's own connection, for statements of the user's; None if there is none."""
        ...

    @property
    def snapshot_store(self) -> SnapshotStore | None:
        """The backend's snapshots, read on the connection of the transaction.

        So loading inside a transaction needs no second connection. None if the backend has none.
        """
        ...

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write appends; a verdict that refuses one leaves the transaction usable."""
        ...

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Give the rows of a stream, those written in this transaction included."""
        ...


class Transactions(Protocol):
    """Opens transactions; offered by storages that have them."""

    def begin(self) -> AbstractAsyncContextManager[StorageTransaction]:
        """Open one: leaving the block commits, an error in it rolls back.

        After the commit, waiting readers are woken.

        Raises:
            StorageError: It cannot be opened; or, on leaving, it cannot be committed, and whether
                it was is not known.
        """
        ...


class Joining(Protocol):
    """Writes in a transaction that the caller has opened itself, on a connection of the driver's.

    Offered by storages on a server that the caller may speak to by other means, too.
    """

    async def write(self, connection: Any, append: Append) -> Verdict:
        """Write an append; a verdict that refuses it leaves the transaction usable.

        Raises:
            TypeError: It is not a connection.
            ValueError: No transaction is open on it.
            StorageError: It failed; what it says of the whole transaction is true.
        """
        ...


class Guarantee(Enum):
    """What a store may be unable to promise; the contract has a chapter for each."""

    UNIQUE_EVENT_IDS = "an event id occurs once in the whole store"
    """Without it, an append with ``ANY`` is written again when it is repeated."""
    IMPORTS = "an import of events in many streams is written as a whole"
    """Without it, events of other stores cannot be imported."""
    GROUPS = "appends to several streams are written as a whole, and may require others"
    """Without it, only appends to one stream are taken."""
    BOUNDARIES = "events keep tags, and an append may have a condition on events of any stream"
    """Without it, events with tags, queries and conditions are refused."""


ALL_GUARANTEES: frozenset[Guarantee] = frozenset(Guarantee)
"""What a store promises unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a backend is made of: a plugin gives this, and the core builds the stores on it.

    The parts live together (one pool, one file), so what they must share is shared.
    """

    storage: Storage | None = None
    """Keeps the events; None if the backend keeps none."""
    snapshot_store: SnapshotStore | None = None
    """Keeps snapshots; None if the backend keeps none."""
    transactions: Transactions | None = None
    """Opens transactions; None if the storage has none."""
    joining: Joining | None = None
    """Writes in transactions that callers have opened themselves; None if that cannot be."""
    projection_store: ProjectionStore | None = None
    """Keeps builds of projections; None if the backend keeps none."""
    inline: Inlining | None = None
    """Applies builds of the projection store inside appends; None if that cannot be."""
    inspection: Inspection | None = None
    """Tells what the store holds as a whole; None if it cannot tell."""
    holding: Holding | None = None
    """Holds tags for those who would wait rather than try again; None if that cannot be."""
    guarantees: frozenset[Guarantee] = ALL_GUARANTEES
    """What the storage promises."""
    max_writes: int = 1
    """How many calls of ``Storage.write`` may be under way at once; each has other streams."""
    max_wait: float = 30.0
    """For how many seconds an append is tried again while somebody else holds its stream."""

    def around(self, wrap: Callable[[Storage], Storage]) -> Parts:
        """Give these parts with a wrapper around whatever reads and writes rows.

        Args:
            wrap: Gives a storage around another one. It is called for the storage, and once for
                each transaction: what it is given then only writes and reads streams.
        """
        return replace(
            self,
            storage=None if self.storage is None else wrap(self.storage),
            transactions=self.transactions and _WrappedTransactions(self.transactions, wrap),
            joining=self.joining and _WrappedJoining(self.joining, wrap),
        )


class _Writing:
    """Something that writes appends, as the storage that a wrapper is put around."""

    def __init__(
        self,
        write: Callable[[Sequence[Append]], Awaitable[Sequence[Verdict]]],
        rows: Callable[[str, Span], AsyncIterator[Sequence[Row]]] | None = None,
    ) -> None:
        self._write = write
        self._rows = rows

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        return await self._write(appends)

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        if self._rows is None:
            raise NotImplementedError
        return self._rows(stream_id, span)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> AsyncIterator[RowPage]:
        raise NotImplementedError  # all streams are not read in a transaction

    async def matching(self, items: Sequence[QueryItem]) -> Matched:
        raise NotImplementedError  # as above

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's own word
        raise NotImplementedError


class _WrappedTransaction:
    def __init__(self, opened: StorageTransaction, wrap: Callable[[Storage], Storage]) -> None:
        self._opened = opened
        wrapped = wrap(_Writing(opened.write, opened.rows))
        self.write = wrapped.write
        self.rows = wrapped.rows

    @property
    def connection(self) -> Any:
        return self._opened.connection

    @property
    def snapshot_store(self) -> SnapshotStore | None:
        return self._opened.snapshot_store


class _WrappedTransactions:
    def __init__(self, inner: Transactions, wrap: Callable[[Storage], Storage]) -> None:
        self._inner = inner
        self._wrap = wrap

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[StorageTransaction]:
        async with self._inner.begin() as opened:
            yield _WrappedTransaction(opened, self._wrap)


class _WrappedJoining:
    def __init__(self, inner: Joining, wrap: Callable[[Storage], Storage]) -> None:
        self._inner = inner
        self._wrap = wrap

    async def write(self, connection: Any, append: Append) -> Verdict:
        async def write(appends: Sequence[Append]) -> list[Verdict]:
            return [await self._inner.write(connection, each) for each in appends]

        (verdict,) = await self._wrap(_Writing(write)).write([append])
        return verdict
