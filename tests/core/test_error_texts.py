"""Error texts reach logs: what users give is cut in them, and a payload is never shown whole."""

from __future__ import annotations

import dataclasses
import traceback
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict
from uuid import UUID

import pytest

from eventsourcing_core import (
    Aggregate,
    Event,
    EventCodec,
    EventTypes,
    InvalidStreamIdError,
    SerializationError,
    SnapshotError,
    check_stream_id,
    open_backend,
)
from eventsourcing_core.plugins import SCALARS
from eventsourcing_core.stores import Row
from eventsourcing_core.stores._checks import check_read_all, check_whole

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "secret " * 20_000
MOST = 1_000
"""How many characters an error may have, its causes and notes included, but for the places."""


class Silent:
    def __repr__(self) -> str:
        message = "no repr"
        raise RuntimeError(message)


class Loud:
    def __repr__(self) -> str:
        return SECRET


class Held(TypedDict):
    key: str


class Point(NamedTuple):
    x: int


class Colour(StrEnum):
    RED = "red"


LONG_NAME: Any = dataclasses.make_dataclass("Long" * 2_000, [("number", int)], frozen=True)
MAKE: Any = Enum
Long = MAKE("Long", {f"M{number}": f"{number}" for number in range(500)})
UNION: Any = reduce(
    or_, [dataclasses.make_dataclass(f"Class{number}", []) for number in range(2, 300)]
)
WORDS: Any = Literal[tuple("word" * 10 + str(number) for number in range(500))]  # pyright: ignore[reportInvalidTypeForm] - a large one
DIGITS = 10**10_000


def said(error: BaseException) -> str:
    """Give all that a log would say of an error, but for the lines of code."""
    lines = traceback.TracebackException.from_exception(error, limit=0).format()
    return "".join(lines)


def types_with(hint: Any) -> tuple[EventTypes, Any]:
    cls = dataclasses.make_dataclass("Payload", [("value", hint)], frozen=True)
    types = EventTypes()
    types.register(cls)
    return types, cls


def is_cut(error: BaseException) -> bool:
    text = said(error)
    return len(text) < 3 * MOST and len(str(error)) < MOST and SECRET[:200] not in text


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, SECRET),
        (str, SECRET.encode()),
        (int, Loud()),
        (int, Silent()),
        (str, DIGITS),
        (float, DIGITS),
        (int, DIGITS),
        (bool, LONG_NAME(1)),
        (LONG_NAME, LONG_NAME(SECRET)),
        (LONG_NAME, Point(1)),
        (Point, Loud()),
        (Point, Point._make([SECRET])),
        (Held, {"key": "x", SECRET: 1}),
        (Held, {"key": "x", DIGITS: SECRET}),
        (Held, {SECRET: "x"}),
        (Held, {"other": SECRET}),
        (Held, SECRET),
        (UNION, SECRET),
        (UNION, Silent()),
        (WORDS, SECRET),
        (Colour, SECRET),
        (Decimal | date, SECRET),
        (list[int], [SECRET]),
        (dict[int, str], {SECRET: "x"}),
        (dict[str, int], {"x": SECRET}),
        (dict[str, int], {1: SECRET}),
        (tuple[int, int], (SECRET,) * 3),
        (Any, {SECRET: Silent()}),
        (Any, {SECRET: {SECRET: {SECRET: [Loud()]}}}),
        (Any, {Loud(): 1}),
        (Any, LONG_NAME(1)),
        (dict, {"x": {SECRET * 2: DIGITS}}),
    ],
    ids=lambda value: str(type(value)),
)
def test_a_value_that_cannot_be_stored_is_cut(encoding: str, hint: Any, value: Any) -> None:
    types, cls = types_with(hint)
    codec = EventCodec(encoding, event_types=types)
    with pytest.raises(SerializationError) as caught:
        codec.encode(Event.of(cls(value), event_types=types))
    assert is_cut(caught.value)


