"""A file that is deleted, moved, replaced or restored while it is open: nothing is acknowledged."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import Event, ExpectedVersion, RecordedEvent, StorageError, open_backend
from eventsourcing_core.stores import Snapshot
from eventsourcing_sqlite import (
    SqliteDatabase,
    SqliteEventStore,
    SqliteSnapshotStore,
    _location,
)
from tests.eventsourcing_sqlite._files import contents, query, versions_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

DEADLINE = 10.0  # seconds until something counts as never happening
NEVER = 3600.0  # seconds
ANY = ExpectedVersion.ANY


def counted(number: int) -> Event[object]:
    return Event("Counted", {"number": number})


def beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}{ending}")


# What happens to a file


def deleted(path: Path) -> None:
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()


def deleted_alone(path: Path) -> None:
    path.unlink()


def moved(path: Path) -> None:
    path.rename(beside(path, ".old"))


def replaced(path: Path) -> None:
    """Move a backup to its place."""
    backup = beside(path, ".backup")
    shutil.copy(path, backup)
    backup.replace(path)


def without_log(path: Path) -> None:
    beside(path, "-wal").unlink()


def without_index_of_the_log(path: Path) -> None:
    beside(path, "-shm").unlink()


def folder_moved(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


CHANGES: list[Callable[[Path], None]] = [
    deleted,
    deleted_alone,
    moved,
    replaced,
    without_log,
    without_index_of_the_log,
    folder_moved,
]

# What is done with it then


async def append(database: SqliteDatabase) -> None:
    await SqliteEventStore(database).append("doc-1", [counted(2)], expected_version=1)


async def import_events(database: SqliteDatabase) -> None:
    event = RecordedEvent[object]("Counted", {}, stream_id="doc-2", version=1, position=1)
    await SqliteEventStore(database).import_events([event])


async def read(database: SqliteDatabase) -> None:
    assert [event async for event in SqliteEventStore(database).read("doc-1")] == []


async def read_all(database: SqliteDatabase) -> None:
    assert [event async for event in SqliteEventStore(database).read_all()] == []


async def wait(database: SqliteDatabase) -> None:
    await SqliteEventStore(database).wait(after_position=0, timeout=0)


async def transact(database: SqliteDatabase) -> None:
    async with SqliteEventStore(database).transaction() as transaction:
        await transaction.append("doc-1", [counted(2)], expected_version=1)


async def save_snapshot(database: SqliteDatabase) -> None:
    snapshot = Snapshot("doc-1", 1, b"{}", "json", "1", datetime(2026, 1, 1, tzinfo=UTC))
    await SqliteSnapshotStore(database).save(snapshot)


async def load_snapshot(database: SqliteDatabase) -> None:
    await SqliteSnapshotStore(database).load("doc-1")


async def count(database: SqliteDatabase) -> None:
    await SqliteEventStore(database).statistics()


USES: list[Callable[[SqliteDatabase], Awaitable[None]]] = [
    append,
    import_events,
    read,
    read_all,
    wait,
    transact,
    save_snapshot,
    load_snapshot,
    count,
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a path in a folder that can be moved."""
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder / "events.db"


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("use", USES)
async def test_a_file_that_is_not_where_it_was_is_not_used(
    path: Path, change: Callable[[Path], None], use: Callable[[SqliteDatabase], Awaitable[None]]
) -> None:
    async with SqliteDatabase.open(path) as database:
        await SqliteEventStore(database).append("doc-1", [counted(1)], expected_version=0)
        change(path)
        with pytest.raises(StorageError, match="deleted, moved or replaced.*open it again"):
            await use(database)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("use", [append, read_all])
