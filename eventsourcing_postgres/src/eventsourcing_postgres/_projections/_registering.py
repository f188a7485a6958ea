"""Registering builds: each gets a schema of its own, and its tables in it, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg

from eventsourcing_core.stores import (
    ProjectionError,
    ProjectionKind,
    StorageError,
    new_record,
    new_segments,
    registered,
)
from eventsourcing_postgres._projections._own_schemas import (
    has_schema,
    hash_of_field,
    mark_of,
    own_schema,
    view_statement,
)
from eventsourcing_postgres._projections._records import record_of, segment_columns
from eventsourcing_postgres._statements import quoted, statement

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from eventsourcing_core.stores import BuildRecord, BuildSpec, Progress
    from eventsourcing_postgres._database import Database
    from eventsourcing_postgres._transactions import PostgresTransaction, PostgresTransactions

_DOING = "registering a projection"
_LONGEST_CREATE = 60_000
"""Milliseconds that making a build may be silent, or wait for another process that makes it."""
_OF_OTHERS = ("public", "information_schema")
_RESERVED = "pg_"  # what names begin with that the server keeps for itself


class New(NamedTuple):
    """What a new build begins with."""

    segments: int
    """How many."""
    start: Progress
    """Of all of them."""
    create: Callable[[Any], Awaitable[None]] | None
    """Makes the user's tables."""


class Registering:
    """Registers builds.

    Args:
        database: Where.
        transactions: Opens transactions there.
    """

    def __init__(self, database: Database, transactions: PostgresTransactions) -> None:
        self._database = database
        self._transactions = transactions

    async def builds(self) -> list[BuildRecord]:
        """Give all builds; see ``ProjectionStore.builds``."""
        self._database.check_usable()
        rows = await self._database.fetch("listing projections", "projections/records", None)
        return [record_of(row) for row in rows]

    async def register(self, spec: BuildSpec, new: New) -> BuildRecord:
        """Make a build, or find it; see ``ProjectionStore.register``.

        Those that are registered are looked for first: a process that starts beside others then
        takes no lock, and needs no right to create anything.
        """
        self._database.check_usable()
        rows = await self._database.fetch(_DOING, "projections/records", spec.build.name)
        found = registered(spec, [record_of(row) for row in rows])
        if found is None:
            last = statement("projections/close_batch", self._database.schema)
            mark = mark_of(spec.build)
            async with self._transactions.begin(mark=mark, last=last) as transaction:
                return await self._make(transaction, spec, new)
        is_standby, *_ = await self._place("")
        if is_standby:
            raise _on_standby(spec)
        if found.spec.event_types == ():
            arguments = (*spec.build, spec.event_types)
            await self._database.fetch(_DOING, "projections/tell_event_types", *arguments)
        return found

    async def _place(self, schema: str) -> Any:
        (row,) = await self._database.fetch(_DOING, "projections/place", schema)
        return row

    async def _make(
        self, transaction: PostgresTransaction, spec: BuildSpec, new: New
    ) -> BuildRecord:
        async def run(name: str, *arguments: Any) -> list[Any]:
            sql = statement(f"projections/{name}", self._database.schema)
            return await transaction.fetch(_DOING, sql, *arguments)

        name = spec.build.name
        await run("limits", _LONGEST_CREATE, _LONGEST_CREATE)
        await run("open_registration")
        (place,) = await run("place", "")
        if place[0]:
            raise _on_standby(spec)
        await run("lock_name", name)
        records = [record_of(row) for row in await run("records", name)]
        found = registered(spec, records)  # another process may have been faster
        if found is not None:
            return found

        record = new_record(spec, records, new.segments)
        await run(
            "insert_build",
            *spec.build,
            spec.kind.value,
            spec.class_name,
            list(spec.indexes),
            record.state.value,
            new.segments,
            spec.event_types,
        )
        columns = segment_columns(new_segments(new.segments, new.start))
        await run("write_segments", *spec.build, *columns)
        if has_schema(record):
            schema = own_schema(spec.build, record.state)
            (place,) = await run("place", schema)
            _check_place(spec, schema, self._database.schema, place)
            await _make_schema(transaction, spec, schema)
            await self._make_tables(transaction, spec, schema, new)
        return record

    async def _make_tables(
        self, transaction: PostgresTransaction, spec: BuildSpec, schema: str, new: New
    ) -> None:
        if spec.kind is ProjectionKind.VIEW:
            own = self._database.schema
            await transaction.fetch(_DOING, view_statement("view_create", own, schema))
            for field in spec.indexes:
                sql = f"create index on {quoted(schema)}.view ({hash_of_field(field)}, key)"
                await transaction.fetch(_DOING, sql)
        if new.create is not None:
            enter = statement("projections/enter_schema", self._database.schema)
            await transaction.fetch(_DOING, enter, quoted(schema))
            await new.create(transaction.connection)


def _check_place(spec: BuildSpec, schema: str, events: str, place: Any) -> None:
    """Refuse to make a schema where it cannot be made.

    Raises:
        ProjectionError: It says why, and the cure.
    """
    _, role, database, may_create, is_taken = place
    if schema in {events, *_OF_OTHERS}:
        message = (
            f"{spec.build}, would need a schema {schema!r} of its own, and that one is for other "
            "things (leave it as it is): give the projection another name"
        )
        raise ProjectionError(message)
    if is_taken:
        raise _taken(spec, schema)
    if schema.startswith(_RESERVED):
        message = (
            f"{spec.build}, would need the schema {schema!r}, and PostgreSQL keeps names that "
            f"begin with {_RESERVED} for itself: give the projection another name"
        )
        raise ProjectionError(message)
    if not may_create:
        message = (
            f"{spec.build}, needs a schema of its own, and the role {role!r} may not create one: "
            f"grant create on database {quoted(database)} to {quoted(role)}"
        )
        raise ProjectionError(message)


async def _make_schema(transaction: PostgresTransaction, spec: BuildSpec, schema: str) -> None:
    try:
        await transaction.fetch(_DOING, f"create schema {quoted(schema)}")
    except StorageError as error:
        if isinstance(error.__cause__, asyncpg.DuplicateSchemaError | asyncpg.UniqueViolationError):
            raise _taken(spec, schema) from error
        raise


def _taken(spec: BuildSpec, schema: str) -> ProjectionError:
    return ProjectionError(
        f"{spec.build}, needs the schema {schema!r} of its own, and there is one of that name, "
        "which this store has not made: give the projection another name, or drop the schema if "
        "nobody needs it"
    )


def _on_standby(spec: BuildSpec) -> ProjectionError:
    return ProjectionError(
        f"{spec.build}, cannot be kept here: the server is a standby. Run it on the primary, or "
        "keep it in another database with on="
    )
