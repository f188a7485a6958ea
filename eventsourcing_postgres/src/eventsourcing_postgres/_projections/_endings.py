"""What ends a batch before its time, and whose fault it is."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, cast

import asyncpg

from eventsourcing_core.stores import BatchRefusedError, OutageError, StorageError
from eventsourcing_postgres._errors import DRIVER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from eventsourcing_postgres._transactions import PostgresTransaction

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


class Endings:
    """Tells what has ended the transaction of a batch.

    Args:
        transaction: The transaction, which has just begun.
        lease: Seconds that the process may be silent in it.
    """

    def __init__(self, transaction: PostgresTransaction, lease: float) -> None:
        self._transaction = transaction
        self._lease = lease
        self._explained: OutageError | None = None
        self._silent_from = asyncio.get_running_loop().time() + lease

    @property
    def is_silent(self) -> bool:
        """Whether the connection is lost, and the process may have been silent for too long."""
        is_late = asyncio.get_running_loop().time() >= self._silent_from
        return is_late and self._transaction.is_lost()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Raise what the block fails with as what it is.

        Raises:
            OutageError: It can be tried again.
            BatchRefusedError: The block has ended the transaction, or left it so that it cannot go
                on.
        """
        try:
            yield
        except BatchRefusedError:
            raise
        except OutageError as error:
            if error is self._explained or not self.is_silent:
                raise
            raise self.outage(error) from error
        except Exception as error:
            if self._is_passing(error):
                raise self.outage(error) from error
            if self._transaction.is_over() or _is_failed(error):
                raise _refused(error) from error
            raise

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Open a savepoint.

        Raises:
            BatchRefusedError: The savepoint cannot be ended: an error was swallowed in it, or it is
                gone with its transaction.
        """
        raised: BaseException | None = None
        try:
            async with self._transaction.savepoint():
                try:
                    yield
                except BaseException as error:
                    raised = error
                    raise
        except DRIVER as error:
            if error is raised or self._is_passing(error):
                raise
            raise _refused(raised or error) from error

    def outage(self, error: Exception) -> OutageError:
        """Give the error for what can be tried again."""
        if self.is_silent or isinstance(error, asyncpg.IdleInTransactionSessionTimeoutError):
            said = (
                "the connection was lost, as the server ends a batch whose handler is silent for "
                f"longer than the lease of {self._lease:g} s: let handlers do less between two "
                "statements, and call nothing slow, or allow more by lease="
            )
        else:
            said = (
                f"({type(error).__name__}: {error}) the connection was lost, or the server had to "
                "give this transaction up"
            )
        self._explained = OutageError(f"{_DOING} failed, and is tried again: {said}")
        return self._explained

    def _is_passing(self, error: Exception) -> bool:
        return self._transaction.is_lost() or _is_given_up(error)


def _refused(error: BaseException) -> BatchRefusedError:
    return BatchRefusedError(
        "the transaction of the batch was ended, or cannot go on, and nothing of it is stored "
        f"({type(error).__name__}: {error}): leave commit and rollback to the projector, and let "
        "the error of a statement leave the handler, or run it in a savepoint "
        "(connection.transaction())"
    )


def _is_failed(error: BaseException) -> bool:
    """Tell whether a statement of ours found that one before it had failed."""
    is_ours = isinstance(error, StorageError)
    return is_ours and isinstance(error.__cause__, asyncpg.InFailedSQLTransactionError)


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
