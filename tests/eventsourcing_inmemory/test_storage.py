"""The in-memory storage: how it scans, page by page."""

from __future__ import annotations

import asyncio

from eventsourcing_core.stores import Row, RowQuery
from eventsourcing_inmemory._log import EventLog
from eventsourcing_inmemory._storage import PAGE, InMemoryStorage


def row(position: int, event_type: str) -> Row:
    return Row("doc-1", position, position, event_type, b"{}", None, "json", bytes(16), 0)


def storage_of(*event_types: str) -> InMemoryStorage:
    log = EventLog()
    log.add([row(position, each) for position, each in enumerate(event_types, start=1)])
    return InMemoryStorage(log)


async def scan(
    storage: InMemoryStorage,
    after: int = 0,
    *event_types: str,
    backward: bool = False,
    limit: int | None = None,
) -> list[tuple[list[int], int]]:
    """Give the positions of each page, and how far it has looked."""
    query = RowQuery(frozenset(event_types) or None)
    pages = storage.rows_of_all(after, query, backward=backward, limit=limit)
    return [([row.position for row in rows], seen_to) async for rows, seen_to in pages]


async def test_a_long_scan_lets_other_tasks_run_and_says_how_far_it_is() -> None:
    storage = storage_of(*["other"] * 50_000)
    turns = 0

    async def work() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    working = asyncio.create_task(work())
    pages = await scan(storage, 0, "wanted")
    working.cancel()
    ends = [seen_to for _, seen_to in pages]
    assert [rows for rows, _ in pages] == [[]] * len(pages)
    assert ends == [*range(PAGE, 50_000, PAGE), 50_000]
    assert turns >= len(ends)


async def test_where_there_is_nothing_one_page_has_seen_what_it_was_asked_after() -> None:
    for backward in (False, True):
        assert await scan(storage_of("a", "b"), 2, backward=backward) == [([], 2)]
        assert await scan(storage_of(), backward=backward) == [([], 0)]
    assert await scan(storage_of("a", "b"), 70, backward=True) == [([], 70)]


async def test_a_page_that_meets_the_limit_has_seen_no_more_than_its_last_row() -> None:
    storage = storage_of("a", "b", "a", "b", "a")
    assert await scan(storage, 0, "a", limit=2) == [([1, 3], 3)]
    assert await scan(storage, 1, "a", limit=2) == [([3, 5], 5)]
    assert await scan(storage, 0, "a", limit=4) == [([1, 3, 5], 5)]
    assert await scan(storage, 1, "b", limit=9) == [([2, 4], 5)]
    assert await scan(storage, 1, limit=0) == [([], 1)]


async def test_a_limit_counts_over_pages() -> None:
    storage = storage_of(*["a"] * (PAGE + 3))
    everything = [*range(1, PAGE + 4)]
    assert await scan(storage) == [(everything[:PAGE], PAGE), (everything[PAGE:], PAGE + 3)]
    assert await scan(storage, limit=PAGE + 1) == [
        (everything[:PAGE], PAGE),
        ([PAGE + 1], PAGE + 1),
    ]
    assert await scan(storage, limit=PAGE) == [(everything[:PAGE], PAGE)]


async def test_backward_every_page_has_seen_to_where_reading_began() -> None:
    storage = storage_of(*["a"] * (PAGE + 3))
    positions = [*range(PAGE + 3, 1, -1)]
    pages = await scan(storage, 1, backward=True)
    assert [position for rows, _ in pages for position in rows] == positions
    assert {seen_to for _, seen_to in pages} == {PAGE + 3}
    assert await scan(storage, 1, backward=True, limit=2) == [(positions[:2], PAGE + 3)]


async def test_what_is_appended_meanwhile_is_left_to_the_next_scan() -> None:
    log = EventLog()
    log.add([row(position, "a") for position in range(1, PAGE + 2)])
    pages = InMemoryStorage(log).rows_of_all(0, RowQuery(), backward=False, limit=None)
    first = await anext(pages)
    log.add([row(PAGE + 2, "a")])
    second = await anext(pages)
    assert (first.seen_to, second.seen_to) == (PAGE, PAGE + 1)
    assert [each async for each in pages] == []
