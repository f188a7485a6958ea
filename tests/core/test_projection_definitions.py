"""What users write of views, projections and reactors, and what is refused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from types import new_class
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import pytest

from eventsourcing_core import (
    EventTypes,
    Projection,
    ProjectionError,
    Reactor,
    RecordedEvent,
    SerializationError,
    UnknownEventTypeError,
    View,
    event,
    open_backend,
)
from eventsourcing_core._projections.definition import definition_of, value_hint_of

types = EventTypes()


@event("a", event_types=types)
class A:
    """An event."""


@event("b", event_types=types)
class B:
    """Another one."""


class Value(NamedTuple):
    """A value of a view."""

    status: str


K = TypeVar("K")
V = TypeVar("V")


class Lists(View[list[V]], Generic[V]):
    """A view of lists."""


class Named(View[V], Generic[K, V]):
    """A view whose values are the second of two parameters."""


class NamedLists(Named[K, list[V]], Generic[V, K]):
    """The same the other way round."""


class Maybe(View[V | None]):
    """A view of values that may be none."""


class Fine(View[Value]):
    """A view as it should be."""

    name = "fine"
    indexes = ("status",)

    def evolve(self, value: Value | None, event: RecordedEvent[A]) -> Value | None:
        raise NotImplementedError


def named(annotation: Any) -> type[Reactor]:
    """Make a reactor whose event has an annotation."""

    class Made(Reactor):
        name = "made"

        async def react(self, event: Any) -> None:
            raise NotImplementedError

    Made.react.__annotations__["event"] = annotation
    return Made


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (RecordedEvent[A], {"a"}),
        (RecordedEvent[A | B], {"a", "b"}),
        (RecordedEvent[A] | RecordedEvent[B], {"a", "b"}),
        ("RecordedEvent[A | B]", {"a", "b"}),
        (Sequence[RecordedEvent[B]], {"b"}),
        (RecordedEvent[Any], None),
        (RecordedEvent[dict[str, Any]], None),
        (RecordedEvent, None),
        (Any, None),
    ],
)
def test_the_events_are_those_of_the_annotation(annotation: Any, expected: set[str] | None) -> None:
    found = definition_of(named(annotation)(), types)
    assert found.event_types == expected


def test_listed_events_go_before_those_of_the_annotation() -> None:
    cls = named(RecordedEvent[A])
    cls.event_types = (B, "old.name")
    assert definition_of(cls(), types).event_types == frozenset({"b", "old.name"})


def test_only_the_annotation_of_the_event_is_looked_at() -> None:
    class Table(Projection[Any]):
        name = "table"

        async def apply(self, event: RecordedEvent[A], connection: Missing) -> None:  # type: ignore[name-defined] # noqa: F821 - as under TYPE_CHECKING
            raise NotImplementedError

    assert definition_of(Table(), types).event_types == frozenset({"a"})


def test_a_key_of_its_own_is_noticed() -> None:
    class Keyed(Fine):
        def key(self, event: RecordedEvent[Any]) -> str:
            return event.event_type

    assert definition_of(Fine(), types).is_keyed_by_stream
    assert not definition_of(Keyed(), types).is_keyed_by_stream


def bad(base: type[Any], **changes: Any) -> object:
    """Make an object of a class with something changed."""
    return type("Bad", (base,), changes)()


def plain(self: object, event: object) -> None:
    """A handler that is no coroutine."""


async def waits(self: object, value: object, event: object) -> None:
    """A handler that should not be a coroutine."""


def of_missing(self: object, value: object, event: Nothing) -> None:  # type: ignore[name-defined] # noqa: F821 - it is not there
    """A handler of events that are not there."""


class Listed(View[list[int]]):
    """A view whose values have no fields."""

    name = "listed"
    indexes = ("status",)

    def evolve(self, value: list[int] | None, event: RecordedEvent[A]) -> list[int] | None:
        raise NotImplementedError


class Unstorable(View[Collection[object]]):
    """A view whose values cannot be stored."""

    name = "unstorable"

    def evolve(
        self, value: Collection[object] | None, event: RecordedEvent[A]
    ) -> Collection[object] | None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: Fine, TypeError, r"give an object of the class, Fine\(\)"),
        (lambda: 7, TypeError, "runs views, projections and reactors, got 7"),
        (lambda: bad(Fine, name="Ä"), ValueError, "1 to 40 of a-z"),
        (lambda: bad(Fine, name="-a"), ValueError, "1 to 40 of a-z"),
        (lambda: bad(Fine, name="a" * 41), ValueError, "1 to 40 of a-z"),
        (lambda: bad(Fine, name=None), TypeError, "has no name"),
        (lambda: bad(Fine, version=0), ValueError, "version"),
        (lambda: bad(Fine, version=10**7), ValueError, "at most 1,000,000"),
        (lambda: bad(Fine, version="2"), TypeError, "version"),
        (lambda: bad(Fine, indexes="status"), TypeError, "tuple of field names"),
        (lambda: bad(Fine, indexes=("colour",)), ValueError, "no such field"),
        (lambda: bad(Fine, event_types="a"), TypeError, "got the text 'a'"),
        (lambda: bad(Fine, event_types=[Value]), UnknownEventTypeError, "not a registered"),
        (lambda: bad(Fine, evolve=waits), TypeError, "plain function"),
        (lambda: bad(Fine, evolve=lambda value: value), TypeError, "too few arguments"),
        (lambda: bad(Fine, evolve=of_missing), ProjectionError, "Nothing"),
        (named('RecordedEvent["Nothing"]'), ProjectionError, "Nothing"),
        (lambda: bad(View, name="x"), TypeError, "no handler: define evolve"),
        (lambda: bad(Projection, name="x"), TypeError, "define apply or apply_many"),
        (lambda: bad(Projection, name="x", apply=plain), TypeError, "coroutine function"),
        (lambda: bad(Reactor, name="x", react=plain), TypeError, "async def react"),
        (
            lambda: bad(Reactor, name="x", react=waits, start="Now"),
            ValueError,
            "or 'now', got 'Now'",
        ),
        (
            lambda: bad(Projection, name="x", apply=waits, create=plain),
            TypeError,
            "async def create",
        ),
        (lambda: bad(Fine, key=waits), TypeError, "key must be a plain function"),
        (lambda: bad(Listed), SerializationError, "fields of its values"),
        (lambda: bad(Unstorable), SerializationError, "cannot be stored"),
    ],
)
def test_what_cannot_be_is_refused(make: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        definition_of(make(), types)


@pytest.mark.parametrize(
    ("base", "hint"),
    [
        (Lists[int], list[int]),
        (Named[str, int], int),
        (NamedLists[int, str], list[int]),
        (Maybe[str], str | None),
        (Lists, list[Any]),
        (Named, Any),
        (View, Any),
    ],
    ids=["list", "second", "swapped", "maybe", "list-untold", "second-untold", "untold"],
)
def test_the_type_of_the_values_is_found_behind_a_generic_base(base: Any, hint: Any) -> None:
    made = new_class("Made", (base,))
    below = new_class("Below", (made,))
    assert value_hint_of(made) == value_hint_of(below) == hint


@pytest.mark.parametrize(
    "annotation",
    [
        list[RecordedEvent[A]],
        tuple[RecordedEvent[A], ...],
        Annotated[RecordedEvent[A], "a"],
        RecordedEvent[Annotated[A, "a"]],
    ],
    ids=["list", "tuple", "annotated", "annotated-inside"],
)
def test_the_classes_of_events_are_found_in_what_holds_them(annotation: Any) -> None:
    assert definition_of(named(annotation)(), types).event_types == frozenset({"a"})


@pytest.mark.parametrize("one", [Reactor, 7])
async def test_one_that_is_not_in_a_list_is_named(one: Any) -> None:
    async with open_backend("memory://") as backend:
        with pytest.raises(TypeError, match="projections are given as a list, got"):
            backend.projector(one)
    with pytest.raises(TypeError, match="projections are given as a list, got"):
        open_backend("memory://", inline=one)
