"""Batches that their handlers end, or leave so that they cannot be committed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_core.stores import BatchRefusedError, OutageError
from tests.eventsourcing_postgres.projections._builds import (
    BALANCES,
    LEASE,
    at,
    make_tables,
    move_all,
    positions,
)

if TYPE_CHECKING:
    from eventsourcing_core.stores import ProjectionStore

    Pool = asyncpg.Pool[asyncpg.Record]

DEPOSIT = "insert into balance values ($1, 1)"
BALANCE = "create table balance (account text, cents bigint)"
LATE = "create table balance (account text unique deferrable initially deferred, cents bigint)"
ENDS = [
    "commit",
    "end",
    "commit; begin",
    "commit and chain",
    "prepare transaction 'x'",
    "rollback",
    "rollback; begin",
    "rollback and chain",
]


async def run(
    store: ProjectionStore,
    *statements: str,
    is_in_savepoint: bool = False,
    is_swallowed: bool = False,
) -> None:
    """Run statements in a batch, between two deposits."""
    swallowed = (asyncpg.PostgresError, asyncpg.InterfaceError) if is_swallowed else ()
    move = move_all(await store.arrangement(BALANCES), at(1))
    async with store.batch(BALANCES, move, lease=LEASE) as batch:

        async def write() -> None:
            for statement in statements:
                with suppress(*swallowed):
                    await batch.connection.execute(statement)
            with suppress(*swallowed):
                await batch.connection.execute(DEPOSIT, "b")

        await batch.connection.execute(DEPOSIT, "a")
        if is_in_savepoint:
            async with batch.savepoint():
                await write()
        else:
            await write()


@pytest.mark.parametrize("is_swallowed", [True, False])
@pytest.mark.parametrize("is_in_savepoint", [True, False])
@pytest.mark.parametrize("end", ENDS)
async def test_only_the_store_ends_a_batch(
    store: ProjectionStore, pool: Pool, end: str, *, is_in_savepoint: bool, is_swallowed: bool
) -> None:
    await make_tables(store, segments=3, sql=BALANCE)
    # What comes after "begin" finds no table: that was set in the transaction that is over.
    with pytest.raises((BatchRefusedError, asyncpg.UndefinedTableError)) as caught:
        await run(store, end, is_in_savepoint=is_in_savepoint, is_swallowed=is_swallowed)
    assert not isinstance(caught.value, OutageError)
    assert await positions(store, BALANCES) == [0, 0, 0]
    assert await pool.fetch("select account from balances.balance") == []
    await run(store)  # nothing of that is left


async def test_constraints_can_be_checked_before_the_end(store: ProjectionStore) -> None:
    await make_tables(store, segments=3, sql=LATE)
    check = "set constraints all immediate"
    await run(store, check, "set constraints all deferred", check, is_in_savepoint=True)
    assert await positions(store, BALANCES) == [1, 1, 1]


@pytest.mark.parametrize("times", [1, 2])
async def test_who_has_checked_constraints_does_not_end_a_batch_either(
    store: ProjectionStore, pool: Pool, times: int
) -> None:
    await make_tables(store, segments=3, sql=LATE)
    checks = ["set constraints all immediate"] * times
    with pytest.raises(BatchRefusedError, match="has committed the transaction"):
        await run(store, *checks, "commit")
    assert await positions(store, BALANCES) == [0, 0, 0]
    assert await pool.fetch("select account from balances.balance") == []


async def test_what_breaks_a_rule_that_is_checked_in_the_end_is_refused(
    store: ProjectionStore,
) -> None:
    await make_tables(store, sql=LATE)
    again = "insert into balance values ('a', 2)"
    with pytest.raises(BatchRefusedError, match="nothing was stored: UniqueViolationError"):
        await run(store, again)
    assert await positions(store, BALANCES) == [0]


@pytest.mark.parametrize("is_in_savepoint", [True, False])
async def test_a_swallowed_error_is_refused(
    store: ProjectionStore, *, is_in_savepoint: bool
) -> None:
    await make_tables(store)
    with pytest.raises(BatchRefusedError):
        await run(store, "select 1 / 0", is_in_savepoint=is_in_savepoint, is_swallowed=True)
    assert await positions(store, BALANCES) == [0]
