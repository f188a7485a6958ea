"""The storage of the backend: rows go into PostgreSQL, and come out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core.stores import Parts
from eventsourcing_postgres._boundaries._holding import PostgresHolding
from eventsourcing_postgres._boundaries._matching import matching
from eventsourcing_postgres._boundaries._runs import is_plain
from eventsourcing_postgres._checks import check_seconds
from eventsourcing_postgres._database import Database
from eventsourcing_postgres._horizon import AllReader
from eventsourcing_postgres._inline import PostgresInline
from eventsourcing_postgres._inside import PostgresJoining
from eventsourcing_postgres._inspection import PostgresInspection
from eventsourcing_postgres._pages import stream_pages
from eventsourcing_postgres._projections._inlining import PostgresInlining
from eventsourcing_postgres._projections._projection_store import PostgresProjectionStore
from eventsourcing_postgres._transactions import PostgresTransactions
from eventsourcing_postgres._waking import Waking
from eventsourcing_postgres._writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import asyncpg

    from eventsourcing_core.stores import (
        Append,
        Matched,
        QueryItem,
        Row,
        RowPage,
        RowQuery,
        SnapshotStore,
        Span,
        Verdict,
    )

_WRITES = 2  # under way at once: the server works on one while the next is prepared


class PostgresStorage:
    """Keeps rows in PostgreSQL; see ``Storage``.

    Args:
        pool: An asyncpg pool; it is not closed here.
        schema: The schema of the tables.
        acquire_timeout: Seconds to wait for a free connection of the pool.
        answer_timeout: Seconds to wait for the server's answer; then the connection is ended.
        poll_interval: Seconds between two looks of a waiting reader that is not notified.
        listen: Whether waiting readers keep one connection of the pool to be notified on.
        max_wait: Seconds that an append waits for a stream that another transaction holds.
    """

    def __init__(  # noqa: PLR0913 - the options of the backend
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        *,
        schema: str,
        acquire_timeout: float,
        answer_timeout: float,
        poll_interval: float,
        listen: bool,
        max_wait: float,
    ) -> None:
        check_seconds("poll_interval", poll_interval)
        check_seconds("max_wait", max_wait, may_be_zero=True)
        self._database = Database(
            pool, schema=schema, acquire_timeout=acquire_timeout, answer_timeout=answer_timeout
        )
        self._waking = Waking(self._database, poll_interval=poll_interval, listen=listen)
        self._inline = PostgresInline(self._database.schema)
        self._writer = Writer(self._database, self._waking.appended, self._inline)
        self._max_wait = max_wait
        self._snapshots: SnapshotStore | None = None

    def parts(self, snapshot_store: SnapshotStore | None = None) -> Parts:
        """Give the parts of a backend on this storage, and its snapshots if they are beside it."""
        self._snapshots = snapshot_store
        transactions = PostgresTransactions(
            self._database, self._waking, self._max_wait, self._inline
        )
        return Parts(
            storage=self,
            snapshot_store=snapshot_store,
            transactions=transactions,
            joining=PostgresJoining(self._database.schema, self._max_wait, self._inline),
            projection_store=PostgresProjectionStore(self._database, transactions),
            inline=PostgresInlining(self._database, transactions, self._inline),
            inspection=PostgresInspection(self._database),
            holding=PostgresHolding(self._database, self._max_wait),
            max_writes=min(_WRITES, self._database.pool.get_max_size()),
            max_wait=self._max_wait,
        )

    async def open(self, doing: str, connections: int) -> None:
        """Refuse a schema that is not that of this version, before anything is asked of it.

        Args:
            doing: What is done, for messages.
            connections: How many to make now.
        """
        await self._database.open(doing, connections)

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write appends; see ``Storage.write``."""
        if all(map(is_plain, appends)):
            return await self._writer.write_batch(appends)
        return await self._writer.write_mixed(appends)

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Give the rows of a stream; see ``Storage.rows``."""
        return stream_pages(self._database, stream_id, span, self._database.start, self._snapshots)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> AsyncIterator[RowPage]:
        """Give the rows of all streams; see ``Storage.rows_of_all``.

        An event that is committed while an earlier position is still in flight comes when that is
        decided.
        """
        reader = AllReader(self._database, query, limit)
        return reader.backward(after) if backward else reader.forward(after)

    async def matching(self, items: Sequence[QueryItem]) -> Matched:
        """Give what matches; see ``Storage.matching``."""
        return await matching(self._database, items)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        """Sleep until there may be rows after a position; see ``Storage.wait``."""
        return await self._waking.wait(after_position, timeout)

    async def close(self) -> None:
        """End what runs in the background, and refuse further use; the pool stays open.

        A server that answers nothing is waited for as long as ``answer_timeout`` says, where
        something is under way, and else at most ``acquire_timeout`` seconds.
        """
        await self._waking.close()
        self._database.close()
        self._waking.wake()
        await self._database.wait_closed()
