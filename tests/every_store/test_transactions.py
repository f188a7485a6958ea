"""Repositories in transactions, on every store."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import ConcurrencyError, Saved, StorageError, open_backend
from tests.every_store._ledger import Booked, Ledger, state, types

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import Backend, Repository, Transaction

_AT_ONCE = 12
"""More transactions than a pool of these tests has connections."""


@pytest.fixture
async def backend(store_url: str) -> AsyncIterator[Backend]:
    few: dict[str, Any] = {"max_size": 3} if store_url.startswith("postgres") else {}
    async with open_backend(store_url, event_types=types, **few) as backend:
        yield backend


@pytest.fixture
async def other(store_url: str) -> AsyncIterator[Backend]:
    """Open the same store once more, as another process would."""
    async with open_backend(store_url, event_types=types) as other:
        yield other


@pytest.fixture
def ledgers(backend: Backend) -> Repository[Ledger]:
    return backend.repository(Ledger, snapshot_frequency=3)


async def book(
    ledgers: Repository[Ledger],
    transaction: Transaction,
    id: str,  # noqa: A002 - the word of the domain
    *amounts: int,
) -> Ledger:
    ledger = await ledgers.load(id, transaction=transaction)
    ledger.record([Booked("a", Decimal(amount)) for amount in amounts])
    await ledgers.save(ledger, transaction=transaction)
    return ledger


async def stored(backend: Backend) -> list[tuple[str, int]]:
    return [(e.stream_id, int(e.data.amount)) async for e in backend.event_store.read_all()]


async def test_two_aggregates_are_stored_together(
    backend: Backend, other: Backend, ledgers: Repository[Ledger]
) -> None:
    async with backend.transaction() as transaction:
        one = await book(ledgers, transaction, "1", -5)
        assert len(one.pending_events) == 1
        two = await book(ledgers, transaction, "2", 5)
        assert await stored(other) == []
    assert await stored(other) == [("Ledger-1", -5), ("Ledger-2", 5)]
    assert not one.pending_events
    assert not two.pending_events
    places = [event.position async for event in other.event_store.read_all()]
    assert [ledgers.saved(one), ledgers.saved(two)] == [Saved(1, place) for place in places]


async def test_an_error_leaves_none_of_them_and_lets_others_write(
    backend: Backend, other: Backend, ledgers: Repository[Ledger]
) -> None:
    async def fail() -> None:
        async with backend.transaction() as transaction:
            left.append(await book(ledgers, transaction, "1", 1, 2, 3))
            await book(ledgers, transaction, "2", 1)
            raise LookupError

    left: list[Ledger] = []
    with pytest.raises(LookupError):
        await fail()
    assert await stored(other) == []
    assert await backend.snapshot_store.load("Ledger-1") is None
    (ledger,) = left
    assert len(ledger.pending_events) == 3
    await other.repository(Ledger).update("2", lambda two: two.record([Booked("a", Decimal(9))]))
    saved = await ledgers.save(ledger)
    assert saved.version == 3
    assert len(await stored(other)) == 4


async def test_a_load_inside_sees_what_was_saved_inside(
    backend: Backend, ledgers: Repository[Ledger]
) -> None:
    async with backend.transaction() as transaction:
        assert not await ledgers.exists("1", transaction=transaction)
        first = await book(ledgers, transaction, "1", 1)
        assert await ledgers.exists("1", transaction=transaction)
        assert state(await ledgers.get("1", transaction=transaction)) == state(first)
        await book(ledgers, transaction, "1", 2)
    assert await stored(backend) == [("Ledger-1", 1), ("Ledger-1", 2)]


async def test_a_snapshot_is_taken_after_the_commit_and_used_inside_the_next_one(
    backend: Backend, other: Backend, ledgers: Repository[Ledger]
) -> None:
    async with backend.transaction() as transaction:
        await book(ledgers, transaction, "1", 1, 2)
        await book(ledgers, transaction, "1", 3, 4)
        assert await other.snapshot_store.load("Ledger-1") is None
    snapshot = await other.snapshot_store.load("Ledger-1")
    assert snapshot is not None
    assert snapshot.version == 4
    async with backend.transaction() as transaction:
        inside = await book(ledgers, transaction, "1", 5)
    assert state(inside) == state(await other.repository(Ledger).load("1"))
    assert (await ledgers.verify("1")).is_right


async def test_a_conflict_inside_leaves_the_transaction_usable(
    backend: Backend, other: Backend, ledgers: Repository[Ledger]
) -> None:
    late = await ledgers.load("1")
    late.record([Booked("a", Decimal(1))])
    await other.repository(Ledger).update("1", lambda one: one.record([Booked("a", Decimal(2))]))
    async with backend.transaction() as transaction:
        with pytest.raises(ConcurrencyError) as caught:
            await ledgers.save(late, transaction=transaction)
        await book(ledgers, transaction, "1", 3)
        await book(ledgers, transaction, "2", 4)
    assert caught.value.actual == 1
    assert await stored(backend) == [("Ledger-1", 2), ("Ledger-1", 3), ("Ledger-2", 4)]
    assert len(late.pending_events) == 1


async def test_more_transactions_than_connections_are_all_done(
    backend: Backend, ledgers: Repository[Ledger]
) -> None:
    async def move(number: int) -> None:
        while True:
            try:
                async with backend.transaction() as transaction:
                    await book(ledgers, transaction, "shared", 1)
                    await book(ledgers, transaction, f"own-{number}", 1)
            except ConcurrencyError:
                continue
            return

    async with asyncio.timeout(60):
        await asyncio.gather(*map(move, range(_AT_ONCE)))
    assert (await ledgers.load("shared")).total == _AT_ONCE
    assert len(await stored(backend)) == 2 * _AT_ONCE


@pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)  # they have SQL
@pytest.mark.parametrize("fails", [False, True])
async def test_rows_of_ones_own_are_stored_with_the_events_or_not_at_all(
    backend: Backend, ledgers: Repository[Ledger], *, fails: bool
) -> None:
    async def write() -> None:
        async with backend.transaction() as transaction:
            await transaction.connection.execute("insert into notes values ('booked')")
            await book(ledgers, transaction, "1", 1)
            await transaction.connection.execute("insert into notes values ('twice')")
            if fails:
                raise LookupError

    async with backend.transaction() as transaction:
        await transaction.connection.execute("create table notes (note text)")
    if fails:
        with pytest.raises(LookupError):
            await write()
    else:
        await write()
    assert len(await stored(backend)) == (0 if fails else 1)
    assert await count_notes(backend) == (0 if fails else 2)


async def count_notes(backend: Backend) -> int:
    async with backend.transaction() as transaction:
        connection = transaction.connection
        if hasattr(connection, "fetchval"):
            return int(await connection.fetchval("select count(*) from notes"))
        ((count,),) = await connection.execute_fetchall("select count(*) from notes")
        return int(count)


async def test_a_transaction_that_is_cancelled_holds_nobody_up(
    backend: Backend, other: Backend, ledgers: Repository[Ledger]
) -> None:
    saved = asyncio.Event()

    async def hang() -> None:
        async with backend.transaction() as transaction:
            await book(ledgers, transaction, "1", 1)
            saved.set()
            await asyncio.Event().wait()

    hanging = asyncio.create_task(hang())
    async with asyncio.timeout(60):
        await saved.wait()
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
        await other.repository(Ledger).update(
            "1", lambda ledger: ledger.record([Booked("a", Decimal(2))])
        )
    assert await stored(backend) == [("Ledger-1", 2)]


async def test_a_save_that_a_savepoint_took_back_refuses_the_commit(
    backend: Backend, other: Backend, ledgers: Repository[Ledger], store_url: str
) -> None:
    """Otherwise the aggregate would count as stored."""
    if store_url.startswith("memory"):
        pytest.skip("in memory there is no connection on which a savepoint could be made")

    async def lose() -> None:
        async with backend.transaction() as transaction:
            await transaction.connection.execute("savepoint mine")
            left.append(await book(ledgers, transaction, "1", 7))
            await transaction.connection.execute("rollback to savepoint mine")
            await ledgers.save(left[0], transaction=transaction)

    left: list[Ledger] = []
    with pytest.raises(StorageError, match="'Ledger-1' were appended, and then taken back"):
        await lose()
    assert await stored(other) == []
    assert len(left[0].pending_events) == 1
    await ledgers.save(left[0])
    assert await stored(other) == [("Ledger-1", 7)]


async def test_a_save_that_was_taken_back_is_noticed_also_where_another_took_its_version(
    backend: Backend, other: Backend, ledgers: Repository[Ledger], store_url: str
) -> None:
    if store_url.startswith("memory"):
        pytest.skip("in memory there is no connection on which a savepoint could be made")

    async def lose() -> None:
        async with backend.transaction() as transaction:
            await transaction.connection.execute("savepoint mine")
            await book(ledgers, transaction, "1", 7)
            await transaction.connection.execute("rollback to savepoint mine")
            await book(ledgers, transaction, "1", 8)

    with pytest.raises(StorageError, match="'Ledger-1' were appended, and then taken back"):
        await lose()
    assert await stored(other) == []


async def test_statements_and_savepoints_that_take_nothing_back_are_welcome(
    backend: Backend, other: Backend, ledgers: Repository[Ledger], store_url: str
) -> None:
    async with backend.transaction() as transaction:
        await book(ledgers, transaction, "1", 1)
        if not store_url.startswith("memory"):
            await transaction.connection.execute("savepoint mine")
            await transaction.connection.execute("rollback to savepoint mine")
        await book(ledgers, transaction, "1", 2)
        await book(ledgers, transaction, "2", 3, 4)
    assert await stored(other) == [
        ("Ledger-1", 1),
        ("Ledger-1", 2),
        ("Ledger-2", 3),
        ("Ledger-2", 4),
    ]
