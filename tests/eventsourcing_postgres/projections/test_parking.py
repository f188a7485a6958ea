"""Parked keys: their events wait in order, and are due when the server's clock says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.stores import Build, ParkedKey, ProjectionError, Wish, hash_of
from tests.eventsourcing_postgres.projections._builds import (
    LEASE,
    ORDERS,
    at,
    make_view,
    move_all,
    take_all,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import asyncpg

    from eventsourcing_core.stores import Batch, ProjectionStore

    Pool = asyncpg.Pool[asyncpg.Record]


async def act(store: ProjectionStore, work: Callable[[Batch], Awaitable[None]]) -> None:
    """Do something in a batch that leaves the segments where they are."""
    found = await store.arrangement(ORDERS)
    move = move_all(found, found.segments[0].progress)
    async with store.batch(ORDERS, move, lease=LEASE) as batch:
        await work(batch)


async def park(store: ProjectionStore, key: str, *where: int, retry_in: float | None = 60) -> None:
    await act(store, lambda batch: batch.park(key, where, f"error at {where[0]}", retry_in))


async def test_later_events_go_behind_the_first(store: ProjectionStore) -> None:
    await make_view(store)
    await park(store, "a", 3, 4)
    await park(store, "a", 7, retry_in=-1)
    assert await store.parked(ORDERS) == [
        ParkedKey(
            "a",
            hash_of("a"),
            (3, 4, 7),
            3,
            1,
            "error at 3",
            is_due=False,
            wish=None,
            is_given_up=False,
        )
    ]


async def test_many_events_are_counted_and_the_first_are_shown(store: ProjectionStore) -> None:
    await make_view(store)
    await park(store, "a", *range(1, 2001))
    (key,) = await store.parked(ORDERS)
    assert (key.positions, key.waiting) == (tuple(range(1, 1001)), 2000)


async def test_keys_come_by_hash_and_are_counted_by_segment(store: ProjectionStore) -> None:
    await make_view(store, segments=4)
    keys = [f"key {number}" for number in range(50)]
    for position, key in enumerate(keys, start=1):
        await park(store, key, position)
    by_hash = sorted(keys, key=lambda key: (hash_of(key), key))
    assert [each.key for each in await store.parked(ORDERS)] == by_hash
    assert [each.key for each in await store.parked(ORDERS, first=3)] == by_hash[:3]
    counts = await store.count_parked(ORDERS)
    assert counts == {
        low: sum(hash_of(key) // 16384 == low // 16384 for key in keys)
        for low in (0, 16384, 32768, 49152)
    }
    assert [each.key for each in await store.parked_at(ORDERS, 7)] == ["key 6"]
    assert await store.parked_at(ORDERS, 99) == []


async def test_a_key_is_due_by_the_clock_of_the_server(store: ProjectionStore, pool: Pool) -> None:
    await make_view(store)
    await take_all(store, ORDERS)
    await park(store, "a", 1)
    assert await store.calls() == set()
    await pool.execute("update eventsourcing.parked_keys set next_try = now()")
    assert (await store.parked(ORDERS))[0].is_due
    assert await store.calls() == {ORDERS}


async def test_a_key_is_given_up_until_somebody_has_a_wish(store: ProjectionStore) -> None:
    await make_view(store)
    await take_all(store, ORDERS)
    await park(store, "a", 1, 2)
    await act(store, lambda batch: batch.fail_again("a", "again \0", 0))
    (key,) = await store.parked(ORDERS)
    assert (key.attempts, key.error, key.is_due) == (2, "again \\0", True)

    await act(store, lambda batch: batch.fail_again("a", "for good", None))
    (key,) = await store.parked(ORDERS)
    assert (key.attempts, key.is_due, key.is_given_up) == (3, False, True)
    assert await store.calls() == set()

    assert await store.wish(ORDERS, Wish.RETRY) == 1
    assert (await store.parked(ORDERS))[0].wish is Wish.RETRY
    assert await store.calls() == {ORDERS}
    await act(store, lambda batch: batch.fail_again("a", "no", None))
    assert (await store.parked(ORDERS))[0].wish is None


async def test_a_key_can_be_given_up_at_once(store: ProjectionStore) -> None:
    await make_view(store)
    await take_all(store, ORDERS)
    await park(store, "a", 1, retry_in=None)
    assert [(each.is_due, each.is_given_up) for each in await store.parked(ORDERS)] == [
        (False, True)
    ]
    assert await store.calls() == set()


async def test_what_is_due_comes_by_segment_and_time(store: ProjectionStore) -> None:
    await make_view(store, segments=2)
    low, high = (await store.arrangement(ORDERS)).segments
    keys = [f"key {number}" for number in range(20)]
    for number, key in enumerate(keys):
        await park(store, key, number + 1, retry_in=-1.0 - number)
    await park(store, "later", 50)
    for segment in (low, high):
        inside = [key for key in reversed(keys) if segment.low <= hash_of(key) <= segment.high]
        assert inside
        assert [each.key for each in await store.due(ORDERS, [segment], first=99)] == inside
    assert [each.key for each in await store.due(ORDERS, [low, high], first=3)] == keys[:-4:-1]
    await store.wish(ORDERS, Wish.RETRY, "later")
    assert "later" in {each.key for each in await store.due(ORDERS, [low, high], first=99)}


async def test_a_wish_is_for_one_key_or_all(store: ProjectionStore) -> None:
    await make_view(store)
    for position, key in enumerate("abc", start=1):
        await park(store, key, position)
    assert await store.wish(ORDERS, Wish.SKIP, "b") == 1
    assert {each.key: each.wish for each in await store.parked(ORDERS)} == {
        "a": None,
        "b": Wish.SKIP,
        "c": None,
    }
    assert await store.wish(ORDERS, Wish.RETRY) == 3
    assert await store.wish(ORDERS, Wish.RETRY, "d") == 0


async def test_events_that_are_done_are_taken_off_in_order(store: ProjectionStore) -> None:
    await make_view(store)
    await park(store, "a", 1, 2, 3)
    await store.wish(ORDERS, Wish.RETRY)
    await act(store, lambda batch: batch.unpark("a", 1))
    (key,) = await store.parked(ORDERS)
    assert (key.positions, key.attempts, key.is_due, key.wish) == ((2, 3), 0, True, None)
    await act(store, lambda batch: batch.unpark("a", 3))
    assert await store.parked(ORDERS) == []
    assert await store.parked_at(ORDERS, 3) == []


async def test_parking_is_taken_back_with_its_batch(store: ProjectionStore) -> None:
    await make_view(store)
    with pytest.raises(LookupError):
        await act(store, park_and_fail)
    assert await store.parked(ORDERS) == []
    assert (await store.arrangement(ORDERS)).segments[0].progress != at(1)


async def park_and_fail(batch: Batch) -> None:
    await batch.park("a", [1], "error", 1)
    raise LookupError


async def test_a_build_that_is_not_registered_says_so(store: ProjectionStore) -> None:
    unknown = Build("unknown", 1)
    for asking in (
        store.parked(unknown),
        store.parked_at(unknown, 1),
        store.count_parked(unknown),
        store.wish(unknown, Wish.RETRY),
    ):
        with pytest.raises(ProjectionError, match="is not registered"):
            await asking
