"""Repositories in transactions: what is saved in one is stored together, or not at all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import AggregateNotFoundError, ConcurrencyError, Saved
from eventsourcing_core._aggregates.notebook import stored_as
from eventsourcing_inmemory._log import EventLog
from eventsourcing_inmemory._transactions import InMemoryTransactions
from tests.core._tills import Shelf, Till, sell, state

if TYPE_CHECKING:
    from eventsourcing_core import Transaction
    from tests.core._banks import Bank

pytestmark = pytest.mark.usefixtures("log")


async def test_two_aggregates_are_stored_together(bank: Bank) -> None:
    one, two = await bank.move(1, 2)
    assert await bank.stored() == [("Till-1", 1), ("Till-1", 2), ("Till-2", 1), ("Till-2", 2)]
    assert (bank.tills.saved(one), bank.tills.saved(two)) == (Saved(2, 2), Saved(2, 4))
    for till in (one, two):
        assert state(await bank.tills.load(till.id)) == state(till)
        till.sell(3)  # and one goes on
        await bank.tills.save(till)


async def test_or_none_of_them(bank: Bank) -> None:
    with pytest.raises(LookupError):
        await bank.move(1, fails=True)
    assert await bank.stored() == []
    await bank.move(2)
    assert await bank.stored() == [("Till-1", 2), ("Till-2", 2)]


async def test_a_conflict_of_one_leaves_nothing_of_the_other(bank: Bank) -> None:
    one, two = await bank.tills.load("1"), await bank.tills.load("2")
    await sell(bank.plain, 1)
    two.sell(2)
    one.sell(2)
    with pytest.raises(ConcurrencyError) as caught:
        await bank.commit(two, one)
    assert (caught.value.stream_id, caught.value.actual) == ("Till-1", 1)
    assert await bank.stored() == [("Till-1", 1)]
    assert (len(one.pending_events), len(two.pending_events)) == (1, 1)


async def test_a_conflict_inside_leaves_the_transaction_usable(bank: Bank) -> None:
    one, two = await bank.tills.load("1"), await bank.tills.load("2")
    await sell(bank.plain, 1)
    one.sell(2)
    two.sell(3)
    async with bank.backend.transaction() as transaction:
        with pytest.raises(ConcurrencyError):
            await bank.tills.save(one, transaction=transaction)
        fresh = await bank.tills.load("1", transaction=transaction)
        fresh.sell(20)
        await bank.tills.save(fresh, transaction=transaction)
        await bank.tills.save(two, transaction=transaction)
    assert await bank.stored() == [("Till-1", 1), ("Till-1", 20), ("Till-2", 3)]
    assert [event.data.count for event in one.pending_events] == [2]
    assert bank.tills.saved(one) == Saved(0, 0)


async def test_two_saves_of_an_aggregate_are_stored_in_their_order(bank: Bank) -> None:
    await sell(bank.tills, 1)
    till = await bank.tills.load("1")
    async with bank.backend.transaction() as transaction:
        till.sell(2)
        assert await bank.tills.save(till, transaction=transaction) == Saved(2, 2)
        assert await bank.tills.save(till, transaction=transaction) == Saved(2, 2)  # nothing
        till.sell(3, 4)
        assert await bank.tills.save(till, transaction=transaction) == Saved(4, 4)
    assert await bank.stored() == [("Till-1", count) for count in (1, 2, 3, 4)]
    assert (till.pending_events, bank.tills.saved(till)) == ((), Saved(4, 4))


async def test_saving_nothing_in_a_transaction_gives_the_place_there_is(bank: Bank) -> None:
    await sell(bank.tills, 1, 2)
    till, new = await bank.tills.load("1"), await bank.tills.load("2")
    async with bank.backend.transaction() as transaction:
        assert await bank.tills.save(till, transaction=transaction) == Saved(2, 2)
        assert await bank.tills.save(new, transaction=transaction) == Saved(0, 0)
    assert (bank.tills.saved(till), bank.tills.saved(new)) == (Saved(2, 2), Saved(0, 0))
    till.sell(3)
    assert await bank.tills.save(till) == Saved(3, 3)


async def test_events_are_pending_until_the_commit(bank: Bank) -> None:
    till = await bank.tills.load("1")
    till.sell(1, 2)
    async with bank.backend.transaction() as transaction:
        await bank.tills.save(till, transaction=transaction)
        assert len(till.pending_events) == 2
        assert bank.tills.saved(till) == Saved(0, 0)
        till.sell(3)  # and is not saved
    assert [event.data.count for event in till.pending_events] == [3]
    assert bank.tills.saved(till) == Saved(2, 2)
    assert await bank.tills.save(till) == Saved(3, 3)


async def test_events_are_pending_after_a_rollback_and_can_be_saved(bank: Bank) -> None:
    await sell(bank.tills, 1)
    till = await bank.tills.load("1")
    till.sell(2)
    with pytest.raises(LookupError):
        await bank.commit(till, fails=True)
    assert [event.data.count for event in till.pending_events] == [2]
    assert bank.tills.saved(till) == Saved(1, 1)
    assert stored_as(till).in_doubt == ()
    till.sell(3)
    await bank.commit(till)
    assert await bank.stored() == [("Till-1", 1), ("Till-1", 2), ("Till-1", 3)]


async def test_a_load_inside_sees_what_was_saved_inside_and_nobody_else_does(bank: Bank) -> None:
    await sell(bank.tills, 1)

    async def look() -> tuple[int, bool]:
        return (await bank.plain.load("1")).total, await bank.plain.exists("2")

    async with bank.backend.transaction() as transaction:
        with pytest.raises(AggregateNotFoundError):
            await bank.tills.get("2", transaction=transaction)
        assert not await bank.tills.exists("2", transaction=transaction)
        for id in ("1", "2"):  # noqa: A001 - the word of the domain
            till = await bank.tills.load(id, transaction=transaction)
            till.sell(2)
            await bank.tills.save(till, transaction=transaction)
            again = await bank.tills.get(id, transaction=transaction)
            assert state(again) == state(till)
            assert again.pending_events == ()
            again.sell(3)  # by whoever has loaded it
            await bank.tills.save(again, transaction=transaction)
        past = await bank.tills.load("1", at_version=2, transaction=transaction)
        assert past.total == 3
        assert await bank.tills.exists("2", transaction=transaction)
        assert await asyncio.create_task(look()) == (1, False)
    assert await look() == (6, True)


async def test_a_load_inside_begins_with_the_snapshot(bank: Bank, shelf: Shelf) -> None:
    await sell(bank.tills, 1, 2, 3, 4, 5)
    shelf.calls = []
    async with bank.backend.transaction() as transaction:
        till = await bank.tills.load("1", transaction=transaction)
        till.sell(6)
        await bank.tills.save(till, transaction=transaction)
        again = await bank.tills.load("1", transaction=transaction)
    assert (state(again), shelf.calls) == (state(till), ["load", "load"])
    assert stored_as(till).snapshot_version == 5


class Borrowed(Shelf):
    """The snapshots of another shelf, as a transaction sees them."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self._snapshots = shelf._snapshots