async def test_a_folder_that_nobody_has_touched_for_long_is_all_that_is_looked_at(
    path: Path,
    change: Callable[[Path], None],
    use: Callable[[SqliteDatabase], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[str] = []
    look = _location._identity_of

    def noted(path: str) -> tuple[int, int] | None:
        looks.append(path)
        return look(path)

    monkeypatch.setattr(_location, "_identity_of", noted)
    async with SqliteDatabase.open(path) as database:
        await SqliteEventStore(database).append("doc-1", [counted(1)], expected_version=0)
        os.utime(path.parent, (0, 0))
        await count(database)
        looks.clear()
        await count(database)
        assert looks == []
        change(path)
        with pytest.raises(StorageError, match="deleted, moved or replaced.*open it again"):
            await use(database)


async def test_a_folder_that_was_touched_just_now_tells_nothing(path: Path) -> None:
    """Its next change may have the same time."""
    async with SqliteDatabase.open(path) as database:
        await SqliteEventStore(database).append("doc-1", [counted(1)], expected_version=0)
        touched = path.parent.stat()
        deleted(path)
        os.utime(path.parent, ns=(touched.st_atime_ns, touched.st_mtime_ns))
        with pytest.raises(StorageError, match="deleted, moved or replaced"):
            await count(database)


@pytest.mark.parametrize("change", [deleted, moved, replaced])
async def test_what_is_committed_while_the_file_goes_is_not_acknowledged(
    path: Path, change: Callable[[Path], None]
) -> None:
    """It goes after the write has begun, so only a look after the commit can notice it."""

    def work(connection: sqlite3.Connection) -> None:
        connection.execute("update streams set version = version")
        change(path)

    async with SqliteDatabase.open(path) as database:
        with pytest.raises(StorageError, match="deleted, moved or replaced"):
            await database.write(work)


async def test_a_transaction_of_the_users_that_meets_it_is_not_acknowledged(path: Path) -> None:
    async with SqliteDatabase.open(path) as database:
        transaction = database.transaction()
        connection = await transaction.__aenter__()
        await connection.execute("create table mine (a)")
        deleted(path)
        with pytest.raises(StorageError, match="deleted, moved or replaced"):
            await transaction.__aexit__(None, None, None)


async def test_nothing_is_written_into_what_was_put_in_its_place(path: Path) -> None:
    async with SqliteDatabase.open(path) as database:
        await SqliteEventStore(database).append("doc-1", [counted(1)], expected_version=0)
    backup = beside(path, ".backup")
    shutil.copy(path, backup)
    async with SqliteDatabase.open(path) as database:
        store = SqliteEventStore(database)
        await store.append("doc-1", [counted(2)], expected_version=1)
        deleted_alone(path)
        beside(path, "-wal").unlink()
        shutil.copy(backup, path)
        with pytest.raises(StorageError, match="deleted, moved or replaced"):
            await store.append("doc-1", [counted(3)], expected_version=2)
    beside(path, "-shm").unlink(missing_ok=True)
    assert contents(path.parent)[path.name] == contents(path.parent)[backup.name]
    assert await versions_in(path) == [1]


async def test_a_wait_without_end_notices_it(path: Path) -> None:
    async with SqliteDatabase.open(path, poll_interval=0.01) as database:
        task = asyncio.create_task(SqliteEventStore(database).wait(after_position=0, timeout=NEVER))
        await asyncio.sleep(0)
        deleted(path)
        with pytest.raises(StorageError, match="deleted, moved or replaced"):
            async with asyncio.timeout(DEADLINE):
                await task


async def test_a_link_that_leads_elsewhere_now_is_noticed(path: Path) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)
    async with SqliteDatabase.open(link) as database:
        store = SqliteEventStore(database)
        await store.append("doc-1", [counted(1)], expected_version=0)
        link.unlink()
        link.symlink_to(path.with_name("other.db"))
        with pytest.raises(StorageError, match="deleted, moved or replaced"):
            await store.append("doc-1", [counted(2)], expected_version=1)


async def test_the_files_beside_one_opened_by_a_link_are_beside_the_file(path: Path) -> None:
    link = path.parent.parent / "link.db"
    link.symlink_to(path)
    async with SqliteDatabase.open(link) as database:
        assert {*path.parent.iterdir()} == {path, beside(path, "-wal"), beside(path, "-shm")}
        without_log(path)
        with pytest.raises(StorageError, match="deleted, moved or replaced"):
            await append(database)


async def test_the_copy_of_a_store_in_use_is_left_alone(path: Path) -> None:
    async with open_backend(f"sqlite:///{path}") as backend:
        await backend.event_store.append("doc-1", [counted(1)], expected_version=0)
        with (
            closing(sqlite3.connect(path)) as source,
            closing(sqlite3.connect(beside(path, ".copy"))) as copy,
        ):
            source.backup(copy)
        result = await backend.event_store.append("doc-1", [counted(2)], expected_version=1)
        assert result.position == 2


# What is put into the file itself


def restore(path: Path, backup: Path) -> None:
    """Put an older state into the file by SQLite's own means, as `.restore` does."""
    with closing(sqlite3.connect(backup)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)


@pytest.mark.parametrize("use", [append, import_events, transact])
async def test_no_position_is_given_twice_after_an_older_state_was_restored(
    path: Path, use: Callable[[SqliteDatabase], Awaitable[None]]
) -> None:
    async with SqliteDatabase.open(path) as database:
        await SqliteEventStore(database).append("doc-1", [counted(1)], expected_version=0)
    backup = beside(path, ".backup")
    shutil.copy(path, backup)
    async with SqliteDatabase.open(path) as database:
        await SqliteEventStore(database).append(
            "doc-1", [counted(2), counted(3)], expected_version=1
        )
        restore(path, backup)
        with pytest.raises(StorageError, match="position 1 only.*position 3.*open it again"):
            await use(database)
    assert await versions_in(path) == [1]


def without_sequence(path: Path) -> None:
    query_and_commit(path, "delete from sqlite_sequence")


def behind(path: Path) -> None:
    query_and_commit(path, "update sqlite_sequence set seq = 1 where name = 'events'")


def query_and_commit(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(sql)


@pytest.mark.parametrize("change", [without_sequence, behind])
async def test_a_sequence_behind_its_events_gives_no_position_below_them(
    path: Path, change: Callable[[Path], None]
) -> None:
    async with SqliteDatabase.open(path) as database:
        events = [counted(number) for number in range(5)]
        await SqliteEventStore(database).append("doc-1", events, expected_version=0)
    change(path)
    async with SqliteDatabase.open(path) as database:
        store: Any = SqliteEventStore(database)
        assert [event.position async for event in store.read_all()] == [1, 2, 3, 4, 5]
        backward = store.read_all(event_types=["Counted"], backward=True)
        assert [event.position async for event in backward] == [5, 4, 3, 2, 1]
        result = await store.append("doc-2", [counted(6)], expected_version=ANY)
        assert result.position == 6
    assert query(path, "select seq from sqlite_sequence where name = 'events'") == [(6,)]
