"""What reading a payload does as its constructor would, and what it stores in the same bytes."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from eventsourcing_core import Event, EventCodec, EventTypes, event
from eventsourcing_core.stores import Row

types = EventTypes()


@event("circle.drawn", event_types=types)
class Drawn:
    radius: int
    area: int = dataclasses.field(init=False, default=-1)
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.radius < 0:
            message = "a radius is not negative"
            raise ValueError(message)
        object.__setattr__(self, "area", 3 * self.radius**2)


@event("circle.named", event_types=types)
class Named:
    name: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.strip())


@event("circle.counted", event_types=types)
class Counted:
    count: int
    unit: str = dataclasses.field(init=False, default="pieces")


@event("circle.priced", event_types=types)
class Priced:
    price: Decimal
    prices: dict[str, Decimal] = dataclasses.field(default_factory=dict[str, Decimal])


@event("circle.labelled", event_types=types)
class Labelled:
    labels: frozenset[str]
    nested: set[tuple[int, frozenset[int]]] = dataclasses.field(
        default_factory=set[tuple[int, frozenset[int]]]
    )


def back(payload: Any, encoding: str) -> Any:
    codec = EventCodec(encoding, event_types=types)
    encoded = codec.encode(Event.of(payload, event_types=types))
    (found,) = codec.decode([Row("s", 1, 1, *encoded)])
    return found.data


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_reading_runs_post_init(encoding: str) -> None:
    found = back(Drawn(2, ("a",)), encoding)
    assert (found.area, found.labels) == (12, ("a",))


def test_reading_runs_post_init_also_where_it_sees_all_that_is_stored() -> None:
    assert types.conversions["circle.named"].decode({"name": " A "}) == Named("A")
    assert types.conversions["circle.named"].decode({"name": " A "}).name == "A"


def test_reading_runs_the_checks_of_post_init() -> None:
    with pytest.raises(ValueError, match="a radius is not negative"):
        types.conversions["circle.drawn"].decode({"radius": -1})


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_a_field_that_the_constructor_does_not_take_is_there_after_reading(encoding: str) -> None:
    found = back(Counted(2), encoding)
    assert found.unit == "pieces"
    assert found == Counted(2)


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
@pytest.mark.parametrize("text", ["1E+3", "1.10", "0E-7", "-0", "1000"])
def test_a_decimal_comes_back_with_the_same_digits(encoding: str, text: str) -> None:
    found = back(Priced(Decimal(text), {"a": Decimal(text)}), encoding)
    assert (str(found.price), str(found.prices["a"])) == (text, text)
    untyped = Event("circle.untyped", {"price": Decimal(text)})
    codec = EventCodec(encoding, event_types=types)
    (event,) = codec.decode([Row("s", 1, 1, *codec.encode(untyped))])
    assert str(event.data["price"]) == text


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_equal_sets_give_equal_bytes(encoding: str) -> None:
    # With equal hashes modulo the size of the table, the order of a set is that of its making.
    numbers = [8 * number for number in range(6)]
    one, other = set(numbers), set(numbers[::-1])  # noqa: C415 - the order is the point
    assert list(one) != list(other)
    codec = EventCodec(encoding, event_types=types)
    first, second = (
        codec.encode(
            Event.of(
                Labelled(frozenset("ab"), {(1, frozenset(each)), (2, frozenset(each))}),
                event_types=types,
            )
        )
        for each in (one, other)
    )
    assert first.data == second.data
