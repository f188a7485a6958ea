"""The state of an aggregate as a tree, and back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from eventsourcing_core import Aggregate, Event, JsonSerializer, SnapshotError, Transient
from eventsourcing_core._state import OWN_ATTRIBUTES

if TYPE_CHECKING:
    from fractions import Fraction


class Colour(Enum):
    RED = "r"
    GREEN = "g"


class Point(NamedTuple):
    x: int
    y: int = 0


class Options(TypedDict, total=False):
    loud: bool


@dataclass
class Line:
    text: str
    tags: list[str] = field(default_factory=list[str])
    below: list[Line] = field(default_factory=list["Line"])


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


class Bare(Aggregate):
    def apply(self, event: Event[Any]) -> None: ...


class Base(Bare):
    owner: str = ""


class Rich(Base):
    limits: ClassVar[dict[str, int]] = {"a": 1}
    MOST: Final[int] = 5
    date: date | None = None  # the name of its own type
    balance: Decimal = Decimal(0)
    lines: dict[str, Line]
    colours: set[Colour]
    place: Point | None
    options: Options
    by_point: dict[Point, tuple[int, ...]]
    either: int | str | list[int]
    anything: Any
    seen: Transient[dict[str, int]]
    opened_at: datetime
    number: Final[UUID]
    __secret: bytes

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.lines = {}
        self.colours = set()
        self.place = None
        self.options = {}
        self.by_point = {}
        self.either = 0
        self.anything = None
        self.seen = {}
        self.number = UUID(int=0)
        self.__secret = b""

    @cached_property
    def size(self) -> int:
        return len(self.lines)

    def fill(self) -> None:
        self.owner = "Zoë"
        self.date = date(2026, 1, 2)
        self.balance = Decimal("1.10")
        self.lines = {"a": Line("x", ["t"], [Line("y")])}
        self.colours = {Colour.RED, Colour.GREEN}
        self.place = Point(1, 2)
        self.options = {"loud": True}
        self.by_point = {Point(3): (1, 2)}
        self.either = [1]
        self.anything = {"n": [None, 1.5]}
        self.seen["x"] = 1
        self.opened_at = datetime(2026, 1, 2, tzinfo=UTC)
        self.__secret = b"\0"
        assert self.size == 1


def restored(aggregate: Rich) -> Rich:
    """Take the state through bytes into a new instance."""
    json = JsonSerializer()
    fresh = Rich(aggregate.id)
    fresh.restore_state(json.deserialize(json.serialize(aggregate.snapshot_state())))
    return fresh


def values(aggregate: Aggregate) -> dict[str, object]:
    return {k: v for k, v in vars(aggregate).items() if k not in OWN_ATTRIBUTES}


def test_the_librarys_own_attributes_are_listed() -> None:
    assert vars(Bare("1")).keys() == OWN_ATTRIBUTES


def test_all_that_is_annotated_comes_back() -> None:
    rich = Rich("1")
    rich.fill()
    expected = {**values(rich), "seen": {}}  # transient: as __init__ leaves it
    del expected["size"]  # computed again when it is asked for
    assert values(restored(rich)) == expected


def test_defaults_stay_with_the_class() -> None:
    rich = Rich("1")
    state = rich.snapshot_state()
    assert isinstance(state, dict)
    assert not state.keys() & {"owner", "date", "balance", "opened_at"}
    assert values(restored(rich)) == values(rich)


def test_what_was_deleted_is_not_there_afterwards() -> None:
    rich = Rich("1")
    del rich.place
    assert not hasattr(restored(rich), "place")


def test_constants_and_transients_are_no_state() -> None:
    rich = Rich("1")
    rich.fill()
    state = rich.snapshot_state()
    assert isinstance(state, dict)
    assert not state.keys() & {"limits", "MOST", "seen", "size", "id", "version"}


class Constant(Base):
    owner: ClassVar[str] = "nobody"  # type: ignore[misc]  # pyright: ignore - a base has it as state


def test_what_becomes_a_constant_is_no_state_any_more() -> None:
    other = Constant("1")
    other.restore_state({"owner": "x"})
    assert other.owner == "nobody"


class Forgetful(Bare):
    known: int = 0

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.items: list[str] = []


def test_an_attribute_that_is_only_annotated_in_init_is_refused_with_the_cure() -> None:
    message = r"Forgetful\.items is not annotated in the body .*\(items: its type\).*Transient\["
    with pytest.raises(SnapshotError, match=message):
        Forgetful("1").snapshot_state()


class Slotted(Bare):
    __slots__ = ("count", "left")
    count: int

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.count = 3


def test_slots_are_state_too() -> None:
    slotted, other = Slotted("1"), Slotted("1")
    slotted.count = 7
    other.restore_state(slotted.snapshot_state())
    assert other.count == 7
    slotted.left = 1  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue] - the mistake
    with pytest.raises(SnapshotError, match=r"Slotted\.left is not annotated"):
        slotted.snapshot_state()


class Private(Bare):
    __slots__ = ("__count",)
    __count: int

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.__count = 3

    def raise_it(self) -> None:
        self.__count += 4

    @property
    def count(self) -> int:
        return self.__count


def test_private_names_in_slots_are_state_too() -> None:
    private, other = Private("1"), Private("1")
    private.raise_it()
    other.restore_state(private.snapshot_state())
    assert other.count == 7


class Unsupported(Bare):
    fine: int = 0
    ratio: complex = 0j


class Unknown(Bare):
    ratio: Fraction | None = None


class PartlyTransient(Bare):
    cache: Transient[dict[str, int]] | None = None


class DeeplyTransient(Bare):
    caches: dict[str, list[Transient[int]]]


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (Unsupported, r"Unsupported\.ratio has the hint complex.*Transient\["),
        (PartlyTransient, r"PartlyTransient\.cache is transient in part only: write Transient"),
        (DeeplyTransient, r"DeeplyTransient\.caches is transient in part only"),
        (Unknown, r"Unknown\.ratio cannot be evaluated: NameError: name 'Fraction'.*run time"),
    ],
)
def test_an_annotation_that_cannot_be_stored_names_the_attribute(
    cls: type[Aggregate], message: str
) -> None:
    for _ in range(2):  # also the second time
        with pytest.raises(SnapshotError, match=message):
            cls("1").snapshot_state()
        with pytest.raises(SnapshotError, match=message):
            cls("1").restore_state({})


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

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.words = {}
        self.lines = []
        self.fixed = []
        self.times = {}


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
    rich = Rich("1")
    rich.place, rich.by_point = point, {point: (1, 2)}
    assert isinstance(rich.snapshot_state(), dict)


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


@pytest.mark.parametrize("state", [None, [], "x", {"balance": "many"}, {"lines": {"a": 1}}])
def test_a_state_of_another_form_is_refused(state: object) -> None:
    with pytest.raises(SnapshotError, match=r"Rich(\.\w+ cannot be restored| is a dict)"):
        Rich("1").restore_state(state)
