"""The transaction of an append, as the handlers of one inline build write in it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from eventsourcing_core.stores import ProjectionKind, StorageError
from eventsourcing_postgres._connections import mark_statements
from eventsourcing_postgres._projections._own_schemas import (
    live_schema,
    mark_of,
    view_statement,
)
from eventsourcing_postgres._statements import quoted, statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from eventsourcing_core.stores import Build
    from eventsourcing_postgres._pool import Connection

_ATTEMPTS = 10  # for keys that somebody else begins or takes away just then


class PostgresInlineBatch:
    """What a build is written with; see ``InlineBatch``.

    Args:
        connection: Where the append is.
        build: The build; it is live.
        schema: The store's.
        patience: For how long to wait for keys that another append has, as a setting; None: as the
            caller's transaction says.
    """

    def __init__(
        self, connection: Connection, build: Build, schema: str, patience: str | None
    ) -> None:
        self.connection: Connection = connection
        """The driver's connection; see ``InlineBatch.connection``."""
        self._build = build
        self._schema = schema
        self._patience = patience
        self._begun: set[str] = set()  # keys that hold a place, and have no value yet

    async def values(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Give values, and lock their keys; see ``InlineBatch.values``."""
        found: dict[str, str] = {}
        left = sorted(keys)
        for _ in range(_ATTEMPTS):
            rows = await self._run("view_lock", left, self._patience)
            begun = {key for key, value in rows if value is None}
            self._begun |= begun
            found.update((key, value) for key, value in rows if value is not None)
            left = [key for key in left if key not in found and key not in begun]
            if not left:
                return found
        message = f"{self._build}: its keys come and go too fast to be locked: append again"
        raise StorageError(message)

    async def put(self, values: Mapping[str, str | None]) -> None:
        """Set values; see ``InlineBatch.put``."""
        present = {key: value for key, value in values.items() if value is not None}
        if present:
            await self._run("view_put", list(present), list(present.values()))
            self._begun -= present.keys()
        gone = values.keys() - present.keys() - self._begun
        if gone:
            await self._run("view_delete", sorted(gone))

    async def finish(self) -> None:
        """Take away what only held a place."""
        if self._begun:
            await self._run("view_delete", sorted(self._begun))

    async def _run(self, name: str, *arguments: Any) -> list[Any]:
        sql = view_statement(name, self._schema, live_schema(self._build.name))
        return await self.connection.fetch(sql, *arguments)


@asynccontextmanager
async def inline_batch(
    connection: Connection,
    build: Build,
    kind: ProjectionKind | None,
    schema: str,
    patience: str | None,
) -> AsyncIterator[PostgresInlineBatch]:
    """Give what a build is written with, and leave the connection as it was.

    Where the block fails, whoever rolls back restores it.

    Args:
        connection: Where the append is.
        build: The build; it is live.
        kind: What it is; only a projection has statements of its own.
        schema: The store's.
        patience: See ``PostgresInlineBatch``.
    """
    batch = PostgresInlineBatch(connection, build, schema, patience)
    if kind is not ProjectionKind.PROJECTION:
        yield batch
        await batch.finish()
        return

    own = quoted(live_schema(build.name))
    before = await connection.fetchval(statement("projections/inline_enter", schema), own, patience)
    mark_statements(connection, mark_of(build))
    try:
        yield batch
    finally:
        mark_statements(connection, "")
    await connection.fetchval(statement("projections/inline_leave", schema), before)
