"""The migrator ``sqlite``: the schema of a file by URL."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from eventsourcing_core.stores import MigrationStatus, StorageError, check_rollback
from eventsourcing_sqlite._connection import connected, immediate_transaction, patiently
from eventsourcing_sqlite._database import SqliteDatabase, check_busy_timeout
from eventsourcing_sqlite._errors import result_code, translated
from eventsourcing_sqlite._location import check_place, file_in
from eventsourcing_sqlite._schema import migrations, rollback, status_of

if TYPE_CHECKING:
    import aiosqlite

logger = logging.getLogger("eventsourcing_sqlite")

_FIRST_WITH_WAL = (3, 7, 0)
_MENDED = (3, 51, 3)
_MENDED_EARLIER: dict[tuple[int, ...], tuple[int, ...]] = {(3, 44): (3, 44, 6), (3, 50): (3, 50, 7)}
_RESET_FAULT = (
    "SQLite %s, which this Python uses, has the WAL-reset fault: rarely it damages a file that "
    "several connections write at the same moment. Use SQLite 3.51.3 or newer (or 3.50.7, or "
    "3.44.6), or let one process only open the file to write"
)


class SqliteMigrator:
    """Moves the tables of a file, which is open only while it works; see ``Migrator``.

    Args:
        path: The file, absolute.
        busy_timeout: Seconds to wait for others who have it locked, or open when it is taken back.
    """

    def __init__(self, path: Path, *, busy_timeout: float) -> None:
        self._path = path
        self._busy_timeout = busy_timeout

    async def status(self) -> MigrationStatus:
        """Tell how far the file is; a missing one is not made. See ``Migrator.status``.

        It warns in the log where SQLite itself has the WAL-reset fault.
        """
        if self._is_missing():
            return self._nothing
        if has_reset_fault(sqlite3.sqlite_version_info):
            logger.warning(_RESET_FAULT, sqlite3.sqlite_version)
        return await self._status()

    async def _status(self) -> MigrationStatus:
        with translated(self._path):
            async with connected(self._path, busy_timeout=0, mode="rw") as connection:
                return await patiently(
                    lambda: status_of(connection, self._path), busy_timeout=self._busy_timeout
                )

    async def migrate(self) -> MigrationStatus:
        """Make the file, or bring it up to date; see ``Migrator.migrate``."""
        async with SqliteDatabase.open(self._path, busy_timeout=self._busy_timeout):
            pass
        return await self._status()

    async def rollback(self, *, to: int) -> MigrationStatus:
        """Lead the file back to a version; 0 drops events and snapshots.

        Whoever has it open would not find his tables any more: so while somebody has, in this
        process or another, it is refused. See ``Migrator.rollback``.
        """
        if self._is_missing():
            check_rollback(to=to, applied=0)
            return self._nothing
        with translated(self._path):
            async with connected(self._path, busy_timeout=0, mode="rw") as connection:
                try:
                    return await patiently(
                        lambda: self._rolled_back(connection, to), busy_timeout=self._busy_timeout
                    )
                except sqlite3.OperationalError as error:
                    if result_code(error) != sqlite3.SQLITE_BUSY:
                        raise
                    message = (
                        f"the event store {str(self._path)!r} is in use: close it in every "
                        "program, then roll it back"
                    )
                    raise StorageError(message) from error

    async def _rolled_back(self, connection: aiosqlite.Connection, to: int) -> MigrationStatus:
        # From the first look on the file is this connection's alone; otherwise SQLite says "busy".
        # https://www.sqlite.org/wal.html, "Use of WAL Without Shared-Memory"
        await connection.execute_fetchall("PRAGMA locking_mode = EXCLUSIVE")
        async with immediate_transaction(connection):
            await rollback(connection, self._path, to=to)
            return await status_of(connection, self._path)

    @property
    def _nothing(self) -> MigrationStatus:
        return MigrationStatus(0, len(migrations("up")))

    def _is_missing(self) -> bool:
        check_place(self._path)
        return not self._path.exists()


def has_reset_fault(version: tuple[int, ...]) -> bool:
    """Tell whether a version of SQLite can reset a log wrongly, and so damage a file.

    It takes two connections that write, or move the log into the file, at the same moment. See
    https://sqlite.org/wal.html, "The WAL-Reset Bug".
    """
    mended_since = _MENDED_EARLIER.get(version[:2], _MENDED)
    return _FIRST_WITH_WAL <= version < mended_since


def open_sqlite_migrator(
    url: str, *, busy_timeout: float = 5.0
) -> AbstractAsyncContextManager[SqliteMigrator]:
    """Open the migrator of ``sqlite:///file.db`` or ``sqlite:////a/file.db``; it opens no file yet.

    Args:
        url: Its path is percent-decoded.
        busy_timeout: Seconds to wait for others who have the file locked, or open when it is
            taken back, from 0 to a day.

    Raises:
        ValueError: The URL names no file, or the number is out of bounds.
    """
    check_busy_timeout(busy_timeout)
    path = Path(file_in(url)).absolute()
    return nullcontext(SqliteMigrator(path, busy_timeout=busy_timeout))
