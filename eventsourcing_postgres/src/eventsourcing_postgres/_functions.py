"""The functions of the schema: one SQL file each, made again by every ``migrate``.

A name carries a major number: a program calls the major that it was written for, so two versions
of a program can work on one database. Within a major only the text changes. The comment that each
function has in the database says which revision of its text it is, and for which schema:

- ``migrate`` by an older program does not put back an older text.
- A function names the tables of its schema. When the schema was renamed, that is the name of
  another store, or of none: such a schema is not opened before ``migrate`` has made them again.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from eventsourcing_postgres._statements import in_schema, quoted

if TYPE_CHECKING:
    from eventsourcing_postgres._pool import Connection

FIRST_MIGRATION = 4
"""The migration from which on a schema has them."""

_ORDER = (  # each after those that it calls
    "version_of_v1",
    "advance_v1",
    "floor_key_v1",
    "publish_first_floor_v1",
    "boundary_class_v1",
    "check_isolation_v1",
    "append_v1",
    "append_v2",
    "append_one_v1",
    "matching_items_v1",
    "missed_v1",
    "take_v1",
    "append_v3",
    "horizon_v1",
    "matching_v1",
)
_MARK = re.compile(r"revision (\d+) for (.+)", re.DOTALL)
_REVISION = re.compile(r"^comment on function .* is 'revision (\d+) for ", re.MULTILINE)


class Function(NamedTuple):
    """One function of this version of the library."""

    name: str
    """With its major number."""
    revision: int
    """Of its text; a higher one is newer."""
    sql: str
    """What makes it, or replaces it."""


class _Made(NamedTuple):
    """A function that a schema has."""

    revision: int
    """0 if it does not say so."""
    schema: str
    """For which schema it was made, quoted; empty if it does not say so."""
    text: str
    """Its body."""


_UNMARKED = _Made(0, "", "")


@cache
def functions() -> tuple[Function, ...]:
    """Give the functions of this version, each after those that it calls."""
    folder = files("eventsourcing_postgres").joinpath("functions")
    texts = ((name, folder.joinpath(f"{name}.sql").read_text("utf-8")) for name in _ORDER)
    return tuple(Function(name, _revision(name, sql), sql) for name, sql in texts)


def _revision(name: str, sql: str) -> int:
    found = _REVISION.search(sql)
    if found is None:  # pragma: no cover - a file of ours, which tests read
        message = f"functions/{name}.sql has no comment that says its revision"
        raise ValueError(message)
    return int(found[1])


async def make_functions(connection: Connection, schema: str) -> None:
    """Make the functions of this version, but keep those that are right, or of a newer text.

    So where there is nothing to do, it takes no right to do it.
    """
    made = await _made(connection, schema)
    for function in functions():
        found = made.get(function.name, _UNMARKED)
        sql = in_schema(function.sql, schema)
        is_same = found.revision == function.revision and found.text in sql
        is_newer = found.revision > function.revision
        if found.schema != quoted(schema) or not (is_same or is_newer):
            await connection.execute(sql)


async def drop_functions(connection: Connection, schema: str) -> None:
    """Drop the functions of all versions."""
    names = [name for name, made in (await _made(connection, schema)).items() if made.revision]
    for name in names:
        await connection.execute(f"drop function {quoted(schema)}.{quoted(name)}")


async def what_is_wrong(connection: Connection, schema: str) -> str | None:
    """Tell why this version cannot work with the functions of a schema; None if it can."""
    made = await _made(connection, schema)
    missing = [each.name for each in functions() if not made.get(each.name, _UNMARKED).revision]
    if missing:
        return f"the schema {schema!r} has no function {', '.join(missing)} of this library"

    foreign = {made[each.name].schema for each in functions()} - {quoted(schema)}
    if foreign:
        return (
            f"the schema {schema!r} was renamed: its functions were made for the schema "
            f"{', '.join(sorted(foreign))}, and would read and write there"
        )
    return None


async def _made(connection: Connection, schema: str) -> dict[str, _Made]:
    rows = await connection.fetch(
        """
        select proname, obj_description(pg_proc.oid, 'pg_proc'), prosrc
        from pg_catalog.pg_proc join pg_catalog.pg_namespace as home on home.oid = pronamespace
        where nspname = $1
        """,
        schema,
    )
    marked = ((name, _MARK.fullmatch(comment or ""), text) for name, comment, text in rows)
    return {
        name: _Made(int(mark[1]), mark[2], text) if mark else _UNMARKED
        for name, mark, text in marked
    }
