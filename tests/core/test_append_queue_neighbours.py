"""How many batches are under way where other processes append to the same store."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._appending.neighbours import Neighbours
from eventsourcing_core._appending.queue import AppendQueue
from eventsourcing_core.stores import AppendResult, Written
from tests.core._writers import append

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eventsourcing_core.stores import Append


class Server:
    """Gives positions, of which others take some, and counts the batches under way at once."""

    def __init__(self) -> None:
        self.taken_by_others = 0
        """Positions that others draw before each of our batches."""
        self.most_at_once: list[int] = []
        self._position = 0
        self._under_way = 0

    async def __call__(self, appends: Sequence[Append]) -> list[Written]:
        self._under_way += 1
        self.most_at_once.append(self._under_way)
        await asyncio.sleep(0)
        self._position += self.taken_by_others
        first = self._position + 1
        self._position += len(appends)
        await asyncio.sleep(0)
        self._under_way -= 1
        return [Written((AppendResult(1, first + n),), 1) for n in range(len(appends))]


async def busy(queue: AppendQueue, rounds: int) -> None:
    """Append by 16 tasks, each to new streams."""
    names = count()

    async def one_task(number: int) -> None:
        for _ in range(rounds):
            await queue.append(append(f"{number}-{next(names)}"))

    async with asyncio.timeout(10):
        await asyncio.gather(*map(one_task, range(16)))


async def test_two_batches_are_under_way_where_nobody_else_appends() -> None:
    server = Server()
    await busy(AppendQueue(server, max_writes=2), 100)
    assert set(server.most_at_once[-20:]) == {1, 2}


async def test_one_batch_is_under_way_where_others_append_and_two_when_they_stop() -> None:
    server = Server()
    queue = AppendQueue(server, max_writes=2)
    server.taken_by_others = 100
    await busy(queue, 100)
    assert set(server.most_at_once[-20:]) == {1}
    server.taken_by_others = 0
    await busy(queue, 100)
    assert set(server.most_at_once[-20:]) == {1, 2}


async def test_appends_of_our_own_that_met_no_other_one_are_not_taken_for_those_of_others() -> None:
    server = Server()
    queue = AppendQueue(server, max_writes=2)
    await busy(queue, 20)
    for number in range(200):
        await queue.append(append(f"alone-{number}"))
    del server.most_at_once[:]
    await busy(queue, 40)
    alternating = zip(server.most_at_once, server.most_at_once[1:], strict=False)
    assert [pair for pair in alternating if pair == (1, 1)][1:] == []


async def test_an_append_that_meets_no_other_one_goes_on_where_others_append() -> None:
    server = Server()
    queue = AppendQueue(server, max_writes=2)
    server.taken_by_others = 100
    await busy(queue, 100)
    async with asyncio.timeout(10):
        written = [await queue.append(append(f"alone-{number}")) for number in range(50)]
        await busy(queue, 5)
        await queue.close()
    positions = [one.results[0].position for one in written]
    assert positions == sorted(set(positions))
    assert len(positions) == 50


def windows(batches: Iterable[tuple[int, int]]) -> bool:
    """Note batches, each with its last position and its events; tell what was decided."""
    neighbours = Neighbours()
    for position, events in batches:
        neighbours.note([Written((AppendResult(1, position),), events)])
    return neighbours.are_there


@pytest.mark.parametrize(
    ("step", "events", "expected"),
    [(1, 1, False), (10, 10, False), (12, 10, False), (20, 10, True), (2, 1, True)],
)
def test_others_are_told_by_positions_that_rise_faster(
    step: int, events: int, *, expected: bool
) -> None:
    assert windows((step * n, events) for n in range(1, 100)) is expected


@pytest.mark.parametrize("batches", [16, 32, 100])
def test_what_was_there_before_the_first_batch_is_nobodys(batches: int) -> None:
    assert windows((10**9 + n, 1) for n in range(batches)) is False


def test_repetitions_and_refusals_tell_nothing() -> None:
    neighbours = Neighbours()
    for _ in range(100):
        neighbours.note([Written((AppendResult(1, 5),), 0), ValueError()])
    assert neighbours.are_there is False
