"""What appends apply to inline projections, and what they say of it to the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from eventsourcing_core.stores import (
    InlineError,
    Place,
    Row,
    Written,
    inline_builds,
    inline_text,
)
from eventsourcing_postgres._arguments import uuids
from eventsourcing_postgres._errors import DRIVER, is_outage
from eventsourcing_postgres._projections._inline_batch import inline_batch
from eventsourcing_postgres._statements import statement

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core import InlineMismatchError
    from eventsourcing_core.stores import (
        Append,
        Build,
        EncodedEvent,
        InlineBatch,
        InlineHandlers,
        Verdict,
    )
    from eventsourcing_postgres._pool import Connection

T = TypeVar("T")
Args = TypeVarTuple("Args")

PATIENCE = "30s"
"""For how long an append waits for the keys of another one, in a transaction of its own."""
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
        """What the store wants to be applied, for all that is known here. Whoever begins a
        transaction takes it once: the store refuses what is not right."""

    def install(self, handlers: InlineHandlers) -> None:
        """Take what is to be applied."""
        self._handlers = handlers
        self.active = frozenset(handlers.builds)

    def adapt(self, error: InlineMismatchError) -> bool:
        """Take what the store wants, as its refusal says; False if it cannot be applied here."""
        wanted = inline_builds(error.wanted)
        able = _NOTHING if self._handlers is None else frozenset(self._handlers.builds)
        if wanted <= able:
            self.active = wanted
        return wanted <= able

    async def in_transaction(
        self,
        connection: Connection,
        work: Callable[[Connection, frozenset[Build], *Args], Awaitable[T]],
        builds: frozenset[Build],
        *args: *Args,
    ) -> T:
        """Do some work that applies builds, in a transaction."""
        async with connection.transaction(isolation="read_committed"):
            return await work(connection, builds, *args)

    async def apply(
        self,
        connection: Connection,
        builds: frozenset[Build],
        appends: Sequence[Append],
        verdicts: Sequence[Verdict],
        *,
        patience: str | None,
    ) -> None:
        """Apply what appends have written, before it is committed.

        Raises:
            InlineError: A handler failed: nothing is to be committed.
        """
        rows = await self._rows(connection, appends, verdicts) if builds else []
        if not rows or self._handlers is None:
            return
        kinds = self._handlers.builds

        def batch_of(build: Build) -> AbstractAsyncContextManager[InlineBatch]:
            return inline_batch(connection, build, kinds[build], self._schema, patience)

        try:
            await self._handlers.apply(builds, rows, batch_of)
        except InlineError as error:
            if isinstance(error.__cause__, DRIVER) and is_outage(error.__cause__):
                raise error.__cause__ from error
            raise

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
