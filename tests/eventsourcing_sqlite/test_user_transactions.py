"""Transactions of the user's, beside what the contract says of them: one file, one writer."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Event, StorageError
from eventsourcing_core.stores import OutageError, Snapshot
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore, SqliteSnapshotStore
from tests.eventsourcing_sqlite._files import query, versions_in
from tests.eventsourcing_sqlite._trace import traced

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import aiosqlite

    from eventsourcing_core import RecordedEvent, Transaction

DEADLINE = 10.0  # seconds until something counts as never happening
NEVER = 3600.0  # seconds
HELD = "held by a transaction of this process for longer than busy_timeout .0.3 s.: end it sooner"


def counted(number: int) -> list[Event[object]]:
    return [Event("Counted", {"n": number})]


async def versions(events: AsyncIterator[RecordedEvent[object]]) -> list[int]:
    return [event.version async for event in events]


@pytest.fixture
async def orders(database: SqliteDatabase) -> None:
    """Give the file a table of the user's."""
    async with database.transaction() as connection:
        await connection.execute("create table orders (id integer primary key)")


async def order(transaction: Transaction, number: int) -> None:
    """Write an event, and a row of the user's."""
    await transaction.append(f"order-{number}", counted(number), expected_version=0)
    await transaction.connection.execute("insert into orders values (?)", (number,))


def there(path: Path) -> tuple[list[object], list[object]]:
    """Give the streams, and the user's rows."""
    streams = [row[0] for row in query(path, "select stream_id from events order by position")]
    return streams, [row[0] for row in query(path, "select id from orders order by id")]


# Together or not at all.


@pytest.mark.usefixtures("orders")
async def test_events_and_rows_are_committed_together(store: SqliteEventStore, path: Path) -> None:
    async with store.transaction() as transaction:
        await order(transaction, 1)
        await order(transaction, 2)
        assert there(path) == ([], [])
    assert there(path) == (["order-1", "order-2"], [1, 2])


@pytest.mark.usefixtures("orders")
async def test_an_error_of_the_users_rolls_both_back_and_stays_as_it_is(
    store: SqliteEventStore, path: Path
) -> None:
    async def order_twice() -> None:
        async with store.transaction() as transaction:
            await order(transaction, 1)
            await transaction.connection.execute("insert into orders values (1)")

    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        await order_twice()
    assert there(path) == ([], [])
    assert (await store.append("order-1", counted(1), expected_version=0)).position == 1


@pytest.mark.usefixtures("orders")
async def test_after_a_statement_that_failed_the_transaction_can_go_on(
    store: SqliteEventStore, path: Path
) -> None:
    async with store.transaction() as transaction:
        await order(transaction, 1)
        with pytest.raises(sqlite3.IntegrityError):
            await transaction.connection.execute("insert into orders values (1)")
        await order(transaction, 2)
    assert there(path) == (["order-1", "order-2"], [1, 2])


async def test_an_append_that_fails_half_way_leaves_nothing_and_the_transaction_usable(
    database: SqliteDatabase, store: SqliteEventStore, path: Path
) -> None:
    await database._writer.execute_fetchall(
        "create trigger fails before insert on events when new.event_type = 'Failing' "
        "begin select raise(abort, 'no'); end"
    )
    async with store.transaction() as transaction:
        await transaction.append("a", counted(1), expected_version=0)
        with pytest.raises(StorageError, match="no"):
            await transaction.append("a", [*counted(2), Event("Failing", {})], expected_version=1)
        assert await versions(transaction.read("a")) == [1]
        await transaction.append("a", counted(2), expected_version=1)
    assert query(path, "select stream_id, version from streams") == [("a", 2)]
    assert await versions(store.read("a")) == [1, 2]


async def test_it_reads_what_it_wrote_over_many_pages(store: SqliteEventStore) -> None:
    await store.append("a", counted(0) + counted(1), expected_version=0)
    async with store.transaction() as transaction:
        many = [Event[object]("Counted", {"n": n}) for n in range(1_000)]
        await transaction.append("a", many, expected_version=2)
        assert await versions(transaction.read("a")) == [*range(1, 1_003)]
        assert await versions(transaction.read("a", backward=True, limit=2)) == [1_002, 1_001]
        assert await versions(transaction.read("b")) == []
        assert await transaction.stream_version("a") == 1_002


