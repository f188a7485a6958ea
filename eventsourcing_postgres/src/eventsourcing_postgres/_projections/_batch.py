"""Batches: transactions that move segments, and that handlers write in."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, cast

import asyncpg

from eventsourcing_core.stores import (
    FencedError,
    OutageError,
    StorageError,
    hash_of,
    not_registered,
)
from eventsourcing_postgres._errors import is_passing
from eventsourcing_postgres._projections._own_schemas import mark_of, view_statement
from eventsourcing_postgres._projections._records import progress_columns, storable
from eventsourcing_postgres._statements import statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from eventsourcing_core.stores import Build, Move
    from eventsourcing_postgres._pool import Lent
    from eventsourcing_postgres._transactions import PostgresTransaction, PostgresTransactions

_DOING = "working on a projection"
_GIVEN_UP = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
"""What ends a transaction though nothing is wrong with it."""


class PostgresBatch:
    """A transaction that has moved its segments; see ``Batch``.

    Args:
        transaction: Where.
        build: Whose segments.
        schema: The store's.
        view_schema: That of the build; None if it is a reactor.
    """

    def __init__(
        self,
        transaction: PostgresTransaction,
        build: Build,
        schema: str,
        view_schema: str | None,
    ) -> None:
        self._transaction = transaction
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
        """
        with telling_outages(self._transaction):
            async with self._transaction.savepoint():
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
    try:
        async with transactions.begin(mark=mark_of(build)) as transaction:
            with telling_outages(transaction):
                yield await _moved(transaction, schema, build, move, lease)
    except StorageError as error:
        if is_passing(error) and not isinstance(error, OutageError):  # the commit met it
            raise _outage(error) from error
        raise


async def _moved(
    transaction: PostgresTransaction, schema: str, build: Build, move: Move, lease: float
) -> PostgresBatch:
    known = move.segments
    rows = await transaction.fetch(
        _DOING,
        statement("projections/move", schema),
        *build,
        [segment.low for segment in known],
        [segment.epoch for segment in known],
        [segment.progress.position for segment in known],
        *progress_columns(move.to),
        max(int(lease * 1000), 1),  # 0 would be no limit
    )
    if not rows:
        raise not_registered(build)
    moved, view_schema, *_ = rows[0]
    if moved != len(known):
        message = (
            f"{build}: {len(known) - moved} of {len(known)} segments are not as they were, so "
            "nothing was written: somebody has taken them over, or moved them"
        )
        raise FencedError(message)
    return PostgresBatch(transaction, build, schema, view_schema)


@contextmanager
def telling_outages(transaction: PostgresTransaction) -> Iterator[None]:
    """Raise an ``OutageError`` for what the block fails with though it can be tried again."""
    try:
        yield
    except OutageError:
        raise
    except Exception as error:
        if transaction.is_lost() or _is_given_up(error):
            raise _outage(error) from error
        raise


def _is_given_up(error: BaseException | None) -> bool:
    """Tell whether an error, or one behind it, is the server's that ends the innocent."""
    if isinstance(error, BaseExceptionGroup):
        several = cast("BaseExceptionGroup[BaseException]", error)
        return any(map(_is_given_up, several.exceptions))
    if error is None:
        return False
    # What takes longer than a statement may is not taken for an outage: it would do so again.
    is_own = isinstance(error, asyncpg.QueryCanceledError)
    return (isinstance(error, _GIVEN_UP) and not is_own) or _is_given_up(error.__cause__)


def _outage(error: Exception) -> OutageError:
    return OutageError(
        f"{_DOING} failed, and can be tried again ({type(error).__name__}: {error}): the "
        "connection was lost, or the server had to give this transaction up"
    )
