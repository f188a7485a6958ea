"""Subclasses of scalars, such as drivers and clocks give: they are stored as what they are."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from eventsourcing_core import Aggregate, Event, EventCodec, EventTypes, SerializationError, event
from eventsourcing_core._payloads.scalars import plain_tree
from eventsourcing_core._state.whole import check_whole
from eventsourcing_core.stores import Row

types = EventTypes()


class DriverId(UUID):
    pass


class Moment(datetime):
    def isoformat(self, sep: str = " ", timespec: str = "auto") -> str:
        return f"the moment {super().isoformat(sep, timespec)}"


class Day(date):
    pass


class Clock(time):
    pass


class Span(timedelta):
    pass


class Amount(Decimal):
    def __str__(self) -> str:
        return f"{super().__str__()} EUR"


PAIRS: list[tuple[Any, Any]] = [
    (DriverId(int=7), UUID(int=7)),
    (Moment(2026, 3, 1, 12, 30, tzinfo=UTC), datetime(2026, 3, 1, 12, 30, tzinfo=UTC)),
    (Day(2026, 3, 1), date(2026, 3, 1)),
    (Clock(12, 30, tzinfo=UTC), time(12, 30, tzinfo=UTC)),
    (Span(seconds=90), timedelta(seconds=90)),
    (Amount("1.10"), Decimal("1.10")),
]


@event("subclasses.held", event_types=types)
class Held:
    id: UUID | None = None
    at: datetime | None = None
    day: date | None = None
    clock: time | None = None
    span: timedelta | None = None
    amount: Decimal | None = None
    by_id: dict[UUID, list[Decimal]] | None = None


FIELDS = ["id", "at", "day", "clock", "span", "amount"]
NAMED = list(zip(FIELDS, PAIRS, strict=True))


def back(encoding: str, recorded: Event[Any]) -> Event[Any]:
    codec = EventCodec(encoding, event_types=types)
    (found,) = codec.decode([Row("s", 1, 1, *codec.encode(recorded))])
    return found


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
@pytest.mark.parametrize(("field", "pair"), NAMED, ids=FIELDS)
def test_a_field_takes_it_and_gives_its_base(
    encoding: str, field: str, pair: tuple[Any, Any]
) -> None:
    given, base = pair
    found = getattr(back(encoding, Event.of(Held(**{field: given}), event_types=types)).data, field)
    assert (type(found), found) == (type(base), base)


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_a_key_and_an_item_take_it(encoding: str) -> None:
    held = Held(by_id={DriverId(int=7): [Amount("1.10")]})
    found = back(encoding, Event.of(held, event_types=types)).data.by_id
    assert found == {UUID(int=7): [Decimal("1.10")]}
    assert {type(key) for key in found} == {UUID}


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
@pytest.mark.parametrize("pair", PAIRS, ids=FIELDS)
def test_untyped_data_and_metadata_take_it(encoding: str, pair: tuple[Any, Any]) -> None:
    given, base = pair
    tree = {"one": given, "more": [{"two": given}]}
    found = back(encoding, Event("subclasses.untyped", tree, metadata={"three": given}))
    assert found.data == {"one": base, "more": [{"two": base}]}
    assert type(found.data["more"][0]["two"]) is type(base)
    assert type(found.metadata["three"]) is type(base)
    assert tree == {"one": given, "more": [{"two": given}]}
    assert type(tree["one"]) is type(given)


@pytest.mark.parametrize(("field", "pair"), NAMED, ids=FIELDS)
def test_the_state_of_an_aggregate_takes_it(field: str, pair: tuple[Any, Any]) -> None:
    given, base = pair

    class Holder(Aggregate):
        id_: UUID | None = None
        at: datetime | None = None
        day: date | None = None
        clock: time | None = None
        span: timedelta | None = None
        amount: Decimal | None = None

        def apply(self, event: Event[Held]) -> None: ...

    name = "id_" if field == "id" else field
    holder, restored = Holder("1"), Holder("1")
    setattr(holder, name, given)
    restored.restore_state(holder.snapshot_state())
    assert (type(getattr(restored, name)), getattr(restored, name)) == (type(base), base)


def test_a_datetime_is_no_date() -> None:
    wrong: Any = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    with pytest.raises(SerializationError, match="Held.day must be date"):
        back("json", Event.of(Held(day=wrong), event_types=types))


def test_a_subclass_that_says_more_is_refused() -> None:
    class Precise(datetime):
        def __eq__(self, other: object) -> bool:
            return False

        __hash__ = datetime.__hash__

    with pytest.raises(SerializationError, match="Held.at must be datetime"):
        back("json", Event.of(Held(at=Precise(2026, 3, 1, tzinfo=UTC)), event_types=types))


def test_a_plain_tree_is_not_copied() -> None:
    tree = {"one": [1, {"two": UUID(int=1)}]}
    assert plain_tree(tree, "data") is tree


def test_a_moment_in_a_named_zone_is_refused_in_a_state_as_a_datetime_is() -> None:
    moment = Moment(2026, 3, 1, 12, 30, tzinfo=ZoneInfo("Europe/Vienna"))
    with pytest.raises(SerializationError, match="only its offset from UTC would come back"):
        check_whole(moment, "Holder.at", {})