@pytest.mark.parametrize(
    ("hint", "tree"),
    [
        *((kind, SECRET) for kind in (UUID, datetime, date, time, timedelta, Decimal, int, Colour)),
        *((kind, [SECRET]) for kind in (UUID, datetime, Decimal, str, Point, Held, Long)),
        (list[int], SECRET),
        (list[int], [SECRET]),
        (tuple[int, int], [SECRET]),
        (dict[str, int], {SECRET: SECRET}),
        (dict[int, int], {SECRET: SECRET}),
        (WORDS, SECRET),
        (UNION, SECRET),
        (UNION, {SECRET: SECRET}),
        (UNION, {"$type": SECRET, "$value": SECRET}),
        (Decimal | date, SECRET),
        (Decimal, {"$type": "A" * 100_000, "$value": 1}),
        (LONG_NAME, {"$type": "A" * 100_000, "$value": 1}),
        (LONG_NAME, {}),
    ],
    ids=lambda value: str(type(value)),
)
def test_a_stored_value_that_cannot_be_read_is_cut(hint: Any, tree: Any) -> None:
    types, _ = types_with(hint)
    codec = EventCodec(event_types=types)
    data = codec.serializer.serialize({"value": tree})
    with pytest.raises(SerializationError) as caught:
        list(codec.decode([Row("s", 1, 1, "Payload", data, None, "json", b"\0" * 16, 0)]))
    assert is_cut(caught.value)


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
@pytest.mark.parametrize("name", ["uuid", "datetime", "date", "time", "timedelta", "decimal"])
def test_a_scalar_that_is_damaged_is_cut(encoding: str, name: str) -> None:
    code = next(scalar.code for scalar in SCALARS if scalar.name == name)
    data = (
        f'{{"x":{{"${name}":"{SECRET}"}}}}'.encode()
        if encoding == "json"
        else b"\x81\xa1x\xc9" + len(SECRET).to_bytes(4) + bytes([code]) + SECRET.encode()
    )
    codec = EventCodec(event_types=EventTypes())
    with pytest.raises(SerializationError) as caught:
        list(codec.decode([Row("s", 1, 1, "Payload", data, None, encoding, b"\0" * 16, 0)]))
    assert is_cut(caught.value)


@pytest.mark.parametrize("hint", [LONG_NAME, UNION, WORDS, complex | LONG_NAME], ids=str)
def test_a_class_with_a_long_name_that_cannot_be_stored_is_cut(hint: Any) -> None:
    cls = dataclasses.make_dataclass("Payload" * 2_000, [("value" * 2_000, complex | hint)])
    with pytest.raises(SerializationError) as caught:
        EventTypes().register(cls, "payload")
    assert is_cut(caught.value)


class Keeper(Aggregate):
    kept: int = 0
    more: dict[str, int]

    def apply(self, event: Event[Any]) -> None: ...


@pytest.mark.parametrize("value", [SECRET, Loud(), Silent(), b"x" * 10**6])
def test_a_state_that_cannot_be_stored_is_cut(value: Any) -> None:
    keeper = Keeper("1")
    keeper.kept = value
    with pytest.raises(SnapshotError) as caught:
        keeper.snapshot_state()
    assert is_cut(caught.value)


ARGUMENTS: list[Callable[[], object]] = [
    lambda: check_stream_id(SECRET),
    lambda: Event(SECRET, {}),
    lambda: Event("x", {}, event_id=SECRET),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the fault
    lambda: Event("x", {}, timestamp=SECRET),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the fault
    lambda: check_whole("after_position", SECRET, lowest=0),
    lambda: check_whole("after_position", -DIGITS, lowest=0),
    lambda: check_read_all(after_position=0, limit=None, event_types=SECRET, stream_prefix=None),
    lambda: check_read_all(after_position=0, limit=None, event_types=[Loud()], stream_prefix=None),  # type: ignore[list-item]  # pyright: ignore[reportArgumentType] - the fault
    lambda: EventTypes().register(SECRET),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the fault
]


@pytest.mark.parametrize("call", ARGUMENTS)
def test_an_argument_that_is_refused_is_cut(call: Callable[[], object]) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert is_cut(caught.value)


@pytest.mark.parametrize(
    "expected", [SECRET, -DIGITS, Silent()], ids=lambda value: str(type(value))
)
async def test_an_expected_version_that_is_refused_is_cut(expected: Any) -> None:
    async with open_backend("memory://") as backend:
        with pytest.raises((TypeError, ValueError)) as caught:
            await backend.event_store.append("s", [Event("x", {})], expected_version=expected)
    assert is_cut(caught.value)


@pytest.mark.parametrize(
    "metadata", [{"k": Loud()}, {SECRET: object()}, {"k": {1: SECRET}}], ids=len
)
def test_metadata_that_cannot_be_stored_is_cut(metadata: Any) -> None:
    with pytest.raises(SerializationError) as caught:
        EventCodec().encode(Event("x", {}, metadata=metadata))
    assert is_cut(caught.value)


def test_a_stream_id_is_shown_as_far_as_it_goes() -> None:
    with pytest.raises(InvalidStreamIdError, match=r"invalid stream id 'x{59}…"):
        check_stream_id("x" * 300)
