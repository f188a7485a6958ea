"""Freezing events, and the suite that reads what was frozen."""

from __future__ import annotations

import json
from dataclasses import dataclass, make_dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import EventCodec, EventTypes, event
from eventsourcing_core.evolution import (
    FrozenFileError,
    freeze,
    frozen_paths,
    layout_of,
    misread,
    read_frozen,
)
from eventsourcing_core.testing import FrozenEventsContract

if TYPE_CHECKING:
    from pathlib import Path

make: Any = make_dataclass


def types_of(*fields: Any, name: str = "noted") -> EventTypes:
    """Give a registry of one event type."""
    event_types = EventTypes()
    event_types.register(make("Noted", fields, frozen=True), name)
    return event_types


def contract(folder: Path, event_types: EventTypes) -> type[FrozenEventsContract]:
    """Give the suite of a folder."""
    return type(
        "TestFrozen", (FrozenEventsContract,), {"folder": folder, "event_types": event_types}
    )


def failure_of(test: Any, *arguments: object) -> str:
    """Give the text that a test of the suite fails with."""
    with pytest.raises(pytest.fail.Exception) as failed:
        test(*arguments)
    return str(failed.value)


def test_freezing_again_changes_nothing(tmp_path: Path) -> None:
    event_types = types_of(("text", str))
    first = freeze(event_types, tmp_path, ["json", "msgpack"])
    texts = [path.read_bytes() for path in first.written]
    again = freeze(event_types, tmp_path, ["json", "msgpack"])
    assert len(texts) == 2
    assert (again.written, again.kept) == ((), 2)
    assert [path.read_bytes() for path in first.written] == texts


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    texts = [
        freeze(types_of(("a", dict[str, set[Decimal]])), tmp_path / name).written[0].read_bytes()
        for name in ("one", "other")
    ]
    assert texts[0] == texts[1]


def test_a_changed_layout_is_a_new_file_beside_the_old_one(tmp_path: Path) -> None:
    (old,) = freeze(types_of(("a", int)), tmp_path).written
    text = old.read_bytes()
    (new,) = freeze(types_of(("a", int), ("b", str, "")), tmp_path).written
    assert [path.name for path in (old, new)] == ["noted.1.json", "noted.2.json"]
    assert old.read_bytes() == text


def test_a_layout_that_comes_back_is_the_newest_again(tmp_path: Path) -> None:
    for fields in ([("a", int)], [("b", int)], [("a", int)]):
        freeze(types_of(*fields), tmp_path)
    assert [path.name for path in frozen_paths(tmp_path)] == [
        "noted.1.json",
        "noted.2.json",
        "noted.3.json",
    ]


def test_a_file_holds_the_bytes_that_are_stored(tmp_path: Path) -> None:
    (path,) = freeze(types_of(("text", str), ("amount", Decimal)), tmp_path).written
    assert read_frozen(path).examples[0].stored == (
        '{"text":"some text, ä","amount":"12.50"}'.encode()
    )


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a/b c.ü", "a%2Fb%20c.%C3%BC.1.json"),
        ("..", "...1.json"),
        ("x" * 255, f"{'x' * 150}.1.json"),
    ],
)
def test_a_name_of_a_type_is_a_name_of_a_file(name: str, file: str, tmp_path: Path) -> None:
    (path,) = freeze(types_of(name=name), tmp_path).written
    assert path == tmp_path / "json" / file
    assert read_frozen(path).event_type == name


def test_a_file_of_another_type_is_not_written_over(tmp_path: Path) -> None:
    freeze(types_of(name="x" * 200), tmp_path)
    with pytest.raises(FrozenFileError, match="is there already, for another event type"):
        freeze(types_of(name="x" * 201), tmp_path)


@dataclass(frozen=True)
class Even:
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            message = "a number is even"
            raise ValueError(message)


@dataclass(frozen=True)
class Coded:
    code: str

    def __post_init__(self) -> None:
        if not self.code.startswith("#"):
            message = "a code begins with #"
            raise ValueError(message)


def coded() -> EventTypes:
    event_types = EventTypes()
    event_types.register(Coded, "coded")
    return event_types


def test_a_class_that_refuses_all_examples_is_named_with_the_cure(tmp_path: Path) -> None:
    done = freeze(coded(), tmp_path)
    assert done.written == ()
    assert "a code begins with #" in done.refused["coded"]
    assert "--examples" in done.refused["coded"]


def test_examples_can_be_given(tmp_path: Path) -> None:
    (path,) = freeze(coded(), tmp_path, examples=[Coded("#1"), Coded("#2")]).written
    assert [each.stored for each in read_frozen(path).examples] == [
        b'{"code":"#1"}',
        b'{"code":"#2"}',
    ]
    assert misread(read_frozen(path), coded()) == []


def test_a_class_that_refuses_some_examples_is_frozen_with_the_others(tmp_path: Path) -> None:
    event_types = EventTypes()
    event_types.register(make("Noted", [("even", Even | None)]), "noted")
    (path,) = freeze(event_types, tmp_path).written
    assert [each.stored for each in read_frozen(path).examples] == [b'{"even":null}']


