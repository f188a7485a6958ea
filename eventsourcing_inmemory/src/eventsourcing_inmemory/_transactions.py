"""Transactions in memory: a journal that is added to the log when the block is left.

A transaction takes its turn to write with its first append, and keeps it until it ends. So nobody
else writes in between: what it was told holds when it commits, and the positions are those that the
events will have. Until it has written, others write as they like, and it reads what they wrote. On
PostgreSQL that is so for each stream; here it is so for the whole log.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from eventsourcing_inmemory._inline import InlineJournal
from eventsourcing_inmemory._log import EventLog, judge, refuse
from eventsourcing_inmemory._storage import MAX_WAIT, pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import Append, Row, SnapshotStore, Span, Verdict
    from eventsourcing_inmemory._inline import InMemoryInlining


class InMemoryTransactions:
    """Opens transactions on a log; see ``Transactions``.

    Args:
        log: Where the rows are.
        snapshot_store: The snapshots beside them; none unless given.
        max_wait: For how many seconds an append waits for another transaction to end.
        inlining: What applies builds inside appends; None: nothing does.
    """

    def __init__(
        self,
        log: EventLog,
        snapshot_store: SnapshotStore | None = None,
        *,
        max_wait: float = MAX_WAIT,
        inlining: InMemoryInlining | None = None,
    ) -> None:
        self._log = log
        self._snapshot_store = snapshot_store
        self._max_wait = max_wait
        self._inlining = inlining

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[InMemoryTransaction]:
        """Open one; see ``Transactions.begin``."""
        transaction = InMemoryTransaction(
            self._log, self._snapshot_store, self._max_wait, self._inlining
        )
        try:
            yield transaction
            transaction.commit()
        finally:
            transaction.end()


class InMemoryTransaction:
    """A transaction that is open; see ``StorageTransaction``."""

    def __init__(
        self,
        log: EventLog,
        snapshot_store: SnapshotStore | None,
        max_wait: float,
        inlining: InMemoryInlining | None = None,
    ) -> None:
        self._log = log
        self._max_wait = max_wait
        self._inlining = inlining
        self._journal = EventLog()
        self._inline = InlineJournal()
        self._turn: asyncio.Lock | None = None
        self.connection: None = None
        """There is no driver."""
        self.snapshot_store = snapshot_store
        """The snapshots beside the log."""

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write appends to the journal; see ``StorageTransaction.write``."""
        log, journal = self._log, self._journal
        await asyncio.sleep(0)
        if self._turn is None:
            self._turn = await log.turns.take(self._max_wait)
        if self._turn is None:
            return refuse(appends, self._max_wait)

        rows, verdicts = judge(appends, log, journal)
        if self._inlining is not None and log.inline:
            await self._inlining.apply(rows, self._inline)
        journal.add(rows)
        return verdicts

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Give the rows of a stream, those of the journal last; see ``StorageTransaction.rows``."""
        kept = self._log.streams.get(stream_id, [])
        return pages(kept + self._journal.streams.get(stream_id, []), span)

    def commit(self) -> None:
        """Add the journal to the log, which wakes readers."""
        self._inline.commit()
        self._log.add(self._journal.rows)

    def end(self) -> None:
        """Let others write."""
        if self._turn is not None:
            self._turn.release()
