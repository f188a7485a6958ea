"""Batches: what moves the segments and what handlers write is stored together, or not at all."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_core.stores import (
    BatchRefusedError,
    Build,
    FencedError,
    OutageError,
    ProjectionError,
    StorageError,
)
from tests.eventsourcing_postgres.projections._builds import (
    BALANCES,
    LEASE,
    ORDERS,
    at,
    make_tables,
    make_view,
    move_all,
    opened,
    positions,
    put,
    take_all,
    until_gone,
    until_waiting,
)

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    from eventsourcing_core.stores import Batch, Move, ProjectionStore

    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]

DEPOSIT = """
insert into balance (account, cents) values ($1, 1)
on conflict (account) do update set cents = balance.cents + 1
"""


async def test_a_batch_moves_its_segments_and_writes(store: ProjectionStore) -> None:
    await make_view(store, segments=4)
    await take_all(store, ORDERS)
    await put(store, ORDERS, 7, a='{"n": 1}', b="[2]")
    await put(store, ORDERS, 9, a=None, c='"x"')
    assert (await store.arrangement(ORDERS)).segments[3].progress == at(9)
    assert await store.live_values(ORDERS.name, ["a", "b", "c", "\0"]) == {"b": "[2]", "c": '"x"'}


async def test_a_batch_reads_what_it_wrote(store: ProjectionStore) -> None:
    await make_view(store)
    move = move_all(await store.arrangement(ORDERS), at(1))
    async with store.batch(ORDERS, move, lease=LEASE) as batch:
        await batch.put({"a": "1", "b": "2"})
        await batch.put({"a": None})
        assert await batch.values(["a", "b"]) == {"b": "2"}


async def test_an_error_takes_everything_back(store: ProjectionStore) -> None:
    await make_view(store)
    move = move_all(await store.arrangement(ORDERS), at(1))
    with pytest.raises(LookupError, match="of the user"):
        await fail_in(store, move)
    assert await positions(store, ORDERS) == [0]
    assert await store.live_values(ORDERS.name, ["a"]) == {}


async def put_in(
    store: ProjectionStore, move: Move, values: dict[str, str | None], build: Build = ORDERS
) -> None:
    async with store.batch(build, move, lease=LEASE) as batch:
        await batch.put(values)


async def fail_in(store: ProjectionStore, move: Move) -> None:
    async with store.batch(ORDERS, move, lease=LEASE) as batch:
        await batch.put({"a": "1"})
        message = "of the user"
        raise LookupError(message)


async def test_a_savepoint_takes_back_what_is_in_it(store: ProjectionStore) -> None:
    await make_tables(store)
    move = move_all(await store.arrangement(BALANCES), at(1))
    async with store.batch(BALANCES, move, lease=LEASE) as batch:
        async with batch.savepoint():
            await batch.connection.execute(DEPOSIT, "a")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await divide_in_savepoint(batch)
        assert await batch.connection.fetch("select account from balance") == [("a",)]
    assert await positions(store, BALANCES) == [1]


async def divide_in_savepoint(batch: Batch) -> None:
    async with batch.savepoint():
        await batch.connection.execute(DEPOSIT, "b")
        await batch.connection.execute("select 1 / 0")


@pytest.mark.parametrize("change", ["position", "epoch", "one of several"])
async def test_a_batch_that_knows_segments_otherwise_is_fenced(
    store: ProjectionStore, change: str
) -> None:
    await make_view(store, segments=4)
    first, *others = (await store.arrangement(ORDERS)).segments
    known = {
        "position": [first._replace(progress=at(1))],
        "epoch": [first._replace(epoch=first.epoch + 1)],
        "one of several": [first, others[0]._replace(epoch=7), *others[1:]],
    }[change]
    move = move_all(await store.arrangement(ORDERS), at(2))._replace(segments=tuple(known))
    with pytest.raises(FencedError, match="1 of . segments"):
        await put_in(store, move, {})
    assert await positions(store, ORDERS) == [0, 0, 0, 0]


async def test_a_zombie_writes_nothing(store: ProjectionStore, url: str) -> None:
    await make_tables(store)
    known = await take_all(store, BALANCES, "zombie")
    async with opened(url) as other:
        await other.leave(BALANCES, "zombie")
        await take_all(other, BALANCES, "heir")
        with pytest.raises(FencedError):
            await deposit(store, move_all(known, at(1)))
        await deposit(other, move_all(await other.arrangement(BALANCES), at(1)))
        assert await positions(other, BALANCES) == [1]


async def test_of_two_batches_that_know_the_same_one_is_written(
    store: ProjectionStore, pool: Pool
) -> None:
    await make_tables(store, segments=4)
    move = move_all(await take_all(store, BALANCES), at(1))
    async with store.batch(BALANCES, move, lease=LEASE) as batch:
        await batch.connection.execute(DEPOSIT, "a")
        later = asyncio.create_task(deposit(store, move))
        await until_waiting(pool)
    with pytest.raises(FencedError):
        await later
    assert await pool.fetchval("select sum(cents) from balances.balance") == 1


async def deposit(store: ProjectionStore, move: Move) -> None:
    async with store.batch(BALANCES, move, lease=LEASE) as batch:
        await batch.connection.execute(DEPOSIT, "a")


async def test_a_build_that_is_not_registered_says_so(store: ProjectionStore) -> None:
    await make_view(store)
    move = move_all(await store.arrangement(ORDERS), at(1))
    with pytest.raises(ProjectionError, match="version 9, is not registered"):
        await put_in(store, move, {}, Build(ORDERS.name, 9))


# What ends a batch though nothing is wrong with it.


async def test_a_silent_process_is_ended_by_the_server_after_its_lease(
    store: ProjectionStore, pool: Pool
) -> None:
    await make_view(store)
    move = move_all(await store.arrangement(ORDERS), at(1))
    with pytest.raises(OutageError, match=r"silent for longer than the lease of 0\.05 s"):
        await be_silent(store, pool, move)
    await put(store, ORDERS, 2, a="2")  # nobody is in the way


async def be_silent(store: ProjectionStore, pool: Pool, move: Move) -> None:
    async with store.batch(ORDERS, move, lease=0.05) as batch:
        pid = await batch.connection.fetchval("select pg_backend_pid()")
        await until_gone(pool, pid)
        await batch.put({"a": "1"})


async def test_a_lost_connection_is_an_outage_of_what_the_block_raised(
    store: ProjectionStore, pool: Pool
) -> None:
    await make_tables(store)
    move = move_all(await store.arrangement(BALANCES), at(1))
    with pytest.raises(OutageError) as caught:
        await lose_connection(store, pool, move)
    assert isinstance(caught.value.__cause__, asyncpg.PostgresError | asyncpg.InterfaceError)


async def lose_connection(store: ProjectionStore, pool: Pool, move: Move) -> None:
    async with store.batch(BALANCES, move, lease=LEASE) as batch:
        pid = await batch.connection.fetchval("select pg_backend_pid()")
        await pool.execute("select pg_terminate_backend($1)", pid)
        await until_gone(pool, pid)
        await batch.connection.execute(DEPOSIT, "a")


@pytest.mark.parametrize("where", ["block", "savepoint", "wrapped"])
async def test_a_deadlock_is_an_outage(store: ProjectionStore, pool: Pool, where: str) -> None:
    await make_tables(store)
    move = move_all(await store.arrangement(BALANCES), at(1))
    await pool.execute("insert into balances.balance values ('a', 1), ('b', 1)")
    async with pool.acquire() as other, other.transaction():
        await other.execute("set local deadlock_timeout = '1h'")  # so the batch is chosen
        await other.execute("update balances.balance set cents = 3 where account = 'a'")
        async with asyncio.TaskGroup() as group:
            with pytest.raises(OutageError, match="Deadlock|LookupError"):
                await meet_deadlock(store, move, group, other, where)
    assert await positions(store, BALANCES) == [0]


async def meet_deadlock(
    store: ProjectionStore, move: Move, group: asyncio.TaskGroup, other: Connection, where: str
) -> None:
    pay = "update balances.balance set cents = 2 where account = $1"
    async with store.batch(BALANCES, move, lease=LEASE) as batch:
        await batch.connection.execute("set local deadlock_timeout = '1ms'")
        await batch.connection.execute(pay, "b")
        group.create_task(other.execute(pay, "b"))
        await until_waiting(batch.connection)
        try:
            if where == "savepoint":
                async with batch.savepoint():
                    await batch.connection.execute(pay, "a")
            else:
                await batch.connection.execute(pay, "a")
        except asyncpg.DeadlockDetectedError as error:
            if where == "wrapped":
                raise LookupError from error
            raise


async def test_an_error_of_a_statement_that_was_swallowed_is_no_success(
    store: ProjectionStore,
) -> None:
    await make_tables(store)
    move = move_all(await store.arrangement(BALANCES), at(1))
    with pytest.raises(BatchRefusedError, match="commit refused, nothing was stored"):
        await swallow_an_error(store, move)
    assert await positions(store, BALANCES) == [0]


async def swallow_an_error(store: ProjectionStore, move: Move) -> None:
    async with store.batch(BALANCES, move, lease=LEASE) as batch:
        with suppress(asyncpg.DivisionByZeroError):
            await batch.connection.execute("select 1 / 0")


async def test_a_value_that_jsonb_does_not_hold_is_no_outage(store: ProjectionStore) -> None:
    await make_view(store)
    move = move_all(await store.arrangement(ORDERS), at(1))
    with pytest.raises(StorageError, match="Unicode escape") as caught:
        await put_in(store, move, {"a": '"\\u0000"'})
    assert not isinstance(caught.value, OutageError)


# The schema of a build.


async def test_builds_alternate_on_one_connection(url: str) -> None:
    second = BALANCES._replace(version=2)
    async with opened(url, max_size=1) as store:
        for build in (BALANCES, second):
            await make_tables(store, build)
        for position in range(1, 20):
            for build in (BALANCES, second):
                move = move_all(await store.arrangement(build), at(position))
                async with store.batch(build, move, lease=LEASE) as batch:
                    await batch.connection.execute(DEPOSIT, f"v{build.version}")
                    rows = await batch.connection.fetch("select account, cents from balance")
                    assert rows == [(f"v{build.version}", position)]


async def test_so_they_do_where_their_tables_differ(url: str) -> None:
    tables = {
        BALANCES: "create table balance (account text, amount bigint)",
        BALANCES._replace(version=2): "create table balance (amount text, account text, more int)",
        Build("others", 1): "create table balance (account int, amount float, more text)",
    }
    async with opened(url, max_size=1) as store:
        for build, sql in tables.items():
            await make_tables(store, build, sql=sql)
        for position in range(1, 4):
            for build, row in zip(tables, [("a", 1), ("b", "c"), (7, 0.5)], strict=True):
                move = move_all(await store.arrangement(build), at(position))
                async with store.batch(build, move, lease=LEASE) as batch:
                    connection = batch.connection
                    insert = "insert into balance (account, amount) values ($1, $2)"
                    await connection.execute(insert, *row)
                    await connection.executemany(insert, [row])
                    await connection.copy_records_to_table(
                        "balance", records=[row], columns=["account", "amount"]
                    )
                    rows = await connection.fetch("select * from balance")
                    assert {(each["account"], each["amount"]) for each in rows} == {row}
                    assert len(rows) == 3 * position


async def test_nothing_of_a_batch_stays_in_its_session(url: str) -> None:
    async with opened(url, max_size=1) as store:
        await make_tables(store)
        move = move_all(await store.arrangement(BALANCES), at(1))
        seen: list[str] = []
        for isolation in range(2):
            async with store.batch(BALANCES, move, lease=LEASE) as batch:
                seen.append(
                    await batch.connection.fetchval(
                        "select current_setting('search_path')"
                        " || current_setting('idle_in_transaction_session_timeout')"
                        " || current_setting('transaction_isolation')"
                    )
                )
            move = move_all(await store.arrangement(BALANCES), at(2 + isolation))
        assert seen == ['balances, "$user", public1minread committed'] * 2


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
async def test_a_batch_is_read_committed_whatever_the_database_prefers(
    url: str, pool: Pool, isolation: str
) -> None:
    database = await pool.fetchval("select quote_ident(current_database())")
    await pool.execute(
        f"alter database {database} set default_transaction_isolation = '{isolation}'"
    )
    async with opened(url) as store:
        await make_tables(store)
        await take_all(store, BALANCES)
        move = move_all(await store.arrangement(BALANCES), at(1))
        async with store.batch(BALANCES, move, lease=LEASE) as batch:
            level = await batch.connection.fetchval(
                "select current_setting('transaction_isolation')"
            )
    assert level == "read committed"
