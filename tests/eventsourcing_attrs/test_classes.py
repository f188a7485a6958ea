"""Classes of attrs: what is stored of them, what comes back, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

import attrs
import pytest

from eventsourcing_core import Event, EventCodec, EventTypes, SerializationError, event
from eventsourcing_core.plugins import installed_plugins
from eventsourcing_core.stores import Row


class Kept:
    """Registers a class, and keeps its objects as JSON."""

    def __init__(self, cls: type[Any]) -> None:
        self.types = EventTypes()
        event("kept", event_types=self.types)(cls)
        self.codec = EventCodec(event_types=self.types)

    def bytes_of(self, payload: object) -> bytes:
        return self.codec.encode(Event.of(payload, event_types=self.types)).data

    def read(self, data: bytes) -> Any:
        (recorded,) = self.codec.decode(
            [Row("s-1", 1, 1, "kept", data, None, "json", bytes(16), 0)]
        )
        return recorded.data


@attrs.frozen
class Renamed:
    _first: int
    second: Decimal = attrs.field(default=Decimal(2), alias="two", kw_only=True)


@attrs.frozen(slots=False)
class Tree:
    name: str
    children: list[Tree] = attrs.field(factory=list["Tree"])


@attrs.frozen
class Base:
    name: str = attrs.field(validator=attrs.validators.max_len(3))


@attrs.frozen
class Sub(Base):
    size: int = attrs.field(default=1, eq=False)


@attrs.frozen
class Closed:
    pass


@pytest.mark.parametrize(
    ("payload", "data"),
    [
        (Renamed(1, two=Decimal("1.10")), b'{"_first":1,"second":"1.10"}'),
        (Tree("a", [Tree("b")]), b'{"name":"a","children":[{"name":"b","children":[]}]}'),
        (Sub("a", 2), b'{"name":"a","size":2}'),
        (Closed(), b"{}"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_objects_come_back_by_the_names_of_their_attributes(payload: object, data: bytes) -> None:
    kept = Kept(type(payload))
    assert kept.bytes_of(payload) == data
    back = kept.read(data)
    assert type(back) is type(payload)
    assert back == payload


def test_validators_run_when_an_object_is_read() -> None:
    kept = Kept(Base)
    with pytest.raises(SerializationError, match="must be <= 3"):
        kept.read(b'{"name":"long"}')


@attrs.frozen(eq=False)
class Unequal:
    value: int


@attrs.frozen(init=False)
class Constructed:
    value: int

    def __init__(self) -> None:
        getattr(self, "__attrs_init__")(1)  # noqa: B009 - type checkers do not know it


class Undecorated(Base):
    size: int


def with_field(**options: Any) -> type:
    cls = type("Given", (), {"__annotations__": {"odd": int}, "odd": attrs.field(**options)})
    return attrs.frozen(cls)


@pytest.mark.parametrize(
    ("cls", "said"),
    [
        (with_field(converter=abs), "the converter of odd may change what is read; convert in"),
        (with_field(init=False, default=1), r"odd is no argument of the constructor .*; make it"),
        (with_field(default=attrs.Factory(id, takes_self=True)), "default of odd takes other"),
        (attrs.make_class("Given", ["odd"], frozen=True), "odd has no type; annotate it"),
        (attrs.make_class("Given", {"odd": attrs.field(type=complex)}, frozen=True), "Given.odd"),
        (Unequal, "eq=False nothing would equal it"),
        (Constructed, "an __init__ of its own"),
        (Undecorated, "below a class of attrs, and none itself"),
    ],
    ids=["converter", "init", "takes_self", "untyped", "hint", "eq", "__init__", "undecorated"],
)
def test_what_could_not_come_back_is_refused(cls: type, said: str) -> None:
    with pytest.raises(SerializationError, match=said):
        event("given", event_types=EventTypes())(cls)


def test_hints_are_there_when_a_class_is_registered() -> None:
    cls = attrs.frozen(type("Given", (), {"__annotations__": {"odd": "Gone"}}))
    with pytest.raises(SerializationError, match="hints cannot be evaluated"):
        EventTypes().register(cls)


def test_an_event_is_frozen() -> None:
    @attrs.define
    class Open:
        value: int

    with pytest.raises(TypeError, match="Open can change: write @attrs.frozen"):
        event("given", event_types=EventTypes())(Open)


_numbers = count()


@attrs.frozen
class Numbering:
    value: int

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "value", self.value + next(_numbers) + 1)


def test_what_would_come_back_otherwise_is_refused_when_it_is_written() -> None:
    kept = Kept(Numbering)
    with pytest.raises(SerializationError, match="Numbering.value would be another value"):
        kept.bytes_of(Numbering(1))


def test_the_plugin_offers_it() -> None:
    offer = installed_plugins().find("payload family", "attrs")
    assert offer is not None
    assert (offer.plugin, offer.factory().name) == ("attrs", "attrs")
