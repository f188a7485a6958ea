"""The fault of SQLite that can damage a file: it is said, and one process alone cannot meet it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Event, StorageError
from eventsourcing_sqlite._migrator import SqliteMigrator, has_reset_fault
from tests.eventsourcing_sqlite._files import try_to_open

if TYPE_CHECKING:
    from pathlib import Path

    from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore


@pytest.mark.parametrize(
    ("version", "has_it"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_the_versions_with_the_fault_are_known(
    version: tuple[int, int, int], *, has_it: bool
) -> None:
    assert has_reset_fault(version) == has_it


@pytest.mark.parametrize(("version", "warnings"), [("3.51.2", 1), ("3.51.3", 0)])
async def test_the_status_warns_of_the_fault(
    path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    warnings: int,
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version", version)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", tuple(map(int, version.split("."))))
    await try_to_open(path)
    await SqliteMigrator(path, busy_timeout=1).status()
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == warnings
    assert all(text.startswith(f"SQLite {version}, ") for text in said)


async def test_the_reading_connection_does_not_move_the_log_into_the_file(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    await store.append("doc-1", [Event("Counted", {})], expected_version=0)
    with pytest.raises(StorageError):
        await database.fetch("pragma wal_checkpoint", {})
    async with database.transaction() as connection:
        assert [*await connection.execute_fetchall("pragma wal_autocheckpoint")] == [(1000,)]
