"""Saves of which nobody knows whether they reached the store: they are repeated as they were."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

import pytest

from eventsourcing_core import ConcurrencyError, StorageError
from eventsourcing_core._aggregates.notebook import stored_as
from tests.core._tills import Till, state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core import AppendResult
    from tests.core._banks import Bank

COMMIT_LOST = "connection lost during commit"


class Line:
    """A store's ``append`` that fails as it is told, after the events arrived or before."""

    def __init__(self, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        """How many events each append brought."""
        self.error: BaseException | None = None
        self.is_written = False
        self.number = 1
        self._append = store.append
        monkeypatch.setattr(store, "append", self)

    async def __call__(
        self, stream_id: str, events: Sequence[Any], *, expected_version: int
    ) -> AppendResult:
        self.sizes.append(len(events))
        self.number -= 1
        error = self.error if self.number == 0 else None
        if error is not None and not self.is_written:
            raise error
        result: AppendResult = await self._append(
            stream_id, events, expected_version=expected_version
        )
        if error is not None:
            raise error
        return result

    def cut(self, error: type[BaseException], *, is_written: bool, number: int = 1) -> None:
        """Fail once: the next append, or the one after it."""
        self.error, self.is_written, self.number = error("cut"), is_written, number


@pytest.fixture
def line(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(bank.store, monkeypatch)


both_ends = pytest.mark.parametrize("is_written", [True, False])
each_error = pytest.mark.parametrize("error", [StorageError, asyncio.CancelledError])


@both_ends
@each_error
async def test_a_save_that_was_cut_off_is_repeated_with_what_came_meanwhile(
    bank: Bank, line: Line, error: type[BaseException], *, is_written: bool
) -> None:
    till = await bank.tills.load("1")
    till.sell(1, 2)
    line.cut(error, is_written=is_written)
    with pytest.raises(error):
        await bank.tills.save(till)
    till.sell(3)
    await bank.tills.save(till)
    assert await bank.stored() == [("Till-1", count) for count in (1, 2, 3)]
    assert line.sizes == [2, 2, 1]
    assert (till.pending_events, stored_as(till).in_doubt) == ((), ())
    assert state(await bank.tills.load("1")) == state(till)


@both_ends
@each_error
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("commit", ["before", "after"])
async def test_a_repetition_that_is_cut_off_leaves_the_other_appends_in_doubt_as_they_were(  # noqa: PLR0913 - the ways in which it goes
    bank: Bank,
    line: Line,
    commit: Literal["before", "after"],
    number: int,
    error: type[BaseException],
    *,
    is_written: bool,
) -> None:
    till = Till("1")

    async def save_thrice() -> None:
        async with bank.backend.transaction() as transaction:
            for counts in ((1,), (2, 3), (4,)):
                till.sell(*counts)
                await bank.tills.save(till, transaction=transaction)

    bank.failing.fails = commit
    with pytest.raises(StorageError, match=COMMIT_LOST):
        await save_thrice()
    till.sell(5)
    line.cut(error, is_written=is_written, number=number)
    with pytest.raises(error):
        await bank.tills.save(till)
    till.sell(6)
    await bank.tills.save(till)
    assert await bank.stored() == [("Till-1", count) for count in (1, 2, 3, 4, 5, 6)]
    assert line.sizes == ([1, 1, 2, 1, 2] if number == 1 else [1, 2, 2, 1, 2])
    assert (till.pending_events, stored_as(till).in_doubt) == ((), ())


@both_ends
@each_error
@pytest.mark.parametrize("commit", ["before", "after"])
async def test_a_save_that_was_cut_off_inside_may_be_stored_by_a_commit_in_doubt(
    bank: Bank,
    monkeypatch: pytest.MonkeyPatch,
    commit: Literal["before", "after"],
    error: type[BaseException],
    *,
    is_written: bool,
) -> None:
    till = Till("1")
    till.sell(1, 2)

    async def save_and_go_on() -> None:
        async with bank.backend.transaction() as transaction:
            line = Line(transaction, monkeypatch)
            line.cut(error, is_written=is_written)
            with pytest.raises(error):
                await bank.tills.save(till, transaction=transaction)

    bank.failing.fails = commit
    with pytest.raises(StorageError, match=COMMIT_LOST):
        await save_and_go_on()
    till.sell(3)
    await bank.tills.save(till)
    assert await bank.stored() == [("Till-1", count) for count in (1, 2, 3)]
    assert (till.pending_events, stored_as(till).in_doubt) == ((), ())


@each_error
async def test_what_is_recorded_after_the_events_in_doubt_were_taken_away_is_one_append(
    bank: Bank, line: Line, error: type[BaseException]
) -> None:
    till = await bank.tills.load("1")
    till.sell(1)
    line.cut(error, is_written=True)
    with pytest.raises(error):
        await bank.tills.save(till)
    assert await bank.stored() == [("Till-1", 1)], "so its caller has found out"
    till.clear_pending()
    till.sell(2, 3)
    await bank.tills.save(till)
    assert line.sizes == [1, 2], "all or none"
    assert await bank.stored() == [("Till-1", count) for count in (1, 2, 3)]


async def test_a_save_that_was_refused_is_in_no_doubt(bank: Bank, line: Line) -> None:
    till = await bank.tills.load("1")
    await bank.tills.update("1", lambda other: other.sell(1))
    till.sell(2)
    with pytest.raises(ConcurrencyError):
        await bank.tills.save(till)
    assert stored_as(till).in_doubt == ()
    assert line.sizes == [1, 1]
