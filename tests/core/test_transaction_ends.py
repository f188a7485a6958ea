"""The end of a transaction: snapshots after the commit, and commits of which nobody knows."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Literal

import pytest

from eventsourcing_core import StorageError
from eventsourcing_core._aggregates.notebook import stored_as
from tests.core._tills import Shelf, Slow, Till, said, sell, state

if TYPE_CHECKING:
    from tests.core._banks import Bank

pytestmark = pytest.mark.usefixtures("log")


async def test_a_snapshot_is_taken_after_the_commit(bank: Bank, shelf: Shelf) -> None:
    till = await bank.tills.load("1")
    till.sell(1, 2, 3)
    async with bank.backend.transaction() as transaction:
        await bank.tills.save(till, transaction=transaction)
        till.sell(4, 5, 6)
        await bank.tills.save(till, transaction=transaction)
        assert shelf.versions() == []
    assert shelf.versions() == [6]
    assert state(await bank.tills.load("1")) == state(await bank.plain.load("1"))


async def test_when_a_snapshot_is_taken_the_events_are_stored_and_others_can_write(
    bank: Bank,
) -> None:
    slow = Slow()
    tills = bank.backend.repository(Till, snapshot_frequency=1, snapshot_store=slow)
    till = Till("1")
    till.sell(1)

    async def commit() -> None:
        async with bank.backend.transaction() as transaction:
            await tills.save(till, transaction=transaction)

    committing = asyncio.create_task(commit())
    async with asyncio.timeout(10):
        await slow.asked.wait()
    assert till.pending_events == ()
    await sell(bank.plain, 2)
    assert await bank.stored() == [("Till-1", 1), ("Till-1", 2)]
    slow.go.set()
    await committing
    assert slow.versions() == [1]


@pytest.mark.parametrize("way", ["", "before", "after"])
async def test_no_snapshot_is_taken_of_what_was_not_committed(
    bank: Bank,
    shelf: Shelf,
    log: pytest.LogCaptureFixture,
    way: Literal["", "before", "after"],
) -> None:
    bank.failing.fails = way
    with pytest.raises((LookupError, StorageError)):
        await bank.move(1, 2, 3, 4, 5, fails=not way)
    assert (shelf.versions(), said(log)) == ([], [])


async def test_of_what_was_recorded_and_not_saved_there_is_no_snapshot(
    bank: Bank, shelf: Shelf, log: pytest.LogCaptureFixture
) -> None:
    till = await bank.tills.load("1")
    till.sell(1, 2, 3, 4, 5)
    async with bank.backend.transaction() as transaction:
        await bank.tills.save(till, transaction=transaction)
        till.sell(6)
    assert shelf.versions() == []
    assert "no snapshot at version 5, more was recorded" in said(log, logging.DEBUG)[-1]


async def test_a_snapshot_store_that_is_down_fails_no_commit(bank: Bank, shelf: Shelf) -> None:
    one, two = Till("1"), Till("2")
    for till in (one, two):
        till.sell(1, 2, 3, 4, 5)
    shelf.error = OSError("gone")
    await bank.commit(one, two)
    assert (one.pending_events, two.pending_events) == ((), ())
    assert len(await bank.stored()) == 10


@pytest.mark.parametrize("is_stored", [False, True])
@pytest.mark.parametrize("inside", [False, True])
async def test_after_a_commit_that_failed_a_save_can_be_repeated(
    bank: Bank, *, is_stored: bool, inside: bool
) -> None:
    bank.failing.fails = "after" if is_stored else "before"
    one, two = Till("1"), Till("2")

    async def save() -> None:
        async with bank.backend.transaction() as transaction:
            for number in (1, 2):
                one.sell(number)
                await bank.tills.save(one, transaction=transaction)
            two.sell(3)
            await bank.tills.save(two, transaction=transaction)

    with pytest.raises(StorageError, match="connection lost during commit"):
        await save()
    assert len(await bank.stored()) == (3 if is_stored else 0)
    assert (len(one.pending_events), len(two.pending_events)) == (2, 1)
    one.sell(4)  # the next command
    if inside:
        await bank.commit(one, two)
    else:
        await bank.tills.save(one)
        await bank.tills.save(two)
    assert sorted(await bank.stored()) == [
        ("Till-1", 1),
        ("Till-1", 2),
        ("Till-1", 4),
        ("Till-2", 3),
    ]
    assert (one.pending_events, two.pending_events) == ((), ())
    assert bank.tills.saved(one).version == 3
    for till in (one, two):
        assert state(await bank.tills.load(till.id)) == state(till)


async def test_a_transaction_on_what_is_in_doubt_may_be_rolled_back(bank: Bank) -> None:
    bank.failing.fails = "after"
    till = Till("1")
    till.sell(1, 2)
    with pytest.raises(StorageError):
        await bank.commit(till)
    till.sell(3)
    with pytest.raises(LookupError):
        await bank.commit(till, fails=True)
    assert stored_as(till).in_doubt == (2,)
    await bank.commit(till)
    assert await bank.stored() == [("Till-1", 1), ("Till-1", 2), ("Till-1", 3)]


@pytest.mark.parametrize("second", ["before", "after"])
@pytest.mark.parametrize("first", ["before", "after"])
async def test_two_doubts_in_a_row_are_two_appends(
    bank: Bank, first: Literal["before", "after"], second: Literal["before", "after"]
) -> None:
    till = Till("1")
    for fails in (first, second):
        bank.failing.fails = fails
        till.sell(*((3,) if till.version else (1, 2)))
        with pytest.raises(StorageError):
            await bank.commit(till)
    till.sell(4)
    await bank.tills.save(till)
    assert await bank.stored() == [("Till-1", count) for count in (1, 2, 3, 4)]
    assert (till.pending_events, stored_as(till).in_doubt) == ((), ())
    assert state(await bank.tills.load("1")) == state(till)


@pytest.mark.parametrize("inside", [True, False], ids=["saved again inside", "saved afterwards"])
@pytest.mark.parametrize("is_written", [True, False])
async def test_a_save_that_was_cancelled_inside_is_repeated_as_it_was(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, *, inside: bool, is_written: bool
) -> None:
    till = Till("1")
    till.sell(1, 2)
    async with bank.backend.transaction() as transaction:
        append = transaction.append

        async def cancelled(*arguments: Any, **options: Any) -> None:
            if is_written:
                await append(*arguments, **options)
            raise asyncio.CancelledError

        with monkeypatch.context() as patch:
            patch.setattr(transaction, "append", cancelled)
            with pytest.raises(asyncio.CancelledError):
                await bank.tills.save(till, transaction=transaction)
        till.sell(3)
        if inside:
            await bank.tills.save(till, transaction=transaction)
    await bank.tills.save(till)
    assert await bank.stored() == [("Till-1", count) for count in (1, 2, 3)]
    assert (till.pending_events, stored_as(till).in_doubt) == ((), ())
    assert state(await bank.tills.load("1")) == state(till)


async def test_what_was_given_up_inside_is_not_repeated(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object, **options: object) -> None:
        message = f"no answer: {options}"
        raise StorageError(message)

    till = Till("1")
    till.sell(1, 2)
    async with bank.backend.transaction() as transaction:
        monkeypatch.setattr(transaction, "append", lost)
        with pytest.raises(StorageError):
            await bank.tills.save(till, transaction=transaction)
        till.clear_pending()
    assert stored_as(till).in_doubt == ()
    assert await bank.stored() == []