async def test_snapshots_are_read_on_its_connection(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    old = Snapshot("a", 1, b"1", "json", "1", datetime(2026, 1, 1, tzinfo=UTC))
    new = Snapshot("a", 2, b"2", "json", "1", datetime(2026, 1, 1, tzinfo=UTC))
    await SqliteSnapshotStore(database).save(old)
    async with store.transaction() as transaction:
        snapshots = transaction.snapshot_store
        assert snapshots is not None
        assert await snapshots.load("a") == old
        await snapshots.save(new, keep=1)
        assert await snapshots.load("a") == new
        assert await snapshots.load("a", max_version=1) is None
        assert await SqliteSnapshotStore(database).load("a") == old
    assert await SqliteSnapshotStore(database).load("a") == new


# Others meanwhile.


async def test_an_append_waits_until_it_has_ended(store: SqliteEventStore) -> None:
    async with store.transaction() as transaction:
        await transaction.append("a", counted(1), expected_version=0)
        append = asyncio.create_task(store.append("a", counted(2), expected_version=1))
        await asyncio.wait({append}, timeout=0.05)
        assert not append.done()
    async with asyncio.timeout(DEADLINE):
        assert await append == (2, 2)


async def test_whoever_waits_too_long_hears_who_holds_the_file(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    snapshot = Snapshot("a", 1, b"", "json", "1", datetime(2026, 1, 1, tzinfo=UTC))

    async def another() -> None:
        async with store.transaction():
            raise AssertionError

    async with asyncio.timeout(DEADLINE), store.transaction() as transaction:
        await transaction.append("a", counted(1), expected_version=0)
        for work in (
            store.append("b", counted(2), expected_version=0),
            SqliteSnapshotStore(database).save(snapshot),
            another(),
        ):
            with pytest.raises(OutageError, match=HELD):
                await asyncio.create_task(work)
        assert await versions(transaction.read("a")) == [1]
    assert await store.append("b", counted(2), expected_version=0) == (1, 2)


async def test_many_short_transactions_keep_nobody_waiting_too_long(
    store: SqliteEventStore,
) -> None:
    async def one(number: int) -> None:
        async with store.transaction() as transaction:
            await transaction.append(f"a-{number}", counted(number), expected_version=0)

    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(
            *(one(number) for number in range(20)),
            *(store.append(f"b-{n}", counted(n), expected_version=0) for n in range(20)),
        )
    assert len([event async for event in store.read_all()]) == 40


async def test_readers_do_not_wait_for_it_and_see_nothing_of_it(store: SqliteEventStore) -> None:
    async def read() -> list[int]:
        return await versions(store.read("a"))

    await store.append("a", counted(1), expected_version=0)
    async with asyncio.timeout(DEADLINE), store.transaction() as transaction:
        await transaction.append("a", counted(2), expected_version=1)
        assert await asyncio.create_task(read()) == [1]


async def test_its_commit_wakes_whoever_waits_without_polling(path: Path) -> None:
    async with SqliteDatabase.open(path, poll_interval=NEVER) as database:
        store = SqliteEventStore(database)
        wait = asyncio.create_task(store.wait(after_position=0, timeout=NEVER))
        async with store.transaction() as transaction:
            await transaction.append("a", counted(1), expected_version=0)
            await asyncio.wait({wait}, timeout=0.05)
            assert not wait.done()
        async with asyncio.timeout(DEADLINE):
            assert await wait


async def test_it_cannot_begin_while_another_process_writes(
    store: SqliteEventStore, other: sqlite3.Connection
) -> None:
    other.execute("begin immediate")
    with pytest.raises(OutageError, match="another process has been writing"):
        async with store.transaction():
            raise AssertionError
    other.execute("rollback")
    async with store.transaction() as transaction:
        await transaction.append("a", counted(1), expected_version=0)


# Whatever a user does.


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_one_that_was_ended_by_hand_says_so(store: SqliteEventStore, end: str) -> None:
    async def work() -> None:
        async with store.transaction() as transaction:
            await transaction.append("a", counted(1), expected_version=0)
            await transaction.connection.execute(end)

    with pytest.raises(StorageError, match="not open any more: it was ended on its connection"):
        await work()
    assert await versions(store.read("a")) == ([1] if end == "commit" else [])
    await store.append("b", counted(1), expected_version=0)


async def test_after_it_was_ended_by_hand_nothing_is_written(store: SqliteEventStore) -> None:
    async def work() -> None:
        async with store.transaction() as transaction:
            await transaction.connection.commit()
            with pytest.raises(StorageError, match="leave COMMIT and ROLLBACK to the end of the"):
                await transaction.append("a", counted(1), expected_version=0)
            with pytest.raises(StorageError, match="not open any more"):
                await versions(transaction.read("a"))

    with pytest.raises(StorageError, match="not open any more"):
        await work()
    assert await versions(store.read("a")) == []


async def test_how_the_user_reads_rows_is_the_users_own(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    def as_dict(cursor: sqlite3.Cursor, row: tuple[object, ...]) -> dict[str, object]:
        return {each[0]: value for each, value in zip(cursor.description, row, strict=True)}

    async with store.transaction() as transaction:
        connection: aiosqlite.Connection = transaction.connection
        connection.row_factory = as_dict  # type: ignore[assignment]  # its hint says: a class
        connection.text_factory = bytes
        await transaction.append("a", counted(1), expected_version=0)
        assert [event.stream_id async for event in transaction.read("a")] == ["a"]
        rows = [*await connection.execute_fetchall("select stream_id from events")]
        assert rows == [{"stream_id": b"a"}]
    async with database.transaction() as connection:
        rows = [*await connection.execute_fetchall("select stream_id from events")]
        assert rows == [("a",)]


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize("steps", range(0, 60, 3))
async def test_a_cancelled_one_leaves_nothing_open(
    store: SqliteEventStore, other: sqlite3.Connection, steps: int
) -> None:
    async def work() -> None:
        async with store.transaction() as transaction:
            await order(transaction, 1)
            await order(transaction, 2)

    task = asyncio.create_task(work())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=DEADLINE)
    assert task.done()
    other.execute("begin immediate")
    rows = other.execute("select count(*) from orders").fetchall()
    assert rows == other.execute("select count(*) from events").fetchall()
    assert rows in ([(0,)], [(2,)])
    other.execute("rollback")
    await store.append("a", counted(1), expected_version=0)


def cancel_later(task: asyncio.Task[object], steps: int) -> None:
    """Cancel a task after so many steps of the event loop."""
    if steps:
        asyncio.get_running_loop().call_soon(cancel_later, task, steps - 1)
    else:
        task.cancel()


@pytest.mark.parametrize("steps", range(6))
async def test_a_write_that_is_cancelled_in_it_is_there_or_not(
    store: SqliteEventStore, steps: int
) -> None:
    task = asyncio.current_task()
    assert task is not None
    async with store.transaction() as transaction:
        cancel_later(task, steps)
        with suppress(asyncio.CancelledError):
            await transaction.append("a", counted(1) + counted(2), expected_version=0)
            await asyncio.Event().wait()
        task.uncancel()
        within = await versions(transaction.read("a"))
        assert within in ([], [1, 2])
    assert await versions(store.read("a")) == within


async def test_closing_waits_for_one_that_ends_in_time(path: Path) -> None:
    begun = asyncio.Event()
    closing = asyncio.Event()

    async def work(store: SqliteEventStore) -> None:
        async with store.transaction() as transaction:
            await transaction.append("doc-1", counted(1), expected_version=0)
            begun.set()
            await closing.wait()

    async def note() -> None:
        closing.set()

    async with SqliteDatabase.open(path, busy_timeout=DEADLINE) as database:
        database.before_closing(note)
        task = asyncio.create_task(work(SqliteEventStore(database)))
        await begun.wait()
    await task
    assert await versions_in(path) == [1]


async def test_closing_does_not_wait_without_end_and_rolls_it_back(path: Path) -> None:
    begun, closed = asyncio.Event(), asyncio.Event()

    async def work(store: SqliteEventStore) -> None:
        async with store.transaction() as transaction:
            await transaction.append("doc-1", counted(1), expected_version=0)
            begun.set()
            await closed.wait()

    async with asyncio.timeout(DEADLINE):
        async with SqliteDatabase.open(path, busy_timeout=0.05) as database:
            task = asyncio.create_task(work(SqliteEventStore(database)))
            await begun.wait()
        closed.set()
        with pytest.raises(StorageError, match="the store was closed while it was open, so it was"):
            await task
    assert await versions_in(path) == []


async def test_whoever_gets_his_turn_after_closing_hears_of_it(path: Path) -> None:
    snapshot = Snapshot("a", 1, b"", "json", "1", datetime(2026, 1, 1, tzinfo=UTC))
    async with SqliteDatabase.open(path, busy_timeout=DEADLINE) as database:
        async with database.transaction():
            save = asyncio.create_task(SqliteSnapshotStore(database).save(snapshot))
            await asyncio.sleep(0)  # lets it begin
            database._closed = True
        with pytest.raises(StorageError, match="the store is closed"):
            await save


async def test_a_transaction_writes_in_one_errand_for_each_append(
    database: SqliteDatabase, store: SqliteEventStore
) -> None:
    async with traced(database) as trace, store.transaction() as transaction:
        await transaction.append("a", counted(1), expected_version=0)
        await transaction.append("a", counted(2), expected_version=1)
    assert trace.commits() == 1
    assert trace.errands == 4  # BEGIN and COMMIT, too
