"""The tables: making them, and telling our files from others before anything is written.

A migration is a pair of files in the folder ``schema``, numbered without holes: ``.up.sql`` leads
to that version, ``.down.sql`` back to the one before. A file says its version as ``user_version``.
"""

from __future__ import annotations

import json
import sqlite3
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple, cast

from eventsourcing_core import SchemaError
from eventsourcing_core.stores import MigrationStatus, check_rollback
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import aiosqlite

APPLICATION_ID = 0x4576536F
"""Marks our files; the first migration writes it."""

_CURE = "with `eventsourcing migrate URL` or open_migrator, or when it is opened with migrate=True"
_FIRST = ("events", "snapshots")
_SECOND = (*_FIRST, "streams")
_THIRD = (*_SECOND, "projections", "projection_workers", "projection_claims")
_FOURTH = (*_THIRD, "inline_values")
_SIXTH = (*_FOURTH, "event_tags")
_TABLES: tuple[tuple[str, ...], ...] = ((), _FIRST, _SECOND, _THIRD, _FOURTH, _FOURTH, _SIXTH)
"""By version."""
_FILE_STATE = statement("file_state")
_FILE_ENDS = statement("file_ends")


class FileState(NamedTuple):
    """What a file says of itself."""

    application_id: int
    """Whose it is; 0 if nobody said."""
    version: int
    """The version of its tables."""
    tables: frozenset[str]
    """Their names."""

    @property
    def is_new(self) -> bool:
        """Whether nobody has used the file."""
        return self == (0, 0, frozenset())


def migrations(direction: str) -> list[str]:
    """Give the scripts that lead ``up`` or ``down``, by version from 1."""
    folder = files("eventsourcing_sqlite") / "schema"
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(f"{direction}.sql"))
    return [(folder / name).read_text("utf-8") for name in names]


async def is_current(connection: aiosqlite.Connection, path: Path) -> bool:
    """Check that a file is ours or new; False if it has to be migrated first.

    Raises:
        SchemaError: It is another application's, of a newer version, or without its tables.
        sqlite3.DatabaseError: It is damaged, where a look at a few pages can tell.
    """
    state = await _state_of(connection)
    _check(state, path)
    if state.version < len(migrations("up")):
        return False
    await connection.execute_fetchall(_FILE_ENDS)
    return True


async def migrate(connection: aiosqlite.Connection, path: Path) -> None:
    """Bring a file to the current version, in the transaction that has begun.

    Raises:
        SchemaError: As for ``is_current``; another process may have been here since.
    """
    state = await _state_of(connection)
    _check(state, path)
    for script in migrations("up")[state.version :]:
        for single in statements(script):
            await connection.execute_fetchall(single)


async def status_of(connection: aiosqlite.Connection, path: Path) -> MigrationStatus:
    """Tell how far the tables of a file are.

    Raises:
        SchemaError: It is another application's.
    """
    state = await _state_of(connection)
    _check_owner(state, path)
    return MigrationStatus(state.version, len(migrations("up")))


async def rollback(connection: aiosqlite.Connection, path: Path, *, to: int) -> None:
    """Lead a file back to a version, in the transaction that has begun.

    Raises:
        ValueError: It is not at that version, or above it.
        SchemaError: As for ``is_current``.
    """
    state = await _state_of(connection)
    _check(state, path)
    check_rollback(to=to, applied=state.version)
    for script in reversed(migrations("down")[to : state.version]):
        for single in statements(script):
            await connection.execute_fetchall(single)


def check_exists(path: Path) -> None:
    """Refuse a file that is not there, and is not to be made.

    Raises:
        SchemaError: It says what to do.
    """
    if not path.exists():
        message = f"there is no event store {str(path)!r}: correct the path, or make it {_CURE}"
        raise SchemaError(message)


def not_current(path: Path, status: MigrationStatus) -> SchemaError:
    """Give the error for a file of an older version, which is not to be changed."""
    applied, latest = status
    return SchemaError(
        f"the event store {str(path)!r} has schema version {applied} of {latest}: "
        f"bring it up to date {_CURE}"
    )


def statements(script: str) -> Iterator[str]:
    """Split a script; Python's ``executescript`` would commit the transaction."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


async def _state_of(connection: aiosqlite.Connection) -> FileState:
    ((application_id, version, tables),) = await connection.execute_fetchall(_FILE_STATE)
    names = cast("list[str]", json.loads(tables))
    return FileState(application_id, version, frozenset(names))


def _check(state: FileState, path: Path) -> None:
    _check_owner(state, path)
    newest = len(migrations("up"))
    if state.version > newest:
        fault = (
            f"has schema version {state.version}, this version of eventsourcing-sqlite knows "
            f"{newest}: upgrade eventsourcing-sqlite"
        )
    elif missing := [name for name in _TABLES[state.version] if name not in state.tables]:
        fault = f"has lost its tables ({', '.join(missing)}): restore it from a backup"
    else:
        return
    message = f"the event store {str(path)!r} {fault}"
    raise SchemaError(message)


def _check_owner(state: FileState, path: Path) -> None:
    if state.is_new or state.application_id == APPLICATION_ID:
        return
    message = (
        f"the event store {str(path)!r} belongs to another application: "
        "give the path of another file"
    )
    raise SchemaError(message)
