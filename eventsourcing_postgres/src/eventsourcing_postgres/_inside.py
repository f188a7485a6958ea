"""Appending inside a transaction that is open already, and that stays usable whatever comes of it.

Each append is a savepoint of its own. It waits for streams that others hold, at most ``max_wait``
seconds; nobody can try it again later, since the transaction would have to be open meanwhile.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from eventsourcing_core import InlineMismatchError
from eventsourcing_core.stores import StorageError, StreamHeldError
from eventsourcing_postgres._batches import write_run
from eventsourcing_postgres._checks import check_connection
from eventsourcing_postgres._connections import is_lost
from eventsourcing_postgres._errors import (
    DRIVER,
    is_duplicate,
    moved,
    translated,
    translation_inside,
    unseen,
)
from eventsourcing_postgres._imports import doing_of, write_import
from eventsourcing_postgres._inline import applied
from eventsourcing_postgres._standbys import Standbys
from eventsourcing_postgres._standing import look_up
from eventsourcing_postgres._statements import statement
from eventsourcing_postgres._terms import INSIDE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core.stores import Append, Verdict
    from eventsourcing_postgres._inline import PostgresInline
    from eventsourcing_postgres._pool import Connection

_ATTEMPTS = 5  # for a stream that moves between two statements that look at it
_LONGEST = 2**31 - 1  # what the setting lock_timeout can hold, in milliseconds


class PostgresJoining:
    """Writes in transactions that callers have opened themselves; see ``Joining``.

    Args:
        schema: The schema of the store.
        max_wait: Seconds to wait for a stream that another transaction holds.
        inline: What is applied right after each append.
    """

    def __init__(self, schema: str, max_wait: float, inline: PostgresInline) -> None:
        self._schema = schema
        self._writer = InsideWriter(schema, max_wait, inline)

    async def write(self, connection: Connection, append: Append) -> Verdict:
        """Write an append; see ``Joining.write``."""
        check_connection(connection)
        with translated("append", self._schema):
            if is_lost(connection):
                message = (
                    "append failed: the connection is closed, lost, or released back to its "
                    "pool; what its transaction had not committed by then is not stored"
                )
                raise StorageError(message)
            is_open = connection.is_in_transaction()
        if not is_open:
            message = "append(connection=…) needs an open transaction on that connection"
            raise ValueError(message)
        return await self._writer.write(connection, append)


class InsideWriter:
    """Writes appends in the transaction of a caller.

    Args:
        schema: The schema of the store.
        max_wait: Seconds to wait for a stream that another transaction holds.
        inline: What is applied right after each append.
    """

    def __init__(self, schema: str, max_wait: float, inline: PostgresInline) -> None:
        milliseconds = int(max(min(max_wait * 1000, _LONGEST), 1))  # 0 would be no limit
        begin = statement("savepoint_begin", schema)
        self._schema = schema
        self._standbys = Standbys()
        self._inline = inline
        self._begin = begin.replace("{milliseconds}", str(milliseconds))

    async def write(self, connection: Connection, append: Append) -> Verdict:
        """Write an append.

        Raises:
            StorageError: It failed; what it says of the whole transaction is true.
        """
        verdict: Verdict = moved(doing_of(append))
        for _ in range(_ATTEMPTS):
            try:
                verdict = await self._attempt(connection, append)
            except StreamHeldError as error:
                if error.__cause__ is not None:  # it was waited for, in vain
                    return error
                verdict = error
            except InlineMismatchError as error:
                self._inline.adapt(error)
                verdict = error
                continue
            except StorageError as error:
                if not is_duplicate(error):
                    raise
                return await self._judge_taken(connection, append, error)
            if not isinstance(verdict, StreamHeldError):
                return verdict
        return verdict

    async def _attempt(self, connection: Connection, append: Append) -> Verdict:
        builds = self._inline.active
        terms = INSIDE._replace(applies=applied(builds))
        try:
            async with self._savepoint(connection):
                if append.imported is None:
                    (verdict,) = await write_run(
                        connection, [append], self._schema, self._standbys, terms
                    )
                else:
                    verdict = await write_import(
                        connection, append, self._schema, self._standbys, terms
                    )
                await self._inline.apply(connection, builds, [append], [verdict], patience=None)
                await self._standbys.make_commit_wait(connection, verdict)
                return verdict
        except DRIVER as error:
            raise translation_inside(error, doing_of(append), self._schema) from error

    async def _judge_taken(
        self, connection: Connection, append: Append, error: StorageError
    ) -> Verdict:
        """Judge an append of which an event id is in the store already."""
        doing = doing_of(append)
        with translated(doing, self._schema):
            standing = await look_up(connection, [append], self._schema, self._standbys)
            settled = standing.settle(append)
            if isinstance(settled, list):  # it would fit, for all that the transaction can see
                raise unseen(doing) from error
            await self._standbys.make_commit_wait(connection, settled)
        return settled

    @asynccontextmanager
    async def _savepoint(self, connection: Connection) -> AsyncIterator[None]:
        await connection.execute(self._begin)
        try:
            yield
        except BaseException:
            with suppress(*DRIVER):  # the connection is lost: what was first is to be told
                await connection.execute(statement("savepoint_rollback", self._schema))
            raise
        await connection.execute(statement("savepoint_release", self._schema))