async def test_a_load_inside_asks_the_snapshots_of_the_transaction_alone(
    bank: Bank, shelf: Shelf
) -> None:
    await sell(bank.tills, 1, 2, 3, 4, 5)
    borrowed = Borrowed(shelf)
    bank.failing.transactions = InMemoryTransactions(EventLog(), borrowed)  # the events are gone
    shelf.calls = []
    async with bank.backend.transaction() as transaction:
        assert (await bank.tills.load("1", transaction=transaction)).version == 0
    # What is ahead of its stream is dropped, and on no second connection.
    assert (shelf.calls, borrowed.calls) == ([], ["load", "prune"])


async def test_snapshots_of_another_backend_are_read_there(bank: Bank) -> None:
    other = Shelf()
    tills = bank.backend.repository(Till, snapshot_frequency=5, snapshot_store=other)
    await sell(tills, 1, 2, 3, 4, 5)
    async with bank.backend.transaction() as transaction:
        assert (await tills.load("1", transaction=transaction)).version == 5
    assert other.calls == ["load", "save", "load"]


async def test_what_was_loaded_inside_and_rolled_back_is_no_longer_known(
    bank: Bank, shelf: Shelf
) -> None:
    async def load_and_fail() -> Till:
        saved = await bank.tills.load("1")
        saved.sell(1, 2, 3, 4)
        async with bank.backend.transaction() as transaction:
            await bank.tills.save(saved, transaction=transaction)
            loaded.append(await bank.tills.load("1", transaction=transaction))
            raise LookupError

    loaded: list[Till] = []
    with pytest.raises(LookupError):
        await load_and_fail()
    (till,) = loaded
    till.sell(5)
    with pytest.raises(ConcurrencyError):
        await bank.tills.save(till)
    assert (await bank.stored(), shelf.versions()) == ([], [])


async def test_a_transaction_can_be_used_as_an_event_store(bank: Bank) -> None:
    async def sold(transaction: Transaction) -> list[int]:
        return [event.data.count async for event in transaction.read("Till-1")]

    await sell(bank.tills, 1)
    async with bank.backend.transaction() as transaction:
        inner = await bank.tills.load("1", transaction=transaction)
        inner.sell(2)
        pending = inner.pending_events
        result = await transaction.append("Till-1", pending, expected_version=1)
        assert (result.version, await sold(transaction)) == (2, [1, 2])
        assert await transaction.stream_version("Till-1") == 2
    # It was not the repository that stored them.
    assert inner.pending_events == pending
    assert await bank.tills.save(inner) == Saved(2, 2)
