"""Making a file and taking it back, beside what the contract says of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Event, SchemaError, StorageError, open_backend, open_migrator
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore
from tests.eventsourcing_sqlite._files import contents, query, try_to_open, versions_in

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from eventsourcing_core import Backend
    from eventsourcing_core.stores import MigrationStatus


async def status(path: Path) -> MigrationStatus:
    async with open_migrator(f"sqlite:///{path}") as migrator:
        return await migrator.status()


async def roll_back(path: Path, *, busy_timeout: float = 0.05) -> MigrationStatus:
    async with open_migrator(f"sqlite:///{path}", busy_timeout=busy_timeout) as migrator:
        return await migrator.rollback(to=0)


async def write_store(path: Path) -> None:
    async with SqliteDatabase.open(path) as database:
        await SqliteEventStore(database).append("doc-1", [Event("Opened", {})], expected_version=0)


async def test_the_status_of_a_missing_file_does_not_make_it(path: Path) -> None:
    assert await status(path) == (0, 6)
    assert contents(path.parent) == {}


async def test_taking_back_a_missing_file_does_not_make_it(path: Path) -> None:
    assert await roll_back(path) == (0, 6)
    assert contents(path.parent) == {}


async def test_the_status_leaves_a_file_as_it_was(path: Path) -> None:
    await write_store(path)
    before = contents(path.parent)
    assert await status(path) == (6, 6)
    assert contents(path.parent) == before


async def test_the_status_is_told_while_others_write(path: Path) -> None:
    async with SqliteDatabase.open(path) as database, database.transaction():
        assert await status(path) == (6, 6)


async def test_what_was_taken_back_can_be_made_again(path: Path) -> None:
    await write_store(path)
    assert await roll_back(path) == (0, 6)
    assert await status(path) == (0, 6)
    await write_store(path)
    assert await versions_in(path) == [1]


async def test_a_file_that_is_open_is_not_taken_back(path: Path) -> None:
    async with SqliteDatabase.open(path) as database:
        with pytest.raises(StorageError, match=f"{path}' is in use: close it in every program"):
            await roll_back(path)
        store = SqliteEventStore(database)
        await store.append("doc-1", [Event("Opened", {})], expected_version=0)
    assert await versions_in(path) == [1]


async def test_taking_back_waits_until_the_others_are_gone(path: Path) -> None:
    async with asyncio.timeout(20):
        async with SqliteDatabase.open(path, busy_timeout=10) as database:
            rolling = asyncio.create_task(roll_back(path, busy_timeout=10))
            store = SqliteEventStore(database)
            for version in range(20):
                await store.append("doc-1", [Event("Opened", {})], expected_version=version)
            assert not rolling.done()
        assert await rolling == (0, 6)
    assert query(path, "select name from sqlite_master where name <> 'sqlite_sequence'") == []


def of_another_application(path: Path) -> None:
    query(path, "create table users (name)")


def of_a_newer_version(path: Path) -> None:
    query(path, "pragma application_id = 0x4576536f")
    query(path, "pragma user_version = 99")


async def test_a_file_of_another_application_is_left_alone(path: Path) -> None:
    of_another_application(path)
    before = contents(path.parent)
    async with open_migrator(f"sqlite:///{path}") as migrator:
        for work in (migrator.status(), migrator.migrate(), migrator.rollback(to=0)):
            with pytest.raises(SchemaError, match="belongs to another application"):
                await work
    assert contents(path.parent) == before


async def test_a_newer_file_says_how_new_and_is_left_alone(path: Path) -> None:
    of_a_newer_version(path)
    before = contents(path.parent)
    assert await status(path) == (99, 6)
    async with open_migrator(f"sqlite:///{path}") as migrator:
        for work in (migrator.migrate(), migrator.rollback(to=0)):
            with pytest.raises(SchemaError, match="upgrade eventsourcing-sqlite"):
                await work
    assert contents(path.parent) == before


async def test_a_rollback_that_fails_half_way_takes_nothing_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_store(path)
    with monkeypatch.context() as patch:
        scripts = {
            "up": [""] * 6,
            "down": [*[""] * 4, "drop view readable_events;\ndrop table gone;\n"],
        }
        patch.setattr("eventsourcing_sqlite._schema.migrations", lambda which: scripts[which])
        with pytest.raises(StorageError, match="gone"):
            await roll_back(path)
    assert await versions_in(path) == [1]


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="does not exist: make it first"):
        await status(tmp_path / "gone" / "events.db")


async def test_a_url_without_a_file_and_a_timeout_out_of_bounds_are_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="an SQLite event store is a file"):
        open_migrator("sqlite:///")
    with pytest.raises(ValueError, match="busy_timeout is from 0"):
        open_migrator(f"sqlite:///{path}?busy_timeout=-1")


async def test_the_url_of_the_application_is_taken(path: Path) -> None:
    async with open_migrator(f"sqlite:///{path}?migrate=false&poll_interval=1") as migrator:
        assert await migrator.migrate() == (6, 6)


# Opening without migrating.


async def test_a_missing_file_is_not_made_when_it_is_not_to_be(path: Path) -> None:
    for opening in (SqliteDatabase.open(path, migrate=False), _backend(path)):
        with pytest.raises(SchemaError, match=f"no event store '{path}': correct the path, or"):
            async with opening:
                pass
    assert contents(path.parent) == {}


@pytest.fixture
def empty_file(path: Path) -> Path:
    path.touch()
    return path


async def test_an_older_file_is_not_changed_when_it_is_not_to_be(empty_file: Path) -> None:
    with pytest.raises(SchemaError, match="has schema version 0 of 6: bring it up to date with"):
        async with _backend(empty_file):
            pass
    assert contents(empty_file.parent) == {empty_file.name: b""}


async def test_a_current_file_is_opened_without_migrating(path: Path) -> None:
    await try_to_open(path)
    async with _backend(path) as backend:
        await backend.event_store.append("doc-1", [Event("Opened", {})], expected_version=0)
    assert await versions_in(path) == [1]


@pytest.mark.parametrize("name", ["a b.db", "a%20b.db", "a?b#c.db", "ä🎉.db", "a'b\"c.db"])
async def test_a_file_of_any_name_is_found_again(tmp_path: Path, name: str) -> None:
    await write_store(tmp_path / name)
    assert [*contents(tmp_path)] == [name]
    async with SqliteDatabase.open(tmp_path / name, migrate=False):
        pass


def _backend(path: Path) -> AbstractAsyncContextManager[Backend]:
    return open_backend(f"sqlite:///{path}", migrate=False)
