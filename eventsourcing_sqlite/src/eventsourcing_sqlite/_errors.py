"""What SQLite says when it fails, told to users: which file, what happened, what to do."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from eventsourcing_core import InlineMismatchError, SchemaError
from eventsourcing_core.stores import OutageError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PRIMARY_CODE = 0xFF  # the rest of a result code says more about the same failure

_MISMATCH = "eventsourcing inline: "
"""What the trigger of the events says to whoever does not apply what is inline."""
_CURES = {
    sqlite3.SQLITE_BUSY: (
        "is locked: another process has been writing for longer than busy_timeout; "
        "append again, or allow more time"
    ),
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full; free some space, then append again",
    sqlite3.SQLITE_CORRUPT: "is damaged: restore it from a backup",
    sqlite3.SQLITE_NOTADB: (
        "is not an SQLite database: give the path of another file, or restore it from a backup"
    ),
    sqlite3.SQLITE_READONLY: (
        "cannot be written: check the permissions of the file and of its directory"
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened: check the permissions of the file and of its directory"
    ),
    sqlite3.SQLITE_IOERR: "cannot be read or written: check the disk, and how it is mounted",
}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise the errors of SQLite as ``StorageError``; the original is the cause.

    It is an ``OutageError`` where any write would have met it: the disk is full, the file locked.
    """
    try:
        yield
    except (sqlite3.Error, OverflowError) as error:
        if isinstance(error, sqlite3.IntegrityError) and str(error).startswith(_MISMATCH):
            raise InlineMismatchError(str(error).removeprefix(_MISMATCH), "") from error
        code = result_code(error)
        kind = OutageError if code in _CURES else StorageError
        if code == sqlite3.SQLITE_NOTADB:
            kind = SchemaError
        cure = _CURES.get(code, "cannot be used")
        message = f"the event store {str(path)!r} {cure} (SQLite says: {error})"
        raise kind(message) from error


def result_code(error: BaseException | None) -> int:
    """Give SQLite's primary result code, 0 if the error does not come from SQLite itself."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & _PRIMARY_CODE
