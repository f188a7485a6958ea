"""Transactions on PostgreSQL, beside what their contract says: rows, locks, lost connections."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_core import (
    Aggregate,
    ConcurrencyError,
    Event,
    EventTypes,
    ExpectedVersion,
    StorageError,
    event,
    open_backend,
)
from eventsourcing_core.stores import OutageError, StreamHeldError
from eventsourcing_postgres._pages import FIRST_PAGE
from tests.eventsourcing_postgres._storages import storage_of
from tests.eventsourcing_postgres.test_database import hanging, stops_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import Backend, EventStore

    Connection = asyncpg.Connection[asyncpg.Record]

ANY = ExpectedVersion.ANY
DEADLINE = 20.0  # seconds until something counts as never happening
types = EventTypes()


@event("visited", event_types=types)
class Visited:
    guests: int = 1


class Inn(Aggregate):
    event_types = types
    guests: int = 0

    def visit(self) -> None:
        self._record(Visited())

    def apply(self, event: Event[Visited]) -> None:
        self.guests += event.data.guests


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[Backend]:
    """Open a backend, and end the test if something in it waits for ever."""
    async with (
        asyncio.timeout(DEADLINE),
        open_backend(url, event_types=types, **options) as backend,
    ):
        yield backend


@pytest.fixture
async def other(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url)
    await connection.execute("create table ledger (entry integer primary key)")
    yield connection
    connection.terminate()


def one() -> list[Event[object]]:
    return [Event("Opened", {})]


async def streams(store: EventStore) -> list[str]:
    return [event.stream_id async for event in store.read_all()]


async def entries(connection: Connection) -> list[int]:
    return [row[0] for row in await connection.fetch("select entry from ledger order by entry")]


async def setting(connection: Any, name: str) -> object:
    return await connection.fetchval("select current_setting($1)", name)


# Stored together, or not at all.


async def test_rows_and_the_events_of_two_aggregates_are_stored_together(
    url: str, other: Connection
) -> None:
    async with opened(url) as backend:
        inns = backend.repository(Inn)
        red, blue = Inn("red"), Inn("blue")
        async with backend.transaction() as transaction:
            await transaction.connection.execute("insert into ledger values (1)")
            for inn in (red, blue, red):
                inn.visit()
                await inns.save(inn, transaction=transaction)
            assert await entries(other) == []
        assert await entries(other) == [1]
        assert await streams(backend.event_store) == ["Inn-red", "Inn-blue", "Inn-red"]
        assert not red.pending_events
        assert (await inns.get("red")).guests == 2


async def test_rows_and_events_are_undone_together(url: str, other: Connection) -> None:
    async with opened(url) as backend:

        async def fail() -> None:
            async with backend.transaction() as transaction:
                await transaction.connection.execute("insert into ledger values (1)")
                await transaction.append("a", one(), expected_version=0)
                await transaction.connection.execute("insert into ledger values (1)")

        with pytest.raises(asyncpg.UniqueViolationError):
            await fail()
        assert await entries(other) == []
        assert await streams(backend.event_store) == []


async def test_a_conflict_leaves_the_rows_of_the_user(url: str, other: Connection) -> None:
    async with opened(url) as backend:
        await backend.event_store.append("a", one(), expected_version=0)
        async with backend.transaction() as transaction:
            await transaction.connection.execute("insert into ledger values (1)")
            with pytest.raises(ConcurrencyError):
                await transaction.append("a", one(), expected_version=0)
            await transaction.connection.execute("insert into ledger values (2)")
            await transaction.append("a", one(), expected_version=1)
        assert await entries(other) == [1, 2]
        assert await streams(backend.event_store) == ["a", "a"]


async def test_a_commit_that_the_database_refuses_stores_nothing(
    url: str, other: Connection
) -> None:
    await other.execute("""
        create function refuse() returns trigger language plpgsql
        as $$ begin raise 'refused at the commit'; end $$;
        create constraint trigger refused after insert on ledger deferrable initially deferred
        for each row execute function refuse();
    """)
    async with opened(url, max_size=1) as backend:
        inn = Inn("red")
        inn.visit()

        async def save() -> None:
            async with backend.transaction() as transaction:
                await transaction.connection.execute("insert into ledger values (1)")
                await backend.repository(Inn).save(inn, transaction=transaction)

        with pytest.raises(StorageError, match="commit refused, nothing was stored: .*refused at"):
            await save()
        assert len(inn.pending_events) == 1
        assert await streams(backend.event_store) == []


async def test_a_failed_statement_whose_error_was_caught_is_told_at_the_end(
    url: str, other: Connection
) -> None:
    # The server answers such a commit with a rollback, and not with an error.
    async with opened(url, max_size=1) as backend:

        async def hide_an_error() -> None:
            async with backend.transaction() as transaction:
                await transaction.append("a", one(), expected_version=0)
                await transaction.connection.execute("insert into ledger values (1)")
                with pytest.raises(asyncpg.DivisionByZeroError):
                    await transaction.connection.execute("select 1 / 0")

        with pytest.raises(
            StorageError, match="nothing was stored: a statement failed in the transact"
        ):
            await hide_an_error()
        assert await entries(other) == []
        assert await streams(backend.event_store) == []


@pytest.mark.parametrize("appends", [True, False])
async def test_a_transaction_that_a_statement_has_ended_is_an_error(
    url: str, *, appends: bool
) -> None:
    async with opened(url, max_size=1) as backend:

        async def end_it() -> None:
            async with backend.transaction() as transaction:
                await transaction.append("a", one(), expected_version=0)
                await transaction.connection.execute("rollback")
                if appends:
                    await transaction.append("b", one(), expected_version=0)

        ended = "a statement in its block has committed it or"
        taken_back = "'a' were appended, and then taken back by a savepoint or a rollback"
        with pytest.raises(StorageError, match=ended if appends else taken_back):
            await end_it()
        assert await streams(backend.event_store) == []


async def test_a_statement_of_the_librarys_that_failed_is_told_at_the_end_too(url: str) -> None:
    """Such as a load that ran into a timeout, which its caller has caught."""
    async with opened(url, max_size=1) as backend:

        async def hide_an_error() -> None:
            async with backend.transaction() as transaction:
                await transaction.append("a", one(), expected_version=0)
                held: Any = transaction._opened  # as no user can: the connection is not handed out
                with pytest.raises(asyncpg.DivisionByZeroError):
                    await held._connection.execute("select 1 / 0")

        with pytest.raises(
            StorageError, match="nothing was stored: a statement failed in the trans"
        ):
            await hide_an_error()
        assert await streams(backend.event_store) == []


async def test_a_snapshot_that_cannot_be_read_inside_does_not_end_the_transaction(
    url: str, other: Connection
) -> None:
    async with opened(url, max_size=1) as backend:
        await other.execute("alter table eventsourcing.snapshots rename column state to hidden")
        async with backend.transaction() as transaction:
            await transaction.append("a", one(), expected_version=0)
            assert transaction.snapshot_store is not None
            with pytest.raises(StorageError, match="loading a snapshot failed"):
                await transaction.snapshot_store.load("a")
            assert await transaction.stream_version("a") == 1
        assert await streams(backend.event_store) == ["a"]


async def test_the_isolation_level_is_read_committed_whatever_the_database_prefers(
    url: str, other: Connection
) -> None:
    name = await other.fetchval("select current_database()")
    await other.execute(f"alter database {name} set default_transaction_isolation = 'serializable'")
    async with opened(url) as backend, backend.transaction() as transaction:
        assert await setting(transaction.connection, "transaction_isolation") == "read committed"


async def test_what_a_user_sets_in_a_session_is_nobody_elses(url: str) -> None:
    async with opened(url, max_size=1) as backend:
        async with backend.transaction() as transaction:
            before = await setting(transaction.connection, "work_mem")
            await transaction.connection.execute("set work_mem = '77MB'")
        async with backend.transaction() as transaction:
            assert await setting(transaction.connection, "work_mem") == before


# Readers.


async def test_a_commit_wakes_readers_in_other_processes(url: str, other: Connection) -> None:
    async with opened(url, poll_interval=3600.0) as reader, opened(url) as writer:
        waiting = asyncio.create_task(reader.event_store.wait(after_position=0, timeout=60))
        listens = "select pid from pg_stat_activity where query ilike 'listen %' and datname = $1"
        name = await other.fetchval("select current_database()")
        while not await other.fetch(listens, name):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)
        async with writer.transaction() as transaction:
            await transaction.append("a", one(), expected_version=0)
        assert await waiting


async def test_a_transaction_that_was_rolled_back_wakes_nobody(url: str) -> None:
    async with opened(url) as backend:
        waking = storage_of(backend.event_store)._waking

        async def fail() -> None:
            async with backend.transaction() as transaction:
                await transaction.append("a", one(), expected_version=0)
                raise LookupError

        with pytest.raises(LookupError):
            await fail()
        assert waking._notifier is None


async def test_between_two_pages_the_connection_is_the_users(url: str) -> None:
    async with opened(url) as backend, backend.transaction() as transaction:
        many: list[Event[object]] = [Event("Opened", {}) for _ in range(FIRST_PAGE + 2)]
        await transaction.append("a", many, expected_version=0)
        sizes: list[int] = []
        async for page in transaction.read_pages("a"):
            sizes.append(len([*page]))
            assert await transaction.connection.fetchval("select 1") == 1
        assert sizes == [FIRST_PAGE, 2]


# Connections.


@pytest.mark.parametrize("size", [1, 3])
async def test_as_many_transactions_as_connections_load_and_save_inside(
    url: str, size: int
) -> None:
    async with opened(url, max_size=size, acquire_timeout=DEADLINE) as backend:
        inns = backend.repository(Inn, snapshot_frequency=1)

        async def visit(number: int) -> None:
            for _ in range(3):
                async with backend.transaction() as transaction:
                    inn = await inns.load(str(number), transaction=transaction)
                    inn.visit()
                    await inns.save(inn, transaction=transaction)

        await asyncio.gather(*map(visit, range(4 * size)))
        assert {(await inns.get(str(number))).guests for number in range(4 * size)} == {3}


async def test_a_connection_that_is_killed_in_the_block_stores_nothing(
    url: str, other: Connection
) -> None:
    async with opened(url, max_size=2) as backend:

        async def save(*, goes_on: bool) -> None:
            async with backend.transaction() as transaction:
                await transaction.append("a", one(), expected_version=0)
                pid = transaction.connection.get_server_pid()
                assert await other.fetchval("select pg_terminate_backend($1, 10000)", pid)
                if goes_on:
                    await transaction.append("b", one(), expected_version=0)

        for _ in range(2):  # as often as the pool has connections
            with pytest.raises(OutageError, match="append failed"):
                await save(goes_on=True)
            with pytest.raises(OutageError):
                await save(goes_on=False)
        assert await streams(backend.event_store) == []
        await backend.event_store.append("a", one(), expected_version=0)


@pytest.mark.parametrize("step", ["append", "read", "commit"])
async def test_a_transaction_that_idles_too_long_is_told_so(url: str, step: str) -> None:
    async with opened(url, idle_in_transaction_session_timeout="100ms") as backend:

        async def save() -> None:
            async with backend.transaction() as transaction:
                await transaction.append("a", one(), expected_version=0)
                await asyncio.sleep(1)
                if step == "append":
                    await transaction.append("b", one(), expected_version=0)
                if step == "read":
                    await transaction.stream_version("a")

        with pytest.raises(OutageError, match="idle_in_transaction_session_timeout"):
            await save()
        assert await streams(backend.event_store) == []


async def test_a_connection_that_is_lost_before_the_block_is_an_outage(url: str) -> None:
    async with opened(url) as backend:
        await backend.event_store.ping()
        database = storage_of(backend.event_store)._database
        from_pool = database._from_pool

        async def from_pool_and_lost() -> Any:
            connection = await from_pool()
            connection.terminate()
            return connection

        await asyncio.sleep(0.2)  # none is at hand any more
        database._from_pool = from_pool_and_lost
        with pytest.raises(OutageError, match="opening a transaction failed"):
            async with backend.transaction():
                pytest.fail("it was opened")
        database._from_pool = from_pool
        async with backend.transaction() as transaction:
            await transaction.append("a", [Event("Visited", {})], expected_version=0)


async def test_a_connection_that_is_killed_in_the_commit_leaves_the_outcome_unknown(
    url: str, other: Connection
) -> None:
    await other.execute("""
        create function wait() returns trigger language plpgsql
        as $$ begin perform pg_advisory_xact_lock(4711); return null; end $$;
        create constraint trigger waits after insert on eventsourcing.events
        deferrable initially deferred for each row execute function wait();
    """)
    await other.execute("select pg_advisory_lock(4711)")
    waiting = """
        select pid from pg_stat_activity
        where wait_event_type = 'Lock' and datname = current_database()
    """
    async with opened(url, max_size=2) as backend:

        async def save() -> None:
            async with backend.transaction() as transaction:
                await transaction.append("a", one(), expected_version=0)

        saving = asyncio.create_task(save())
        while (pid := await other.fetchval(waiting)) is None:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        await other.fetchval("select pg_terminate_backend($1, 10000)", pid)
        with pytest.raises(OutageError, match="commit failed, and whether it took place") as lost:
            await saving
        assert "log_listener" not in str(lost.value)  # what ended it is told, not what came of that
        await other.execute("drop function wait cascade")
        assert await streams(backend.event_store) == []
        await backend.event_store.append("a", one(), expected_version=0)


@stops_server
@pytest.mark.parametrize("appends", [True, False])
async def test_a_transaction_on_a_server_that_does_not_answer_is_an_outage(
    url: str, *, appends: bool
) -> None:
    async with opened(url, answer_timeout=0.3, max_wait=0.1) as backend:

        async def save() -> None:
            async with backend.transaction() as transaction:
                await transaction.append("a", one(), expected_version=0)
                with hanging(transaction.connection.get_server_pid()):
                    if appends:
                        await transaction.append("b", one(), expected_version=0)
                    else:
                        await transaction.stream_version("a")

        if appends:
            with pytest.raises(OutageError, match="append failed: the server has not answered"):
                await save()
        else:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await save()
        await backend.event_store.append("c", one(), expected_version=0)


# Held streams.


@pytest.mark.parametrize("max_wait", [0.0, 0.3])
async def test_an_append_in_a_transaction_waits_no_longer_than_max_wait(
    url: str, other: Connection, max_wait: float
) -> None:
    async with opened(url) as holder, opened(url, max_wait=max_wait) as backend:
        async with holder.transaction() as holding, other.transaction():
            await holding.append("a", one(), expected_version=0)
            async with asyncio.timeout(5):
                await asyncio.create_task(_wait_in_vain(backend))
        assert await streams(holder.event_store) == ["a", "b"]


async def _wait_in_vain(backend: Backend) -> None:
    async with backend.transaction() as transaction:
        with pytest.raises(StreamHeldError, match="another transaction holds the stream"):
            await transaction.append("a", one(), expected_version=ANY)
        await transaction.append("b", one(), expected_version=0)


@pytest.mark.parametrize("own", ["0", "12345ms"])
async def test_the_lock_timeout_of_the_user_holds_before_and_after_an_append(
    url: str, own: str
) -> None:
    async with opened(url, max_wait=2.0) as backend, backend.transaction() as transaction:
        await transaction.connection.execute(f"set local lock_timeout = '{own}'")
        for stream_id, expected in (("a", 0), ("a", 0), ("b", ANY)):
            try:
                await transaction.append(stream_id, one(), expected_version=expected)
            except ConcurrencyError:
                assert stream_id == "a"
            assert await setting(transaction.connection, "lock_timeout") == own


async def test_a_shorter_lock_timeout_of_the_user_holds_in_an_append_too(url: str) -> None:
    async with opened(url) as backend, backend.transaction() as holding:
        await holding.append("a", one(), expected_version=0)

        async def wait_in_vain() -> None:
            async with backend.transaction() as transaction:
                await transaction.connection.execute("set local lock_timeout = '50ms'")
                with pytest.raises(StreamHeldError):
                    await transaction.append("a", one(), expected_version=ANY)

        async with asyncio.timeout(5):
            await asyncio.create_task(wait_in_vain())


async def test_transactions_that_wait_for_each_other_do_not_stand_still(url: str) -> None:
    async with opened(url) as backend:
        meeting = asyncio.Barrier(2)

        async def write(*stream_ids: str) -> None:
            async with backend.transaction() as transaction:
                await transaction.append(stream_ids[0], one(), expected_version=ANY)
                await meeting.wait()
                await transaction.append(stream_ids[1], one(), expected_version=ANY)

        outcomes = await asyncio.gather(write("a", "b"), write("b", "a"), return_exceptions=True)
        (error,) = [outcome for outcome in outcomes if outcome is not None]
        assert isinstance(error, StorageError)
        assert "a deadlock" in str(error)
        assert "run the whole transaction again" in str(error)
        assert sorted(await streams(backend.event_store)) == ["a", "b"]


async def test_a_follower_has_the_last_event_as_its_checkpoint_where_a_rollback_left_a_hole(
    url: str,
) -> None:
    async with opened(url) as backend:
        result = await backend.event_store.append("a", one(), expected_version=0)
        (event,) = [event async for event in backend.event_store.read("a")]

        async def roll_back() -> None:
            async with backend.transaction() as transaction:
                await transaction.append("b", one(), expected_version=0)
                raise LookupError

        with pytest.raises(LookupError):
            await roll_back()
        pages = backend.event_store.follow(event_types={"None"})
        async with asyncio.timeout(10):
            page = await anext(pages)
            while page.checkpoint is None:
                page = await anext(pages)
        assert page.seen_to > result.position
        assert page.checkpoint == (result.position, event.event_id)
