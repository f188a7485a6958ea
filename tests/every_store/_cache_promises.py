"""What a repository with a cache promises to its callers, to be held to on any store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from eventsourcing_core import Repository
from tests.core._hot import Refused
from tests.core._tills import Till

Promise = Callable[[Repository[Till]], Awaitable[None]]


async def an_aggregate_that_is_given_away_is_its_callers_alone(tills: Repository[Till]) -> None:
    """Change whatever was given away, and look what others are given."""
    given: list[Till] = []
    given += [
        await tills.update("1", lambda till: till.sell(1)),
        await tills.load("1"),
        await tills.get("1"),
        await tills.update("1", lambda till: till.sell(1)),
    ]
    with suppress(Refused):
        await tills.update("1", lambda till: keep(till, given))
    assert len({*map(id, given)}) == len(given)
    for till in given:
        till.total = 1000
        till.sales["tea"].counts.append(1000)
        till.sell(1000)
    for till in (
        await tills.load("1"),
        await tills.update("1", lambda _: None),
        await tills.update("1", lambda till: till.sell(1)),
    ):
        assert till.total == sum(till.sales["tea"].counts) == till.version <= 3
        assert till.pending_events == ()


def keep(till: Till, given: list[Till]) -> None:
    """Keep what is refused."""
    given.append(till)
    raise Refused


async def what_a_caller_gets_is_its_own(tills: Repository[Till]) -> None:
    """Let many callers update one aggregate at once, of whom some are refused."""
    given: dict[int, Till] = {}
    refused: dict[int, Refused] = {}

    def sell(till: Till, number: int) -> None:
        given[number] = till
        till.sell(number)
        if number % 3 == 0:
            raise Refused(number)

    async def call(number: int) -> bool:
        try:
            till = await tills.update("1", lambda till: sell(till, number))
        except Refused as error:
            refused[number] = error
            return False
        assert till is given[number]
        assert till.sales["tea"].counts[-1] == number
        assert till.total == sum(till.sales["tea"].counts)
        return True

    accepted = await asyncio.gather(*map(call, range(1, 17)))
    assert accepted == [number % 3 != 0 for number in range(1, 17)]
    assert all(error.args == (number,) for number, error in refused.items())
    stored = (await tills.load("1")).sales["tea"].counts
    assert sorted(stored) == [number for number in range(1, 17) if number % 3]


PROMISES: tuple[Promise, ...] = (
    an_aggregate_that_is_given_away_is_its_callers_alone,
    what_a_caller_gets_is_its_own,
)
