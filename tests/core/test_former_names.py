"""``WasNamed``: a renamed field is read under either name, and written under the new one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, NotRequired, TypedDict
from uuid import UUID

import pytest

from eventsourcing_core import (
    Event,
    EventCodec,
    EventTypes,
    SerializationError,
    WasNamed,
    event,
)
from eventsourcing_core.stores import Row
from tests.core.test_upcasters import SERIALIZERS

types = EventTypes()


@dataclass(frozen=True)
class Part:
    count: Annotated[int, WasNamed("number", "n")]


class Tuple(NamedTuple):
    size: Annotated[int, WasNamed("number")]


class Keys(TypedDict):
    count: Annotated[int, WasNamed("number")]
    note: NotRequired[Annotated[str, WasNamed("remark")]]


@event("item.added", event_types=types)
class Added:
    sku: Annotated[str, WasNamed("item")]
    id: Annotated[UUID | None, WasNamed("uuid")] = None
    parts: Annotated[list[Part], WasNamed("pieces")] = ()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]  # none


@event("rows.added", event_types=types)
class Rows:
    row: Tuple
    keys: Annotated[Keys, "of the row"]


@event("row.checked", event_types=types)
class Checked:
    count: Annotated[int, WasNamed("number")]
    limit: int = 5

    def __post_init__(self) -> None:
        assert self.count < self.limit


ONE = UUID(int=1)


def back(serializer: Any, name: str, tree: dict[str, Any]) -> Any:
    """Store a tree, and read it as an event of a class."""
    stored = EventCodec(SERIALIZERS[serializer], event_types=EventTypes())
    codec = EventCodec(SERIALIZERS[serializer], event_types=types)
    row = Row("s-1", 1, 1, *stored.encode(Event(name, tree)))
    (found,) = codec.decode([row])
    return found.data


@pytest.fixture(params=SERIALIZERS)
def serializer(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"item": "a"}, Added("a")),
        ({"sku": "a"}, Added("a")),
        ({"item": "a", "uuid": str(ONE)}, Added("a", ONE)),
        ({"sku": "a", "uuid": str(ONE), "pieces": []}, Added("a", ONE, [])),
        ({"sku": "a", "parts": [{"n": 1}, {"number": 2}]}, Added("a", None, [Part(1), Part(2)])),
        ({"item": "a", "pieces": [{"count": 1}]}, Added("a", None, [Part(1)])),
    ],
    ids=str,
)
def test_a_field_is_read_under_either_name(
    serializer: str, tree: dict[str, Any], expected: Added
) -> None:
    assert back(serializer, "item.added", tree) == expected


def test_it_is_written_under_the_new_name(serializer: str) -> None:
    codec = EventCodec(SERIALIZERS[serializer], event_types=types)
    stored = EventCodec(SERIALIZERS[serializer], event_types=EventTypes())
    made = Event.of(Added("a", ONE, [Part(1)]), event_types=types)
    (found,) = stored.decode([Row("s-1", 1, 1, *codec.encode(made))])
    assert found.data == {"sku": "a", "id": str(ONE), "parts": [{"count": 1}]}


@pytest.mark.parametrize("name", ["number", "count"])
def test_every_class_with_fields_takes_it(serializer: str, name: str) -> None:
    size = name.replace("count", "size")
    tree = {"row": {size: 1}, "keys": {name: 2, "remark": "x"}}
    expected = Rows(Tuple(1), {"count": 2, "note": "x"})
    assert back(serializer, "rows.added", tree) == expected
    assert back(serializer, "row.checked", {name: 1}) == Checked(1)
    assert back(serializer, "row.checked", {name: 6, "limit": 7}) == Checked(6, 7)


@pytest.mark.parametrize(
    ("name", "tree", "said"),
    [
        ("item.added", {"sku": "a", "item": "a"}, "stored as 'sku' and as 'item'"),
        ("item.added", {"sku": "a", "id": None, "uuid": None}, "stored as 'id' and as 'uuid'"),
        ("item.added", {"sku": "a", "parts": [{"n": 1, "number": 1}]}, "'number' and as 'n'"),
        ("item.added", {"sku": "a", "parts": [{"n": 1, "count": 1}]}, "'count' and as 'n'"),
        ("row.checked", {"number": 1, "count": 1}, "'count' and as 'number'"),
        (
            "rows.added",
            {"row": {"size": 1}, "keys": {"count": 1, "number": 1}, "struct": {"count": 1}},
            "'count' and as 'number'",
        ),
        ("item.added", {"uuid": None}, "the field 'sku' is missing"),
        ("item.added", {"item": 3}, "Added.sku must be str"),
    ],
    ids=str,
)
def test_both_names_are_an_error_and_so_is_neither(
    serializer: str, name: str, tree: dict[str, Any], said: str
) -> None:
    with pytest.raises(SerializationError, match="version 1 of stream 's-1'") as caught:
        back(serializer, name, tree)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"sku": Annotated[str, WasNamed("item")], "item": str},
        {"sku": Annotated[str, WasNamed("sku")]},
        {"sku": Annotated[str, WasNamed("x")], "item": Annotated[str, WasNamed("x")]},
    ],
    ids=["there", "itself", "twice"],
)
def test_a_former_name_that_another_field_has_is_refused(fields: dict[str, Any]) -> None:
    cls = type("Wrong", (), {"__annotations__": fields})
    with pytest.raises(SerializationError, match="WasNamed"):
        event("wrong", event_types=EventTypes())(cls)


@pytest.mark.parametrize("names", [(), ("a", 3)], ids=str)
def test_it_takes_names(names: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match="older names"):
        WasNamed(*names)


@dataclass(frozen=True)
class Home:
    street: Annotated[str, WasNamed("road")]


@dataclass(frozen=True)
class Box:
    road: str


@dataclass(frozen=True)
class Shop:
    city: str


@event("address.given", event_types=types)
class Given:
    clear: Home | Shop
    unclear: Home | Box | None = None


def test_a_union_reads_what_it_held_before_it_was_one() -> None:
    assert back("json", "address.given", {"clear": {"road": "a"}}) == Given(Home("a"))
    with pytest.raises(SerializationError, match="nothing says which"):
        back("json", "address.given", {"clear": {"road": "a"}, "unclear": {"road": "a"}})
