"""Whose a category is: two classes of one category would write to the same streams."""

from __future__ import annotations

import gc
from typing import Any, ClassVar
from weakref import ref

import pytest

from eventsourcing_core import Aggregate, Event, EventTypes, Repository, event
from eventsourcing_inmemory import InMemoryEventStore


@event("category.named")
class Named:
    name: str


class Thing(Aggregate):
    """Abstract: it has no streams."""

    name: str = ""

    def give(self, name: str) -> None:
        self._record(Named(name))


def define(name: str = "Device", place: str = "", **attributes: object) -> type[Thing]:
    """Define a class in a module of that name; else in this function."""

    class Local(Thing):
        category = "category.local"

        def apply(self, event: Event[Any]) -> None:
            self.name = event.data.name

    if not place:
        return Local
    space = {"apply": Local.apply, "__module__": place, **attributes}
    return type(name, (attributes.pop("base", Thing),), space)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportReturnType] - a class


def test_two_classes_of_one_default_category_are_refused() -> None:
    first = define(place="sales")
    with pytest.raises(
        ValueError,
        match="sales.Device has the category 'Device' already, and purchase.Device would write",
    ):
        define(place="purchase")
    assert define(place="purchase", category="category.other").category == "category.other"
    assert first.category == "Device"


def test_two_classes_of_one_given_category_are_refused() -> None:
    first = define("Pump", place="sales", category="category.same")
    with pytest.raises(ValueError, match="sales.Pump has the category 'category.same' already"):
        define("Valve", place="sales", category="category.same")
    with pytest.raises(ValueError, match="sales.Pump has the category 'category.same' already"):

        class Local(Thing):  # pyright: ignore[reportUnusedClass] - it is the class that must fail
            category = "category.same"

            def apply(self, event: Event[Any]) -> None: ...

    assert first.category == "category.same"


def test_a_registry_of_its_own_is_another_application() -> None:
    types = EventTypes()
    both = define("Lamp", place="sales"), define("Lamp", place="purchase", event_types=types)
    assert [cls.category for cls in both] == ["Lamp", "Lamp"]
    with pytest.raises(ValueError, match="purchase.Lamp has the category 'Lamp' already"):
        define("Lamp", place="stock", event_types=types)


def test_a_class_that_is_defined_again_takes_its_category_over() -> None:
    kept = [define(), define()]
    assert [cls.category for cls in kept] == ["category.local"] * 2

    again = [define("Bell", place="sales"), define("Bell", place="sales")]
    del again[0]
    gc.collect()
    with pytest.raises(ValueError, match="sales.Bell has the category 'Bell' already"):
        define("Bell", place="purchase")


def test_classes_in_functions_may_have_one_name_by_chance() -> None:
    class Door(Thing):
        def apply(self, event: Event[Any]) -> None: ...

    def elsewhere() -> type[Thing]:
        class Door(Thing):
            def apply(self, event: Event[Any]) -> None: ...

        return Door

    assert elsewhere().category == Door.category
    with pytest.raises(ValueError, match="Door has the category 'Door' already"):
        define("Door", place="sales")


async def test_a_class_that_nobody_uses_keeps_no_category() -> None:
    async def use() -> ref[type]:
        cls = define("Lift", place="sales")
        lift = cls("1")
        lift.give("north")
        lift.snapshot_state()
        await Repository(InMemoryEventStore(), cls).save(lift)
        return ref(cls)

    used = await use()
    assert define("Lift", place="purchase").category == "Lift"
    assert used() is None


def test_an_abstract_class_has_no_streams() -> None:
    abstract: list[Any] = [
        type("Root", (Thing,), {"__module__": place}) for place in ("sales", "purchase")
    ]
    assert [cls.category for cls in abstract] == ["Root", "Root"]


class Device(Thing):
    category: ClassVar[str] = "category.device"

    def apply(self, event: Event[Named]) -> None:
        self.name = event.data.name


class Pump(Device):
    """With streams of its own."""


class Valve(Device):
    category: ClassVar[str] = "category.device"


class Tap(Device):
    category: ClassVar[str] = "category.device"


async def test_what_shares_the_category_of_its_base_is_found_there_again() -> None:
    store = InMemoryEventStore()
    devices = Repository(store, Device)
    for number, cls in enumerate((Device, Valve, Tap)):
        device = cls(str(number))
        device.give("north")
        await devices.save(device)
        assert (await devices.load(str(number))).name == "north"
        assert (await Repository(store, cls).load(str(number))).name == "north"


async def test_what_a_repository_would_not_find_again_is_refused() -> None:
    store = InMemoryEventStore()
    devices, pump = Repository(store, Device), Pump("7")
    pump.give("north")
    with pytest.raises(
        TypeError,
        match=r"a repository of Device would not find 'Pump-7' again: save it with a repository of "
        r"Pump, or set category = 'category.device' in Pump",
    ):
        await devices.save(pump)
    assert await store.stream_version("Pump-7") == 0
    assert [event.data for event in pump.pending_events] == [Named("north")]

    await Repository(store, Pump).save(pump)
    assert (await Repository(store, Pump).load("7")).name == "north"


async def test_nor_is_it_saved_in_a_transaction() -> None:
    store = InMemoryEventStore()
    pump = Pump("7")
    pump.give("north")
    async with store.transaction() as transaction:
        with pytest.raises(TypeError, match="would not find 'Pump-7' again"):
            await Repository(store, Device).save(pump, transaction=transaction)
    assert await store.stream_version("Pump-7") == 0


async def test_nor_by_a_command_with_an_id() -> None:
    def become_a_pump(device: Device) -> None:
        device.__class__ = Pump
        device.give("north")

    store = InMemoryEventStore()
    with pytest.raises(TypeError, match="would not find 'Pump-7' again"):
        await Repository(store, Device).update("7", become_a_pump, command_id="c")
    assert await store.stream_version("Pump-7") == 0


@pytest.mark.parametrize("category", [1, b"x", None])
def test_a_category_is_a_text(category: object) -> None:
    with pytest.raises(TypeError, match=r"Odd\.category is a str, got "):
        type("Odd", (Aggregate,), {"category": category})
