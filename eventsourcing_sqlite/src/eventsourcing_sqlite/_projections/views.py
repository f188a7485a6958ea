"""The values of a view, as JSON, in the file of its build."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from eventsourcing_core.stores import ProjectionError
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

PAGE = 500
"""Values in a page."""

VALUES = statement("projections/values")
_PUT = statement("projections/put_value")
INLINE = statement("projections/inline_live")
_PAGE = statement("projections/all_values").replace("\nORDER BY", "{conditions}\nORDER BY")
INLINE_PAGE = statement("projections/inline_page").replace("\nWHERE", "{conditions}\nWHERE")
_DELETE = 'DELETE FROM "view" WHERE key = ?'
_NOT_IN_A_PATH = frozenset('"\\')
"""Earlier versions of SQLite know no way to write these in a path."""


def create_view(connection: sqlite3.Connection, indexes: Sequence[str]) -> None:
    """Make the table of a view; run in the thread.

    Raises:
        ProjectionError: A field cannot be indexed.
    """
    connection.execute('CREATE TABLE "view" (key TEXT PRIMARY KEY, value TEXT NOT NULL)')
    for number, field in enumerate(indexes):
        name = f"eventsourcing_view_{number}"
        connection.execute(f'CREATE INDEX {name} ON "view" ({field_in_value(field)}, key)')


def field_in_value(field: str) -> str:
    """Give the expression for a field of a value, the same each time, so that an index is used.

    Raises:
        ProjectionError: SQLite cannot find a field of that name.
    """
    if not field.isprintable() or not _NOT_IN_A_PATH.isdisjoint(field):
        message = f"SQLite cannot look for the field {field!r}: give it a plain name"
        raise ProjectionError(message)
    quoted = field.replace("'", "''")
    return f"value -> '$.\"{quoted}\"'"


def keys_parameter(keys: Sequence[str]) -> dict[str, object]:
    """Give the parameter of the statement that reads values."""
    return {"keys": json.dumps([*keys], ensure_ascii=False)}


def page_statement(
    where: Mapping[str, str], after: str, sql: str = _PAGE, rows: int = PAGE
) -> tuple[str, dict[str, object]]:
    """Give the statement for a page of values that have these fields, and its parameters."""
    conditions = "".join(
        f" AND {field_in_value(field)} = :field_{number}" for number, field in enumerate(where)
    )
    fields = {f"field_{number}": value for number, value in enumerate(where.values())}
    return sql.replace("{conditions}", conditions), {"after": after, "rows": rows, **fields}


def put(connection: sqlite3.Connection, values: Mapping[str, str | None]) -> None:
    """Set values; None takes one away; run in the thread."""
    rows = [(key, value) for key, value in values.items() if value is not None]
    gone = [(key,) for key, value in values.items() if value is None]
    connection.executemany(_PUT, rows)
    connection.executemany(_DELETE, gone)
