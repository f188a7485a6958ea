"""What appends apply to inline views, in the transaction that writes their events.

A trigger refuses the events of whoever does not say that all of it is applied: see ``inlining.py``.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from eventsourcing_core.stores import Build, check_inline, inline_text
from eventsourcing_sqlite._append import write_rows
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Mapping, Sequence

    import aiosqlite

    from eventsourcing_core.stores import Append, InlineHandlers, Row, Verdict
    from eventsourcing_sqlite._database import SqliteDatabase
    from eventsourcing_sqlite._inside import Inside

_BUILDS = statement("projections/inline_builds")
_GET = statement("projections/inline_get")
_PUT = statement("projections/inline_put")
_DELETE = "DELETE FROM inline_values WHERE name = ? AND version = ? AND key = ?"


class _Written(NamedTuple):
    verdicts: Sequence[Verdict]
    reached: int
    rows: Sequence[Row]
    builds: frozenset[Build]


class SqliteInline:
    """What a process applies inside its appends.

    Args:
        database: The store's file.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._handlers: InlineHandlers | None = None

    @property
    def is_used(self) -> bool:
        """Whether there is anything that this process can apply."""
        return self._handlers is not None

    def install(self, handlers: InlineHandlers) -> None:
        """Take what is to be applied; see ``Inlining.install``."""
        self._handlers = handlers

    async def write(
        self, inside: Inside, appends: Sequence[Append]
    ) -> tuple[Sequence[Verdict], int]:
        """Write appends in a transaction, and apply their events: all of it, or nothing.

        Returns:
            A verdict for each, and the last position then.

        Raises:
            InlineMismatchError: Something is inline that this process cannot apply.
            InlineError: An event cannot be applied.
            StorageError: SQLite failed.
        """
        async with inside.savepoint():
            written = await inside.write(partial(self._written, appends=appends))
            if self._handlers is not None and written.rows and written.builds:

                @asynccontextmanager
                async def batch_of(build: Build) -> AsyncIterator[SqliteInlineBatch]:
                    yield SqliteInlineBatch(inside, build)

                await self._handlers.apply(written.builds, written.rows, batch_of)
        return written.verdicts, written.reached

    def _written(self, connection: sqlite3.Connection, appends: Sequence[Append]) -> _Written:
        """Write appends, and say meanwhile what is applied; run in the thread."""
        builds = inline_set(connection)
        check_inline(builds, self._handlers)
        self._database.applied = inline_text(builds)
        try:
            return _Written(*write_rows(connection, appends, self._database.reached), builds)
        finally:
            self._database.applied = ""


class SqliteInlineBatch:
    """What a view is written with; see ``InlineBatch``.

    Args:
        inside: The transaction of the append.
        build: The view.
    """

    def __init__(self, inside: Inside, build: Build) -> None:
        self.connection: aiosqlite.Connection = inside.connection
        """The connection that writes."""
        self._inside = inside
        self._build = build

    async def values(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Give values; nobody else writes to the file. See ``InlineBatch.values``."""
        parameters = {**self._build._asdict(), "keys": json.dumps([*keys], ensure_ascii=False)}
        return dict(await self._inside.fetch(_GET, parameters))

    async def put(self, values: Mapping[str, str | None]) -> None:
        """Set values; see ``InlineBatch.put``."""
        await self._inside.write(partial(put_values, build=self._build, values=values))


def put_values(
    connection: sqlite3.Connection, build: Build, values: Mapping[str, str | None]
) -> None:
    """Set values of a view that is inline; None takes one away; run in the thread."""
    rows = [(*build, key, value) for key, value in values.items() if value is not None]
    gone = [(*build, key) for key, value in values.items() if value is None]
    connection.executemany(_PUT, rows)
    connection.executemany(_DELETE, gone)


def inline_set(connection: sqlite3.Connection) -> frozenset[Build]:
    """Read which builds are inline; run in the thread."""
    return frozenset(Build(*row) for row in connection.execute(_BUILDS))
