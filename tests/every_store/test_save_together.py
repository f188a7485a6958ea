"""Several aggregates that are saved together, on every store: all of them, or none."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import ConcurrencyError, Saved, open_backend
from tests.every_store._stocks import Receive, Received, StockAggregate, Take, stocks, types

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import Backend, Repository

STREAMS = ("a", "b", "c", "d")


@pytest.fixture
async def backend(store_url: str) -> AsyncIterator[Backend]:
    async with open_backend(store_url, event_types=types) as backend:
        yield backend


@pytest.fixture
async def other(store_url: str) -> AsyncIterator[Backend]:
    """Open the same store once more, as another process would."""
    async with open_backend(store_url, event_types=types) as other:
        yield other


@pytest.fixture
def shelves(backend: Backend) -> Repository[StockAggregate]:
    return backend.repository(StockAggregate, snapshot_frequency=3)


async def received(shelves: Repository[StockAggregate], id: str, *counts: int) -> StockAggregate:  # noqa: A002 - the word of the domain
    """Load a shelf, and put something into it."""
    shelf = await shelves.load(id)
    for count in counts:
        shelf.obey(Receive("", count))
    return shelf


async def stored(backend: Backend) -> list[tuple[str, int]]:
    """List what came in."""
    events = backend.event_store.read_all(event_types=[Received])
    return [(event.stream_id, event.data.count) async for event in events]


async def test_aggregates_of_several_classes_are_stored_together_and_told_in_the_order_given(
    backend: Backend, other: Backend, shelves: Repository[StockAggregate]
) -> None:
    await shelves.save(await received(shelves, "2", 1, 1))
    decided = await backend.repository(stocks).load("1")
    decided.decide(Receive("", 7))
    two, one = await received(shelves, "2", 2), await received(shelves, "1", 3, 4)

    saved = await backend.save_together([two, decided, one])

    assert [each.pending_events for each in (two, decided, one)] == [(), (), ()]
    places = {(e.stream_id, e.version): e.position async for e in other.event_store.read_all()}
    assert saved == [
        Saved(3, places["StockAggregate-2", 3]),
        Saved(1, places["stock-1", 1]),
        Saved(2, places["StockAggregate-1", 2]),
    ]
    assert [shelves.saved(two), shelves.saved(one)] == [saved[0], saved[2]]
    assert len(places) == 6


async def test_a_conflict_in_one_stores_none_and_names_it(
    backend: Backend, other: Backend, shelves: Repository[StockAggregate]
) -> None:
    one, two = await received(shelves, "1", 1), await received(shelves, "2", 1)
    await other.repository(StockAggregate).update("2", lambda shelf: shelf.obey(Receive("", 9)))
    with pytest.raises(ConcurrencyError) as caught:
        await backend.save_together([one, two])
    assert (caught.value.stream_id, caught.value.expected, caught.value.actual) == (
        "StockAggregate-2",
        0,
        1,
    )
    assert (len(one.pending_events), len(two.pending_events)) == (1, 1)
    assert await stored(other) == [("StockAggregate-2", 9)]


@pytest.mark.parametrize("count", [0, 1])
async def test_one_without_pending_events_has_to_be_as_it_was_loaded(
    backend: Backend, other: Backend, shelves: Repository[StockAggregate], count: int
) -> None:
    await shelves.save(await received(shelves, "read", *[1] * count))
    read, one = await shelves.load("read"), await received(shelves, "1", 1)
    await other.repository(StockAggregate).update("read", lambda one: one.obey(Receive("", 9)))
    with pytest.raises(ConcurrencyError) as caught:
        await backend.save_together([one, read])
    assert (caught.value.stream_id, caught.value.expected) == ("StockAggregate-read", count)
    assert caught.value.actual == count + 1

    again = await shelves.load("read")
    saved = await backend.save_together([again, one])
    assert saved[0] == shelves.saved(again)
    assert (saved[0].version, saved[1].version) == (count + 1, 1)
    assert await other.event_store.stream_version("StockAggregate-read") == count + 1


async def test_nothing_pending_is_nothing_done(
    backend: Backend, other: Backend, shelves: Repository[StockAggregate]
) -> None:
    first = await shelves.save(await received(shelves, "1", 1))
    one, two = await shelves.load("1"), await shelves.load("2")
    await other.repository(StockAggregate).update("1", lambda shelf: shelf.obey(Receive("", 9)))
    assert await backend.save_together([one, two]) == [first, Saved(0, 0)]


async def test_a_snapshot_is_taken_as_the_repository_does_that_has_loaded_it(
    backend: Backend, shelves: Repository[StockAggregate]
) -> None:
    by_five = backend.repository(StockAggregate, snapshot_frequency=5)
    without = backend.repository(StockAggregate, snapshot_frequency=None)
    loaded = [
        await received(repository, id_, 1, 1, 1)
        for repository, id_ in ((shelves, "1"), (by_five, "2"), (without, "3"))
    ]
    new = StockAggregate("4")
    for _ in range(100):
        new.obey(Receive("", 1))
    await backend.save_together([*loaded, new])
    snapshots = [
        await backend.snapshot_store.load(f"StockAggregate-{number}") for number in range(1, 5)
    ]
    assert [each and each.version for each in snapshots] == [3, None, None, None]
    assert (await shelves.verify("1")).is_right


async def test_what_is_kept_in_memory_is_never_older_than_what_was_saved(
    backend: Backend, other: Backend
) -> None:
    kept = backend.repository(StockAggregate, cache=5)
    await kept.update("1", lambda shelf: shelf.obey(Receive("", 5)))
    one, two = await kept.load("1"), await kept.load("2")
    one.obey(Take("", 5))
    two.obey(Receive("", 5))
    await backend.save_together([one, two])
    assert [(await kept.load(each)).count for each in "12"] == [0, 5]
    updated = await kept.update("2", lambda shelf: shelf.obey(Take("", 5)), attempts=1)
    assert (updated.count, updated.version) == (0, 3)
    one.obey(Receive("", 1))  # what was given away is nobody else's
    assert (await kept.load("1")).count == 0
    assert await other.event_store.stream_version("StockAggregate-1") == 3


async def test_in_a_transaction_they_are_stored_when_it_commits(
    backend: Backend, other: Backend, shelves: Repository[StockAggregate]
) -> None:
    one, two = await received(shelves, "1", 1), await received(shelves, "2", 1)
    async with backend.transaction() as transaction:
        read = await shelves.load("read", transaction=transaction)
        saved = await backend.save_together([two, one, read], transaction=transaction)
        two.obey(Receive("", 2))
        again = await backend.save_together([one, two], transaction=transaction)
        assert len(one.pending_events) == 1
    assert [each.pending_events for each in (one, two)] == [(), ()]
    assert [each.version for each in saved + again] == [1, 1, 0, 1, 2]
    assert [again[0], again[1]] == [shelves.saved(one), shelves.saved(two)]
    assert sorted(await stored(other)) == [
        ("StockAggregate-1", 1),
        ("StockAggregate-2", 1),
        ("StockAggregate-2", 2),
    ]


async def test_a_conflict_in_a_transaction_leaves_none_of_them_in_it(
    backend: Backend, other: Backend, shelves: Repository[StockAggregate]
) -> None:
    one, two = await received(shelves, "1", 1), await received(shelves, "2", 1)
    three = await received(shelves, "3", 3)
    await other.repository(StockAggregate).update("2", lambda shelf: shelf.obey(Receive("", 9)))
    async with backend.transaction() as transaction:
        with pytest.raises(ConcurrencyError, match="StockAggregate-2"):
            await backend.save_together([one, two], transaction=transaction)
        await shelves.save(three, transaction=transaction)
    assert await stored(other) == [("StockAggregate-2", 9), ("StockAggregate-3", 3)]
    assert (len(one.pending_events), len(two.pending_events)) == (1, 1)


async def test_a_rollback_leaves_them_pending(
    backend: Backend, other: Backend, shelves: Repository[StockAggregate]
) -> None:
    async def fail() -> None:
        async with backend.transaction() as transaction:
            await backend.save_together([one, two], transaction=transaction)
            raise LookupError

    one, two = await received(shelves, "1", 1), await received(shelves, "2", 1)
    with pytest.raises(LookupError):
        await fail()
    assert await stored(other) == []
    await backend.save_together([one, two])
    assert len(await stored(other)) == 2


async def test_those_who_save_the_same_ones_in_other_orders_never_wait_for_each_other_for_ever(
    backend: Backend, other: Backend
) -> None:
    chance = random.Random(19)  # noqa: S311 - no secret

    async def move(number: int) -> None:
        where = backend if number % 2 else other
        repository = where.repository(StockAggregate, snapshot_frequency=None)
        while True:
            ids = chance.sample(STREAMS, 3)
            loaded = [await repository.load(each) for each in ids]
            for shelf in loaded[:2]:
                shelf.obey(Receive("", 1))
            try:
                await where.save_together(loaded)
            except ConcurrencyError:
                continue
            return

    await asyncio.gather(*map(move, range(24)))
    assert len(await stored(backend)) == 48


async def test_a_reader_who_waits_is_woken(
    backend: Backend, other: Backend, shelves: Repository[StockAggregate]
) -> None:
    waiting = asyncio.create_task(other.event_store.wait(after_position=0, timeout=60))
    await backend.save_together([await received(shelves, "1", 1), await received(shelves, "2", 1)])
    assert await waiting


async def test_a_transaction_of_another_backend_is_refused(
    backend: Backend, shelves: Repository[StockAggregate]
) -> None:
    one = await received(shelves, "1", 1)
    async with open_backend("memory://", event_types=types) as another:
        async with another.transaction() as transaction:
            with pytest.raises(ValueError, match="of another backend"):
                await backend.save_together([one], transaction=transaction)
        assert await stored(another) == []
    assert await stored(backend) == []


async def test_mistakes_are_refused_before_anything_is_stored(
    backend: Backend, shelves: Repository[StockAggregate]
) -> None:
    one, same = await received(shelves, "1", 1), await received(shelves, "1", 2)
    with pytest.raises(ValueError, match=r"'StockAggregate-1' comes twice"):
        await backend.save_together([one, same])
    with pytest.raises(ValueError, match="no aggregate to save"):
        await backend.save_together([])
    with pytest.raises(TypeError, match="a list of aggregates"):
        await backend.save_together(one)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the mistake
    with pytest.raises(TypeError, match="takes aggregates, got 'StockAggregate-1'"):
        await backend.save_together([one, "StockAggregate-1"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType] - the mistake
    with pytest.raises(TypeError, match="transaction is what backend"):
        await backend.save_together([one], transaction=backend)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the mistake
    assert await stored(backend) == []
