"""The state of an aggregate as a tree, and back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypedDict
from uuid import UUID

import pytest

from eventsourcing_core import Aggregate, JsonSerializer, SnapshotError, Transient
from eventsourcing_core._state.state import OWN_ATTRIBUTES
from tests.core._states import Bare, Line, Point, values

if TYPE_CHECKING:
    from fractions import Fraction


class Colour(Enum):
    RED = "r"
    GREEN = "g"


class Options(TypedDict, total=False):
    loud: bool


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


@pytest.mark.parametrize("state", [None, [], "x", {"balance": "many"}, {"lines": {"a": 1}}])
def test_a_state_of_another_form_is_refused(state: object) -> None:
    with pytest.raises(SnapshotError, match=r"Rich(\.\w+ cannot be restored| is a dict)"):
        Rich("1").restore_state(state)
