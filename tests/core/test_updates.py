"""Updates: load, change, save, again when somebody else was faster."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import ConcurrencyError, Repository, StorageError
from tests.core._storages import Forgetful
from tests.core._tills import Events, Shelf, Till, repository, sell

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Losing = tuple["Callable[[Till], Awaitable[None]]", list[int]]


@pytest.fixture
def losing(events: Events) -> Losing:
    """Give a change before which somebody else always saves, and the versions it was given."""
    others, given = Repository(events, Till), list[int]()

    async def lose(till: Till) -> None:
        given.append(till.version)
        await sell(others, 1)
        till.sell(100)

    return lose, given


async def test_an_update_makes_three_tries_unless_said_otherwise(
    tills: Repository[Till], losing: Losing
) -> None:
    lose, given = losing
    with pytest.raises(ConcurrencyError) as caught:
        await tills.update("1", lose)
    assert given == [0, 1, 2]
    assert (caught.value.expected, caught.value.actual) == (2, 3)
    assert (await tills.load("1")).total == 3


@pytest.mark.parametrize("attempts", [1, 2, 5])
async def test_an_update_makes_as_many_tries_as_it_is_told(
    tills: Repository[Till], losing: Losing, attempts: int
) -> None:
    lose, given = losing
    with pytest.raises(ConcurrencyError):
        await tills.update("1", lose, attempts=attempts)
    assert len(given) == attempts


class Pauses:
    """What is slept, and what it was drawn from."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.drawn: list[tuple[float, float]] = []


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    """Let nobody sleep, and write down for how long."""
    sleep, pauses = asyncio.sleep, Pauses()

    async def asleep(delay: float) -> None:
        if delay:
            pauses.slept.append(delay)
        await sleep(0)

    def drawn(low: float, high: float) -> float:
        pauses.drawn.append((low, high))
        return len(pauses.drawn) / 1000

    monkeypatch.setattr(asyncio, "sleep", asleep)
    monkeypatch.setattr(random, "uniform", drawn)
    return pauses


@pytest.mark.parametrize("attempts", [1, 2, 3, 5])
async def test_there_is_a_random_pause_between_two_tries_and_none_after_the_last(
    tills: Repository[Till], losing: Losing, pauses: Pauses, attempts: int
) -> None:
    with pytest.raises(ConcurrencyError):
        await tills.update("1", losing[0], attempts=attempts)
    assert pauses.slept == [number / 1000 for number in range(1, attempts)]


async def test_pauses_grow_to_half_a_second(
    tills: Repository[Till], losing: Losing, pauses: Pauses
) -> None:
    with pytest.raises(ConcurrencyError):
        await tills.update("1", losing[0], attempts=10)
    assert {low for low, _ in pauses.drawn} == {0}
    longest = [high for _, high in pauses.drawn]
    assert longest == sorted(longest)
    assert longest[0] <= 0.02
    assert longest[-1] == 0.5
    assert len(longest) == 9


async def test_an_update_that_nobody_disturbs_makes_no_pause(
    tills: Repository[Till], pauses: Pauses
) -> None:
    await sell(tills, 1)
    assert (pauses.slept, pauses.drawn) == ([], [])


async def test_only_a_conflict_is_tried_again(tills: Repository[Till]) -> None:
    calls = 0

    def refuse(_: Till) -> None:
        nonlocal calls
        calls += 1
        raise LookupError

    with pytest.raises(LookupError):
        await tills.update("1", refuse)
    assert calls == 1


async def test_an_update_whose_answer_was_lost_is_not_done_twice(
    events: Events, shelf: Shelf
) -> None:
    forgetful = Forgetful(events.storage)
    with pytest.raises(StorageError, match="connection lost"):
        await sell(repository(Events(forgetful), shelf), 1)
    assert (await repository(events, shelf).load("1")).total == 1
