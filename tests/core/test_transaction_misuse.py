"""Transactions used wrongly by repositories: what is wrong is named, and nothing is half done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

import pytest

from eventsourcing_core import EventCodec, Repository, StorageError, StorageEventStore
from eventsourcing_core.stores import Parts
from eventsourcing_inmemory._storage import InMemoryStorage
from tests.core._banks import Bank
from tests.core._tills import Shelf, Till, said, sell, state

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from eventsourcing_core import Transaction

pytestmark = pytest.mark.usefixtures("log")


async def save(bank: Bank, transaction: Transaction) -> None:
    till = Till("1")
    till.sell(1)
    await bank.tills.save(till, transaction=transaction)


async def load(bank: Bank, transaction: Transaction) -> None:
    await bank.tills.load("1", transaction=transaction)


async def get(bank: Bank, transaction: Transaction) -> None:
    await bank.tills.get("1", transaction=transaction)


async def exists(bank: Bank, transaction: Transaction) -> None:
    await bank.tills.exists("1", transaction=transaction)


async def connect(_: Bank, transaction: Transaction) -> None:
    assert transaction.connection is None


USES = [save, load, get, exists, connect]


@pytest.fixture(params=USES)
def use(request: pytest.FixtureRequest) -> Any:
    return request.param


async def check_others_can_write(bank: Bank) -> None:
    """See that nothing is written, and that nobody holds the store."""
    assert await bank.stored() == []
    async with asyncio.timeout(10):
        await sell(bank.tills, 7)
        await bank.move(8)
    assert await bank.stored() == [("Till-1", 7), ("Till-1", 8), ("Till-2", 8)]


@pytest.mark.parametrize("end", ["commit", "rollback", "doubt"])
async def test_a_transaction_that_has_ended_is_refused(
    bank: Bank, use: Any, end: Literal["commit", "rollback", "doubt"]
) -> None:
    async def leave() -> None:
        async with bank.backend.transaction() as transaction:
            left.append(transaction)
            if end == "rollback":
                raise LookupError
            bank.failing.fails = "after" if end == "doubt" else ""

    left: list[Transaction] = []
    if end == "commit":
        await leave()
    else:
        with pytest.raises((LookupError, StorageError)):
            await leave()
    with pytest.raises(RuntimeError, match="the transaction has ended: open another one"):
        await use(bank, left[0])
    await check_others_can_write(bank)


async def test_a_transaction_is_refused_in_another_task(bank: Bank, use: Any) -> None:
    async with bank.backend.transaction() as transaction:
        with pytest.raises(RuntimeError, match="belongs to the task that opened it"):
            await asyncio.create_task(use(bank, transaction))
    await check_others_can_write(bank)


@pytest.mark.parametrize("use", [save, load, get, exists])
async def test_a_transaction_of_another_backend_is_refused(
    bank: Bank, use: Callable[[Bank, Transaction], Awaitable[object]]
) -> None:
    other = Bank(Shelf())
    async with other.backend.transaction() as transaction:
        with pytest.raises(ValueError, match="the transaction is of another backend: open one on"):
            await use(bank, transaction)
        await use_rightly(other, transaction)
    assert await other.stored() == [("Till-1", 9)]
    await check_others_can_write(bank)


async def use_rightly(bank: Bank, transaction: Transaction) -> None:
    till = await bank.tills.load("1", transaction=transaction)
    till.sell(9)
    await bank.tills.save(till, transaction=transaction)


async def test_a_transaction_in_a_transaction_is_refused(bank: Bank) -> None:
    async def nest() -> None:
        async with bank.backend.transaction() as transaction:
            await save(bank, transaction)
            async with bank.backend.transaction():
                pytest.fail("it was opened")

    with pytest.raises(RuntimeError, match="this task has a transaction open on the store"):
        await nest()
    await check_others_can_write(bank)


async def test_transactions_on_two_backends_may_be_open_at_once(bank: Bank) -> None:
    other = Bank(Shelf())
    async with bank.backend.transaction() as one, other.backend.transaction() as two:
        await use_rightly(bank, one)
        await use_rightly(other, two)
    assert await bank.stored() == await other.stored() == [("Till-1", 9)]


def new_till() -> Till:
    till = Till("1")
    till.sell(1)
    return till


PLAIN: list[Callable[[Bank], Awaitable[object]]] = [
    lambda bank: bank.tills.load("1"),
    lambda bank: bank.tills.get("1"),
    lambda bank: bank.tills.exists("1"),
    lambda bank: bank.tills.save(new_till()),
    lambda bank: bank.tills.update("1", lambda till: till.sell(1)),
    lambda bank: bank.tills.update("1", lambda till: till.sell(1), command_id="c-1"),
    lambda bank: bank.store.append("Till-1", new_till().pending_events, expected_version=0),
    lambda bank: bank.store.last_position(),
]


@pytest.mark.parametrize("has_snapshot", [False, True])
@pytest.mark.parametrize("plain", range(len(PLAIN)))
async def test_whoever_has_a_transaction_open_must_use_it(
    bank: Bank, log: pytest.LogCaptureFixture, plain: int, *, has_snapshot: bool
) -> None:
    sold = [1, 2, 3, 4, 5] if has_snapshot else [1]
    await sell(bank.tills, *sold)
    before = state(await bank.tills.load("1"))
    log.clear()

    async def mix() -> None:
        async with asyncio.timeout(10), bank.backend.transaction() as transaction:
            await use_rightly(bank, transaction)
            await PLAIN[plain](bank)

    with pytest.raises(RuntimeError, match="this task has a transaction open on the store, and"):
        await mix()
    assert said(log) == []
    assert state(await bank.tills.load("1")) == before
    async with asyncio.timeout(10):
        await sell(bank.tills, 7)
    assert await bank.stored() == [("Till-1", count) for count in (*sold, 7)]


async def test_the_transaction_is_usable_after_such_a_mistake(bank: Bank) -> None:
    async with bank.backend.transaction() as transaction:
        with pytest.raises(RuntimeError, match="use the transaction"):
            await bank.tills.load("1")
        await use_rightly(bank, transaction)
    assert await bank.stored() == [("Till-1", 9)]


async def test_an_aggregate_of_another_class_is_not_saved_in_a_transaction(bank: Bank) -> None:
    class Stranger(Till):
        pass

    strangers = bank.backend.repository(Stranger)
    async with bank.backend.transaction() as transaction:
        with pytest.raises(TypeError, match="this repository keeps Stranger, got"):
            await strangers.save(new_till(), transaction=transaction)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the mistake
    await check_others_can_write(bank)


async def test_a_store_without_transactions_says_so() -> None:
    store = StorageEventStore(Parts(InMemoryStorage()))
    with pytest.raises(StorageError, match="InMemoryStorage has no transactions"):
        async with store.transaction():
            pytest.fail("it was opened")


async def test_a_repository_on_another_store_of_the_same_backend_is_refused(bank: Bank) -> None:
    store = StorageEventStore(Parts(InMemoryStorage()), EventCodec())
    async with bank.backend.transaction() as transaction:
        with pytest.raises(ValueError, match="of another backend"):
            await Repository(store, Till).load("1", transaction=transaction)
    await check_others_can_write(bank)
