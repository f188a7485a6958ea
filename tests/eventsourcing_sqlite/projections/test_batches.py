"""Batches on the file of a build: whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from threading import Event
from typing import TYPE_CHECKING

import aiosqlite
import pytest

from eventsourcing_core import ProjectionError, StorageError
from eventsourcing_core.stores import Build, FencedError, OutageError, Plan, Worker
from eventsourcing_sqlite._projections import batch as batches
from eventsourcing_sqlite._projections.segments import move_segments
from tests.eventsourcing_sqlite._files import query
from tests.eventsourcing_sqlite.projections._builds import (
    BALANCES,
    ORDERS,
    VIEW,
    at,
    batch_to,
    nothing,
    opened,
    put,
    register,
    segments_of,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from eventsourcing_core.stores import Batch, Move
    from eventsourcing_sqlite._projections.store import SqliteProjectionStore
    from tests.eventsourcing_sqlite.projections.conftest import Process

BUILD = BALANCES.build
INSERT = "insert into balance values (?, ?)"


def balances_in(path: Path) -> list[tuple[object, ...]]:
    file = path.with_name(f"{path.name}.balances-v1")
    return query(file, "select account, cents from balance order by account")


async def test_the_connection_is_the_drivers_and_finds_the_tables_of_the_users(
    path: Path, projections: SqliteProjectionStore
) -> None:
    await register(projections, BALANCES)
    async with batch_to(projections, await segments_of(projections, BUILD), 5, BUILD) as batch:
        assert isinstance(batch.connection, aiosqlite.Connection)
        await batch.connection.execute(INSERT, ("ann", 7))
    assert balances_in(path) == [("ann", 7)]
    assert {s.progress for s in await segments_of(projections, BUILD)} == {at(5)}


async def test_of_two_handles_that_move_a_segment_one_is_fenced(path: Path) -> None:
    async with opened(path) as first, opened(path) as second:
        await register(first, BALANCES)
        segments = await segments_of(first, BUILD)

        async def count(store: SqliteProjectionStore) -> None:
            async with batch_to(store, segments, 5, BUILD) as batch:
                await batch.connection.execute(INSERT, ("ann", 1))

        results = await asyncio.gather(count(first), count(second), return_exceptions=True)
        assert [type(each) for each in results if each is not None] == [FencedError]
    assert balances_in(path) == [("ann", 1)]


async def test_who_slept_while_another_took_over_writes_nothing(path: Path) -> None:
    async with opened(path) as sleeper, opened(path) as other:
        await register(sleeper, BALANCES)
        mine = await take(sleeper, "a", BUILD)
        await sleeper.leave(BUILD, "a")
        theirs = await take(other, "b", BUILD)
        assert [s.progress for s in mine] == [s.progress for s in theirs]
        with pytest.raises(FencedError, match="2 of 2 segments of projection balances, version 1"):
            await batch_to(sleeper, mine, 5, BUILD).__aenter__()
        async with batch_to(other, theirs, 5, BUILD):
            pass


async def test_rewinding_fences_who_was_at_the_same_position(path: Path) -> None:
    async with opened(path) as store:
        await register(store)
        before = await take(store)
        await store.rewind(ORDERS, before[0].progress)
        with pytest.raises(FencedError):
            await batch_to(store, before, 5).__aenter__()


async def test_a_process_that_is_killed_in_a_batch_leaves_nothing_half_done(
    path: Path, start: Callable[[str], Process]
) -> None:
    process = start("count_and_hang")
    process.hear("created")
    process.hear("inside")
    process.kill()
    async with opened(path) as store:
        segments = await segments_of(store, BUILD)
        assert {segment.progress.position for segment in segments} == {1}
        assert [key.key for key in await store.parked(BUILD)] == ["key-1"]
        assert balances_in(path) == [("1", 1)]
        async with batch_to(store, segments, 2, BUILD) as batch:
            await batch.connection.execute(INSERT, ("2", 1))
    assert balances_in(path) == [("1", 1), ("2", 1)]


async def test_who_is_cancelled_while_a_batch_begins_is_in_nobodys_way(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins, may_begin = asyncio.Event(), Event()
    loop = asyncio.get_running_loop()

    def move_slowly(connection: sqlite3.Connection, *, build: Build, move: Move) -> None:
        loop.call_soon_threadsafe(begins.set)
        assert may_begin.wait(30)
        move_segments(connection, build=build, move=move)

    async with opened(path) as store, opened(path) as other:
        await register(store, BALANCES)
        segments = await segments_of(store, BUILD)
        with monkeypatch.context() as patched:
            patched.setattr(batches, "move_segments", move_slowly)
            entering = asyncio.create_task(batch_to(store, segments, 5, BUILD).__aenter__())
            await begins.wait()
            entering.cancel()  # as at the end of a lease
            may_begin.set()
            with pytest.raises(asyncio.CancelledError):
                await entering
        for each, position in ((other, 5), (store, 6)):
            async with batch_to(each, await segments_of(each, BUILD), position, BUILD):
                pass


async def test_savepoints_nest(path: Path, projections: SqliteProjectionStore) -> None:
    async def insert(account: str) -> None:
        await batch.connection.execute(INSERT, (account, 1))

    async def fail_inside(account: str) -> None:
        async with batch.savepoint():
            await insert(account)
            raise ZeroDivisionError

    await register(projections, BALANCES)
    async with batch_to(projections, await segments_of(projections, BUILD), 5, BUILD) as batch:
        await insert("a")
        async with batch.savepoint():
            await insert("b")
            with pytest.raises(ZeroDivisionError):
                await fail_inside("c")
            async with batch.savepoint():
                await insert("d")
        with pytest.raises(ZeroDivisionError):
            await fail_inside("e")
        await insert("f")
    assert balances_in(path) == [(account, 1) for account in "abdf"]


async def test_what_runs_out_of_time_in_a_savepoint_is_undone(
    path: Path, projections: SqliteProjectionStore
) -> None:
    async def hang() -> None:
        async with asyncio.timeout(0), batch.savepoint():
            await batch.connection.execute(INSERT, ("late", 1))
            await asyncio.Event().wait()

    await register(projections, BALANCES)
    async with batch_to(projections, await segments_of(projections, BUILD), 5, BUILD) as batch:
        with pytest.raises(TimeoutError):
            await hang()
        await batch.connection.execute(INSERT, ("after", 1))
    assert balances_in(path) == [("after", 1)]


async def test_a_file_that_another_process_holds_is_an_outage(
    path: Path, projections: SqliteProjectionStore
) -> None:
    await register(projections)
    segments = await segments_of(projections)
    file = path.with_name(f"{path.name}.orders-v1")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(OutageError, match="orders-v1' is locked"):
            await batch_to(projections, segments, 5).__aenter__()
    async with batch_to(projections, segments, 5):
        pass


@pytest.mark.parametrize("is_in_savepoint", [True, False])
async def test_a_full_disk_is_no_fault_of_the_handlers(
    projections: SqliteProjectionStore, *, is_in_savepoint: bool
) -> None:
    async def fill(connection: aiosqlite.Connection) -> None:
        ((pages,),) = await connection.execute_fetchall("pragma page_count")
        await connection.execute_fetchall(f"pragma max_page_count = {pages}")
        await connection.execute(INSERT, ("x" * 100_000, 1))

    async def apply() -> None:
        async with batch_to(projections, segments, 5, BUILD) as batch:
            if is_in_savepoint:
                async with batch.savepoint():
                    await fill(batch.connection)
            else:
                await fill(batch.connection)

    await register(projections, BALANCES)
    segments = await segments_of(projections, BUILD)
    with pytest.raises(OutageError, match="the disk is full"):
        await apply()


async def test_an_error_of_the_handlers_stays_what_it_is(
    path: Path, projections: SqliteProjectionStore
) -> None:
    async def fail() -> None:
        async with batch_to(projections, segments, 5, BUILD) as batch:
            await batch.connection.execute(INSERT, ("ann", 1))
            await batch.connection.execute(INSERT, ("ann", 2))

    await register(projections, BALANCES)
    segments = await segments_of(projections, BUILD)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        await fail()
    assert balances_in(path) == []
    assert await segments_of(projections, BUILD) == segments


async def test_closing_the_store_ends_a_batch_that_is_open(path: Path) -> None:
    async def close_inside() -> AbstractAsyncContextManager[Batch]:
        async with opened(path, busy_timeout=0.05) as store:
            await register(store, BALANCES)
            batch = batch_to(store, await segments_of(store, BUILD), 5, BUILD)
            await (await batch.__aenter__()).connection.execute(INSERT, ("ann", 1))
            return batch

    batch = await close_inside()
    with pytest.raises(StorageError, match="the store was closed while it was open"):
        await batch.__aexit__(None, None, None)
    assert balances_in(path) == []


async def test_events_that_are_parked_later_wait_in_order(
    projections: SqliteProjectionStore,
) -> None:
    await register(projections)
    for position, positions in ((1, [9]), (2, [10, 100]), (3, [101])):
        segments = await segments_of(projections)
        async with batch_to(projections, segments, position) as batch:
            await batch.park("ä", positions, f"error {position}", 60)
    (key,) = await projections.parked(ORDERS)
    assert (key.positions, key.error, key.attempts) == ((9, 10, 100, 101), "error 1", 1)


async def test_a_build_that_another_handle_drops_is_gone(path: Path) -> None:
    async with opened(path) as first, opened(path) as second:
        await register(first)
        segments = await segments_of(second)
        await put(second, {"a": "1"})
        await first.drop(ORDERS)
        with pytest.raises(ProjectionError, match="is not registered"):
            await batch_to(second, segments, 5).__aenter__()
        with pytest.raises(ProjectionError, match="is not registered"):
            await second.live_values("orders", ["a"])
        with pytest.raises(ProjectionError, match="is not registered"):
            await second.set_segments(ORDERS, 3)
        with pytest.raises(ProjectionError, match="is not registered"):
            await second.beat(ORDERS, Worker("a", None, None), 600, nothing)
        assert await second.builds() == []
        assert await second.calls() == frozenset()


async def test_a_build_that_another_handle_made_anew_is_the_new_one(path: Path) -> None:
    async with opened(path) as first, opened(path) as second:
        await register(first)
        await put(second, {"a": "1"})
        await first.drop(ORDERS)
        await register(first)
        assert await second.live_values("orders", ["a"]) == {}
        await put(second, {"a": "2"})
        assert await first.live_values("orders", ["a"]) == {"a": "2"}


async def test_a_build_that_is_not_there_has_no_batch(projections: SqliteProjectionStore) -> None:
    await register(projections, VIEW)
    with pytest.raises(ProjectionError, match="orders, version 7, is not registered"):
        await batch_to(projections, [], 5, Build("orders", 7)).__aenter__()


async def test_a_plan_that_splits_fences_who_knew_the_whole(
    projections: SqliteProjectionStore,
) -> None:
    await register(projections)
    before = await take(projections)
    await projections.beat(
        ORDERS, Worker("a", None, None), 600, lambda _: Plan(split=frozenset({0}))
    )
    with pytest.raises(FencedError, match="1 of 2 segments"):
        await batch_to(projections, before, 5).__aenter__()
