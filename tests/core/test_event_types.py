from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import pytest

from eventsourcing_core import EventTypes, SerializationError, UnknownEventTypeError, event


def test_event_makes_a_frozen_slotted_dataclass() -> None:
    @event(event_types=EventTypes())
    class Opened:
        owner: str
        tags: tuple[str, ...] = ()

    opened = Opened("Alice")
    assert opened == Opened("Alice", ())
    with pytest.raises(dataclasses.FrozenInstanceError):
        opened.owner = "Bob"  # type: ignore[misc]  # the mistake
    assert not hasattr(opened, "__dict__")


def test_the_name_is_the_class_name_unless_given() -> None:
    types = EventTypes()

    @event(event_types=types)
    class Opened:
        pass

    @event("account.closed", event_types=types)
    class Closed:
        pass

    assert (types.name_of(Opened), types.name_of(Closed)) == ("Opened", "account.closed")
    assert types.classes == {"Opened": Opened, "account.closed": Closed}


def make(types: EventTypes, name: str | None = None) -> type:
    @event(name, event_types=types)
    class Opened:
        owner: str

    return Opened


def test_two_classes_under_one_name_are_refused() -> None:
    types = EventTypes()
    first = make(types)
    with pytest.raises(ValueError, match=r"'Opened' is registered for .*make.<locals>.Opened"):

        @event(event_types=types)
        class Opened:  # pyright: ignore[reportUnusedClass] - it is the decorator that must fail
            owner: str

    assert types.classes["Opened"] is first
    assert types.name_of(make(types, "opened.again")) == "opened.again"


def test_a_bad_name_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid event type"):
        make(EventTypes(), "bad\nname")


def test_one_class_under_two_names_is_refused() -> None:
    types = EventTypes()
    cls = make(types)
    types.register(cls)
    with pytest.raises(ValueError, match="is registered as 'Opened' already, not 'other'"):
        types.register(cls, "other")


def test_a_frozen_dataclass_is_registered_as_it_is() -> None:
    types = EventTypes()

    @event(event_types=types)
    @dataclasses.dataclass(frozen=True, order=True)
    class Moved:
        to: str

    assert Moved("a") < Moved("b")  # pyright: ignore[reportOperatorIssue] - it knows only `event`
    assert types.name_of(Moved) == "Moved"


def test_a_dataclass_that_can_change_is_refused() -> None:
    with pytest.raises(TypeError, match="make it frozen"):

        @event(event_types=EventTypes())
        @dataclasses.dataclass
        class Moved:  # pyright: ignore[reportUnusedClass] - it is the decorator that must fail
            to: str


def test_a_named_tuple_can_be_registered() -> None:
    class Moved(NamedTuple):
        to: str

    types = EventTypes()
    types.register(Moved)
    assert types.name_of(Moved) == "Moved"


@pytest.mark.parametrize("hint", [object, "Missing", complex, list[complex], type, int | complex])
def test_a_hint_that_cannot_be_stored_is_refused_at_registration(hint: Any) -> None:
    cls = dataclasses.make_dataclass("Odd", [("fine", int), ("odd", hint)], frozen=True)
    types = EventTypes()
    with pytest.raises(SerializationError, match="Odd"):
        types.register(cls)
    assert types.classes == {}
    with pytest.raises(UnknownEventTypeError):
        types.name_of(cls)


def test_the_refusal_names_class_and_field() -> None:
    cls = dataclasses.make_dataclass("Odd", [("odd", complex)], frozen=True)
    with pytest.raises(SerializationError, match=r"Odd\.odd has the hint complex"):
        EventTypes().register(cls)


def test_a_class_without_typed_fields_is_refused() -> None:
    with pytest.raises(SerializationError, match="has no typed fields"):
        EventTypes().register(int)


def test_only_classes_are_made_events() -> None:
    with pytest.raises(TypeError, match="@event makes classes events, got <function"):
        event(lambda: None)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue] - the mistake


@pytest.mark.parametrize("registry", [None, "orders", dict[str, type]()], ids=repr)
def test_the_registry_is_one(registry: Any) -> None:
    with pytest.raises(TypeError, match="event_types is the registry, an EventTypes, got "):
        event("order.placed", event_types=registry)