def test_the_suite_passes_where_nothing_has_changed(tmp_path: Path) -> None:
    event_types = types_of(("a", int))
    (path,) = freeze(event_types, tmp_path).written
    suite = contract(tmp_path, event_types)()
    suite.test_a_frozen_file_is_read_as_what_it_was(path)
    suite.test_a_frozen_file_has_its_own_name(path)
    suite.test_an_event_type_is_frozen_as_it_is("noted")


def test_the_suite_names_a_file_that_was_changed_by_hand(tmp_path: Path) -> None:
    event_types = types_of(("a", int))
    (path,) = freeze(event_types, tmp_path).written
    path.write_text(path.read_text("utf-8").replace("1729", "1730"), "utf-8")
    suite = contract(tmp_path, event_types)()
    said = failure_of(suite.test_a_frozen_file_is_read_as_what_it_was, path)
    assert f"{path} was changed by hand" in said


def test_a_file_that_was_only_laid_out_otherwise_is_as_good(tmp_path: Path) -> None:
    event_types = types_of(("a", int))
    (path,) = freeze(event_types, tmp_path).written
    path.write_text(json.dumps(json.loads(path.read_text("utf-8"))), "utf-8")
    assert misread(read_frozen(path), event_types) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "null", "\ud800"])
def test_a_file_that_is_none_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "noted.1.json"
    path.write_text(text, "utf-8", errors="surrogatepass")
    with pytest.raises(FrozenFileError, match=r"noted\.1\.json is no frozen file"):
        read_frozen(path)


def test_a_file_of_a_newer_format_asks_for_an_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "noted.1.json"
    path.write_text('{"format": "eventsourcing-frozen", "format_version": 2}', "utf-8")
    with pytest.raises(FrozenFileError, match="has the format version 2: upgrade"):
        read_frozen(path)


def test_the_suite_names_a_file_that_was_copied(tmp_path: Path) -> None:
    event_types = types_of(("a", int))
    (path,) = freeze(event_types, tmp_path).written
    copy = path.with_name("noted.2.json")
    copy.write_bytes(path.read_bytes())
    suite = contract(tmp_path, event_types)()
    with pytest.raises(AssertionError):
        suite.test_a_frozen_file_has_its_own_name(copy)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([("b", int)], "the field 'b' is missing"),
        ([("a", str)], "Noted.a must be str, got int: 1729"),
        ([("a", int), ("at", int)], "the field 'at' is missing"),
    ],
    ids=["renamed", "another type", "one more"],
)
def test_the_suite_says_what_is_not_read_any_more(
    fields: list[Any], said: str, tmp_path: Path
) -> None:
    (path,) = freeze(types_of(("a", int)), tmp_path).written
    suite = contract(tmp_path, types_of(*fields))()
    text = failure_of(suite.test_a_frozen_file_is_read_as_what_it_was, path)
    assert said in text
    assert "example 1: " in text
    assert str(path) in text


def test_the_suite_says_what_is_read_as_another_value(tmp_path: Path) -> None:
    (path,) = freeze(types_of(("a", Decimal)), tmp_path).written
    suite = contract(tmp_path, types_of(("a", str)))()
    text = failure_of(suite.test_a_frozen_file_is_read_as_what_it_was, path)
    assert "example 1: Noted.a was Decimal('12.50'), and is read as '12.50'" in text


def test_the_suite_says_that_a_type_has_lost_its_class(tmp_path: Path) -> None:
    (path,) = freeze(types_of(), tmp_path).written
    suite = contract(tmp_path, types_of(name="other"))()
    text = failure_of(suite.test_a_frozen_file_is_read_as_what_it_was, path)
    assert "no class is registered for 'noted'" in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([], "the event type 'noted' has no frozen example yet (json)"),
        ([("a", int), ("b", int, 0)], "has another layout than in its file 1 (json)"),
    ],
    ids=["new", "changed"],
)
def test_the_suite_asks_for_freezing(fields: list[Any], said: str, tmp_path: Path) -> None:
    if fields:
        freeze(types_of(("a", int)), tmp_path)
    suite = contract(tmp_path, types_of(*fields))()
    text = failure_of(suite.test_an_event_type_is_frozen_as_it_is, "noted")
    assert said in text
    assert "run `eventsourcing freeze`" in text


def test_the_suite_takes_the_default_registry_unless_told_otherwise() -> None:
    assert FrozenEventsContract.event_types is EventCodec().event_types


def test_a_layout_says_nothing_of_where_a_class_is() -> None:
    @event("one", event_types=EventTypes())
    class Noted:
        text: str

    here = layout_of(Noted)
    Noted.__module__ = "elsewhere"
    assert layout_of(Noted) == here


def test_a_class_that_is_within_itself_has_a_layout_and_examples(tmp_path: Path) -> None:
    class Node:
        value: int
        others: list[Any]

    Node.__annotations__["others"] = list[Node]
    event_types = EventTypes()
    event_types.register(dataclass(frozen=True)(Node), "node")
    (path,) = freeze(event_types, tmp_path).written
    assert misread(read_frozen(path), event_types) == []
