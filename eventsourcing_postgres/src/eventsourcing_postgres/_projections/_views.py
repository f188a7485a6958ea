"""Reading views: the live build of each, by the name that its schema has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg

from eventsourcing_core.stores import (
    Build,
    BuildState,
    StorageError,
    not_registered,
)
from eventsourcing_postgres._connections import fetch_on
from eventsourcing_postgres._projections._own_schemas import (
    field_condition,
    live_schema,
    own_schema,
    view_statement,
)
from eventsourcing_postgres._projections._records import record_of
from eventsourcing_postgres._statements import is_text, quoted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from eventsourcing_core.stores import BuildRecord
    from eventsourcing_postgres._database import Database

PAGE = 500
"""Values in a page."""
_DOING = "reading a view"
_ATTEMPTS = 10  # for a page whose build gets another name just then
_MISSING = (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError)


class Views:
    """Reads values of the live builds of views.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def values(self, name: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Give values; see ``ProjectionStore.live_values``."""
        wanted = [key for key in keys if is_text(key)]
        rows = await self._rows("live_values", live_schema(name), "", name, wanted)
        if not rows:
            raise not_registered(name)
        return {key: value for key, value in rows if key is not None}

    async def pages(
        self, name: str, where: Mapping[str, str]
    ) -> AsyncIterator[Sequence[tuple[str, str]]]:
        """Give all values; see ``ProjectionStore.live_pages``."""
        build, schema = await self._live(name), live_schema(name)
        conditions = "".join(field_condition(field, 4 + n) for n, field in enumerate(where))
        after = ""
        while True:
            arguments = (build.name, after, PAGE, *where.values())
            rows, schema = await self._page(build, schema, conditions, arguments)
            if rows:
                yield [(key, value) for key, value, _ in rows]
            if len(rows) < PAGE:
                return
            after = rows[-1][0]

    async def _page(
        self, build: Build, schema: str, conditions: str, arguments: tuple[Any, ...]
    ) -> tuple[list[Any], str]:
        """Give a page of a build, whatever its schema is called; and the last name that it had.

        Rows say which build they are of. Where there are none, the name has to say it.
        """
        for _ in range(_ATTEMPTS):
            rows = await self._rows("live_page", schema, conditions, *arguments)
            if rows and rows[0]["version"] == build.version:
                return rows, schema
            used, schema = schema, await self._schema_of(build)
            if rows == [] and schema == used:
                return [], schema
        message = (
            f"{_DOING} failed: {build}, is switched again and again, or its table is gone: read "
            "again, or drop the build"
        )
        raise StorageError(message)

    async def _live(self, name: str) -> Build:
        for record in await self._records(name):
            if record.state is BuildState.LIVE:
                return record.spec.build
        raise not_registered(name)

    async def _schema_of(self, build: Build) -> str:
        for record in await self._records(build.name):
            if record.spec.build == build:
                return own_schema(build, record.state)
        raise not_registered(build)

    async def _records(self, name: str) -> list[BuildRecord]:
        rows = await self._database.fetch(_DOING, "projections/records", name)
        return [record_of(row) for row in rows]

    async def _rows(
        self, statement_name: str, schema: str, conditions: str, *arguments: Any
    ) -> list[Any] | None:
        """Run a statement on the table of a view; None if there is none at that moment."""
        self._database.check_usable()
        sql = view_statement(statement_name, self._database.schema, schema, conditions)
        try:
            return await self._database.use(
                _DOING, self._database.isolated, fetch_on, sql, *arguments
            )
        except StorageError as error:
            if isinstance(error.__cause__, _MISSING):
                return None
            if isinstance(error.__cause__, asyncpg.InsufficientPrivilegeError):
                message = (
                    f"{error.__cause__}; to read a view, a role needs usage on its schema "
                    f"({quoted(schema)}), and select on the table in it and on the table "
                    f"projections of the schema {quoted(self._database.schema)}"
                )
                raise StorageError(message) from error
            raise
