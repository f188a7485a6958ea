"""What `compare` says of two layouts is what becomes of events."""

from __future__ import annotations

import json
import tempfile
from dataclasses import field, make_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NotRequired, TypedDict
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from eventsourcing_core import EventTypes, SerializationError
from eventsourcing_core.evolution import (
    Compatibility,
    Shape,
    compare_layouts,
    freeze,
    layout_of,
    misread,
    read_frozen,
)
from eventsourcing_core.evolution._layouts import classes as made_classes
from eventsourcing_core.evolution._layouts.layout import DEFAULT, layout_from_json
from tests.core.evolution._changing import pairs_of_classes
from tests.core.evolution._trees import trees

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventsourcing_core.evolution import Layout

FULL, BACKWARD = Compatibility.FULL, Compatibility.BACKWARD
FORWARD, NONE = Compatibility.FORWARD, Compatibility.NONE
SETTINGS = settings(
    deadline=None,
    database=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


def registered(cls: type) -> EventTypes:
    """Give a registry of a class; passed over if it is one that is refused."""
    event_types = EventTypes()
    try:
        event_types.register(cls, "noted")
    except SerializationError:
        assume(condition=False)
    return event_types


def is_read(writer: EventTypes, reader: EventTypes, serializer: str) -> bool:
    """Tell whether the examples of one class, encoded, are read by another as what they are."""
    with tempfile.TemporaryDirectory() as folder:
        done = freeze(writer, Path(folder), [serializer])
        assert done.refused == {}
        (file,) = map(read_frozen, done.written)
        return misread(file, reader) == []


def kept(layout: Layout) -> Layout:
    """Give a layout as it comes out of a file."""
    return layout_from_json(json.loads(json.dumps(layout.as_json())))


def check_verdict(classes: tuple[type, type]) -> None:
    old, new = map(registered, classes)
    found = compare_layouts(*(kept(layout_of(each)) for each in classes))
    for serializer in ("json", "msgpack"):
        assert found.compatibility is Compatibility.of(
            backward=is_read(old, new, serializer), forward=is_read(new, old, serializer)
        )


@SETTINGS
@given(pairs_of_classes())
def test_a_verdict_is_what_becomes_of_events(classes: tuple[type, type]) -> None:
    check_verdict(classes)


@SETTINGS
@given(pairs_of_classes())
def test_the_reasons_say_what_the_verdict_says(classes: tuple[type, type]) -> None:
    for each in classes:
        registered(each)
    found = compare_layouts(*map(layout_of, classes))
    assert found.compatibility is Compatibility.of(
        backward=not any(each.new_code for each in found.changes),
        forward=not any(each.old_code for each in found.changes),
    )


@SETTINGS
@given(pairs_of_classes(), st.data())
def test_what_is_compatible_is_read_whatever_its_values(
    classes: tuple[type, type], data: st.DataObject
) -> None:
    old, new = (registered(each).conversions["noted"] for each in classes)
    layout = layout_of(classes[0])
    assume(compare_layouts(layout, layout_of(classes[1])).compatibility.covers(BACKWARD))
    tree = data.draw(trees(layout))
    new.decode(old.encode(old.decode(tree)))


WRONG: dict[str, Callable[[Any], Any]] = {
    "every field has a default": lambda each: each._replace(if_missing=DEFAULT),
    "no field has a default": lambda each: each._replace(if_missing="refused"),
    "no hint is optional": lambda each: each._replace(
        shape=Shape(each.shape.kind, tuple(of for of in each.shape.of if of.kind != "None"))
        if each.shape.kind == "|"
        else each.shape
    ),
    "a union has no tags": lambda each: (
        each._replace(shape=each.shape.of[0]) if each.shape.kind == "|" else each
    ),
}


@pytest.mark.parametrize("rule", WRONG)
def test_a_wrong_rule_is_noticed(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong, right = WRONG[rule], made_classes._Classes

    def made(layout: Layout) -> Any:
        record = layout.record
        fields = tuple(map(wrong, record.fields))
        classes = {**layout.classes, layout.root: record._replace(fields=fields)}
        return right(layout._replace(classes=classes))

    @settings(SETTINGS, max_examples=400, phases=[Phase.generate], derandomize=True)
    @given(pairs_of_classes())
    def test(classes: tuple[type, type]) -> None:
        check_verdict(classes)

    monkeypatch.setattr(made_classes, "_Classes", made)
    with pytest.raises((AssertionError, SerializationError)):
        test()


class Light(Enum):
    RED = "red"
    GREEN = "green"


class LightWithYellow(Enum):
    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"


class Home(NamedTuple):
    street: str


class Card(NamedTuple):
    number: str


class Keys(TypedDict):
    name: str


class MoreKeys(TypedDict):
    name: str
    age: NotRequired[int]


make: Any = make_dataclass


def noted(*fields: Any) -> Any:
    return make("Noted", fields, frozen=True)


def one(hint: Any) -> Any:
    return noted(("value", hint))


CASES: dict[str, tuple[Any, Any, Compatibility]] = {
    "nothing": (one(int), one(int), FULL),
    "a field is added, with a default": (noted(), noted(("a", int, 0)), FULL),
    "a field is added, without a default": (noted(), noted(("a", int)), FORWARD),
    "a field is added, with a default that changes": (
        noted(),
        noted(("id", UUID, field(default_factory=uuid4))),
        FORWARD,
    ),
    "a field is dropped that had none": (noted(("a", int)), noted(), BACKWARD),
    "a field is dropped that had one": (noted(("a", int, 0)), noted(), FULL),
    "a field is renamed": (noted(("a", int)), noted(("b", int)), NONE),
    "a field is renamed that has a default": (noted(("a", int, 0)), noted(("b", int, 0)), FULL),
    "a hint becomes optional": (one(Home), one(Home | None), BACKWARD),
    "a hint becomes a float": (one(int), one(float), BACKWARD),
    "a scalar becomes a union": (one(Decimal), one(Decimal | str), BACKWARD),
    "a union is narrowed": (one(Decimal | int), one(Decimal), FORWARD),
    "a union becomes Any, which reads its tags as dicts": (one(int | str), one(Any), NONE),
    "two scalars with texts that look alike": (one(date), one(datetime), NONE),
    "an id becomes a text": (one(UUID), one(str), NONE),
    "an enum gets a member": (one(Light), one(LightWithYellow), BACKWARD),
    "a literal gets a value": (one(Literal["a"]), one(Literal["a", "b"]), BACKWARD),
    "a class in a union is another one": (one(Home | int), one(Card | int), NONE),
    "a list becomes a tuple": (one(list[int]), one(tuple[int, ...]), FULL),
    "a list becomes a set": (one(list[int]), one(set[int]), NONE),
    "a typed dict may have one more key": (one(Keys), one(MoreKeys), FULL),
}


@pytest.mark.parametrize("case", CASES)
def test_a_change_is_as_compatible_as_the_pages_say(case: str) -> None:
    old, new, expected = CASES[case]
    assert compare_layouts(layout_of(old), layout_of(new)).compatibility is expected
    check_verdict((old, new))


def test_a_renamed_class_is_no_change_outside_of_unions() -> None:
    old = make("Noted", [("home", make("Home", [("street", str)]))])
    new = make("Noted", [("home", make("House", [("street", str)]))])
    assert compare_layouts(layout_of(old), layout_of(new)).compatibility is FULL


def test_a_change_in_a_class_within_is_named_there() -> None:
    old = make("Noted", [("home", make("Home", [("street", str)]))])
    new = make("Noted", [("home", make("Home", [("street", str), ("town", str)]))])
    (change,) = compare_layouts(layout_of(old), layout_of(new)).changes
    assert (change.place, change.old, change.new) == ("Home.town", "", "str")
    assert "'town' is missing" in change.new_code
    assert change.old_code == ""


def test_what_is_said_of_an_enum_names_no_field() -> None:
    old, new = (make("Lit", [("light", Enum("Hue", names))]) for names in ("RED BLUE", "RED"))
    (change,) = compare_layouts(layout_of(old), layout_of(new)).changes
    assert (change.place, change.new_code) == ("Hue", "must be Hue, got int: 2")


@pytest.mark.parametrize("wanted", Compatibility, ids=str)
@pytest.mark.parametrize("found", Compatibility, ids=str)
def test_a_verdict_covers_what_it_promises(found: Compatibility, wanted: Compatibility) -> None:
    promised = {FULL: {FULL, BACKWARD, FORWARD}, BACKWARD: {BACKWARD}, FORWARD: {FORWARD}}
    assert found.covers(wanted) is (wanted in promised.get(found, set()) or wanted is NONE)
