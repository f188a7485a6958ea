"""Copies of states: what can change is shared by no two, and what is no state is not copied."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsourcing_core import Aggregate, Event, EventTypes, Transient
from eventsourcing_core._state.copying import copy_state, never_changes, unshared
from tests.every_store._ledger import Ledger, changes, state


class Colour(Enum):
    RED = 1


@dataclass(frozen=True)
class Point:
    x: int
    inside: tuple[object, ...] = ()


@dataclass(frozen=True)
class Holder:
    items: list[int]


@dataclass
class Open:
    items: list[int] = field(default_factory=list[int])


@pytest.mark.parametrize(
    "value",
    [1, "a", None, 1.5, b"x", Colour.RED, (1, ("a",)), frozenset({1}), Point(1, (Point(2),))],
    ids=repr,
)
def test_what_never_changes_is_taken_as_it_is(value: object) -> None:
    assert never_changes(value)
    assert unshared(value) is value


@pytest.mark.parametrize(
    "value",
    [[1], {"a": 1}, {1}, ([1],), Point(1, ([],)), Holder([1]), Open([1]), [Open([1])], {"a": [1]}],
    ids=repr,
)
def test_what_can_change_is_copied(value: object) -> None:
    assert not never_changes(value)
    copied = unshared(value)
    assert copied == value
    assert copied is not value


@pytest.mark.parametrize("values", [[[1], [2]], {"a": [1]}, ([1],), [Holder([1])]], ids=repr)
def test_what_can_change_inside_is_copied_too(values: Any) -> None:
    def inner(container: Any) -> Any:
        found = next(iter(container.values() if isinstance(container, dict) else container))
        return found.items if isinstance(found, Holder) else found

    assert inner(unshared(values)) is not inner(values)


class Odd(Aggregate):
    """Has whatever an aggregate may have."""

    event_types = EventTypes()
    one: list[int]
    two: list[int]
    deep: list[list[int]]
    handlers: dict[str, Any]
    lock: Transient[object]
    gone: int

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.one = self.two = [1]
        self.deep = [self.one]
        self.handlers = {"sold": self.sold}
        self.lock = threading.Lock()
        self.gone = 1

    def sold(self) -> Aggregate:
        """Give itself."""
        return self

    def apply(self, event: Event[object]) -> None:
        """Do nothing."""


def copy_of(source: Odd) -> Odd:
    target = Odd(source.id)
    copy_state(source, target)
    return target


def test_two_names_of_one_object_stay_two_names_of_one() -> None:
    source = Odd("1")
    copied = copy_of(source)
    assert copied.one is copied.two is copied.deep[0]
    assert copied.one is not source.one


def test_what_refers_to_the_aggregate_refers_to_the_copy() -> None:
    copied = copy_of(Odd("1"))
    assert copied.handlers["sold"]() is copied


def test_what_is_no_state_is_made_anew_and_what_is_gone_stays_gone() -> None:
    source = Odd("1")
    del source.gone
    setattr(source, "undeclared", [1])  # noqa: B010 - it is no attribute of its class
    copied = copy_of(source)
    assert copied.lock is not source.lock
    assert not hasattr(copied, "gone")
    assert vars(copied)["undeclared"] == [1]
    assert vars(copied)["undeclared"] is not vars(source)["undeclared"]


def test_a_state_that_cannot_be_copied_is_named() -> None:
    source = Odd("1")
    source.handlers = {"lock": threading.Lock()}
    with pytest.raises(TypeError, match=r"Odd\.handlers cannot be copied.*Transient"):
        copy_of(source)


@given(st.lists(changes, max_size=8), st.lists(changes, max_size=4))
def test_a_copy_goes_on_as_the_original_does_and_changes_nothing_in_it(
    before: list[object], after: list[object]
) -> None:
    ledger, expected, copied = Ledger("1"), Ledger("1"), Ledger("1")
    ledger.record(before)
    expected.record([*before, *after])
    was = repr(state(ledger))
    copy_state(ledger, copied)
    copied.version = ledger.version
    copied.record(after)
    assert state(copied) == state(expected)
    assert repr(state(ledger)) == was


class Status:
    """Is compared by identity."""

    def __init__(self, name: str) -> None:
        self.name = name


OPEN, CLOSED, UNSET = Status("open"), Status("closed"), object()


class Door(Aggregate):
    """Has constants in its state."""

    LOCKED = Status("locked")

    def __init__(self, id: str) -> None:  # noqa: A002 - the word of the domain
        super().__init__(id)
        self.status = OPEN
        self.limit = UNSET
        self.before = [CLOSED, {"last": self.LOCKED}]
        self.own = Status("open")

    def apply(self, event: Event[dict[str, Any]]) -> None:
        """Change nothing."""


def test_what_a_module_or_a_class_has_a_name_for_is_not_copied() -> None:
    door, copied = Door("1"), Door("2")
    door.status = CLOSED
    copy_state(door, copied)
    assert copied.status is CLOSED
    assert copied.limit is UNSET
    assert copied.before == [CLOSED, {"last": Door.LOCKED}]
    assert copied.before is not door.before
    assert copied.own is not door.own
