"""Batches: transactions that move segments, and that handlers write in."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from eventsourcing_core.stores import (
    BatchRefusedError,
    FencedError,
    OutageError,
    StorageError,
    hash_of,
    not_registered,
)
from eventsourcing_postgres._errors import is_passing
from eventsourcing_postgres._projections._endings import Endings
from eventsourcing_postgres._projections._own_schemas import mark_of, view_statement
from eventsourcing_postgres._projections._records import progress_columns, storable
from eventsourcing_postgres._statements import statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from eventsourcing_core.stores import Build, Move
    from eventsourcing_postgres._pool import Lent
    from eventsourcing_postgres._transactions import PostgresTransaction, PostgresTransactions

_DOING = "working on a projection"


class PostgresBatch:
    """A transaction that has moved its segments; see ``Batch``.

    Args:
        transaction: Where.
        endings: Tells what ends it.
        build: Whose segments.
        schema: The store's.
        view_schema: That of the build; None if it is a reactor.
    """

    def __init__(
        self,
        transaction: PostgresTransaction,
        endings: Endings,
        build: Build,
        schema: str,
        view_schema: str | None,
    ) -> None:
        self._transaction = transaction
        self._endings = endings
        self._build = build
        self._schema = schema
        self._view_schema = view_schema

    @property
    def connection(self) -> Lent:
        """The driver's connection; see ``Batch.connection``."""
        return self._transaction.connection

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what an error leaves half done; see ``Batch.savepoint``.

        Raises:
            OutageError: The block failed, and the transaction with it: it can be tried again.
            BatchRefusedError: The transaction is over, or cannot go on, and not for that reason.
        """
        with self._endings.told():
            async with self._endings.savepoint():
                yield

    async def values(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Give values; see ``Batch.values``."""
        return dict(await self._run_on_view("view_values", list(keys)))

    async def put(self, values: Mapping[str, str | None]) -> None:
        """Set values, those that are there in one statement; see ``Batch.put``."""
        present = {key: value for key, value in values.items() if value is not None}
        if present:
            await self._run_on_view("view_put", list(present), list(present.values()))
        if len(present) < len(values):
            await self._run_on_view("view_delete", list(values.keys() - present.keys()))

    async def park(
        self, key: str, positions: Sequence[int], error: str, retry_in: float | None
    ) -> None:
        """Let events of a key wait; see ``Batch.park``."""
        said = storable(error)
        await self._run("park", key, hash_of(key), said, retry_in, list(positions))

    async def fail_again(self, key: str, error: str, retry_in: float | None) -> None:
        """Note another failure; see ``Batch.fail_again``."""
        await self._run("fail_again", key, storable(error), retry_in)

    async def unpark(self, key: str, to_position: int) -> None:
        """Take events off; see ``Batch.unpark``."""
        await self._run("unpark", key, to_position)

    async def _run(self, name: str, *arguments: Any) -> None:
        sql = statement(f"projections/{name}", self._schema)
        await self._transaction.fetch(_DOING, sql, *self._build, *arguments)

    async def _run_on_view(self, name: str, *arguments: Any) -> list[Any]:
        sql = view_statement(name, self._schema, self._view_schema or "")
        return await self._transaction.fetch(_DOING, sql, *arguments)


@asynccontextmanager
async def open_batch(
    transactions: PostgresTransactions, schema: str, build: Build, move: Move, lease: float
) -> AsyncIterator[PostgresBatch]:
    """Open a batch; see ``ProjectionStore.batch``."""
    last = statement("projections/close_batch", schema)
    endings: Endings | None = None
    is_left = False
    try:
        async with transactions.begin(mark=mark_of(build), last=last) as transaction:
            endings = Endings(transaction, lease)
            with endings.told():
                view_schema = await _move(transaction, schema, build, move, lease)
                yield PostgresBatch(transaction, endings, build, schema, view_schema)
            is_left = True
    except StorageError as error:
        if endings is None or not is_left:
            raise
        if isinstance(error, OutageError) and not endings.is_silent:
            raise
        if isinstance(error, OutageError) or is_passing(error):
            raise endings.outage(error) from error
        raise BatchRefusedError(str(error)) from error


async def _move(
    transaction: PostgresTransaction, schema: str, build: Build, move: Move, lease: float
) -> str | None:
    """Move the segments; give the schema of the build."""
    known = move.segments
    rows = await transaction.fetch(
        _DOING,
        statement("projections/move", schema),
        max(int(lease * 1000), 1),  # 0 would be no limit
        *build,
        [segment.low for segment in known],
        [segment.epoch for segment in known],
        [segment.progress.position for segment in known],
        *progress_columns(move.to),
    )
    if not rows:
        raise not_registered(build)
    moved, view_schema, *_ = rows[0]
    found: str | None = view_schema
    if moved != len(known):
        message = (
            f"{build}: {len(known) - moved} of {len(known)} segments are not as they were, so "
            "nothing was written: somebody has taken them over, or moved them"
        )
        raise FencedError(message)
    return found
