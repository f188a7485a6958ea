"""A file, what is opened on it, and a look at what is left behind."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from time import monotonic
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

DEADLINE = 10.0  # seconds until something counts as never happening


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of a file that is not there yet."""
    return tmp_path / "events.db"


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Hold every test of this folder to it: what is closed leaves no thread behind."""
    before = {*threading.enumerate()}
    yield
    deadline = monotonic() + DEADLINE
    for thread in {*threading.enumerate()} - before:
        thread.join(deadline - monotonic())  # it reports its end shortly before it ends
    left = {*threading.enumerate()} - before
    # asyncio keeps the threads of its executor until its loop is closed, which is later.
    assert [thread for thread in left if not thread.name.startswith("asyncio_")] == []


@pytest_asyncio.fixture
async def database(path: Path) -> AsyncIterator[SqliteDatabase]:
    """Open the file; whoever meets a lock gives up soon."""
    async with SqliteDatabase.open(path, busy_timeout=0.3) as database:
        yield database


@pytest.fixture
def store(database: SqliteDatabase) -> SqliteEventStore:
    """Give a store in the file."""
    return SqliteEventStore(database)


@pytest.fixture
def other(path: Path, database: SqliteDatabase) -> Iterator[sqlite3.Connection]:
    """Give a connection of somebody else to the file."""
    assert database.path == path
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection
