"""Dataclasses, Structs, models of pydantic and classes of attrs: together in streams and states."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import attrs
import msgspec
import pytest
from pydantic import BaseModel, ConfigDict, Field

from eventsourcing_core import (
    Aggregate,
    Event,
    EventCodec,
    EventTypes,
    SerializationError,
    SnapshotError,
    WasNamed,
    event,
    open_backend,
)
from eventsourcing_core._state.layout import layout_of as state_layout_of
from eventsourcing_core._state.whole import check_whole
from eventsourcing_core.evolution import compare_layouts, freeze, layout_of, misread, read_frozen
from eventsourcing_core.stores import Row
from eventsourcing_core.testing import given

if TYPE_CHECKING:
    from pathlib import Path

types = EventTypes()


@attrs.frozen
class Money:
    amount: Decimal


@attrs.define
class Till:
    """A value in a state, which may change."""

    content: list[Money] = attrs.field(factory=list[Money])


class Line(BaseModel):
    model_config = ConfigDict(frozen=True)
    sku: str
    at: datetime


@event("opened", event_types=types)
class Opened:
    first: Line
    deposit: Money | None = None


@event("added", event_types=types)
@attrs.frozen
class Added:
    line: Line


@event("paid", event_types=types)
class Paid(BaseModel):
    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)
    money: Money
    of: Line | Money | None = None


@event("closed", event_types=types)
class Closed(msgspec.Struct, frozen=True):
    lines: list[Line]


AT = datetime(2026, 1, 2, tzinfo=UTC)
EVENTS = [
    Opened(Line(sku="A", at=AT), Money(Decimal(1))),
    Added(Line(sku="B", at=AT)),
    Paid(money=Money(Decimal("2.50")), of=Money(Decimal(3))),
    Closed([Line(sku="C", at=AT)]),
]


class Order(Aggregate):
    category = "order"
    event_types = types

    lines: list[Line]
    till: Till
    last: Money | None

    def __init__(self, id: str) -> None:  # noqa: A002 - as the base names it
        super().__init__(id)
        self.lines, self.till, self.last = [], Till(), None

    def apply(self, event: Event[Any]) -> None:
        match event.data:
            case Opened(first, deposit):
                self.lines.append(first)
                self.last = deposit
            case Added(line):
                self.lines.append(line)
            case Paid(money=money):
                self.till.content.append(money)
                self.last = money
            case _:
                pass

    def record(self, *payloads: object) -> None:
        for payload in payloads:
            self._record(payload)


@pytest.fixture(params=["memory://", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/orders.db" if request.param == "sqlite" else str(request.param)


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
async def test_a_stream_holds_all_of_them(url: str, serializer: str) -> None:
    async with open_backend(url, serializer=serializer, event_types=types) as backend:
        store = backend.event_store
        await store.append("order-1", EVENTS, expected_version=0)
        read = [each.data async for each in store.read("order-1")]
    assert read == EVENTS
    assert [*map(type, read)] == [*map(type, EVENTS)]


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
async def test_a_snapshot_holds_them(url: str, serializer: str) -> None:
    async with open_backend(url, serializer=serializer, event_types=types) as backend:
        order = Order("1")
        order.record(*EVENTS)
        await backend.repository(Order, snapshot_frequency=1).save(order)
        assert backend.snapshot_store is not None
        assert await backend.snapshot_store.load("order-1") is not None
        orders = backend.repository(Order, snapshot_frequency=1)
        loaded = await orders.load("1")
        assert (await orders.verify("1")).is_right
    assert (loaded.lines, loaded.till, loaded.last) == (order.lines, order.till, order.last)


class Drawer(msgspec.Struct):
    """A Struct in a state, which may change."""

    content: list[Money]


def test_a_struct_that_can_change_is_in_one_place_only() -> None:
    drawer = Drawer([])
    check_whole([drawer, Drawer([])], "state.drawers", {})
    with pytest.raises(SerializationError, match="are one Drawer"):
        check_whole([drawer, drawer], "state.drawers", {})
    with pytest.raises(SerializationError, match=r"drawers\[…\].content and .* are one list"):
        check_whole([drawer, Drawer(drawer.content)], "state.drawers", {})


def test_a_value_that_can_change_is_in_one_place_only() -> None:
    class Two(Order):
        category = "two"
        other: Till

    two = Two("1")
    two.other = two.till
    with pytest.raises(SnapshotError, match="Two.other and Two.till are one Till"):
        two.snapshot_state()
    two.other = Till()
    two.lines = [Line(sku="A", at=AT)] * 2  # what never changes may be
    two.snapshot_state()


def test_an_attribute_that_is_no_field_is_not_lost_silently() -> None:
    @attrs.define(slots=False)
    class Loose:
        value: int

        @cached_property
        def double(self) -> int:
            return 2 * self.value

    loose = Loose(1)
    assert loose.double == 2
    check_whole(loose, "state.loose", {})
    vars(loose)["more"] = 1
    with pytest.raises(SerializationError, match="state.loose.more is no field of Loose"):
        check_whole(loose, "state.loose", {})


def test_a_state_has_another_layout_once_a_field_has() -> None:
    text = state_layout_of({"money": Money, "line": Line, "closed": Closed})
    assert "Money(amount: Decimal)" in text
    assert "Line(at: datetime, sku: str)" in text
    assert "Closed(lines: list[" in text


def test_a_family_is_compared_as_what_it_stores() -> None:
    @dataclasses.dataclass(frozen=True)
    class Line:  # of the same name
        sku: str
        at: datetime

    assert compare_layouts(layout_of(Line), layout_of(globals()["Line"])).changes == ()


@attrs.frozen
class Moved:
    sku: Annotated[str, WasNamed("item")]


class ModelMoved(BaseModel):
    model_config = ConfigDict(frozen=True)
    sku: Annotated[str, WasNamed("item")] = Field(max_length=3)


@pytest.mark.parametrize("cls", [Moved, ModelMoved])
def test_a_field_is_read_under_its_former_name(cls: type[Any]) -> None:
    registry = EventTypes()
    registry.register(cls, "moved")
    row = Row("s-1", 1, 1, "moved", b'{"item":"A"}', None, "json", bytes(16), 0)
    (recorded,) = EventCodec(event_types=registry).decode([row])
    assert recorded.data == cls(sku="A")


@pytest.mark.parametrize("cls", [Moved, ModelMoved])
def test_a_field_that_is_gone_is_reported(cls: type[Any], caplog: pytest.LogCaptureFixture) -> None:
    registry = EventTypes()
    registry.register(cls, "moved")
    row = Row("s-1", 1, 1, "moved", b'{"sku":"A","gone":1}', None, "json", bytes(16), 0)
    assert [*EventCodec(event_types=registry).decode([row])]
    assert "gone" in caplog.text


@pytest.mark.parametrize("name", ["opened", "added", "paid", "closed"])
def test_what_was_frozen_of_them_is_read(tmp_path: Path, name: str) -> None:
    registry = EventTypes()
    registry.register(types.classes[name], name)
    (path,) = freeze(registry, tmp_path).written
    frozen = read_frozen(path)
    assert frozen.layout == layout_of(types.classes[name])
    assert [*misread(frozen, registry)] == []


def test_given_when_then_takes_them() -> None:
    given(Order, *EVENTS[:2]).when(lambda order: order.record(EVENTS[2])).then(EVENTS[2])
