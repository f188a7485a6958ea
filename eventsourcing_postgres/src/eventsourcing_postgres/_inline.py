"""What appends apply to inline projections, and what they say of it to the server."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

from eventsourcing_core import InlineMismatchError
from eventsourcing_core.stores import (
    Build,
    InlineError,
    Place,
    ProjectionKind,
    Row,
    Written,
    check_inline,
    inline_builds,
    inline_text,
)
from eventsourcing_postgres._arguments import uuids
from eventsourcing_postgres._boundaries._runs import is_plain
from eventsourcing_postgres._connections import transacted
from eventsourcing_postgres._errors import DRIVER, is_outage
from eventsourcing_postgres._projections._inline_batch import PostgresInlineBatch, inline_batch
from eventsourcing_postgres._statements import statement

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core.stores import (
        Append,
        EncodedEvent,
        InlineBatch,
        InlineHandlers,
        Verdict,
    )
    from eventsourcing_postgres._pool import Connection
    from eventsourcing_postgres._terms import Terms

    Work: TypeAlias = Callable[[Connection, Sequence[Append], Terms], Awaitable[Sequence[Verdict]]]

PATIENCE = "30s"
"""For how long an append waits for the keys of another one, in a transaction of its own."""
_BEGIN = "begin isolation level read committed"
_NOTHING: frozenset[Build] = frozenset()


class PostgresInline:
    """What a process applies inside its appends; one for a pool.

    Args:
        schema: The store's.
    """

    def __init__(self, schema: str) -> None:
        self._schema = schema
        self._handlers: InlineHandlers | None = None
        self.active: frozenset[Build] = _NOTHING
        """What the store wants to be applied, for all that is known here: nothing at first, and
        then what it said when it refused that. Whoever begins a transaction takes it once."""

    def install(self, handlers: InlineHandlers) -> None:
        """Take what is to be applied, where the store wants it."""
        self._handlers = handlers
        self.active = _NOTHING

    def adapt(self, error: InlineMismatchError) -> None:
        """Take what the store wants, as its refusal says.

        Raises:
            InlineMismatchError: It cannot be applied here.
        """
        wanted = inline_builds(error.wanted)
        check_inline(wanted, self._handlers)
        self.active = wanted

    async def commit(
        self,
        connection: Connection,
        builds: frozenset[Build],
        work: Work,
        appends: Sequence[Append],
        terms: Terms,
    ) -> Sequence[Verdict]:
        """Write appends, and apply them to builds, in a transaction of its own.

        Where no statement is the user's, nor opens a transaction in this one, what views have to be
        written is sent with the commit: that saves a round trip.

        Raises:
            InlineError: A handler failed: nothing was written.
        """
        if not (all(map(is_plain, appends)) and self._are_views(builds)):
            async with transacted(connection, isolation="read_committed"):
                verdicts = await work(connection, appends, terms)
                await self.apply(connection, builds, appends, verdicts, patience=PATIENCE)
                return verdicts

        await connection.execute(_BEGIN)
        last: list[str] = []
        early = self._early(connection, min(builds), appends, last)
        try:
            verdicts = await work(connection, appends, terms._replace(early=early))
            await self.apply(
                connection, builds, appends, verdicts, patience=PATIENCE, last=last, early=early
            )
            if early is not None:
                await early.finish()
            await connection.execute(";\n".join([*last, "commit"]))
        except Exception as error:  # the connection of whoever is cancelled is ended
            with suppress(*DRIVER):  # it is lost: what was first is to be told
                await connection.execute("rollback")
            if isinstance(error, asyncpg.UndefinedTableError):
                await self._check_wanted(connection, builds, error)
            raise
        return verdicts

    async def _check_wanted(
        self, connection: Connection, builds: frozenset[Build], error: Exception
    ) -> None:
        """Tell whether the table of a view is missing since it follows again, and was dropped.

        Raises:
            InlineMismatchError: The store wants something else.
        """
        sql = statement("projections/inline_builds", self._schema)
        wanted = frozenset(Build(*row) for row in await connection.fetch(sql))
        if wanted != builds:
            raise InlineMismatchError(inline_text(wanted), inline_text(builds)) from error

    def _early(
        self, connection: Connection, build: Build, appends: Sequence[Append], last: list[str]
    ) -> PostgresInlineBatch | None:
        """Give what locks keys with the append that begins them, if some are known before.

        Only those of the first build, since all lock the keys of one build after the other.
        """
        if self._handlers is None:
            return None
        events = [
            (append.writes[0].stream_id, event.event_type)
            for append in appends
            for event in append.writes[0].events
        ]
        keys = self._handlers.early_keys(build, events)
        if not keys:
            return None
        batch = PostgresInlineBatch(connection, build, self._schema, PATIENCE, last)
        batch.expect(keys)
        return batch

    async def apply(  # noqa: PLR0913 - what is applied, and how
        self,
        connection: Connection,
        builds: frozenset[Build],
        appends: Sequence[Append],
        verdicts: Sequence[Verdict],
        *,
        patience: str | None,
        last: list[str] | None = None,
        early: PostgresInlineBatch | None = None,
    ) -> None:
        """Apply what appends have written, before it is committed.

        Args:
            connection: Where they were written.
            builds: What to apply them to.
            appends: The appends.
            verdicts: What became of them.
            patience: For how long to wait for the keys of others; see ``PostgresInlineBatch``.
            last: Takes statements to be run before the commit, if no build is a projection.
            early: What its build is written with; the caller finishes it.

        Raises:
            InlineError: A handler failed: nothing is to be committed.
        """
        rows = await self._rows(connection, appends, verdicts) if builds else []
        if not rows or self._handlers is None:
            return
        kinds = self._handlers.builds

        def batch_of(build: Build) -> AbstractAsyncContextManager[InlineBatch]:
            if early is not None and early.build == build:
                return nullcontext(early)
            batch = PostgresInlineBatch(connection, build, self._schema, patience, last)
            return inline_batch(batch, kinds[build])

        try:
            await self._handlers.apply(builds, rows, batch_of)
        except InlineError as error:
            if isinstance(error.__cause__, DRIVER) and is_outage(error.__cause__):
                raise error.__cause__ from error
            raise

    def _are_views(self, builds: frozenset[Build]) -> bool:
        handlers = self._handlers
        return handlers is not None and all(
            handlers.builds[build] is ProjectionKind.VIEW for build in builds
        )

    async def _rows(
        self, connection: Connection, appends: Sequence[Append], verdicts: Sequence[Verdict]
    ) -> list[Row]:
        """Give what was written, by position; only of appends of one event the places are known."""
        rows: list[Row] = []
        many: list[tuple[Append, int]] = []
        for append, verdict in zip(appends, verdicts, strict=True):
            if not isinstance(verdict, Written) or not verdict.count:
                continue
            first = append.writes[0]
            if verdict.results and len(append.writes) == len(first.events) == 1:
                version, position = verdict.results[0]
                rows.append(Row(first.stream_id, version, position, *first.events[0]))
            else:
                many.append((append, verdict.count))
        if many:
            sql = statement("find_events", self._schema)
            ids = uuids(event_id for append, _ in many for event_id in append.event_ids)
            found = await connection.fetch(sql, ids)
            places = {row[0]: Place(row[1], row[2], row[3]) for row in found}
            for append, count in many:
                rows += _written(append, count, places)
        return sorted(rows, key=_position)


def applied(builds: frozenset[Build]) -> str | None:
    """Give what a transaction says that it applies; None: nothing, and it need not say so."""
    return inline_text(builds) if builds else None


def _written(append: Append, count: int, places: dict[bytes, Place]) -> Sequence[Row]:
    """Give the events that an append has written.

    An import may have found others there: those have lower positions, as they were there before
    the first one of these was drawn.
    """
    rows: list[Row] = []
    for event in _events(append):
        stream_id, version, position = places[event.event_id]
        rows.append(Row(stream_id, version, position, *event))
    return sorted(rows, key=_position)[-count:]


def _events(append: Append) -> Iterator[EncodedEvent]:
    for write in append.writes:
        yield from write.events


def _position(row: Row) -> int:
    return row.position
