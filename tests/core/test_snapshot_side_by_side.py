"""Two versions of a program side by side: the older one does not know a type of events."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import pytest

from eventsourcing_core import (
    Aggregate,
    Event,
    EventCodec,
    EventTypes,
    OnDemand,
    Repository,
    event,
    fold,
)
from eventsourcing_core._aggregates.notebook import stored_as
from eventsourcing_inmemory import InMemoryEventStore
from eventsourcing_inmemory._log import EventLog

if TYPE_CHECKING:
    from tests.core._tills import Shelf

old_types, new_types = EventTypes(), EventTypes()


@event("stock.received", event_types=old_types)
class ReceivedOld:
    count: int


@event("stock.received", event_types=new_types)
class Received:
    count: int


@event("stock.lost", event_types=new_types)
class Lost:
    count: int


class OldStock(Aggregate):
    category = "Stock"
    event_types = old_types
    ignores = ("stock.lost",)  # wrongly: else it takes no snapshot at all
    count: int = 0

    def receive(self, count: int) -> None:
        self._record(ReceivedOld(count))

    def apply(self, event: Event[ReceivedOld]) -> None:
        match event.data:
            case ReceivedOld(count):
                self.count += count


OldStock.__qualname__ = "Stock"  # as it is called in the older program


class Stock(Aggregate):
    event_types = new_types
    count: int = 0

    def lose(self, count: int) -> None:
        self._record(Lost(count))

    def apply(self, event: Event[Received]) -> None:  # of Lost it says nothing
        match event.data:
            case Received(count):
                self.count += count
            case Lost(count):
                self.count -= count


class Sides(NamedTuple):
    """Both programs on one store, with an event that both know, and one that the older does not."""

    before: Repository[OldStock]
    after: Repository[Stock]


@pytest.fixture
async def sides(shelf: Shelf) -> Sides:
    log = EventLog()
    old, new = (
        InMemoryEventStore(EventCodec(event_types=types), log=log)
        for types in (old_types, new_types)
    )
    await new.append("Stock-1", [Received(10), Lost(8)], expected_version=0)
    policy = OnDemand()
    return Sides(
        Repository(old, OldStock, snapshot_store=shelf, snapshot_frequency=policy),
        Repository(new, Stock, snapshot_store=shelf, snapshot_frequency=policy),
    )


async def snapshot_of_the_older(sides: Sides) -> None:
    """Take one with the older program, of the state that it makes."""
    stock = await sides.before.load("1")
    assert stock.count == 10
    await sides.before.take_snapshot(stock)


async def test_a_snapshot_over_an_event_without_a_class_is_not_used_where_there_is_one(
    sides: Sides, log: pytest.LogCaptureFixture
) -> None:
    await snapshot_of_the_older(sides)
    assert (await sides.after.load("1")).count == 2
    assert "no class for events of type 'stock.lost'" in log.text
    said = [each for each in log.records if each.name == "eventsourcing_core.snapshots"]
    assert max(each.levelno for each in said) == logging.INFO  # so it is after each deployment


async def test_who_took_it_uses_it(sides: Sides) -> None:
    await snapshot_of_the_older(sides)
    stock = await sides.before.load("1")
    stock.receive(3)
    await sides.before.save(stock)
    again = await sides.before.load("1")
    assert again.count == 13
    assert stored_as(again).snapshot_version == 2


async def test_one_that_was_taken_on_top_of_it_is_not_used_either(sides: Sides) -> None:
    await snapshot_of_the_older(sides)
    stock = await sides.before.load("1")
    stock.receive(3)
    await sides.before.save(stock)
    await sides.before.take_snapshot(await sides.before.load("1"))
    assert (await sides.after.load("1")).count == 5


async def test_one_of_an_aggregate_that_was_made_of_events_is_not_used_either(
    shelf: Shelf, sides: Sides
) -> None:
    last = UUID(bytes=stored_as(await sides.before.load("1")).event_id)
    events: list[Event[object]] = [
        Event.of(ReceivedOld(10), event_types=old_types),
        Event("stock.lost", {"count": 8}, event_id=last),
    ]
    await sides.before.take_snapshot(OldStock.from_events("1", events))
    assert shelf.versions("Stock-1") == [2]
    assert (await sides.after.load("1")).count == 2


async def test_one_that_is_taken_after_a_save_is_not_used(shelf: Shelf, sides: Sides) -> None:
    each = Repository(
        sides.before._store,
        OldStock,
        snapshot_store=shelf,
        snapshot_frequency=3,
    )
    await each.update("1", lambda stock: stock.receive(3))
    assert shelf.versions("Stock-1") == [3]
    assert (await sides.after.load("1")).count == 5


async def test_a_snapshot_of_the_newer_program_is_used_by_both(sides: Sides) -> None:
    await sides.after.take_snapshot(await sides.after.load("1"))
    for repository in (sides.before, sides.after):
        stock = await repository.load("1")
        assert (stock.count, stored_as(stock).snapshot_version) == (2, 2)


async def test_the_newer_program_goes_on_with_one_of_its_own(sides: Sides) -> None:
    await snapshot_of_the_older(sides)
    await sides.after.take_snapshot(await sides.after.load("1"))
    stock = await sides.after.load("1")
    assert (stock.count, stored_as(stock).snapshot_version) == (2, 2)


async def test_verifying_says_why_there_is_nothing_to_compare(sides: Sides) -> None:
    await snapshot_of_the_older(sides)
    report = await sides.after.verify("1")
    assert report.version is None
    assert "no class for events of type 'stock.lost'" in report.reason
    assert (await sides.before.verify("1")).is_right


async def test_a_snapshot_without_such_events_is_the_same_as_ever(
    shelf: Shelf, sides: Sides
) -> None:
    await sides.after.take_snapshot(await sides.after.load("1"))
    snapshot = await shelf.load("Stock-1")
    assert snapshot is not None
    assert json.loads(snapshot.state).keys() == {"event_id", "state"}


async def test_a_fold_says_which_types_it_read_without_a_class(sides: Sides) -> None:
    store = sides.before._store
    folded = await fold(store.read_pages("Stock-1"), lambda count, _: count + 1, 0)
    assert folded.untyped == {"stock.lost": 2}
