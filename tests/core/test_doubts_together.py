"""Groups of which nobody knows whether they reached the store: they are repeated as they were."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import ConcurrencyError, Event, StorageError, UnknownEventTypeError
from eventsourcing_core._aggregates.notebook import stored_as
from tests.core._tills import Sold, Till, state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core import AppendResult
    from tests.core._banks import Bank


class Line:
    """A store's ``append_together`` that fails as it is told, after the group arrived or before."""

    def __init__(self, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.groups: list[dict[str, int]] = []
        """For each group, how many events it brought, by stream; 0 where one is required."""
        self.error: BaseException | None = None
        self.is_written = False
        self.number = 1
        self._append = store.append_together
        monkeypatch.setattr(store, "append_together", self)

    async def __call__(
        self, streams: Sequence[Any], *, requires: Sequence[Any] = ()
    ) -> tuple[AppendResult, ...]:
        brought = {each.stream_id: len(each.events) for each in streams}
        self.groups.append(brought | {each.stream_id: 0 for each in requires})
        self.number -= 1
        error = self.error if self.number == 0 else None
        if error is not None and not self.is_written:
            raise error
        results: tuple[AppendResult, ...] = await self._append(streams, requires=requires)
        if error is not None:
            raise error
        return results

    def cut(self, error: type[BaseException], *, is_written: bool, number: int = 1) -> None:
        """Fail once: the next group, or the one after it."""
        self.error, self.is_written, self.number = error("cut"), is_written, number


@pytest.fixture
def line(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(bank.store, monkeypatch)


async def loaded(bank: Bank) -> list[Till]:
    return [await bank.tills.load(each) for each in ("1", "2", "3")]


@pytest.mark.parametrize("is_written", [True, False])
@pytest.mark.parametrize("error", [StorageError, asyncio.CancelledError])
async def test_a_group_that_was_cut_off_is_repeated_and_stored_once(
    bank: Bank, line: Line, error: type[BaseException], *, is_written: bool
) -> None:
    one, two, three = await loaded(bank)
    one.sell(1, 2)
    two.sell(3)
    line.cut(error, is_written=is_written)
    with pytest.raises(error):
        await bank.backend.save_together([one, two, three])
    assert (len(one.pending_events), len(two.pending_events)) == (2, 1)
    saved = await bank.backend.save_together([one, two, three])
    assert [each.version for each in saved] == [2, 1, 0]
    assert await bank.stored() == [("Till-1", 1), ("Till-1", 2), ("Till-2", 3)]
    assert (one.pending_events, stored_as(one).in_doubt) == ((), ())
    assert [state(each) for each in await loaded(bank)] == [
        state(each) for each in (one, two, three)
    ]


@pytest.mark.parametrize("is_written", [True, False])
async def test_what_came_meanwhile_is_a_group_of_its_own_after_the_one_in_doubt(
    bank: Bank, line: Line, *, is_written: bool
) -> None:
    one, two, three = await loaded(bank)
    one.sell(1, 2)
    two.sell(3)
    line.cut(StorageError, is_written=is_written)
    with pytest.raises(StorageError):
        await bank.backend.save_together([one, two, three])
    one.sell(4)
    three.sell(5)
    saved = await bank.backend.save_together([three, two, one])
    assert [each.version for each in saved] == [1, 1, 3]
    assert line.groups[1:] == [
        {"Till-1": 2, "Till-2": 1, "Till-3": 0},
        {"Till-1": 1, "Till-2": 0, "Till-3": 1},
    ]
    assert len(await bank.stored()) == 5
    assert all(stored_as(each).in_doubt == () for each in (one, two, three))


@pytest.mark.parametrize("is_written", [True, False])
async def test_one_of_a_group_in_doubt_can_be_saved_alone(
    bank: Bank, line: Line, *, is_written: bool
) -> None:
    one, two, _ = await loaded(bank)
    one.sell(1)
    two.sell(2)
    line.cut(StorageError, is_written=is_written)
    with pytest.raises(StorageError):
        await bank.backend.save_together([one, two])
    one.sell(3)
    await bank.tills.save(one)
    await bank.tills.save(two)
    assert sorted(await bank.stored()) == [("Till-1", 1), ("Till-1", 3), ("Till-2", 2)]


async def test_a_commit_in_doubt_is_repeated_in_another_transaction(bank: Bank) -> None:
    async def save() -> None:
        async with bank.backend.transaction() as transaction:
            await bank.backend.save_together([one, two], transaction=transaction)

    one, two, _ = await loaded(bank)
    one.sell(1)
    two.sell(2)
    bank.failing.fails = "after"
    with pytest.raises(StorageError):
        await save()
    assert (stored_as(one).in_doubt, stored_as(two).in_doubt) == ((1,), (1,))
    one.sell(3)
    await save()
    assert sorted(await bank.stored()) == [("Till-1", 1), ("Till-1", 3), ("Till-2", 2)]
    assert (one.pending_events, two.pending_events) == ((), ())


async def test_a_conflict_leaves_nothing_in_doubt(bank: Bank) -> None:
    one, two, _ = await loaded(bank)
    await bank.tills.update("2", lambda till: till.sell(9))
    one.sell(1)
    two.sell(2)
    with pytest.raises(ConcurrencyError):
        await bank.backend.save_together([one, two])
    assert (stored_as(one).in_doubt, stored_as(two).in_doubt) == ((), ())


async def test_a_group_that_needs_no_other_costs_one_append(bank: Bank, line: Line) -> None:
    one, two, _ = await loaded(bank)
    one.sell(1)
    await bank.backend.save_together([one, two])
    await bank.backend.save_together([one, two])
    assert line.groups == [{"Till-1": 1, "Till-2": 0}]


@pytest.mark.parametrize("is_written", [True, False])
async def test_a_repetition_that_is_cut_off_leaves_the_later_groups_in_doubt(
    bank: Bank, line: Line, *, is_written: bool
) -> None:
    async def save_thrice() -> None:
        async with bank.backend.transaction() as transaction:
            for counts in ((1,), (2, 3), (4,)):
                for till in (one, two):
                    till.sell(*counts)
                await bank.backend.save_together([one, two], transaction=transaction)

    one, two, _ = await loaded(bank)
    bank.failing.fails = "after"
    with pytest.raises(StorageError):
        await save_thrice()
    line.cut(StorageError, is_written=is_written, number=2)
    with pytest.raises(StorageError):
        await bank.backend.save_together([one, two])
    assert (stored_as(one).in_doubt, stored_as(two).in_doubt) == ((2, 1), (2, 1))
    one.sell(5)
    await bank.backend.save_together([one, two])
    assert line.groups == [
        {"Till-1": 1, "Till-2": 1},
        {"Till-1": 2, "Till-2": 2},
        {"Till-1": 2, "Till-2": 2},
        {"Till-1": 1, "Till-2": 1},
        {"Till-1": 1, "Till-2": 0},
    ]
    assert len(await bank.stored()) == 9


async def test_a_conflict_about_events_that_are_missing_says_so(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def erased(_: str) -> int:
        return 0

    one, two, _ = await loaded(bank)
    await bank.tills.update("2", lambda till: till.sell(9))
    one.sell(1)
    two.sell(2)
    monkeypatch.setattr(bank.store, "stream_version", erased)
    with pytest.raises(StorageError, match="'Till-2'"):
        await bank.backend.save_together([one, two])


class Lenient(Till):
    """Passes over what it does not know."""

    category = "Till"

    def apply(self, event: Event[Sold]) -> None:
        if type(event.data) is Sold:
            super().apply(event)


async def test_what_was_decided_by_a_state_that_may_be_wrong_is_not_stored(bank: Bank) -> None:
    await bank.store.append("Till-read", [Event("Robbed", {})], expected_version=0)
    read = await bank.backend.repository(Lenient).load("read")
    one = await bank.tills.load("1")
    assert await bank.backend.save_together([one, read])
    one.sell(1)
    with pytest.raises(UnknownEventTypeError, match=r"'Till-read' is not saved: version 1 is of"):
        await bank.backend.save_together([one, read])
    assert len(one.pending_events) == 1
