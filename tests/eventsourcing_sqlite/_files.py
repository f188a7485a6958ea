"""Looking at an SQLite file from outside."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore


async def versions_in(path: Path) -> list[int]:
    async with SqliteDatabase.open(path) as database:
        return [event.version async for event in SqliteEventStore(database).read("doc-1")]


async def try_to_open(path: Path) -> None:
    async with SqliteDatabase.open(path):
        pass


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    """Ask the file itself, with the driver alone."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def open_files(folder: Path) -> list[str]:
    """List the files of a folder that this process has open."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    targets = [os.path.realpath(link) for link in links]
    return [target for target in targets if target.startswith(f"{folder}{os.sep}")]
