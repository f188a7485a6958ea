"""The table of changes in the page on changing events: each cell is so, by every serializer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import pytest

from eventsourcing_core import (
    Event,
    EventCodec,
    EventTypes,
    SerializationError,
    WasNamed,
    event,
    upcaster,
)
from eventsourcing_core.stores import Row
from tests.core.test_upcasters import SERIALIZERS

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "name-and-change-events.md"
any_upcaster: Any = upcaster

Fields = dict[str, Any]
Program = dict[str, Fields]
"""The fields of each type of events; a tuple is a hint and a default."""


class Change(NamedTuple):
    """A row of the table."""

    before: Program
    after: Program
    upcasters: dict[str, tuple[Any, Callable[[Fields], Any]]]
    old: Fields
    """What an event of the first type of the older program holds."""
    read: list[tuple[str, Fields]] | str
    """What the newer program makes of that: types and fields; or a part of the error."""
    new: Fields | None
    """What an event of the first type of the newer program holds; None: there is none."""
    by_older: Fields | str = ""
    """What the older program makes of that: fields, a part of the error, or ``NO_CLASS``."""
    is_told: bool = False
    """Whether the log is told of a field."""


NO_CLASS = "a dict without a class"

CHANGES = {
    "add a field": Change(
        {"e": {"a": int}},
        {"e": {"a": int, "b": (int, 5)}},
        {},
        {"a": 1},
        [("e", {"a": 1, "b": 5})],
        {"a": 1, "b": 2},
        {"a": 1},
    ),
    "add a field that follows from others": Change(
        {"e": {"a": int}},
        {"e.v2": {"a": int, "b": int}},
        {"e": ("e.v2", lambda data: data | {"b": 2 * data["a"]})},
        {"a": 1},
        [("e.v2", {"a": 1, "b": 2})],
        {"a": 1, "b": 2},
        NO_CLASS,
    ),
    "drop a field": Change(
        {"e": {"a": int, "b": int}},
        {"e": {"a": int}},
        {},
        {"a": 1, "b": 2},
        [("e", {"a": 1})],
        {"a": 1},
        "the field 'b' is missing",
        is_told=True,
    ),
    "rename a field": Change(
        {"e": {"a": int}},
        {"e": {"b": Annotated[int, WasNamed("a")]}},
        {},
        {"a": 1},
        [("e", {"b": 1})],
        {"b": 1},
        "the field 'a' is missing",
    ),
    "make a field optional, or a union": Change(
        {"e": {"a": int}},
        {"e": {"a": int | None}},
        {},
        {"a": 1},
        [("e", {"a": 1})],
        {"a": None},
        "e.a must be int, got NoneType",
    ),
    "make a union a part of it": Change(
        {"e": {"a": int | str}},
        {"e": {"a": int}},
        {},
        {"a": "x"},
        "e.a was stored as 'str' and now takes int",
        {"a": 1},
        {"a": 1},
    ),
    "change what a field holds": Change(
        {"e": {"a": int}},
        {"e.v2": {"a": str}},
        {"e": ("e.v2", lambda data: {"a": str(data["a"])})},
        {"a": 1},
        [("e.v2", {"a": "1"})],
        {"a": "1"},
        NO_CLASS,
    ),
    "rename the type": Change(
        {"e": {"a": int}},
        {"f": {"a": int}},
        {"e": ("f", lambda data: data)},
        {"a": 1},
        [("f", {"a": 1})],
        {"a": 1},
        NO_CLASS,
    ),
    "make several events of one": Change(
        {"e": {"a": int, "b": int}},
        {"f": {"a": int}, "g": {"b": int}},
        {"e": (("f", "g"), lambda data: [("f", {"a": data["a"]}), ("g", {"b": data["b"]})])},
        {"a": 1, "b": 2},
        [("f", {"a": 1}), ("g", {"b": 2})],
        {"a": 1},
        NO_CLASS,
    ),
    "drop an event": Change(
        {"e": {"a": int}},
        {"f": {"a": int}},
        {"e": ((), lambda _: [])},
        {"a": 1},
        [],
        None,
    ),
    "add a type of events": Change(
        {"e": {"a": int}},
        {"f": {"b": int}, "e": {"a": int}},
        {},
        {"a": 1},
        [("e", {"a": 1})],
        {"b": 2},
        NO_CLASS,
    ),
}


def program(classes: Program, upcasters: dict[str, tuple[Any, Any]]) -> EventTypes:
    types = EventTypes()
    for name, fields in classes.items():
        hints = {key: hint[0] if type(hint) is tuple else hint for key, hint in fields.items()}
        defaults = {key: hint[1] for key, hint in fields.items() if type(hint) is tuple}
        made: Any = type(name.partition(".")[0], (), {"__annotations__": hints, **defaults})
        event(name, event_types=types)(made)
    for source, (to, function) in upcasters.items():
        any_upcaster(source, to=to, event_types=types)(function)
    return types


def stored(serializer: Any, types: EventTypes, data: Fields) -> Row:
    """Store an event of the first type of a program."""
    cls: Any = next(iter(types.classes.values()))
    made = Event.of(cls(**data), event_types=types)
    return Row("s-1", 1, 1, *EventCodec(serializer, event_types=types).encode(made))


def read(serializer: Any, types: EventTypes, row: Row) -> list[tuple[str, Any]]:
    found = EventCodec(serializer, event_types=types).decode([row])
    return [(each.event_type, each.data) for each in found]


def fields_of(data: Any) -> Fields:
    return {name: getattr(data, name) for name in type(data).__annotations__}


@pytest.fixture(params=SERIALIZERS)
def serializer(request: pytest.FixtureRequest) -> Any:
    return SERIALIZERS[request.param]


@pytest.mark.parametrize("name", CHANGES)
def test_the_newer_program_reads_old_events(
    serializer: Any, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    change = CHANGES[name]
    older, newer = program(change.before, {}), program(change.after, change.upcasters)
    row = stored(serializer, older, change.old)
    if isinstance(change.read, str):
        with pytest.raises(SerializationError, match=change.read):
            read(serializer, newer, row)
        return
    found = read(serializer, newer, row)
    assert [(kind, fields_of(data)) for kind, data in found] == change.read
    assert ("are stored with the field" in caplog.text) is change.is_told


@pytest.mark.parametrize("name", CHANGES)
def test_the_older_program_reads_new_events(serializer: Any, name: str) -> None:
    change = CHANGES[name]
    if change.new is None:
        return
    older, newer = program(change.before, {}), program(change.after, change.upcasters)
    row = stored(serializer, newer, change.new)
    if change.by_older == NO_CLASS:
        assert read(serializer, older, row) == [(next(iter(newer.classes)), change.new)]
    elif isinstance(change.by_older, str):
        with pytest.raises(SerializationError, match=change.by_older):
            read(serializer, older, row)
    else:
        ((_, data),) = read(serializer, older, row)
        assert fields_of(data) == change.by_older


def test_the_page_lists_these_changes() -> None:
    _, _, rest = PAGE.read_text("utf-8").partition("| change | what you do |")
    table, _, _ = rest.partition("\n\n")
    rows = [line.split("|")[1].strip() for line in table.splitlines()[2:]]
    assert rows == [*CHANGES]
