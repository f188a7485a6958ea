"""Opening and closing a file: what is made, what is refused, and what is left behind."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import asynccontextmanager, closing
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiosqlite
import pytest

from eventsourcing_core import AppendResult, Event, ExpectedVersion, StorageError
from eventsourcing_core.stores import Snapshot, Span
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore, SqliteSnapshotStore
from eventsourcing_sqlite._backend import open_sqlite
from eventsourcing_sqlite._connection import connected
from eventsourcing_sqlite._schema import migrations
from eventsourcing_sqlite._storage import SqliteStorage
from tests.eventsourcing_sqlite._files import contents, query, try_to_open, versions_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NOBODY = 65534  # an unprivileged user
PAGE = 4096  # bytes, SQLite's default


def events(number: int, *, size: int = 10) -> list[Event[object]]:
    return [Event("Counted", {"n": n, "text": "x" * size}) for n in range(number)]


async def write_store(path: Path, number: int = 3) -> None:
    """Make a store with one stream of so many events, and close it."""
    async with SqliteDatabase.open(path) as database:
        await SqliteEventStore(database).append(
            "doc-1", events(number, size=300), expected_version=0
        )


# What is made


@pytest.fixture
def empty_file(path: Path) -> Path:
    path.touch()
    return path


async def test_a_new_file_gets_the_tables(path: Path) -> None:
    await try_to_open(path)
    tables = query(path, "select name from sqlite_master where type = 'table' order by name")
    names = ["inline_values", "projection_claims", "projection_workers", "projections"]
    assert [name for (name,) in tables] == [
        "event_tags",
        "events",
        *names,
        "snapshots",
        "sqlite_sequence",
        "streams",
    ]


async def test_an_empty_file_counts_as_new(empty_file: Path) -> None:
    await write_store(empty_file)
    assert await versions_in(empty_file) == [1, 2, 3]


async def test_a_store_is_found_again(path: Path) -> None:
    await write_store(path)
    assert await versions_in(path) == [1, 2, 3]


async def test_opening_a_store_again_changes_nothing(path: Path) -> None:
    await write_store(path)
    before = contents(path.parent)
    await try_to_open(path)
    assert contents(path.parent) == before


async def test_only_the_file_itself_remains_after_closing(path: Path) -> None:
    await write_store(path)
    assert [*contents(path.parent)] == [path.name]


async def test_the_file_is_in_wal_mode(path: Path) -> None:
    await try_to_open(path)
    assert query(path, "pragma journal_mode") == [("wal",)]


async def test_every_commit_is_synced(path: Path) -> None:
    async with SqliteDatabase.open(path) as database, database.transaction() as connection:
        assert [*await connection.execute_fetchall("pragma synchronous")] == [(2,)]


async def test_the_reading_connection_cannot_write(path: Path) -> None:
    async with SqliteDatabase.open(path) as database:
        with pytest.raises(StorageError, match="readonly"):
            await database.fetch("delete from snapshots", {})


@pytest.mark.parametrize("change", ["update events set version = 7", "delete from events"])
async def test_the_file_refuses_to_change_events(path: Path, change: str) -> None:
    await write_store(path)
    with pytest.raises(sqlite3.IntegrityError, match="does not change"):
        query(path, change)
    assert await versions_in(path) == [1, 2, 3]


def test_migrating_up_down_and_up_gives_the_same_schema() -> None:
    ups, downs = migrations("up"), migrations("down")
    assert len(ups) == len(downs)
    state = (
        "select sql, application_id, user_version "
        "from pragma_application_id, pragma_user_version left join sqlite_master order by name"
    )
    with closing(sqlite3.connect(":memory:")) as connection:
        for script in ups:
            connection.executescript(script)
        up = connection.execute(state).fetchall()
        for script in reversed(downs):
            connection.executescript(script)
        assert connection.execute("select name from sqlite_master").fetchall() == [
            ("sqlite_sequence",)  # SQLite itself keeps it
        ]
        for script in ups:
            connection.executescript(script)
        assert connection.execute(state).fetchall() == up


async def test_a_migration_that_fails_half_way_leaves_no_table(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = [*migrations("up"), "create table more (a);\ncreate table more (b);\n"]
    with monkeypatch.context() as patch:
        patch.setattr("eventsourcing_sqlite._schema.migrations", lambda _: scripts)
        with pytest.raises(StorageError, match="more already exists"):
            await try_to_open(path)
    assert query(path, "select name from sqlite_master") == []
    await write_store(path)


async def test_a_file_system_without_shared_memory_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # There is none here to try: SQLite is made to answer what it answers there.
    fetch = aiosqlite.Connection.execute_fetchall

    def answer(self: aiosqlite.Connection, sql: str, *parameters: Any) -> Any:
        no_wal = "PRAGMA journal_mode = DELETE"
        return fetch(self, no_wal if "journal_mode" in sql else sql, *parameters)

    monkeypatch.setattr(aiosqlite.Connection, "execute_fetchall", answer)
    with pytest.raises(StorageError, match=f"{path}.*local disk"):
        await try_to_open(path)


async def test_a_store_is_made_by_several_tasks_at_once(path: Path) -> None:
    async def write(number: int) -> int:
        async with SqliteDatabase.open(path) as database:
            store = SqliteEventStore(database)
            result = await store.append(f"doc-{number}", events(1), expected_version=0)
            return result.position

    assert sorted(await asyncio.gather(*(write(number) for number in range(8)))) == [*range(1, 9)]


@pytest.mark.parametrize("busy_timeout", [-1, float("nan"), float("inf"), 86_401])
async def test_a_busy_timeout_out_of_bounds_is_refused(path: Path, busy_timeout: float) -> None:
    with pytest.raises(ValueError, match="busy_timeout"):
        async with SqliteDatabase.open(path, busy_timeout=busy_timeout):
            pass
    assert contents(path.parent) == {}


@pytest.mark.parametrize("poll_interval", [0, -1, float("nan")])
async def test_a_poll_interval_out_of_bounds_is_refused(path: Path, poll_interval: float) -> None:
    with pytest.raises(ValueError, match="poll_interval"):
        async with open_sqlite(f"sqlite:///{path}", poll_interval=poll_interval):
            pass
    assert contents(path.parent) == {}


# Closing


async def test_closing_writes_the_appends_that_wait(path: Path) -> None:
    async with SqliteDatabase.open(path) as database:
        store = SqliteEventStore(database)
        appends = [
            asyncio.create_task(
                store.append("doc-1", events(1), expected_version=ExpectedVersion.ANY)
            )
            for _ in range(20)
        ]
        await asyncio.sleep(0)  # lets them begin
    assert sorted(append.result().version for append in appends) == [*range(1, 21)]
    assert await versions_in(path) == [*range(1, 21)]


async def test_closing_writes_what_waits_behind_a_batch_that_is_being_written(path: Path) -> None:
    writing, go_on = asyncio.Event(), asyncio.Event()

    async def hold(database: SqliteDatabase) -> None:
        async with database.transaction():
            writing.set()
            await go_on.wait()

    async def note() -> None:
        go_on.set()

    async with SqliteDatabase.open(path, busy_timeout=20) as database:
        database.before_closing(note)
        store = SqliteEventStore(database)
        holder = asyncio.create_task(hold(database))
        await writing.wait()
        appends: list[asyncio.Task[AppendResult]] = []
        for _ in range(3):  # the first of them in a batch of its own, before the others
            appends += [
                asyncio.create_task(
                    store.append("doc-1", events(1), expected_version=ExpectedVersion.ANY)
                )
                for _ in range(10)
            ]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert not any(append.done() for append in appends)
    await holder
    assert sorted(append.result().version for append in appends) == [*range(1, 31)]
    assert await versions_in(path) == [*range(1, 31)]


async def test_closing_lets_a_snapshot_that_waits_be_written(path: Path) -> None:
    writing, go_on = asyncio.Event(), asyncio.Event()
    snapshot = Snapshot("doc-1", 1, b"{}", "json", "1", datetime(2026, 1, 1, tzinfo=UTC))

    async def hold(database: SqliteDatabase) -> None:
        async with database.transaction():
            writing.set()
            await go_on.wait()

    async def note() -> None:
        go_on.set()

    async with SqliteDatabase.open(path, busy_timeout=20) as database:
        database.before_closing(note)
        holder = asyncio.create_task(hold(database))
        await writing.wait()
        save = asyncio.create_task(SqliteSnapshotStore(database).save(snapshot))
        await asyncio.sleep(0)  # lets it begin
    await asyncio.gather(holder, save)
    async with SqliteDatabase.open(path) as database:
        assert await SqliteSnapshotStore(database).load("doc-1") == snapshot


async def test_a_cancelled_block_closes_everything(path: Path) -> None:
    entered = asyncio.Event()

    async def work() -> None:
        async with SqliteDatabase.open(path) as database:
            await SqliteEventStore(database).append("doc-1", events(1), expected_version=0)
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [*contents(path.parent)] == [path.name]


@pytest.mark.parametrize("steps", range(0, 40, 3))
async def test_a_cancelled_opening_closes_everything(path: Path, steps: int) -> None:
    task = asyncio.create_task(try_to_open(path))
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert not {*contents(path.parent)} - {path.name}
    await write_store(path)


async def test_a_failed_second_connection_closes_the_first(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []

    @asynccontextmanager
    async def failing(path: Path, **options: Any) -> AsyncIterator[object]:
        calls.append(path)
        if len(calls) == 2:
            message = "no more files"
            raise sqlite3.OperationalError(message)
        async with connected(path, **options) as connection:
            yield connection

    monkeypatch.setattr("eventsourcing_sqlite._database.connected", failing)
    with pytest.raises(StorageError, match="no more files"):
        await try_to_open(path)
    assert [*contents(path.parent)] == [path.name]


async def test_each_of_the_two_connections_is_a_thread_which_ends_with_it(path: Path) -> None:
    before = {*threading.enumerate()}
    async with SqliteDatabase.open(path):
        threads = {*threading.enumerate()} - before
    for thread in threads:
        thread.join(10)
    assert [thread.is_alive() for thread in threads] == [False, False]


async def test_closing_that_is_cancelled_twice_closes_all_the_same(path: Path) -> None:
    entered = asyncio.Event()

    async def work() -> None:
        async with SqliteDatabase.open(path):
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await entered.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.wait({task})
    assert [*contents(path.parent)] == [path.name]


async def test_a_closed_event_store_says_so(path: Path) -> None:
    async with SqliteDatabase.open(path) as database:
        store = SqliteEventStore(database)
    with pytest.raises(StorageError, match="the store is closed"):
        await store.append("doc-1", events(1), expected_version=0)


async def test_a_closed_storage_says_which_file(path: Path) -> None:
    async with SqliteDatabase.open(path) as database:
        storage = SqliteStorage(database)
    with pytest.raises(StorageError, match=str(path)):
        await storage.write([])
    with pytest.raises(StorageError, match=str(path)):
        await storage.wait(after_position=0, timeout=0)
    with pytest.raises(StorageError, match=str(path)):
        await anext(storage.rows("doc-1", Span()))


async def test_a_closed_snapshot_store_says_which_file(path: Path) -> None:
    async with SqliteDatabase.open(path) as database:
        store = SqliteSnapshotStore(database)
    with pytest.raises(StorageError, match=str(path)):
        await store.load("doc-1")


# Threads


@pytest.fixture(params=[1, 2])
def no_more_threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a start of a thread fail: that of the first connection, or of the second."""
    start = threading.Thread.start
    allowed = [True] * (request.param - 1)

    def start_or_fail(thread: threading.Thread) -> None:
        if not allowed:
            message = "can't start new thread"
            raise RuntimeError(message)
        allowed.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_fail)


@pytest.mark.usefixtures("no_more_threads")
async def test_where_no_thread_can_be_started_the_error_says_so(path: Path) -> None:
    with pytest.raises(StorageError, match=f"{path}.*can't start new thread.*memory://"):
        await try_to_open(path)
    assert not {*contents(path.parent)} - {path.name}


async def test_the_threads_do_not_keep_the_context_of_who_opens(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where threads inherit a context, they take that in which they are started."""
    request: ContextVar[str | None] = ContextVar("request", default=None)
    started_in: list[str | None] = []
    start = threading.Thread.start

    def noting(thread: threading.Thread) -> None:
        started_in.append(request.get())
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", noting)
    request.set("of a caller")
    await try_to_open(path)
    assert started_in == [None, None]
