"""Loading from snapshots: which are used, which are not, and that the state is right either way."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from eventsourcing_core import Event, Repository, Saved
from eventsourcing_inmemory._storage import InMemoryStorage
from tests.core._storages import Paged, Through
from tests.core._tills import (
    Events,
    Sales,
    Shelf,
    Sold,
    Till,
    replayed,
    said,
    sell,
    state,
)
from tests.core._tills import repository as new_repository

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import Row, Span


pytestmark = pytest.mark.usefixtures("log")
repository = partial(new_repository, keep=9)


@pytest.fixture
def tills(events: Events, shelf: Shelf) -> Repository[Till]:
    return repository(events, shelf)


async def test_only_the_snapshots_event_and_those_after_it_are_read(
    tills: Repository[Till], events: Events, log: pytest.LogCaptureFixture
) -> None:
    await sell(tills, 1, 2, 3, 4, 5, 6)
    await sell(tills, 7, 8)
    events.storage.reads, events.storage.given = [], 0
    till = await tills.load("1")
    assert (events.storage.reads, events.storage.given) == ([6], 3)
    assert state(till) == await replayed(events)
    assert said(log) == []


async def test_a_snapshot_at_the_end_of_the_stream_is_enough(
    tills: Repository[Till], events: Events
) -> None:
    await sell(tills, 1, 2, 3, 4, 5)
    events.storage.given = 0
    till = await tills.load("1")
    assert (till.version, till.total, events.storage.given) == (5, 15, 1)
    till.sell(6)
    assert await tills.save(till) == Saved(6, 6)
    assert state(await tills.load("1")) == await replayed(events)


@pytest.mark.parametrize("after", range(8))
async def test_what_is_behind_the_snapshot_in_its_page_is_not_lost(
    shelf: Shelf, after: int
) -> None:
    events = Events(Paged(InMemoryStorage()))
    tills = repository(events, shelf)
    await sell(tills, 1, 2, 3, 4, 5)
    await sell(Repository(events, Till), *range(6, 6 + after))
    assert state(await tills.load("1")) == await replayed(events)


async def test_a_load_asks_the_snapshot_store_once(tills: Repository[Till], shelf: Shelf) -> None:
    await sell(tills, 1, 2, 3, 4, 5)
    shelf.calls = []
    await tills.load("1")
    await tills.load("unknown")
    assert shelf.calls == ["load", "load"]


class Counted(Till):
    """Counts how often it is made."""

    category = "Till"
    made: ClassVar[int] = 0

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        Counted.made += 1


@pytest.mark.parametrize(("sold", "spoiled", "made"), [(1, False, 1), (5, False, 1), (5, True, 2)])
async def test_an_aggregate_is_made_again_only_where_a_snapshot_failed(
    events: Events, shelf: Shelf, sold: int, made: int, *, spoiled: bool
) -> None:
    tills = repository(events, shelf, Counted)
    await sell(tills, *range(sold))
    if spoiled:
        shelf.put(replace(shelf.the(5), state=b""))
    Counted.made = 0
    assert (await tills.load("1")).version == sold
    assert Counted.made == made


async def test_a_page_may_be_empty(shelf: Shelf) -> None:
    class Sparse(Through):
        async def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
            async for page in self.storage.rows(stream_id, span):
                yield []
                yield page

    events = Events(Sparse(InMemoryStorage()))
    tills = repository(events, shelf)
    await sell(tills, 1, 2, 3, 4, 5)
    await sell(tills, 6)
    events.storage.reads = []
    assert (await tills.load("1")).total == 21
    assert events.storage.reads == [5]


async def test_the_past_is_loaded_from_the_newest_snapshot_before_it(
    tills: Repository[Till], events: Events
) -> None:
    for _ in range(4):
        await sell(tills, 1, 2, 3, 4, 5)
    for version, first in ((4, 1), (5, 5), (9, 5), (10, 10), (19, 15), (20, 20)):
        events.storage.reads = []
        till = await tills.load("1", at_version=version)
        assert events.storage.reads == [first]
        assert state(till) == await replayed(events, version)


async def test_a_version_that_was_not_reached_is_refused(tills: Repository[Till]) -> None:
    await sell(tills, 1, 2, 3, 4, 5)
    with pytest.raises(ValueError, match="is at version 5, 6 was not reached yet"):
        await tills.load("1", at_version=6)


async def test_without_a_snapshot_all_is_replayed(
    tills: Repository[Till], events: Events, log: pytest.LogCaptureFixture
) -> None:
    await sell(tills, 1, 2)
    log.clear()
    assert state(await tills.load("1")) == await replayed(events)
    assert said(log, logging.DEBUG) == ["Till-1: all events are replayed, there is no snapshot"]


class Watching(Till):
    """Sees its version in apply."""

    category = "Till"
    seen: list[int]

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.seen = []

    def apply(self, event: Event[Sold]) -> None:  # noqa: ARG002 - only the version counts
        self.seen.append(self.version)


async def test_apply_sees_the_same_version_with_and_without_a_snapshot(
    events: Events, shelf: Shelf
) -> None:
    await sell(Repository(events, Till), 1, 2, 3, 4)
    tills = Repository(events, Watching, snapshot_store=shelf)
    till = await tills.load("1")
    await tills.take_snapshot(till)
    await sell(Repository(events, Till), 5, 6)
    assert (await tills.load("1")).seen == (await Repository(events, Watching).load("1")).seen


class Custom(Till):
    """Converts its state itself."""

    category = "Till"
    converter: complex = 0j  # no hint for the core

    def snapshot_state(self) -> object:
        return [self.total, [[k, list(v.counts)] for k, v in self.sales.items()]]

    def restore_state(self, state: Any) -> None:
        total, sales = state
        self.total = total
        for article, counts in sales:
            self.sales[article] = Sales(counts)


async def test_a_class_may_convert_its_state_itself(events: Events, shelf: Shelf) -> None:
    tills = repository(events, shelf, Custom)
    await sell(tills, 1, 2, 3, 4, 5)
    await sell(tills, 6)
    events.storage.reads = []
    till = await tills.load("1")
    assert events.storage.reads == [5]
    assert (till.total, till.sales["tea"].counts) == (21, [1, 2, 3, 4, 5, 6])
