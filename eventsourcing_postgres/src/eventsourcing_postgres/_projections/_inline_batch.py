"""The transaction of an append, as the handlers of one inline build write in it."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import asyncpg

from eventsourcing_core.stores import InlineError, ProjectionKind, StorageError
from eventsourcing_postgres._connections import is_lost, mark_statements
from eventsourcing_postgres._projections._own_schemas import (
    live_schema,
    mark_of,
    view_statement,
)
from eventsourcing_postgres._statements import filled, literal, quoted, statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from eventsourcing_core.stores import Build
    from eventsourcing_postgres._pool import Connection

_json = json.JSONEncoder(ensure_ascii=False).encode
_ATTEMPTS = 10  # for keys that somebody else begins or takes away just then


class PostgresInlineBatch:
    """What a build is written with; see ``InlineBatch``.

    Args:
        connection: Where the append is.
        build: The build; it is live.
        schema: The store's.
        patience: For how long to wait for keys that another append has, as a setting; None: as the
            caller's transaction says.
        last: Takes what is to be written with the commit; None: it is written at once.
    """

    def __init__(
        self,
        connection: Connection,
        build: Build,
        schema: str,
        patience: str | None,
        last: list[str] | None = None,
    ) -> None:
        self.connection: Connection = connection
        """The driver's connection; see ``InlineBatch.connection``."""
        self.build: Build = build
        """What is written."""
        self._schema = schema
        self._patience = patience
        self._last = last
        self._begun: set[str] = set()  # keys that hold a place, and have no value yet
        self._locked: dict[str, str | None] = {}  # what was found of the keys
        self._expected: list[str] = []
        self._changed: dict[str, str | None] = {}  # what is written with the commit

    def expect(self, keys: Iterable[str]) -> None:
        """Say which keys the events of ``append`` will have, as far as that is known."""
        self._expected = sorted(keys)

    async def append(self, *arguments: Any) -> list[Any]:
        """Append, and lock the keys that are expected, in one round trip; see ``Early``."""
        sql = view_statement("append_early", self._schema, live_schema(self.build.name))
        keys, self._expected = self._expected, []  # once: then those that were begun have a value
        rows = await self.connection.fetch(sql, *arguments, self._patience, keys)
        appends = len(arguments[0])
        self._note([(key, value) for *_, key, value in rows[appends:]])
        return [row[:3] for row in rows[:appends]]

    async def values(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Give values, and lock their keys; see ``InlineBatch.values``."""
        for _ in range(_ATTEMPTS):
            left = [key for key in sorted(keys) if key not in self._locked]
            if not left:
                found = {key: self._locked[key] for key in keys}
                return {key: value for key, value in found.items() if value is not None}
            self._note(await self._run("view_lock", left, self._patience))
        message = f"{self.build}: its keys come and go too fast to be locked: append again"
        raise StorageError(message)

    def _note(self, rows: Sequence[tuple[str, str | None]]) -> None:
        """Note the keys that were locked; those without a value hold a place."""
        found = dict(rows)
        self._locked |= found
        self._begun |= {key for key, value in found.items() if value is None}

    async def put(self, values: Mapping[str, str | None]) -> None:
        """Set values; see ``InlineBatch.put``."""
        present = {key: value for key, value in values.items() if value is not None}
        self._locked |= values
        self._begun -= present.keys()
        gone = values.keys() - present.keys() - self._begun
        if self._last is not None:
            self._changed |= {**present, **dict.fromkeys(gone)}
            return
        if present:
            await self._run("view_put", list(present), list(present.values()))
        if gone:
            await self._run("view_delete", sorted(gone))

    async def finish(self) -> None:
        """Take away what only held a place, and hand over what is written with the commit."""
        if self._last is None and self._begun:
            await self._run("view_delete", sorted(self._begun))
        elif self._last is not None and (self._changed or self._begun):
            self._last.append(self._text({**self._changed, **dict.fromkeys(self._begun)}))

    @asynccontextmanager
    async def own_tables(self) -> AsyncIterator[None]:
        """Let unqualified names mean the tables of the build, as a projection's statements do.

        Nothing can be committed meanwhile.

        Raises:
            InlineError: The block has ended the transaction.
        """
        connection, schema = self.connection, self._schema
        own = quoted(live_schema(self.build.name))
        enter = statement("projections/inline_enter", schema)
        path, batch, *_ = cast("Any", await connection.fetchrow(enter, own, self._patience))
        mark_statements(connection, mark_of(self.build))
        try:
            yield
        except Exception as error:
            if is_lost(connection) or connection.is_in_transaction():
                raise
            raise self._ended() from error
        finally:
            mark_statements(connection, "")
        leave = statement("projections/inline_leave", schema)
        try:
            is_open = await connection.fetchrow(leave, path, batch) is not None
        except asyncpg.InFailedSQLTransactionError as error:
            raise self._ended() from error
        if not is_open:
            raise self._ended()

    def _ended(self) -> InlineError:
        return InlineError(
            f"append refused: the code of {self.build}, which is inline, has ended the "
            "transaction that it was called in, or left it broken: it must neither commit, nor "
            "roll back, nor swallow an error outside a savepoint (connection.transaction())"
        )

    def _text(self, values: Mapping[str, str | None]) -> str:
        """Give a statement without arguments that sets values; None takes one away."""
        pairs = [f"{_json(key)}:{text}" for key, text in values.items() if text is not None]
        gone = [key for key, text in values.items() if text is None]
        sql = view_statement("view_write", self._schema, live_schema(self.build.name))
        texts = {"values": literal(f"{{{','.join(pairs)}}}"), "gone": literal(_json(gone))}
        return filled(sql, texts)

    async def _run(self, name: str, *arguments: Any) -> list[Any]:
        sql = view_statement(name, self._schema, live_schema(self.build.name))
        return await self.connection.fetch(sql, *arguments)


@asynccontextmanager
async def inline_batch(
    batch: PostgresInlineBatch, kind: ProjectionKind | None
) -> AsyncIterator[PostgresInlineBatch]:
    """Give what a build is written with, and leave the connection as it was.

    Where the block fails, whoever rolls back restores it.

    Args:
        batch: What it is.
        kind: The kind of its build; only a projection has statements of its own.
    """
    if kind is not ProjectionKind.PROJECTION:
        yield batch
        await batch.finish()
        return

    async with batch.own_tables():
        yield batch
