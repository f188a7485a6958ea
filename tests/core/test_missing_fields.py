"""A field that an old event lacks takes its default, if that is the same at each load."""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
import secrets
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from eventsourcing_core import Event, EventCodec, EventTypes, event
from eventsourcing_core.stores import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventsourcing_core._payloads.hints import Conversion

COUNTER = itertools.count()


@dataclasses.dataclass(frozen=True)
class Inner:
    name: str = ""
    id: UUID = dataclasses.field(default_factory=uuid4)


@dataclasses.dataclass(frozen=True)
class Steady:
    name: str = "x"


CHANGING: list[tuple[Any, Callable[[], Any]]] = [
    (UUID, uuid4),
    (str, lambda: secrets.token_hex(8)),
    (float, random.random),
    (bool, lambda: random.choice([True, False])),  # noqa: S311 - no secret
    (int, lambda: next(COUNTER)),
    (float, time.time),
    (int, lambda: int(time.time() * 1_000_000)),
    (int, lambda: int(time.time() * 1_000)),
    (int, lambda: int(time.time())),
    (str, lambda: time.strftime("%d.%m.%Y")),
    (str, time.ctime),
    (dict[str, int], lambda: {time.strftime("%Y%m%d"): 1}),
    (datetime, lambda: datetime.now(UTC)),
    (date, lambda: datetime.now(UTC).date()),
    (str, lambda: datetime.now(UTC).isoformat()),
    (list[date], lambda: [datetime.now(UTC).date()]),
    (dict[str, date], lambda: {"on": datetime.now(UTC).date()}),
    (date, lambda: datetime.now(UTC).date() + timedelta(days=1)),  # as in other time zones
    (date, lambda: datetime.now(UTC).date() - timedelta(days=1)),
    (int, lambda: next(COUNTER) // 20),  # the same a while
    (dict[str, UUID], lambda: {"id": uuid4()}),
    (Inner, Inner),
]


def decoded(hint: Any, factory: Callable[[], Any], tree: dict[str, Any]) -> Any:
    cls = dataclasses.make_dataclass(
        "Placed", [("it", hint, dataclasses.field(default_factory=factory))], frozen=True
    )
    types = EventTypes()
    types.register(cls)
    return types.conversions["Placed"].decode(tree).it


@pytest.mark.parametrize(("hint", "factory"), CHANGING)
def test_a_default_that_changes_is_refused_when_it_is_read(
    hint: Any, factory: Callable[[], Any]
) -> None:
    with pytest.raises(ValueError, match=r"Placed\.it is missing .* another one each time"):
        decoded(hint, factory, {})


@pytest.mark.parametrize(
    ("hint", "factory", "value"),
    [
        (list[str], list, []),
        (list[str], lambda: ["a"], ["a"]),
        (dict[str, int], dict, {}),
        (Steady, Steady, Steady()),
        (UUID, lambda: UUID(int=1), UUID(int=1)),
        (date, lambda: date(2020, 1, 1), date(2020, 1, 1)),
        (Decimal, Decimal, Decimal(0)),
        (float, lambda: float("1.5"), 1.5),
        (int, lambda: 10**400, 10**400),
        (str, lambda: None, None),
    ],
)
def test_a_default_that_stays_is_made_anew_each_time(
    hint: Any, factory: Callable[[], Any], value: Any
) -> None:
    assert decoded(hint, factory, {}) == value


def test_nan_stays_the_same() -> None:
    assert math.isnan(decoded(float, lambda: float("nan"), {}))


def test_a_field_that_is_there_is_read_whatever_its_default() -> None:
    assert decoded(UUID, uuid4, {"it": str(UUID(int=5))}) == UUID(int=5)


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_a_new_event_may_have_an_id_of_its_own(encoding: str) -> None:
    types = EventTypes()

    @event("order.placed", event_types=types)
    class Placed:
        id: UUID = dataclasses.field(default_factory=uuid4)
        at: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))

    codec = EventCodec(encoding, event_types=types)
    placed = Placed()
    encoded = codec.encode(Event.of(placed, event_types=types))
    (found,) = codec.decode([Row("s", 1, 1, *encoded)])
    assert found.data == placed


