"""Numbered pairs of SQL files, applied in order under a lock; and after them the functions.

A file that has landed is never edited: what a schema was made of is what it says.
"""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from eventsourcing_core import SchemaError
from eventsourcing_core.stores import MigrationStatus, check_rollback
from eventsourcing_postgres._checks import check_pool
from eventsourcing_postgres._connections import transacted
from eventsourcing_postgres._errors import migrate_command, translated
from eventsourcing_postgres._functions import (
    FIRST_MIGRATION,
    drop_functions,
    make_functions,
    what_is_wrong,
)
from eventsourcing_postgres._sequence import check_sequence
from eventsourcing_postgres._statements import in_schema, quoted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg

    from eventsourcing_postgres._pool import Connection

_LOCK = 0x6576656E7473  # "events": one migration at a time in a database
_NAME = re.compile(r"(\d{4})_(\w+)\.up\.sql")


class Migration(NamedTuple):
    """One step of the schema."""

    number: int
    """From 1, without holes."""
    name: str
    """What it brings."""
    up: str
    """The SQL that applies it."""
    down: str
    """The SQL that takes it back."""


def _migrations() -> list[Migration]:
    folder = files("eventsourcing_postgres").joinpath("migrations")
    found = [
        Migration(
            int(match[1]),
            match[2],
            path.read_text("utf-8"),
            folder.joinpath(path.name.replace(".up.", ".down.")).read_text("utf-8"),
        )
        for path in folder.iterdir()
        if (match := _NAME.fullmatch(path.name))
    ]
    return sorted(found)


async def status(
    pool: asyncpg.Pool[asyncpg.Record], *, schema: str = "eventsourcing"
) -> MigrationStatus:
    """Tell how far a schema is.

    Raises:
        SchemaError: If all migrations are applied, but the functions are missing, or were made for
            a schema of another name, or the sequence is wrong.
        StorageError: If the server cannot be asked.
    """
    check_pool(pool)
    with translated("status", schema):
        async with pool.acquire() as connection:
            found = MigrationStatus(await _applied(connection, schema), len(_migrations()))
            if found.applied == found.latest:
                _check_right(await what_is_wrong(connection, schema), schema)
                await check_sequence(connection, schema)
    return found


async def migrate(
    pool: asyncpg.Pool[asyncpg.Record], *, schema: str = "eventsourcing"
) -> MigrationStatus:
    """Apply the migrations that are missing, and make the functions, all in one transaction.

    Several processes may do so at once: one does the work, the others wait for it.

    Raises:
        SchemaError: If the schema was made by a newer version of the library.
        StorageError: If the server refuses; nothing is changed then.
    """
    check_pool(pool)
    with translated("migrate", schema):
        async with pool.acquire() as connection, _alone(connection):
            applied = await _applied(connection, schema)
            check_not_newer(applied, schema)
            for migration in _migrations()[applied:]:
                await _apply(connection, schema, migration)
            await make_functions(connection, schema)
            return MigrationStatus(await _applied(connection, schema), len(_migrations()))


async def rollback(
    pool: asyncpg.Pool[asyncpg.Record], *, schema: str = "eventsourcing", to: int
) -> MigrationStatus:
    """Take migrations back, down to a number; 0 drops every event of the store.

    Raises:
        ValueError: If ``to`` is negative, or above what is applied.
        SchemaError: If the schema was made by a newer version of the library.
        StorageError: If the server refuses; nothing is changed then.
    """
    check_pool(pool)
    with translated("rollback", schema):
        async with pool.acquire() as connection, _alone(connection):
            applied = await _applied(connection, schema)
            check_not_newer(applied, schema)
            check_rollback(to=to, applied=applied)
            if to < FIRST_MIGRATION:
                await drop_functions(connection, schema)
            for migration in reversed(_migrations()[to:applied]):
                await connection.execute(in_schema(migration.down, schema))
                await connection.execute(
                    in_schema("delete from {schema}.schema_migrations where number = $1", schema),
                    migration.number,
                )
            return MigrationStatus(await _applied(connection, schema), len(_migrations()))


@asynccontextmanager
async def _alone(connection: Connection) -> AsyncIterator[None]:
    """Open a transaction that is the only one of its kind in the database.

    At READ COMMITTED, whatever the database prefers: at another level it would see the schema as it
    was before it waited for its turn.
    """
    async with transacted(connection, isolation="read_committed"):
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        yield


def check_not_newer(applied: int, schema: str) -> None:
    """Refuse a schema that this version of the library does not know.

    Raises:
        SchemaError: If it is newer.
    """
    latest = len(_migrations())
    if applied > latest:
        message = (
            f"the schema {schema!r} is at migration {applied}, this version of "
            f"eventsourcing-postgres knows {latest}: upgrade the package"
        )
        raise SchemaError(message)


async def check_on(connection: Connection, schema: str) -> None:
    """Refuse a schema that is not the one of this version, or whose sequence is wrong.

    Functions of other versions may be beside those of this one.

    Raises:
        SchemaError: If it is missing, older or newer, was renamed, or lacks a function, or would
            give positions a second time; it says the command that mends it.
    """
    applied, latest = await _applied(connection, schema), len(_migrations())
    check_not_newer(applied, schema)
    if applied < latest:
        found = f"at migration {applied} of {latest}" if applied else "not there"
        message = f"the schema {schema!r} is {found}; run: {migrate_command(schema)}"
        raise SchemaError(message)
    _check_right(await what_is_wrong(connection, schema), schema)
    await check_sequence(connection, schema)


def _check_right(wrong: str | None, schema: str) -> None:
    if wrong:
        message = f"{wrong}; run: {migrate_command(schema)}"
        raise SchemaError(message)


async def _applied(connection: Connection, schema: str) -> int:
    table = f"{quoted(schema)}.schema_migrations"
    if await connection.fetchval("select to_regclass($1)", table) is None:
        return 0
    return int(await connection.fetchval(f"select coalesce(max(number), 0) from {table}"))  # noqa: S608 - the name is quoted


async def _apply(connection: Connection, schema: str, migration: Migration) -> None:
    if migration.number == 1:
        await connection.execute(in_schema(_TABLE, schema))
    await connection.execute(in_schema(migration.up, schema))
    await connection.execute(
        in_schema("insert into {schema}.schema_migrations (number, name) values ($1, $2)", schema),
        migration.number,
        migration.name,
    )


_TABLE = """
create schema if not exists {schema};
create table if not exists {schema}.schema_migrations (
    number integer primary key,
    name text not null,
    applied_at timestamptz not null default now()
)
"""
