from __future__ import annotations

from abc import ABC
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from eventsourcing_core import (
    Aggregate,
    Event,
    EventTypes,
    InvalidStreamIdError,
    UnknownEventTypeError,
    event,
    recording_metadata,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

types = EventTypes()


@event(event_types=types)
class Added:
    item: str


class Full(Exception):  # noqa: N818 - a domain's own word
    pass


class Basket(Aggregate):
    category = "basket"
    event_types = types
    limit: int = 2

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.items: list[str] = []

    def add(self, *items: str) -> None:
        for item in items:
            if len(self.items) == self.limit:
                raise Full
            self._record(Added(item), by="test")

    def apply(self, event: Event[Added]) -> None:
        self.items.append(event.data.item)


def test_a_command_records_applies_and_counts() -> None:
    basket = Basket("1")
    basket.add("tea", "milk")
    assert (basket.items, basket.version) == (["tea", "milk"], 2)
    assert [event.data for event in basket.pending_events] == [Added("tea"), Added("milk")]


def test_recorded_events_carry_their_own_and_the_surrounding_metadata() -> None:
    basket = Basket("1")
    with recording_metadata(user="alice"):
        basket.add("tea")
    assert basket.pending_events[0].metadata == {"user": "alice", "by": "test"}


def test_a_command_that_raises_in_the_middle_keeps_what_it_recorded() -> None:
    basket = Basket("1")
    with pytest.raises(Full):
        basket.add("tea", "milk", "bread")
    assert [event.data.item for event in basket.pending_events] == ["tea", "milk"]
    assert basket.version == 2


def test_what_cannot_be_recorded_changes_nothing() -> None:
    basket = Basket("1")
    with pytest.raises(UnknownEventTypeError):
        basket._record(5)
    assert (basket.version, basket.pending_events) == (0, ())


def test_clear_pending_returns_and_clears() -> None:
    basket = Basket("1")
    basket.add("tea", "milk")
    cleared = basket.clear_pending()
    assert [event.data.item for event in cleared] == ["tea", "milk"]
    assert (basket.pending_events, basket.version) == ((), 2)


def test_clear_pending_can_take_only_some() -> None:
    basket = Basket("1")
    basket.add("tea", "milk")
    first, second = basket.pending_events
    assert basket.clear_pending([first]) == [first]
    assert basket.pending_events == (second,)


def test_from_events_rebuilds_and_counts() -> None:
    events = [Event.of(Added(item), event_types=types) for item in ("tea", "milk")]
    basket = Basket.from_events("1", events)
    assert (basket.items, basket.version, basket.pending_events) == (["tea", "milk"], 2, ())


def test_the_stream_id_is_category_and_id() -> None:
    class Named(Basket):
        category: ClassVar[str] = "named"

    class Plain(Basket):
        pass

    assert [cls("7").stream_id for cls in (Basket, Named, Plain)] == [
        "basket-7",
        "named-7",
        "Plain-7",
    ]


@pytest.mark.parametrize("id", ["", "a\n", "x" * 249])
def test_an_id_that_makes_no_stream_id_is_refused(id: str) -> None:  # noqa: A002 - the word of the domain
    with pytest.raises(InvalidStreamIdError):
        Basket(id)


def test_an_id_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="got int: 7"):
        Basket(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the mistake


def test_apply_must_be_written() -> None:
    class Empty(Aggregate, ABC):
        pass

    with pytest.raises(TypeError, match="apply"):
        Empty("1")  # type: ignore[abstract]  # pyright: ignore[reportAbstractUsage] - the mistake


@dataclass
class Shelf:
    """A value that changes."""

    items: list[str]


@pytest.mark.parametrize(
    "value", [[], {}, set(), defaultdict(int), deque(), bytearray(), Shelf([])], ids=repr
)
def test_state_that_all_instances_would_share_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=r"Odd\.items has a mutable default"):
        type("Odd", (Aggregate,), {"items": value, "__annotations__": {"items": type(value)}})


@pytest.mark.parametrize("category", ["", "order-item"])
def test_a_category_that_could_be_mistaken_is_refused(category: str) -> None:
    with pytest.raises(ValueError, match="category must not be empty or hold a '-'"):
        type("Odd", (Aggregate,), {"category": category})


@pytest.mark.parametrize(
    "name", ["id", "version", "stream_id", "pending_events", "_pending_events", "_event_ids"]
)
def test_state_under_a_name_of_the_library_is_refused(name: str) -> None:
    for body in ({name: 0}, {"__annotations__": {name: "int"}}, {"__slots__": (name,)}):
        with pytest.raises(TypeError, match=rf"Odd\.{name} is a name that Aggregate uses itself"):
            type("Odd", (Aggregate,), body)


@pytest.mark.parametrize("name", ["apply", "clear_pending", "snapshot_state", "_record"])
def test_state_under_the_name_of_a_method_is_refused_and_another_method_is_not(name: str) -> None:
    for body in ({name: 0}, {"__annotations__": {name: "int"}}):
        with pytest.raises(TypeError, match=rf"Odd\.{name} is a name that Aggregate uses itself"):
            type("Odd", (Aggregate,), body)
    type("Fine", (Aggregate,), {name: lambda *_: None})


def test_what_the_library_knows_of_a_place_takes_no_name_from_users() -> None:
    class Fine(Basket):
        in_doubt: str = "yes"
        _stored_as: str = "mine"
        position: str = "here"

    fine = Fine("1")
    fine.add("tea")
    fine.clear_pending()
    assert (fine.in_doubt, fine._stored_as, fine.position) == ("yes", "mine", "here")


def test_a_field_of_a_dataclass_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Odd\.items is a dataclasses.field\(\).*in __init__"):
        type("Odd", (Aggregate,), {"items": field(default_factory=list)})


def test_a_forgotten_init_of_the_base_is_named() -> None:
    class Forgetful(Basket):
        def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
            self.items = [id]

    forgetful = Forgetful("1")
    for use in (lambda: forgetful.version, lambda: forgetful.stream_id, lambda: forgetful.add("a")):
        with pytest.raises(AttributeError, match=r"Forgetful.__init__ does not call super\(\)"):
            use()


def test_an_apply_that_would_have_to_be_awaited_is_refused() -> None:
    async def apply(self: object, event: object) -> None: ...

    def generate(*_: object) -> Iterator[int]:
        yield 1

    for odd in (apply, generate):
        with pytest.raises(TypeError, match=r"Odd\.apply is a coroutine function or a generator"):
            type("Odd", (Aggregate,), {"apply": odd})


def test_constants_of_the_class_may_be_mutable_objects() -> None:
    class Fine(Basket):
        ALLOWED = {"tea"}  # noqa: RUF012 - that it is allowed is the claim
        handlers: ClassVar[dict[str, str]] = {}

    assert {"tea"} == Fine("1").ALLOWED


@pytest.mark.parametrize(
    "payload", [Added, Event.of(Added("tea"), event_types=types)], ids=["class", "event"]
)
def test_recording_a_class_or_an_event_says_what_to_give(payload: object) -> None:
    with pytest.raises(TypeError, match="record the payload itself"):
        Basket("1")._record(payload)