def test_no_default_is_made_when_a_class_is_registered() -> None:
    numbers = itertools.count()
    factory = dataclasses.field(default_factory=lambda: next(numbers))
    EventTypes().register(dataclasses.make_dataclass("P", [("it", int, factory)], frozen=True))
    assert next(numbers) == 0


@dataclasses.dataclass(frozen=True)
class Filled:
    """Fills in an id that is missing."""

    at: int
    id: UUID | None = None

    def __post_init__(self) -> None:
        if self.id is None:
            object.__setattr__(self, "id", uuid4())


@dataclasses.dataclass(frozen=True)
class Derived:
    """Computes what is missing of what is there."""

    at: int
    twice: int = 0
    thrice: int = dataclasses.field(init=False)
    names: list[str] = dataclasses.field(init=False, default_factory=list)
    lock: Lock = dataclasses.field(init=False, default_factory=Lock, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "twice", self.twice or 2 * self.at)
        object.__setattr__(self, "thrice", 3 * self.at)


@dataclasses.dataclass(frozen=True)
class Unstored:
    """Has an id that is not stored."""

    at: int
    id: UUID = dataclasses.field(default_factory=uuid4, init=False)


@dataclasses.dataclass(frozen=True)
class UnstoredAndComputed:
    """Makes an id that is not stored."""

    at: int
    id: UUID = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", uuid4())


def conversion_of(cls: type) -> Conversion:
    types = EventTypes()
    types.register(cls)
    return types.conversions[cls.__name__]


def test_what_post_init_fills_in_is_refused_if_it_changes() -> None:
    conversion = conversion_of(Filled)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"Filled\.id is not stored"):
            conversion.decode({"at": 1})
    assert conversion.decode(conversion.encode(Filled(1, UUID(int=5)))) == Filled(1, UUID(int=5))


def test_what_post_init_computes_is_read() -> None:
    conversion = conversion_of(Derived)
    for _ in range(2):
        assert conversion.decode({"at": 1}) == Derived(1)
        assert conversion.decode(conversion.encode(Derived(2, 3))) == Derived(2, 3)


@dataclasses.dataclass(frozen=True)
class OnlyUnstored:
    """Stores nothing at all."""

    id: UUID = dataclasses.field(default_factory=uuid4, init=False)


@dataclasses.dataclass(frozen=True)
class Unstorable:
    """Stores nothing, and is the same each time."""

    names: list[str] = dataclasses.field(default_factory=list, init=False)


def test_a_field_that_is_not_stored_is_made_again() -> None:
    conversion = conversion_of(Unstorable)
    assert conversion.decode(conversion.encode(Unstorable())).names == []


@pytest.mark.parametrize(
    "unstored",
    [Unstored(1), UnstoredAndComputed(1), OnlyUnstored()],
    ids=lambda it: type(it).__name__,
)
def test_a_field_that_is_not_stored_and_changes_is_refused(unstored: object) -> None:
    cls = type(unstored)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"\.id is not stored, .* another one each"):
            conversion_of(cls).encode(unstored)
        with pytest.raises(ValueError, match=r"\.id is not stored, .* another one each"):
            conversion_of(cls).decode({"at": 1})


def test_a_default_is_tried_out_once_and_then_made_once_for_each_event() -> None:
    made: list[int] = []

    def factory() -> list[str]:
        made.append(1)
        return []

    field = dataclasses.field(default_factory=factory)
    types = EventTypes()
    types.register(dataclasses.make_dataclass("P", [("it", list[str], field)], frozen=True))
    decode = types.conversions["P"].decode
    decode({})
    tried = len(made)
    decode({})
    assert len(made) == tried + 1
