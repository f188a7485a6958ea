"""What `verify` sees."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from eventsourcing_core import Repository, SnapshotReport, StateDifference, StorageError
from eventsourcing_core._snapshots.verification import _Comparison, differences
from tests.core._tills import Events, Sales, Shelf, Sold, Till
from tests.core._tills import repository as new_repository

if TYPE_CHECKING:
    from eventsourcing_core import Event


repository = partial(new_repository, frequency=3)


async def filled(events: Events, shelf: Shelf, cls: type[Till] = Till) -> Repository[Till]:
    tills = repository(events, shelf, cls)
    await tills.update("1", lambda till: till.sell(1, 2, 3))
    await tills.update("1", lambda till: till.sell(4))
    return tills


async def test_a_right_snapshot_is_right_at_its_version(events: Events, shelf: Shelf) -> None:
    tills = await filled(events, shelf)
    events.storage.given = 0
    report = await tills.verify("1")
    assert report == SnapshotReport("Till-1", 3)
    assert (report.is_right, report.is_wrong) == (True, False)
    assert events.storage.given == 3


async def test_without_a_snapshot_there_is_nothing_to_compare(events: Events, shelf: Shelf) -> None:
    report = await repository(events, shelf).verify("1")
    assert report == SnapshotReport("Till-1", None, reason="there is no snapshot")
    assert (report.is_right, report.is_wrong) == (False, False)


class Lossy(Till):
    """Forgets something when it is restored."""

    category = "Till"

    def restore_state(self, state: Any) -> None:
        super().restore_state({**state, "total": -1})
        self.sales["tea"].counts.pop()
        self.shown = ["transient"]


async def test_a_wrong_snapshot_names_the_attributes_that_differ(
    events: Events, shelf: Shelf
) -> None:
    report = await (await filled(events, shelf, Lossy)).verify("1")
    assert (report.version, report.is_right, report.is_wrong) == (3, False, True)
    assert report.differences == (
        StateDifference("sales", {"tea": Sales([1, 2, 3])}, {"tea": Sales([1, 2])}),
        StateDifference("total", 6, -1),
    )


class Partial(Till):
    """Stores less than it has, and converts it itself."""

    category = "Till"

    def snapshot_state(self) -> object:
        return {"total": self.total}

    def restore_state(self, state: Any) -> None:
        self.total = state["total"]


async def test_what_a_class_forgets_to_store_is_found(events: Events, shelf: Shelf) -> None:
    report = await (await filled(events, shelf, Partial)).verify("1")
    assert report.differences == (StateDifference("sales", {"tea": Sales([1, 2, 3])}, {}),)


class Own(Till):
    """Converts its state itself, and has a type for which the core has no form."""

    category = "Till"
    ratio: complex = 0j

    def snapshot_state(self) -> object:
        return [self.total, self.sales["tea"].counts]

    def restore_state(self, state: Any) -> None:
        self.total = state[0]
        self.sales["tea"] = Sales(state[1])
        self.shown = ["transient"]


async def test_what_is_transient_is_not_compared(events: Events, shelf: Shelf) -> None:
    assert (await (await filled(events, shelf, Own)).verify("1")).is_right


class Rated(Till):
    """Reads in apply what it has computed of an older state."""

    category = "Till"
    tier: int = 0
    bonus: int = 0

    @cached_property
    def factor(self) -> int:
        return 60 // (30 - self.tier)

    def apply(self, event: Event[Sold]) -> None:
        super().apply(event)
        self.tier = event.data.count
        self.bonus += self.factor


@pytest.mark.parametrize(("last", "restored"), [(15, 4), (30, ZeroDivisionError)])
async def test_what_apply_reads_though_it_was_computed_before_is_found(
    events: Events, shelf: Shelf, last: int, restored: object
) -> None:
    tills = repository(events, shelf, Rated)
    await tills.update("1", lambda till: till.sell(10, 10, 10))
    assert (await tills.verify("1")).is_right
    await tills.update("1", lambda till: till.sell(10, 10))
    await Repository(events, Till).update("1", lambda till: till.sell(last))
    replayed = await Repository(events, Rated).load("1")
    await tills.take_snapshot(replayed)
    ((name, before, after),) = [
        (each.attribute, each.from_events, each.from_snapshot)
        for each in (await tills.verify("1")).differences
    ]
    assert (name, before) == ("factor", 3)
    assert after == restored or type(after) is restored


def test_an_attribute_that_only_one_has_differs() -> None:
    one, other = Till("1"), Till("1")
    del other.sales
    ((name, there, missing),) = [
        (d.attribute, d.from_events, d.from_snapshot) for d in differences(one, other)
    ]
    assert (name, there, repr(missing)) == ("sales", {}, "<missing>")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": b""}, "the snapshot at version 3 cannot be read"),
        ({"state_version": "0"}, "has the state version 0"),
        ({"version": 2}, "the event at version 2 is not the one of the snapshot"),
        ({"version": 9}, "the stream ends before version 9"),
    ],
)
async def test_a_snapshot_that_no_load_would_use_is_not_compared(
    events: Events, shelf: Shelf, change: dict[str, Any], reason: str
) -> None:
    tills = await filled(events, shelf)
    snapshot = shelf.the(3)
    await shelf.prune("Till-1", keep=0)
    shelf.put(replace(snapshot, **change))
    report = await tills.verify("1")
    assert (report.version, report.is_right, report.is_wrong) == (None, False, False)
    assert reason in report.reason


async def test_a_store_that_is_down_is_an_error(events: Events, shelf: Shelf) -> None:
    tills = await filled(events, shelf)
    shelf.error = StorageError("down")
    with pytest.raises(StorageError, match="down"):
        await tills.verify("1")


class Plain:
    """Has no way to compare itself."""

    def __init__(self, value: object) -> None:
        self.value = value


@dataclass(eq=False)
class Careless:
    value: object


class Kind(Enum):
    ONE = 1
    TWO = 2


def knot(value: int) -> Plain:
    """Make an object that leads to itself."""
    made = Plain(None)
    made.value = [made, value]
    return made


NAN = float("nan")
ZONE = ZoneInfo("Europe/Berlin")
NOTHING = timedelta(0)


class Size(IntEnum):
    SMALL = 1


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1.0, True),
        (NAN, float("nan"), True),
        ([NAN], [float("nan")], True),
        (Decimal("nan"), Decimal("nan"), True),
        (Decimal("1.0"), Decimal("1.00"), True),
        ("a", b"a", False),
        ({"a": 1}, defaultdict(int, a=1), False),
        ([1, [2]], [1, [3]], False),
        ([1], [1, 2], False),
        ((1,), [1], False),
        ({1, 2}, {2, 1}, True),
        ({1: [2]}, {1: [2], 3: []}, False),
        (Plain([1]), Plain([1]), True),
        (Plain([1]), Plain([2]), False),
        (Careless([1]), Careless([1]), True),
        (Careless([1]), Careless([2]), False),
        (object(), object(), False),
        (1, True, False),
        (Size.SMALL, 1, False),
        (datetime(2026, 1, 1, 1, tzinfo=ZONE), datetime(2026, 1, 1, tzinfo=UTC), False),
        (datetime(2026, 7, 1, tzinfo=ZONE), datetime(2026, 7, 1, tzinfo=ZONE), True),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=timezone(NOTHING)), True),
        (time(1, fold=1), time(1), False),
        (None, 0, False),
        (Kind.ONE, Kind.ONE, True),
        (Kind.ONE, Kind.TWO, False),
        (Plain(Kind.ONE), Plain(Kind.TWO), False),
        (knot(1), knot(1), True),
        (knot(1), knot(2), False),
    ],
)
def test_values_are_compared_all_the_way_down(
    one: object, other: object, *, expected: bool
) -> None:
    assert _Comparison().are_same(one, other) is expected
