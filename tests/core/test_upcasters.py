"""Upcasters: what is stored in an older form is read as events of today, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    Event,
    EventCodec,
    EventTypes,
    JsonSerializer,
    RecordedEvent,
    SerializationError,
    event,
    upcaster,
)
from eventsourcing_core.stores import Row
from eventsourcing_msgpack import MsgpackSerializer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


any_upcaster: Any = upcaster
"""The same, where type checkers cannot tell what it is given."""


def unchanged(data: dict[str, Any]) -> Any:
    return data


SERIALIZERS: dict[str, Any] = {
    "json": "json",
    "msgpack": "msgpack",
    "json, no plugin": JsonSerializer(),
    "msgpack, no plugin": MsgpackSerializer(),
}

types = EventTypes()


@event("money.deposited.v3", event_types=types)
class Deposited:
    cents: int
    currency: str


@event("order.renamed", event_types=types)
class Renamed:
    name: str


@event("order.moved", event_types=types)
class Moved:
    place: str


@upcaster("money.deposited", to="money.deposited.v2", event_types=types)
def cents(data: dict[str, Any]) -> dict[str, Any]:
    return {"cents": data["amount"] * 100}


@upcaster("money.deposited.v2", to="money.deposited.v3", event_types=types)
def currency(data: dict[str, Any]) -> dict[str, Any]:
    data["currency"] = "EUR"
    return data


@upcaster("order.changed.old", to="order.changed", event_types=types)
def place(data: dict[str, Any]) -> dict[str, Any]:
    return {("place" if key == "where" else key): value for key, value in data.items()}


@upcaster("order.changed", to=("order.renamed", "order.moved"), event_types=types)
def split(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if "name" in data:
        yield "order.renamed", {"name": data["name"]}
    if "place" in data:
        yield "order.moved", {"place": data["place"]}


@upcaster("order.looked_at", to=(), event_types=types)
def drop(data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:  # noqa: ARG001 - nothing is left of it
    return []


@pytest.fixture(params=SERIALIZERS)
def serializer(request: pytest.FixtureRequest) -> Any:
    return SERIALIZERS[request.param]


def rows_of(serializer: Any, *events: tuple[str, dict[str, Any]]) -> list[Row]:
    """Store events as a program without classes does, or one of another time."""
    codec = EventCodec(serializer, event_types=EventTypes())
    return [
        Row("s-1", number, 10 * number, *codec.encode(Event(name, data, metadata={"who": "ann"})))
        for number, (name, data) in enumerate(events, 1)
    ]


def read(
    serializer: Any, *events: tuple[str, dict[str, Any]], event_types: EventTypes = types
) -> list[RecordedEvent[Any]]:
    codec = EventCodec(serializer, event_types=event_types)
    return list(codec.decode(rows_of(serializer, *events)))


def test_a_chain_goes_by_names_to_a_class(serializer: Any) -> None:
    found = read(
        serializer,
        ("money.deposited", {"amount": 3}),
        ("money.deposited.v2", {"cents": 5}),
        ("money.deposited.v3", {"cents": 7, "currency": "CHF"}),
        ("money.deposited", {"amount": 4}),
    )
    assert [each.data for each in found] == [
        Deposited(300, "EUR"),
        Deposited(5, "EUR"),
        Deposited(7, "CHF"),
        Deposited(400, "EUR"),
    ]
    assert {each.event_type for each in found} == {"money.deposited.v3"}
    assert [each.version for each in found] == [1, 2, 3, 4]


def test_what_is_made_of_one_stored_event_shares_its_facts(serializer: Any) -> None:
    first, second = read(serializer, ("order.changed", {"name": "a", "place": "b"}))
    assert (first.data, second.data) == (Renamed("a"), Moved("b"))
    assert (first.event_type, second.event_type) == ("order.renamed", "order.moved")
    for each in (first, second):
        assert (each.stream_id, each.version, each.position) == ("s-1", 1, 10)
        assert dict(each.metadata) == {"who": "ann"}
    assert first.event_id == second.event_id
    assert first.timestamp == second.timestamp


def test_a_split_may_come_at_the_end_of_a_chain_and_give_one_or_none(serializer: Any) -> None:
    found = read(
        serializer,
        ("order.changed.old", {"where": "b"}),
        ("order.changed", {}),
        ("order.looked_at", {"by": "ann"}),
        ("order.changed.old", {"where": "c", "name": "d"}),
    )
    assert [(each.version, each.data) for each in found] == [
        (1, Moved("b")),
        (4, Renamed("d")),
        (4, Moved("c")),
    ]


def test_a_chain_may_lead_on_from_a_split() -> None:
    here = EventTypes()
    event("b.v2", event_types=here)(type("B", (), {"__annotations__": {"n": int}}))
    any_upcaster("a", to=("b", "c"), event_types=here)(
        lambda data: [("b", {"n": each}) for each in data["all"]] + [("c", {})]
    )
    any_upcaster("b", to="b.v2", event_types=here)(lambda data: {"n": data["n"] + 1})
    any_upcaster("c", to=(), event_types=here)(lambda _: ())
    assert [e.data.n for e in read("json", ("a", {"all": [1, 2]}), event_types=here)] == [2, 3]


def test_a_class_and_upcasters_that_come_later_are_seen() -> None:
    here = EventTypes()
    codec = EventCodec(event_types=here)
    rows = rows_of("json", ("a", {"n": 1}))
    assert [each.data for each in codec.decode(rows)] == [{"n": 1}]
    event("b", event_types=here)(type("B", (), {"__annotations__": {"n": int}}))
    any_upcaster("a", to="b", event_types=here)(unchanged)
    assert [each.event_type for each in codec.decode(rows)] == ["b"]
    event("c", event_types=here)(type("C", (), {"__annotations__": {"n": int}}))
    any_upcaster("a.old", to="c", event_types=here)(unchanged)
    (found,) = codec.decode(rows_of("json", ("a.old", {"n": 1})))
    assert found.event_type == "c"


def test_an_upcaster_that_is_defined_again_replaces_the_one_before() -> None:
    here = EventTypes()
    event("b", event_types=here)(type("B", (), {"__annotations__": {"n": int}}))
    for number in (1, 2):

        def again(data: dict[str, Any], number: int = number) -> dict[str, Any]:
            return {"n": data["n"] + number}

        any_upcaster("a", to="b", event_types=here)(again)
    (found,) = read("json", ("a", {"n": 1}), event_types=here)
    assert found.data.n == 3


async def waiting(data: dict[str, Any]) -> dict[str, Any]:
    return data


class Waiting:
    async def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        return data


def failing(data: dict[str, Any]) -> dict[str, Any]:
    raise RuntimeError(data["reason"])


def twice(_: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    data: dict[str, Any] = {"n": 1}
    return [("b", data), ("b", data)]


@pytest.mark.parametrize(
    ("to", "function", "said"),
    [
        ("b", failing, "test_upcasters.failing from 'a' to 'b' failed: RuntimeError: too late"),
        ("b", lambda data: data["missing"], "failed: the key 'missing' is missing"),
        ("b", lambda data: [waiting(data)][0], "must give a dict, got something to await"),
        ("b", lambda _: None, "must give a dict, got NoneType"),
        ("b", lambda _: [("b", {"n": 1})], "must give a dict, got list"),
        ("b", lambda _: {"m": 1}, "is no 'b': the field 'n' is missing"),
        ("b", lambda _: {"n": "x"}, "is no 'b': B.n must be int"),
        (("b",), lambda _: {"n": 1}, "must give pairs of a name ('b') and a dict, got dict"),
        (("b",), lambda _: None, "must give pairs of a name ('b') and a dict, got NoneType"),
        (("b",), lambda data: [waiting(data)][0], "got something to await"),
        (("b",), lambda _: "b", "must give pairs of a name ('b') and a dict, got str"),
        (("b",), lambda _: ["b"], "must give pairs of a name ('b') and a dict, got str"),
        (("b",), lambda _: [("b", None)], "must give pairs of a name ('b') and a dict, got tuple"),
        (("b",), lambda _: [("c", {"n": 1})], "and a dict, got str 'c'"),
        (("b",), lambda _: [("b", {"m": 1})], "is no 'b': the field 'n' is missing"),
        ((), lambda _: [("b", {"n": 1})], "must give pairs of a name (none) and a dict, got str"),
        (("b",), twice, "gave one dict twice"),
        (("b",), lambda _: ((1 / 0) for _ in "a"), "failed: ZeroDivisionError"),
    ],
    ids=[f"fault-{number}" for number in range(18)],
)
def test_a_fault_names_stream_version_type_and_step(
    to: Any, function: Callable[[dict[str, Any]], Any], said: str
) -> None:
    here = EventTypes()
    event("b", event_types=here)(type("B", (), {"__annotations__": {"n": int}}))
    any_upcaster("a", to=to, event_types=here)(function)
    codec = EventCodec(event_types=here)
    events = codec.decode(
        rows_of("json", ("b", {"n": 1}), ("a", {"reason": "too late"}), ("b", {"n": 2}))
    )
    assert next(events).version == 1
    with pytest.raises(SerializationError) as caught:
        next(events)
    text = str(caught.value)
    assert "version 2 of stream 's-1' (type 'a', encoding 'json')" in text
    assert said in text
    assert "upcaster" in text
    assert type(caught.value) is SerializationError


def test_the_second_step_is_named_where_it_fails() -> None:
    here = EventTypes()
    event("c", event_types=here)(type("C", (), {"__annotations__": {"n": int}}))
    any_upcaster("a", to="b", event_types=here)(unchanged)
    any_upcaster("b", to="c", event_types=here)(failing)
    with pytest.raises(SerializationError, match="failing from 'b' to 'c'"):
        read("json", ("a", {"reason": "no"}), event_types=here)


def test_an_event_that_is_no_dict_is_an_error() -> None:
    row = rows_of("json", ("money.deposited", {}))[0]._replace(data=b"[1]")
    with pytest.raises(SerializationError, match="expected a dict, found list"):
        list(EventCodec(event_types=types).decode([row]))


@pytest.mark.parametrize("function", [waiting, Waiting(), Deposited, 3])
@pytest.mark.parametrize("to", ["b", ("b",)])
def test_only_plain_functions_are_upcasters(function: Any, to: Any) -> None:
    with pytest.raises(TypeError, match=r"coroutine function|is a function"):
        any_upcaster("a", to=to, event_types=EventTypes())(function)


def test_a_generator_makes_several_events() -> None:
    def several(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "b", data

    decorate: Any = any_upcaster("a", to="b", event_types=EventTypes())
    with pytest.raises(TypeError, match="give to= as a tuple"):
        decorate(several)


@pytest.mark.parametrize(
    "options",
    [{"to": 3}, {"to": ["b"]}, {"to": ("b", 3)}, {"to": "b", "event_types": Deposited}],
    ids=str,
)
def test_options_of_another_type_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        any_upcaster("a", **({"event_types": EventTypes()} | options))(unchanged)


@pytest.mark.parametrize(("source", "to"), [("", "b"), ("a", ""), ("a", ("b", "\n"))])
def test_a_name_that_no_store_keeps_is_refused(source: str, to: Any) -> None:
    with pytest.raises(ValueError, match="invalid event type"):
        any_upcaster(source, to=to, event_types=EventTypes())(unchanged)


@pytest.mark.parametrize("to", ["a", ("b", "a")], ids=str)
def test_a_target_that_is_its_source_is_refused(to: Any) -> None:
    with pytest.raises(ValueError, match="from 'a' to .*'a' would come back to itself"):
        any_upcaster("a", to=to, event_types=EventTypes())(unchanged)


def test_two_ways_out_of_one_name_are_refused() -> None:
    here = EventTypes()
    any_upcaster("a", to="b", event_types=here)(cents)
    with pytest.raises(ValueError, match=r"two ways out of 'a': .*cents from .*currency from"):
        any_upcaster("a", to="c", event_types=here)(currency)


def test_a_class_under_a_name_that_is_upcast_is_refused() -> None:
    here = EventTypes()
    any_upcaster("a", to="b", event_types=here)(cents)
    with pytest.raises(ValueError, match="go through an upcaster, so none is read as .*Loose"):
        event("a", event_types=here)(type("Loose", (), {"__annotations__": {"n": int}}))
    event("c", event_types=here)(type("Tight", (), {"__annotations__": {"n": int}}))
    with pytest.raises(ValueError, match="go through an upcaster, so none is read as .*Tight"):
        any_upcaster("c", to="b", event_types=here)(cents)


@pytest.mark.parametrize("steps", [[("a", "b"), ("b", "a")], [("a", ("x", "b")), ("b", ("a",))]])
def test_a_circle_is_refused_when_a_codec_is_made(steps: list[tuple[str, Any]]) -> None:
    here = EventTypes()
    event("x", event_types=here)(type("X", (), {"__annotations__": {"n": int}}))
    for source, to in steps:
        any_upcaster(source, to=to, event_types=here)(unchanged)
    with pytest.raises(ValueError, match="in a circle, 'a' → 'b' → 'a'"):
        EventCodec(event_types=here)


@pytest.mark.parametrize("to", ["b", ("x", "b")], ids=str)
def test_an_end_without_a_class_is_refused_when_a_codec_is_made(to: Any) -> None:
    here = EventTypes()
    event("x", event_types=here)(type("X", (), {"__annotations__": {"n": int}}))
    any_upcaster("a", to=to, event_types=here)(unchanged)
    with pytest.raises(ValueError, match="upcasters of 'a' end with 'b', which has no class"):
        EventCodec(event_types=here)


def test_a_circle_that_is_closed_later_is_an_error_and_no_endless_loop() -> None:
    here = EventTypes()
    codec = EventCodec(event_types=here)
    any_upcaster("a", to="b", event_types=here)(unchanged)
    any_upcaster("b", to="a", event_types=here)(unchanged)
    with pytest.raises(SerializationError, match="in a circle"):
        list(codec.decode(rows_of("json", ("a", {}))))


def test_stored_names_lead_to_types_and_no_further() -> None:
    assert types.stored_names(["money.deposited.v3"]) == {
        "money.deposited",
        "money.deposited.v2",
        "money.deposited.v3",
    }
    assert types.stored_names(["order.moved"]) == {
        "order.changed.old",
        "order.changed",
        "order.moved",
    }
    assert types.stored_names(["order.looked_at", "order.changed"]) == set()
    assert types.stored_names(["other"]) == {"other"}
