"""What a stored state would lose is refused."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from eventsourcing_core import SnapshotError
from tests.core._states import Bare, Line, Point, values


@dataclass(frozen=True)
class Fixed:
    tags: tuple[str, ...] = ()
    words: list[str] = field(default_factory=list[str])
    size: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", len(self.tags))


class Named(NamedTuple):
    words: list[str]


class Noon(tzinfo):
    """A zone whose offset no date changes, so that a time has one, too."""

    def utcoffset(self, dt: datetime | None) -> timedelta:  # noqa: ARG002 - see above
        return timedelta(hours=12)

    def dst(self, dt: datetime | None) -> None: ...

    def tzname(self, dt: datetime | None) -> str:  # noqa: ARG002 - see above
        return "noon"


class Holder(Bare):
    value: Any = None
    words: dict[str, int]
    lines: list[Line]
    line: Line | None = None
    fixed: list[Fixed]
    pair: tuple[Line, ...] = ()
    named: Named | None = None
    at: datetime | time | None = None
    times: dict[tuple[datetime, ...], list[time]]
    points: dict[Point, Point]

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.words = {}
        self.lines = []
        self.fixed = []
        self.times = {}
        self.points = {}


def refused(holder: Holder) -> str:
    with pytest.raises(SnapshotError) as caught:
        holder.snapshot_state()
    return str(caught.value)


@pytest.mark.parametrize(
    "value", [object(), {1: 2}, (1,), {1}], ids=["object", "dict", "tuple", "set"]
)
def test_a_value_of_another_type_is_named(value: object) -> None:
    holder = Holder("1")
    holder.value = value
    assert "Holder.value cannot be stored in a snapshot" in refused(holder)


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"at": datetime(2026, 7, 1, 12, tzinfo=BERLIN)}, "at"),
        ({"at": time(12, tzinfo=Noon())}, "at"),
        ({"value": [datetime(2026, 7, 1, 12, tzinfo=BERLIN)]}, "value[…]"),
        ({"times": {(datetime(2026, 7, 1, tzinfo=BERLIN),): []}}, "times[…][…]"),
    ],
)
def test_a_time_in_a_zone_would_come_back_with_its_offset_only(
    change: dict[str, object], place: str
) -> None:
    holder = Holder("1")
    vars(holder).update(change)
    assert f"Holder.{place} is in the zone " in refused(holder)


@pytest.mark.parametrize("at", [datetime(2026, 10, 25, 2, 30, fold=1), time(2, 30, fold=1)])  # noqa: DTZ001 - the subject
def test_the_second_of_two_equal_times_would_come_back_as_the_first(at: datetime | time) -> None:
    holder = Holder("1")
    holder.at = at
    assert "Holder.at is the second of two equal times" in refused(holder)


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 7, 1, 12),  # noqa: DTZ001 - the subject
        datetime(2026, 7, 1, 12, tzinfo=UTC),
        datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2))),
        time(12, tzinfo=UTC),
        time(12),
    ],
)
def test_other_times_come_back(at: datetime | time) -> None:
    holder, other = Holder("1"), Holder("1")
    holder.at = at
    other.restore_state(holder.snapshot_state())
    assert repr(other.at) == repr(at)


def test_a_subclass_of_a_container_would_come_back_as_its_base() -> None:
    holder = Holder("1")
    holder.words = defaultdict(int)
    assert "Holder.words is a defaultdict, which would come back as a plain dict" in refused(holder)


class Status(StrEnum):
    OPEN = "open"


class Size(IntEnum):
    SMALL = 1


class Measured(Bare):
    status: str = ""
    size: int = 0
    ratio: float = 0.0
    sizes: dict[int, list[int | str]]
    parts: list[Part]
    right: Status | Size | bool | None = None

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.sizes = {}
        self.parts = []


@dataclass
class Part:
    name: str


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": Status.OPEN}, r"Measured\.status is a Status, .* plain str: annotate it as St"),
        ({"size": Size.SMALL}, r"Measured\.size is a Size, .* plain int: annotate it as Size"),
        ({"size": True}, r"Measured\.size is a bool, .* plain int: annotate it as bool"),
        ({"ratio": True}, r"Measured\.ratio must be float, got bool"),
        ({"sizes": {Size.SMALL: []}}, r"Measured\.sizes \(key\) is a Size"),
        ({"sizes": {1: [Size.SMALL]}}, r"Measured\.sizes.* must be int or str, got Size"),
        ({"parts": [Part(Status.OPEN)]}, r"Part\.name is a Status"),
    ],
)
def test_a_subclass_of_a_plain_value_would_come_back_as_its_base(
    change: dict[str, object], message: str
) -> None:
    measured = Measured("1")
    vars(measured).update(change)
    with pytest.raises(SnapshotError, match=message):
        measured.snapshot_state()


@pytest.mark.parametrize(
    "change", [{"right": Status.OPEN}, {"right": Size.SMALL}, {"right": True}, {"ratio": 2}]
)
def test_what_is_annotated_as_what_it_is_comes_back(change: dict[str, object]) -> None:
    measured, other = Measured("1"), Measured("1")
    vars(measured).update(change)
    other.restore_state(measured.snapshot_state())
    assert values(other) == values(measured)
    assert type(other.right) is type(measured.right)


def test_one_object_in_two_places_would_come_back_as_two() -> None:
    holder = Holder("1")
    line = Line("x")
    holder.lines, holder.line = [line], line
    assert "Holder.line and Holder.lines[…] are one Line" in refused(holder)
    holder.line = None
    holder.pair = (line,)
    assert "Holder.pair[…] and Holder.lines[…] are one Line" in refused(holder)
    holder.pair = (Line("x"),)
    holder.snapshot_state()
    holder.lines.append(Line("y", tags=line.tags))
    assert "are one list" in refused(holder)


def test_what_never_changes_may_be_in_two_places() -> None:
    holder, other = Holder("1"), Holder("1")
    holder.fixed = [Fixed(("x",)), Fixed(("x",))]
    other.restore_state(holder.snapshot_state())
    assert other.fixed == holder.fixed
    point = Point(1)
    holder.points = {point: point}
    assert isinstance(holder.snapshot_state(), dict)


@dataclass(frozen=True)
class Scalars:
    """What an event may hold: it is kept as the last one, and in a list of all."""

    names: tuple[str, ...] = ("a",)
    at: datetime | None = None


class Historic(Bare):
    last: Scalars | None = None
    history: list[Scalars]

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.history = []


def test_a_payload_of_what_never_changes_may_be_in_two_places() -> None:
    historic = Historic("1")
    historic.last = Scalars()
    historic.history = [historic.last, historic.last]
    assert isinstance(historic.snapshot_state(), dict)


def test_what_changes_may_not_be_in_two_places_behind_what_does_not() -> None:
    words = ["a"]
    holder = Holder("1")
    holder.value, holder.fixed = words, [Fixed(words=words)]
    assert "Holder.fixed[…].words and Holder.value are one list" in refused(holder)
    holder.value, holder.named = None, Named(words)
    assert "Holder.named[…] and Holder.fixed[…].words are one list" in refused(holder)
    holder.fixed = [Fixed(words=[])]
    holder.snapshot_state()
    holder.fixed *= 2
    assert "Holder.fixed[…].words and Holder.fixed[…].words are one list" in refused(holder)


def test_an_attribute_beside_the_fields_would_be_lost() -> None:
    holder = Holder("1")
    holder.line = Line("x")
    holder.line.extra = 1  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue] - the mistake
    assert "Holder.line.extra is no argument of Line, and would be lost" in refused(holder)


@dataclass
class Counting:
    name: str
    count: int = field(default=0, init=False)


class HolderOfCounting(Bare):
    counting: Counting

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.counting = Counting("x")


def test_a_field_that_the_constructor_does_not_take_would_be_lost() -> None:
    with pytest.raises(SnapshotError, match=r"counting\.count is no argument of Counting"):
        HolderOfCounting("1").snapshot_state()


@dataclass(frozen=True)
class Numbered:
    number: int = field(init=False, default_factory=lambda: 1)


class HolderOfNumbered(Bare):
    numbered: Numbered = Numbered()


def test_a_field_that_a_factory_alone_makes_would_be_another() -> None:
    holder = HolderOfNumbered("1")
    holder.numbered = Numbered()
    with pytest.raises(SnapshotError, match=r"numbered\.number is no argument of Numbered"):
        holder.snapshot_state()


@dataclass(frozen=True, eq=False)
class Seat:
    """Never changes, and equals nothing but itself."""

    number: int


class Hall(Bare):
    seats: list[Seat]
    best: Seat | None = None

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.seats = []


def test_what_equals_only_itself_may_not_be_in_two_places() -> None:
    hall = Hall("1")
    hall.seats, hall.best = [Seat(1)], Seat(2)
    assert isinstance(hall.snapshot_state(), dict)
    hall.best = hall.seats[0]
    with pytest.raises(SnapshotError, match=r"are one Seat, .* they would not be equal"):
        hall.snapshot_state()
