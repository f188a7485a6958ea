"""Making the file of a build, and telling it from files of others.

The file of version 2 of ``balances`` in the store ``events.db`` is ``events.db.balances-v2``.
"""

from __future__ import annotations

from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventsourcing_core import SchemaError
from eventsourcing_core.stores import ProjectionError, ProjectionKind, StorageError
from eventsourcing_sqlite._connection import connected, in_thread, make_durable, plain
from eventsourcing_sqlite._errors import translated
from eventsourcing_sqlite._location import check_place
from eventsourcing_sqlite._projections.guard import allow_ends, explained_ends, refuse_ends
from eventsourcing_sqlite._projections.segments import save_segments
from eventsourcing_sqlite._projections.views import create_view
from eventsourcing_sqlite._schema import statements

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Sequence

    import aiosqlite

    from eventsourcing_core.stores import Build, BuildSpec, Segment
    from eventsourcing_sqlite._projections.registry import Entry

APPLICATION_ID = 0x45765072
"""Marks the files of builds; the script writes it."""

_SCRIPT = (files("eventsourcing_sqlite") / "schema" / "build_file.sql").read_text("utf-8")
_NOBODY = (0, 0)  # application id, and number of tables, of a file that nobody has used
_PATIENCE = 5.0  # seconds for somebody who has it locked


def file_name(store: Path, build: Build) -> str:
    """Name the file of a build beside the file of the store."""
    return f"{store.name}.{build.name}-v{build.version}"


def is_missing(path: Path) -> bool:
    """Tell whether there is no file."""
    return not path.exists()


async def make_file(
    path: Path,
    spec: BuildSpec,
    file_id: bytes,
    segments: Sequence[Segment],
    create: Callable[[Any], Awaitable[None]] | None,
) -> None:
    """Make the file of a new build, complete; whoever calls holds the lock of the store's file.

    Raises:
        ProjectionError: There is a file of that name which is not what a registration left behind.
        StorageError: It cannot be made there; or what ``create`` raised, as it is.
    """
    check_place(path)
    await _make_room(path, spec.build)
    try:
        async with connected(path, busy_timeout=_PATIENCE, mode="rwc") as connection:
            with translated(path):
                await make_durable(connection, path)
                await connection.execute_fetchall("BEGIN IMMEDIATE")
                await in_thread(
                    connection, lambda thread: _make_tables(thread, spec, file_id, segments)
                )
            if create is not None:
                await in_thread(connection, refuse_ends)
                with plain(connection), explained_ends(connection):
                    await create(connection)
                await allow_ends(connection)
            _check_open(connection, spec.build)
            with translated(path):
                await connection.execute_fetchall("COMMIT")
    except BaseException:
        remove_file(path)
        raise


def _check_open(connection: aiosqlite.Connection, build: Build) -> None:
    if connection.in_transaction:
        return
    message = (
        f"the tables of {build}, were not made: the transaction was ended on its connection; "
        "leave COMMIT and ROLLBACK to the library"
    )
    raise StorageError(message)


def remove_file(path: Path) -> None:
    """Delete a file and the two that SQLite keeps beside it; those that are not there stay away.

    Raises:
        StorageError: It cannot be deleted.
    """
    real = path.resolve()
    try:
        for each in (path, Path(f"{real}-wal"), Path(f"{real}-shm")):
            each.unlink(missing_ok=True)
    except OSError as error:
        message = f"cannot delete {str(path)!r}: {error.strerror}"
        raise StorageError(message) from error


async def check_file(connection: aiosqlite.Connection, path: Path, entry: Entry) -> None:
    """Make sure that a file is the one that was made for a build, and let it be durable.

    Raises:
        ProjectionError: It is another one.
    """
    if await _whose(connection) != (*entry.build, entry.file_id):
        message = (
            f"{str(path)!r} is not the file that was made for {entry.build}, of this store: "
            "put that one back (the store and the files beside it belong together), or drop that "
            "version and let it be built again"
        )
        raise ProjectionError(message)
    await make_durable(connection, path)


async def _whose(connection: aiosqlite.Connection) -> tuple[object, ...] | None:
    ((application_id,),) = await connection.execute_fetchall("PRAGMA application_id")
    if application_id != APPLICATION_ID:
        return None
    rows = await connection.execute_fetchall(
        "SELECT name, version, file_id FROM eventsourcing_build"
    )
    return next(map(tuple, rows), None)


async def _make_room(path: Path, build: Build) -> None:
    """Take a file away that a registration left behind which was not finished.

    Nothing was ever applied to such a file: nobody has taken a segment of it.
    """
    if is_missing(path):
        return
    is_ours = is_unused = False
    with suppress(SchemaError), translated(path):
        async with connected(path, busy_timeout=_PATIENCE, mode="rw") as connection:
            is_unused = await _is_blank(connection)
            whose = None if is_unused else await _whose(connection)
            is_ours = whose is not None and whose[:2] == build
            if is_ours:
                rows = await connection.execute_fetchall(
                    "SELECT 1 FROM eventsourcing_segments WHERE epoch > 0"
                )
                is_unused = not [*rows]
    if is_unused:
        remove_file(path)
        return
    fault = (
        "was filled for another copy of this store, or for one that was restored"
        if is_ours
        else "is not a file of this library"
    )
    message = (
        f"cannot make {build}: {str(path)!r} is there, and {fault}; move it away or delete "
        "it, or give the projection another name or version"
    )
    raise ProjectionError(message)


async def _is_blank(connection: aiosqlite.Connection) -> bool:
    (found,) = await connection.execute_fetchall(
        "SELECT (SELECT application_id FROM pragma_application_id), "
        "(SELECT count(*) FROM sqlite_master)"
    )
    return tuple(found) == _NOBODY


def _make_tables(
    connection: sqlite3.Connection, spec: BuildSpec, file_id: bytes, segments: Sequence[Segment]
) -> None:
    for each in statements(_SCRIPT):
        connection.execute(each)
    connection.execute(
        "INSERT INTO eventsourcing_build (name, version, file_id) VALUES (?, ?, ?)",
        (*spec.build, file_id),
    )
    save_segments(connection, segments)
    if spec.kind is ProjectionKind.VIEW:
        create_view(connection, spec.indexes)
