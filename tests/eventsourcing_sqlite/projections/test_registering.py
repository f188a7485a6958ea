"""Making the files of builds: once, beside the store's file, and never over those of others."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import ProjectionError
from eventsourcing_core.stores import Build, BuildSpec, ProjectionKind
from tests.eventsourcing_sqlite._files import contents, query
from tests.eventsourcing_sqlite.projections._builds import (
    BALANCES,
    NEXT,
    ORDERS,
    START,
    VIEW,
    execute,
    opened,
    put,
    register,
    segments_of,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from eventsourcing_sqlite._projections.store import SqliteProjectionStore
    from tests.eventsourcing_sqlite.projections.conftest import Process


def file_of(path: Path, build: Build = ORDERS) -> Path:
    return path.with_name(f"{path.name}.{build.name}-v{build.version}")


def columns_of(file: Path) -> list[tuple[object, ...]]:
    return query(
        file,
        "select tables.name, columns.name from sqlite_master as tables, "
        "pragma_table_info(tables.name) as columns where tables.type = 'table'",
    )


async def test_a_view_has_a_file_with_its_table(
    path: Path, projections: SqliteProjectionStore
) -> None:
    await register(projections)
    columns = columns_of(file_of(path))
    assert ("view", "key") in columns
    assert ("view", "value") in columns
    assert {table for table, _ in columns if str(table).startswith("eventsourcing_")} == {
        "eventsourcing_build",
        "eventsourcing_segments",
        "eventsourcing_parked_keys",
        "eventsourcing_parked_events",
    }


async def test_a_projection_has_a_file_with_the_tables_of_the_users(
    path: Path, projections: SqliteProjectionStore
) -> None:
    await register(projections, BALANCES)
    columns = columns_of(file_of(path, BALANCES.build))
    assert ("balance", "cents") in columns
    assert ("view", "key") not in columns


async def test_two_handles_that_register_at_once_make_one_build(path: Path) -> None:
    made: list[str] = []

    async def create(connection: Any) -> None:
        made.append("made")
        await connection.execute("create table balance (account text)")

    async with opened(path) as first, opened(path) as second:
        await asyncio.gather(*(register(each, BALANCES, create) for each in (first, second)))
        assert made == ["made"]
        assert await segments_of(first, BALANCES.build) == await segments_of(second, BALANCES.build)


async def test_processes_that_register_at_once_make_one_build(
    path: Path, start: Callable[[str], Process]
) -> None:
    processes = [start("register") for _ in range(3)]
    for process in processes:
        process.hear("ready")
    for process in processes:
        process.begin()
    said = [words for process in processes for words in process.hear_rest()]
    assert sorted(said) == [["created"], *[["registered"]] * 3]
    assert query(path, "select name, version, state from projections") == [("balances", 1, "live")]


async def test_a_process_that_is_killed_while_it_registers_leaves_nothing_in_the_way(
    path: Path, start: Callable[[str], Process]
) -> None:
    process = start("register_and_hang")
    process.hear("created")
    process.kill()
    async with opened(path) as store:
        assert await store.builds() == []
        await register(store, BALANCES)
        assert len(await segments_of(store, BALANCES.build)) == 2


async def test_a_file_that_is_complete_but_not_registered_is_made_anew(path: Path) -> None:
    async with opened(path) as store:
        await register(store)
    execute(path, "delete from projections")  # as if killed between the two commits
    async with opened(path) as store:
        await store.register(VIEW, segments=5, start=START, create=None)
        assert len(await segments_of(store)) == 5


async def test_a_file_that_was_worked_on_is_not_made_anew(path: Path) -> None:
    async with opened(path) as store:
        await register(store)
        await take(store)
        await put(store, {"a": "1"})
    execute(path, "delete from projections")  # as in a store that was restored
    before = contents(path.parent)[file_of(path).name]
    async with opened(path) as store:
        with pytest.raises(ProjectionError, match="filled for another copy.*delete it"):
            await register(store)
        assert await store.builds() == []
    assert contents(path.parent)[file_of(path).name] == before


def text(file: Path) -> None:
    file.write_text("Dear diary, this is no database at all.\n" * 30, "utf-8")


def users_tables(file: Path) -> None:
    execute(file, "create table users (name)")


def another_build(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("pragma application_id = 0x45765072")
        connection.execute("create table eventsourcing_build (name, version, file_id)")
        connection.execute("insert into eventsourcing_build values ('orders', 2, x'00')")


@pytest.mark.parametrize("fill", [text, users_tables, another_build])
async def test_a_file_of_somebody_else_is_refused_and_left_alone(
    path: Path, projections: SqliteProjectionStore, fill: Callable[[Path], None]
) -> None:
    fill(file_of(path))
    before = file_of(path).read_bytes()
    with pytest.raises(ProjectionError, match=r"orders-v1' is there, and is not.*move it away"):
        await register(projections)
    assert await projections.builds() == []
    assert file_of(path).read_bytes() == before


async def test_tables_that_cannot_be_made_leave_no_file(
    path: Path, projections: SqliteProjectionStore
) -> None:
    async def fail(connection: Any) -> None:
        await connection.execute("create table balance (account text)")
        await connection.execute("create nonsense")

    with pytest.raises(sqlite3.OperationalError, match="nonsense"):
        await register(projections, BALANCES, fail)
    assert not file_of(path, BALANCES.build).exists()


async def test_making_tables_does_not_end_the_transaction(
    path: Path, projections: SqliteProjectionStore
) -> None:
    async def commit(connection: Any) -> None:
        await connection.execute("create table balance (account text)")
        await connection.commit()

    with pytest.raises(ProjectionError, match="tried to end the transaction"):
        await register(projections, BALANCES, commit)
    assert await projections.builds() == []
    assert not file_of(path, BALANCES.build).exists()


async def test_an_error_names_both_classes_and_the_cure(
    projections: SqliteProjectionStore,
) -> None:
    await register(projections)
    with pytest.raises(ProjectionError, match="view Orders.*view Bills.*set class_name = 'Orders'"):
        await register(projections, VIEW._replace(class_name="Bills"))


async def test_an_error_names_both_indexes_and_the_cure(
    projections: SqliteProjectionStore,
) -> None:
    await register(projections)
    with pytest.raises(ProjectionError, match=r"o'clock.*owner.*raise the version"):
        await register(projections, VIEW._replace(indexes=("owner",)))


@pytest.mark.parametrize("field", ['a"b', "a\\b", "a\nb"])
async def test_a_field_that_no_path_can_name_is_refused(
    path: Path, projections: SqliteProjectionStore, field: str
) -> None:
    with pytest.raises(ProjectionError, match="plain name"):
        await register(projections, VIEW._replace(indexes=(field,)))
    assert not file_of(path).exists()


async def test_a_file_that_is_missing_is_named_and_not_made_anew(path: Path) -> None:
    async with opened(path) as store:
        await register(store)
    file_of(path).unlink()
    async with opened(path) as store:
        with pytest.raises(
            ProjectionError, match="orders-v1' of projection orders, version 1, is missing: put it"
        ):
            await store.arrangement(ORDERS)
        assert not file_of(path).exists()
        await store.drop(ORDERS)
        await register(store)


async def test_a_file_of_another_store_is_not_taken_for_the_own(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    for each in (path, other):
        async with opened(each) as store:
            await register(store)
    file_of(other).replace(file_of(path))
    async with opened(path) as store:
        with pytest.raises(
            ProjectionError,
            match="is not the file that was made for projection orders, version 1, of this",
        ):
            await store.arrangement(ORDERS)


async def test_a_folder_can_be_moved_as_a_whole(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    async with opened(here / "events.db") as store:
        await register(store)
        await put(store, {"a": "1"})
    here.rename(there)
    async with opened(there / "events.db") as store:
        assert await store.live_values("orders", ["a"]) == {"a": "1"}
    assert not here.exists()


async def test_through_a_link_the_files_are_found_where_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    link = tmp_path / "link.db"
    link.symlink_to(folder / "events.db")
    async with opened(link) as store:
        await register(store)
        await put(store, {"a": "1"})
    assert file_of(folder / "events.db").exists()
    async with opened(folder / "events.db") as store:
        assert await store.live_values("orders", ["a"]) == {"a": "1"}


async def test_a_name_that_ends_like_a_version_has_a_file_of_its_own(
    projections: SqliteProjectionStore,
) -> None:
    for build in (Build("a", 3), Build("a-v3", 3), Build("a-v3-v3", 3)):
        await register(projections, BuildSpec(build, ProjectionKind.VIEW, "A"))
        await put(projections, {"a": str(len(build.name))}, build)
    for name in ("a", "a-v3", "a-v3-v3"):
        assert await projections.live_values(name, ["a"]) == {"a": str(len(name))}


async def test_what_was_dropped_leaves_no_file_and_can_be_made_anew(
    path: Path, projections: SqliteProjectionStore
) -> None:
    await register(projections)
    await register(projections, VIEW._replace(build=NEXT))
    await put(projections, {"a": "1"}, NEXT)
    await projections.drop(NEXT)
    assert [name for name in contents(path.parent) if "-v2" in name] == []
    await register(projections, VIEW._replace(build=NEXT))
    assert [segment.progress for segment in await segments_of(projections, NEXT)] == [START] * 2


async def test_who_closes_what_was_dropped_does_no_harm_to_what_was_made_anew(path: Path) -> None:
    async with opened(path) as store:
        async with opened(path) as late:
            await register(store)
            await put(late, {"a": "1"})
            await store.drop(ORDERS)
            await register(store)
            await put(store, {"a": "2"})
        assert await store.live_values("orders", ["a"]) == {"a": "2"}
    async with opened(path) as store:
        assert await store.live_values("orders", ["a"]) == {"a": "2"}
