"""Making builds inline, and letting them follow again, at a moment at which nobody appends.

Whoever inserts events shares a lock on their table. Making a trigger on it takes one that waits for
all of them, and holds new ones until the end. Readers go on.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg

from eventsourcing_core.stores import Build, ProjectionKind, StorageError, inline_text
from eventsourcing_postgres._connections import rows_on, transacted
from eventsourcing_postgres._errors import translated
from eventsourcing_postgres._inline import PATIENCE
from eventsourcing_postgres._projections._inline_batch import PostgresInlineBatch, inline_batch
from eventsourcing_postgres._projections._session import Session
from eventsourcing_postgres._statements import LARGEST_INTEGER, statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import BuildRecord, InlineHandlers, Row, Segment
    from eventsourcing_postgres._database import Database
    from eventsourcing_postgres._inline import PostgresInline
    from eventsourcing_postgres._transactions import PostgresTransaction, PostgresTransactions

_DOING = "changing what is inline"
_ATTEMPTS, _PAUSE = 60, 0.25
"""How often appends are waited for, and the seconds in between, in which they go on."""
_PATIENCE = 250
"""Milliseconds that appends wait behind the change for those that are under way."""
_PAGE, _PAGE_BYTES = 500, 8_000_000


class PostgresInlining:
    """Applies builds inside appends; see ``Inlining``.

    Args:
        database: Where.
        transactions: Opens transactions there.
        inline: What appends apply.
    """

    kinds: frozenset[ProjectionKind] = frozenset({ProjectionKind.VIEW, ProjectionKind.PROJECTION})
    """What can be inline; see ``Inlining.kinds``."""

    def __init__(
        self, database: Database, transactions: PostgresTransactions, inline: PostgresInline
    ) -> None:
        self._database = database
        self._transactions = transactions
        self._inline = inline

    def install(self, handlers: InlineHandlers) -> None:
        """Take what is to be applied; see ``Inlining.install``."""
        self._inline.install(handlers)

    @asynccontextmanager
    async def change(self, build: Build, *, to_inline: bool) -> AsyncIterator[PostgresInlineChange]:
        """Change what is inline; see ``Inlining.change``."""
        schema = self._database.schema
        self._database.check_usable()
        async with self._transactions.begin() as transaction:
            session = Session(transaction.connection, schema)
            with translated(_DOING, schema):
                record = await session.lock_all(build)
                segments = (await session.arrangement(build)).segments
                has_parked = any(keys for _, keys in await session.run("count_parked", *build))
                await _hold(session)
            made = PostgresInlineBatch(session.connection, build, schema, PATIENCE)
            async with inline_batch(made, record.spec.kind) as batch:
                change = PostgresInlineChange(record, segments, batch, transaction, schema)
                change.has_parked = has_parked
                yield change
            with translated(_DOING, schema):
                await session.run("inline_set", *build, to_inline)
                await _set_trigger(session)


class PostgresInlineChange:
    """The moment of a change; see ``InlineChange``."""

    def __init__(
        self,
        record: BuildRecord,
        segments: Sequence[Segment],
        batch: PostgresInlineBatch,
        transaction: PostgresTransaction,
        schema: str,
    ) -> None:
        self.record: BuildRecord = record
        """What is stored of the build."""
        self.segments: Sequence[Segment] = segments
        """How far it is."""
        self.has_parked: bool = False
        """Whether keys are parked."""
        self.batch: PostgresInlineBatch = batch
        """What it is written with."""
        self._transaction = transaction
        self._schema = schema

    async def rows(self, after: int) -> AsyncIterator[Sequence[Row]]:
        """Give what is left to be applied; see ``InlineChange.rows``."""
        sql = statement("read_all_forward", self._schema)
        while True:
            with translated(_DOING, self._schema):
                rows = await rows_on(
                    self._transaction.connection,
                    sql,
                    after,
                    LARGEST_INTEGER,
                    None,
                    None,
                    _PAGE,
                    _PAGE_BYTES,
                )
            if not rows:
                return
            yield rows
            after = rows[-1].position


async def _hold(session: Session) -> None:
    """Wait for appends that are under way, and hold others.

    While it waits, others wait behind it: so it gives way soon, and tries again.
    """
    await session.run("lock_timeout", _PATIENCE)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            async with transacted(session.connection):
                await _set_trigger(session)
        except asyncpg.LockNotAvailableError as error:
            if attempt == _ATTEMPTS:
                message = (
                    f"{_DOING} failed: a transaction that has appended has been open for long; "
                    "appenders() tells which: end it"
                )
                raise StorageError(message) from error
            await asyncio.sleep(_PAUSE)
        else:
            return


async def _set_trigger(session: Session) -> None:
    """Let the trigger ask for what is inline now."""
    wanted = inline_text(Build(*row) for row in await session.run("inline_builds"))
    sql = statement("projections/inline_events", session.schema, wanted=wanted)
    await session.connection.execute(sql)
