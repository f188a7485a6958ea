"""A program that does not know a type of events keeps nothing that it makes of them."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - an annotation that is evaluated
from typing import TYPE_CHECKING, Any, TypedDict

import pytest

from eventsourcing_core import (
    Aggregate,
    Decider,
    Event,
    EventCodec,
    EventTypes,
    OnDemand,
    Repository,
    UnknownEventTypeError,
    event,
    open_backend,
    upcaster,
)
from eventsourcing_core._snapshots.state_version import state_version_of
from eventsourcing_inmemory import InMemoryEventStore
from eventsourcing_inmemory._log import EventLog

if TYPE_CHECKING:
    from tests.core._tills import Shelf

types = EventTypes()


@event("stock.received", event_types=types)
class Received:
    count: int


@event("stock.lost.v2", event_types=types)
class Lost:
    count: int


@upcaster("stock.lost", to="stock.lost.v2", event_types=types)
def lost(data: dict[str, Any]) -> dict[str, Any]:
    return data


class Stock(Aggregate):
    event_types = types
    count: int = 0

    def receive(self, count: int) -> None:
        self._record(Received(count))

    def apply(self, event: Event[Received | Lost]) -> None:
        self.count += getattr(event.data, "count", 0)


class Counted(TypedDict):
    count: int


class Ignoring(Stock):
    category = "Stock"
    ignores = ("stock.counted",)


class IgnoringAll(Stock):
    category = "Stock"
    ignores = "*"


class WithDicts(Stock):
    category = "Stock"

    def apply(self, event: Event[Received | Lost | dict[str, Any]]) -> None:
        match event.data:
            case {"count": count} if event.event_type == "stock.counted":
                self.count = count
            case Received(count) | Lost(count):
                self.count += count
            case _:
                pass


class WithMappings(WithDicts):
    category = "Stock"

    def apply(self, event: Event[Received | Lost | Mapping[str, Any]]) -> None:
        super().apply(event)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # they are dicts


class Untold(Stock):
    category = "Stock"

    def apply(self, event: Event[Any]) -> None:
        self.count += event.data is not None


async def store_with(*events: Event[Any], event_types: EventTypes = types) -> InMemoryEventStore:
    """Give a store in which a newer program has stored events."""
    log = EventLog()
    other = InMemoryEventStore(EventCodec(event_types=EventTypes()), log=log)
    await other.append("Stock-1", events, expected_version=0)
    return InMemoryEventStore(EventCodec(event_types=event_types), log=log)


RECEIVED, COUNTED = Event("stock.received", {"count": 3}), Event("stock.counted", {"count": 2})


@pytest.mark.parametrize("cls", [Stock, Untold])
async def test_it_is_loaded_and_neither_saved_nor_put_into_a_snapshot(
    shelf: Shelf, cls: type[Stock]
) -> None:
    store = await store_with(RECEIVED, COUNTED)
    stocks = Repository(store, cls, snapshot_store=shelf, snapshot_frequency=1)
    stock = await stocks.load("1")
    assert stock.version == 2
    with pytest.raises(UnknownEventTypeError) as caught:
        await stocks.take_snapshot(stock)
    assert "'Stock-1' is not put into a snapshot" in str(caught.value)
    assert (await stocks.save(stock)).version == 2  # nothing is to be stored
    stock.receive(1)
    with pytest.raises(UnknownEventTypeError) as caught:
        await stocks.save(stock)
    text = str(caught.value)
    assert "'Stock-1' is not saved: version 2 is of type 'stock.counted'" in text
    assert f"{cls.__name__}, say so in the class by ignores = ('stock.counted',)" in text
    assert len(stock.pending_events) == 1
    with pytest.raises(UnknownEventTypeError):
        await stocks.update("1", lambda stock: stock.receive(1))
    with pytest.raises(UnknownEventTypeError):
        await stocks.update("1", lambda stock: stock.receive(1), command_id="c")
    assert await store.stream_version("Stock-1") == 2
    assert shelf.versions("Stock-1") == []


async def test_nor_is_it_where_aggregates_are_kept() -> None:
    store = await store_with(RECEIVED)
    stocks = Repository(store, Stock, cache=5)
    await stocks.update("1", lambda stock: stock.receive(1))
    await store.append("Stock-1", [COUNTED], expected_version=2)
    for _ in range(2):
        with pytest.raises(UnknownEventTypeError, match="version 3 is of type"):
            await stocks.update("1", lambda stock: stock.receive(1))
    assert (await stocks.load("1")).version == 3


async def test_nor_is_it_saved_in_a_transaction() -> None:
    url = "memory://known-types-in-a-transaction"
    async with (
        open_backend(url, event_types=EventTypes()) as newer,
        open_backend(url, event_types=types) as backend,
    ):
        await newer.event_store.append("Stock-1", [COUNTED], expected_version=0)
        stocks = backend.repository(Stock)
        async with backend.transaction() as transaction:
            stock = await stocks.load("1", transaction=transaction)
            stock.receive(1)
            with pytest.raises(UnknownEventTypeError):
                await stocks.save(stock, transaction=transaction)


@pytest.mark.parametrize("cls", [Ignoring, IgnoringAll, WithDicts, WithMappings])
async def test_a_class_that_says_so_is_saved(shelf: Shelf, cls: type[Stock]) -> None:
    store = await store_with(RECEIVED, COUNTED)
    stocks = Repository(store, cls, snapshot_store=shelf, snapshot_frequency=1)
    await stocks.update("1", lambda stock: stock.receive(1))
    assert shelf.versions("Stock-1") == [3]
    expected = 3 if issubclass(cls, WithDicts) else 4
    assert (await stocks.load("1")).count == expected


async def test_a_type_that_is_not_named_is_still_refused() -> None:
    store = await store_with(RECEIVED, COUNTED, Event("stock.burnt", {}))
    with pytest.raises(UnknownEventTypeError, match=r"version 3 is of type 'stock\.burnt'"):
        await Repository(store, Ignoring).update("1", lambda stock: stock.receive(1))


async def test_without_any_class_dicts_are_meant(shelf: Shelf) -> None:
    class Plain(Aggregate):
        category = "Stock"
        event_types = EventTypes()
        count: int = 0

        def apply(self, event: Event[Any]) -> None:
            self.count += event.data["count"]

    store = await store_with(RECEIVED, COUNTED, event_types=Plain.event_types)
    plain = Repository(store, Plain, snapshot_store=shelf, snapshot_frequency=OnDemand())
    await plain.take_snapshot(await plain.load("1"))
    assert shelf.versions("Stock-1") == [2]


async def test_what_an_upcaster_takes_is_known() -> None:
    store = await store_with(RECEIVED, Event("stock.lost", {"count": -1}))
    stock = await Repository(store, Stock).update("1", lambda stock: stock.receive(1))
    assert stock.count == 3


async def test_one_that_is_made_of_events_is_refused_as_well() -> None:
    store = await store_with(RECEIVED, COUNTED)
    stock = Stock.from_events("1", [each async for each in store.read("Stock-1")])
    stock.receive(1)
    with pytest.raises(UnknownEventTypeError, match="version 2 is of type"):
        await Repository(store, Stock).save(stock)


async def test_what_only_a_snapshot_knows_of_is_refused_once_the_class_ignores_it_no_more(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await store_with(RECEIVED, COUNTED)
    stocks = Repository(store, Ignoring, snapshot_store=shelf, snapshot_frequency=OnDemand())
    await stocks.take_snapshot(await stocks.load("1"))
    monkeypatch.setattr(Ignoring, "ignores", ())
    with pytest.raises(UnknownEventTypeError, match="an event before its snapshot is of type"):
        await stocks.update("1", lambda stock: stock.receive(1))


@pytest.mark.parametrize("given", ["stock.counted", ["stock.counted"], (1,), None], ids=str)
def test_what_it_ignores_is_a_tuple_of_names(given: Any) -> None:
    with pytest.raises(TypeError, match="ignores is a tuple of stored names"):
        type("Wrong", (Stock,), {"ignores": given})


def unchanged(data: Any, *_: Any) -> Any:
    return data


any_upcaster: Any = upcaster
"""The same, where type checkers cannot tell what it is given."""


def version_in(annotation: str, names: list[str], chains: list[tuple[str, Any]]) -> str:
    """Give the state version of a class in a program with these types and upcasters."""
    registry = EventTypes()
    space: dict[str, Any] = {"Aggregate": Aggregate, "Event": Event, "Any": Any, "r": registry}
    for name in names:
        made: Any = type(name.title(), (), {"__annotations__": {"n": int}})
        space[name.title()] = event(name, event_types=registry)(made)
    for source, to in chains:
        any_upcaster(source, to=to, event_types=registry)(lambda data: data)
    source = (
        "class Kept(Aggregate):\n    category = 'kept'\n    event_types = r\n    n: int = 0\n"
        f"    def apply(self, event: {annotation}): pass\n"
    )
    exec(source, space)  # noqa: S102 - the source is the one above
    version = state_version_of(space["Kept"])
    del space["Kept"]
    return version


TOLD, OPEN, DICTS = "Event[A | B]", "Event[Any]", "Event[A | B | dict[str, int]]"
BASE = (["a", "b", "c"], [("a.old", "a"), ("c.old", "c")])


@pytest.mark.parametrize(
    ("annotation", "names", "chains", "is_other"),
    [
        (TOLD, ["a", "b", "c"], [("a.old", "a"), ("c.old", "c")], False),
        (TOLD, ["a", "b", "c", "d"], [("a.old", "a"), ("c.old", "c"), ("d.old", "d")], False),
        (TOLD, ["a", "b", "c"], [("a.old", "a"), ("c.old", "c"), ("x", ())], False),
        (TOLD, ["a", "b", "c"], [("a.old", "a"), ("c.old", "c"), ("b.old", "b")], True),
        (TOLD, ["a", "b", "c"], [("a.old", "b"), ("c.old", "c")], True),
        (TOLD, ["a", "b", "c"], [("a.old", ("a", "b")), ("c.old", "c")], True),
        (TOLD, ["a", "b", "c"], [("c.old", "c")], True),
        (TOLD, ["a", "b", "c"], [("a.older", "a.old"), ("a.old", "a"), ("c.old", "c")], True),
        (OPEN, ["a", "b", "c"], [("a.old", "a"), ("c.old", "c")], False),
        (OPEN, ["a", "b", "c", "d"], [("a.old", "a"), ("c.old", "c")], True),
        (OPEN, ["a", "b", "c"], [("a.old", "a"), ("c.old", "c"), ("x", ())], True),
        (DICTS, ["a", "b", "c", "d"], [("a.old", "a"), ("c.old", "c")], False),
        (DICTS, ["a", "b", "c"], [("a.old", "a"), ("c.old", "c"), ("x", ())], True),
    ],
)
def test_the_state_version_covers_what_leads_to_the_types_of_a_class(
    annotation: str, names: list[str], chains: list[tuple[str, Any]], *, is_other: bool
) -> None:
    assert (version_in(annotation, names, chains) != version_in(annotation, *BASE)) is is_other


def test_a_type_more_in_apply_is_another_version() -> None:
    assert version_in("Event[A]", *BASE) != version_in(TOLD, *BASE)


async def test_a_typed_dict_is_known_though_it_is_a_dict(shelf: Shelf) -> None:
    here = EventTypes()
    here.register(Counted, "stock.counted")

    class Counting(Aggregate):
        category = "Stock"
        event_types = here
        count: int = 0

        def apply(self, event: Event[Counted]) -> None:
            self.count = event.data["count"]

    store = await store_with(COUNTED, event_types=here)
    stocks = Repository(store, Counting, snapshot_store=shelf, snapshot_frequency=OnDemand())
    await stocks.take_snapshot(await stocks.load("1"))
    assert shelf.versions("Stock-1") == [1]
    before = state_version_of(Counting)
    here.register(Received, "stock.received")  # apply does not take it
    assert state_version_of(Counting) == before


def evolve(count: int, event: Received | Lost) -> int:
    return count + event.count


def evolve_any(count: int, event: Any) -> int:
    return count + int(event.count)


@pytest.mark.parametrize("function", [evolve, evolve_any])
def test_a_decider_knows_the_events_of_its_evolve(function: Any) -> None:
    here = EventTypes()
    for name in ("stock.received", "stock.lost.v2"):
        here.register(types.classes[name], name)
    stocks = Decider(unchanged, function, 0, category="stocks", event_types=here)
    before = state_version_of(stocks.aggregate_class)
    here.register(Counted, "stock.counted")
    assert (state_version_of(stocks.aggregate_class) == before) is (function is evolve)
    any_upcaster("stock.lost", to="stock.lost.v2", event_types=here)(unchanged)
    assert state_version_of(stocks.aggregate_class) != before


def test_a_base_of_events_stands_for_all_of_them() -> None:
    here = EventTypes()
    base = type("Base", (), {})

    class Kept(Aggregate):
        category = "kept"
        event_types = here

        def apply(self, event: Event[Any]) -> None: ...

    Kept.apply.__annotations__["event"] = Event[base]  # type: ignore[valid-type]  # it is made here
    versions = {state_version_of(Kept)}
    for name, bases in (("a", (base,)), ("b", ()), ("c", (base,))):
        made: Any = type(name, bases, {"__annotations__": {"n": int}})
        event(name, event_types=here)(made)
        versions.add(state_version_of(Kept))
    assert len(versions) == 3  # b is none of its own
