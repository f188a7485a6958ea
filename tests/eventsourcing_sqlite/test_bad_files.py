"""Files and directories that cannot be used: refused by name, with the cure, and left alone."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Event, SchemaError, StorageError
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore
from tests.eventsourcing_sqlite._files import contents, open_files, query, try_to_open, versions_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOBODY = 65534  # an unprivileged user
PAGE = 4096  # bytes, SQLite's default


async def write_store(path: Path, number: int = 100) -> None:
    """Make a store with one stream of so many events, and close it."""
    events = [Event("Counted", {"n": n, "text": "x" * 300}) for n in range(number)]
    async with SqliteDatabase.open(path) as database:
        await SqliteEventStore(database).append("doc-1", events, expected_version=0)


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def root_page(path: Path, name: str) -> int:
    ((page,),) = query(path, f"select rootpage from sqlite_master where name = '{name}'")  # noqa: S608 - a name of ours
    assert isinstance(page, int)
    return page


def text(path: Path) -> None:
    path.write_text("position,stream,event\n" * 1000)


def short_text(path: Path) -> None:
    path.write_text("hello")


def zeros(path: Path) -> None:
    path.write_bytes(bytes(2 * PAGE))


def damaged_header(path: Path) -> None:
    overwrite(path, 0, b"x" * 16)


def damaged_schema(path: Path) -> None:
    overwrite(path, 100, b"\xff" * (PAGE - 100))


def damaged_events(path: Path) -> None:
    overwrite(path, PAGE * (root_page(path, "events") - 1), b"\xff" * PAGE)


def damaged_index(path: Path) -> None:
    overwrite(path, PAGE * (root_page(path, "sqlite_autoindex_events_1") - 1), b"\xff" * PAGE)


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def of_a_newer_version(path: Path) -> None:
    query(path, "pragma user_version = 99")


def of_another_application(path: Path) -> None:
    query(path, "pragma application_id = 1")


def without_a_table(path: Path) -> None:
    query(path, "drop table snapshots")


def foreign(path: Path) -> None:
    path.unlink()
    query(path, "create table users (name)")


def foreign_and_empty(path: Path) -> None:
    path.unlink()
    query(path, "pragma user_version = 1")


BAD_FILES: list[tuple[Callable[[Path], None], type[StorageError], str]] = [
    (text, StorageError, "not an SQLite database"),
    (short_text, StorageError, "not an SQLite database"),
    (zeros, StorageError, "not an SQLite database"),
    (damaged_header, StorageError, "not an SQLite database"),
    (damaged_schema, StorageError, "restore it from a backup"),
    (damaged_events, StorageError, "restore it from a backup"),
    (damaged_index, StorageError, "restore it from a backup"),
    (half, StorageError, "restore it from a backup"),
    (of_a_newer_version, SchemaError, "99.* upgrade eventsourcing-sqlite"),
    (of_another_application, SchemaError, "another application: give the path of another file"),
    (without_a_table, SchemaError, r"snapshots.* restore it from a backup"),
    (foreign, SchemaError, "another application: give the path of another file"),
    (foreign_and_empty, SchemaError, "another application: give the path of another file"),
]


@pytest.mark.parametrize(("spoil", "kind", "words"), BAD_FILES)
async def test_a_bad_file_is_refused_with_its_name_and_the_cure(
    path: Path, spoil: Callable[[Path], None], kind: type[StorageError], words: str
) -> None:
    await write_store(path)
    spoil(path)
    with pytest.raises(kind, match=words) as refused:
        await try_to_open(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("spoil", [spoil for spoil, _, _ in BAD_FILES])
async def test_a_bad_file_is_left_as_it_was(path: Path, spoil: Callable[[Path], None]) -> None:
    await write_store(path)
    spoil(path)
    before = contents(path.parent)
    with pytest.raises(StorageError):
        await try_to_open(path)
    assert contents(path.parent) == before


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("spoil", [spoil for spoil, _, _ in BAD_FILES])
async def test_a_bad_file_is_closed_again(path: Path, spoil: Callable[[Path], None]) -> None:
    await write_store(path)
    spoil(path)
    with pytest.raises(StorageError):
        await try_to_open(path)
    assert open_files(path.parent) == []


def damage_the_middle(path: Path) -> None:
    middle = path.stat().st_size // PAGE // 2
    overwrite(path, PAGE * (middle - 20), b"\xff" * PAGE * 40)


async def test_damage_that_reading_meets_is_named(path: Path) -> None:
    await write_store(path, 2000)
    damage_the_middle(path)
    with pytest.raises(StorageError, match="restore it from a backup") as failed:
        await versions_in(path)
    assert str(path) in str(failed.value)
    assert isinstance(failed.value.__cause__, sqlite3.Error)


async def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=f"{tmp_path / 'missing'}.*make it first"):
        await try_to_open(tmp_path / "missing" / "events.db")
    assert contents(tmp_path) == {}


async def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="not a file"):
        await try_to_open(tmp_path)


async def test_what_the_system_says_of_a_path_is_told(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300)
    with pytest.raises(StorageError, match="name too long") as failed:
        await try_to_open(path)
    assert isinstance(failed.value.__cause__, OSError)


async def test_a_pipe_is_refused_and_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(StorageError, match="not a file"):
        async with asyncio.timeout(10):
            await try_to_open(path)


@contextmanager
def folder_of_an_unprivileged_user() -> Iterator[Path]:
    """Give a folder that can be made read-only for this process.

    For root nothing is read-only, so while the block runs the process acts as another user. The
    folder is not below pytest's tmp_path, which that user may not even enter (mode 0700).
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        as_root = os.geteuid() == 0
        try:
            if as_root:
                os.chown(folder, NOBODY, NOBODY)
                os.seteuid(NOBODY)
            yield folder
        finally:
            if as_root:
                os.seteuid(0)
            folder.chmod(0o700)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such users")
async def test_a_read_only_directory_is_named(path: Path) -> None:
    await write_store(path)  # loads what the other user cannot read: root's Python
    with folder_of_an_unprivileged_user() as folder:
        folder.chmod(0o555)
        with pytest.raises(StorageError, match=f"{folder}.*not writable"):
            await try_to_open(folder / "events.db")
        assert contents(folder) == {}


@pytest.mark.skipif(sys.platform == "win32", reason="has no such users")
async def test_a_store_in_a_read_only_directory_is_refused_and_left_as_it_was(path: Path) -> None:
    await write_store(path)
    with folder_of_an_unprivileged_user() as folder:
        await write_store(folder / "events.db")
        before = contents(folder)
        folder.chmod(0o555)
        with pytest.raises(StorageError, match=f"{folder}.*not writable"):
            await try_to_open(folder / "events.db")
        assert contents(folder) == before


@pytest.mark.skipif(sys.platform == "win32", reason="has no such users")
async def test_a_read_only_file_is_named(path: Path) -> None:
    await write_store(path)
    with folder_of_an_unprivileged_user() as folder:
        await write_store(folder / "events.db")
        (folder / "events.db").chmod(0o444)
        with pytest.raises(StorageError, match="events.db.*permissions"):
            await try_to_open(folder / "events.db")
