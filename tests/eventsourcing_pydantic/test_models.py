"""Models of pydantic: what is stored of them, what comes back, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from itertools import count
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    RootModel,
    computed_field,
    create_model,
    field_validator,
    model_validator,
)

from eventsourcing_core import Event, EventCodec, EventTypes, SerializationError, event
from eventsourcing_core.plugins import installed_plugins
from eventsourcing_core.stores import Row

T = TypeVar("T")


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


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

    def back(self, payload: object) -> Any:
        return self.read(self.bytes_of(payload))


class Colour(StrEnum):
    RED = "red"


class Cat(Frozen):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(Frozen):
    kind: Literal["dog"] = "dog"
    name: str = "Rex"


class Owned(Frozen):
    pet: Cat | Dog = Field(discriminator="kind")


class Renamed(Frozen):
    model_config = ConfigDict(alias_generator=str.upper)
    first: int
    second: int = Field(validation_alias=AliasChoices("2nd", "two"), serialization_alias="zwei")


class Computing(Frozen):
    net: Decimal
    _cache: dict[str, int] = PrivateAttr(default_factory=dict[str, int])

    @computed_field
    def gross(self) -> Decimal:
        return self.net * 2


class Names(RootModel[list[str]]):
    model_config = ConfigDict(frozen=True)


class Box(Frozen, Generic[T]):
    inside: T


class Tree(Frozen):
    name: str
    children: list[Tree] = []


def small(value: int) -> int:
    if value > 9:
        message = "too large"
        raise ValueError(message)
    return value


class Checked(Frozen):
    value: Annotated[int, AfterValidator(small)]
    label: str = Field(default="a", max_length=3)

    @model_validator(mode="after")
    def agrees(self) -> Checked:
        if len(self.label) > self.value:
            message = "longer than its value"
            raise ValueError(message)
        return self


@pytest.mark.parametrize(
    ("payload", "data"),
    [
        (Renamed(FIRST=1, two=2), b'{"first":1,"second":2}'),  # type: ignore[call-arg]  # names that are made at run time
        (Computing(net=Decimal("1.10")), b'{"net":"1.10"}'),
        (Names(["a", "b"]), b'{"root":["a","b"]}'),
        (Box[int](inside=1), b'{"inside":1}'),
        (Owned(pet=Dog()), b'{"pet":{"$type":"Dog","$value":{"kind":"dog","name":"Rex"}}}'),
        (
            Tree(name="a", children=[Tree(name="b")]),
            b'{"name":"a","children":[{"name":"b","children":[]}]}',
        ),
        (Checked(value=3), b'{"value":3,"label":"a"}'),
    ],
    ids=lambda value: type(value).__name__,
)
def test_models_come_back_by_the_names_of_their_fields(payload: BaseModel, data: bytes) -> None:
    kept = Kept(type(payload))
    assert kept.bytes_of(payload) == data
    back = kept.read(data)
    assert type(back) is type(payload)
    assert back == payload


@pytest.mark.parametrize("data", [b'{"value":10}', b'{"value":2,"label":"abc"}'])
def test_validators_run_when_a_model_is_read(data: bytes) -> None:
    kept = Kept(Checked)
    with pytest.raises(SerializationError, match="too large|longer than"):
        kept.read(data)


def test_what_is_stored_is_not_in_the_error() -> None:
    kept = Kept(Checked)
    with pytest.raises(SerializationError) as raised:
        kept.read(b'{"value":4,"label":"secret"}')
    assert "label: String should have at most 3 characters" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_mutable_default_is_a_new_one_each_time() -> None:
    kept = Kept(Tree)
    assert kept.read(b'{"name":"a"}').children is not kept.read(b'{"name":"a"}').children


def with_field(hint: Any, default: Any = ..., **config: Any) -> type[BaseModel]:
    made: type[BaseModel] = create_model(
        "Given",
        __config__=ConfigDict(**({"frozen": True} | config)),  # type: ignore[typeddict-item]  # any
        odd=(hint, default),
    )
    return made


class Constructed(Frozen):
    value: int = 1

    def __init__(self) -> None:
        super().__init__()


@pytest.mark.parametrize(
    ("cls", "said"),
    [
        (with_field(int, extra="allow"), "extra='allow' keeps fields without a type"),
        (with_field(Colour, use_enum_values=True), "use_enum_values.*; leave it out"),
        (with_field(complex, arbitrary_types_allowed=True), "Given.odd has the hint complex"),
        (with_field(int, Field(default_factory=len)), "default_factory of odd"),
        (Constructed, "Constructed cannot be stored: it has an __init__ of its own"),
        (Box, "Box.inside has the hint ~?T"),
        (with_field("Gone"), "its hints use names that are not defined"),
    ],
    ids=["extra", "enum values", "hint", "factory of others", "__init__", "generic", "incomplete"],
)
def test_what_could_not_come_back_is_refused(cls: type, said: str) -> None:
    with pytest.raises(SerializationError, match=said):
        event("given", event_types=EventTypes())(cls)


def test_a_field_is_called_by_an_identifier() -> None:
    fields: dict[str, Any] = {"a b": (int, ...)}
    cls = create_model("Given", __config__=ConfigDict(frozen=True), **fields)
    with pytest.raises(SerializationError, match="a field called 'a b'"):
        EventTypes().register(cls)


def test_an_event_is_frozen() -> None:
    cls = with_field(int, frozen=False)
    with pytest.raises(TypeError, match=r"can change: write model_config = ConfigDict"):
        event("given", event_types=EventTypes())(cls)


def test_each_field_may_be_frozen_instead() -> None:
    cls = with_field(int, Field(frozen=True), frozen=False)
    assert event("given", event_types=EventTypes())(cls) is cls


_numbers = count()


class Doubling(Frozen):
    value: int

    @field_validator("value")
    @classmethod
    def double(cls, value: int) -> int:
        return 2 * value


class Numbered(Frozen):
    name: str
    _number: int = PrivateAttr(default_factory=lambda: next(_numbers))


class Unchecked(Frozen):
    name: str = Field(default="too long", max_length=3)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (Doubling(value=1), "Doubling.value would be another value"),
        (Numbered(name="a"), "Numbered._number would be another value"),
        (Unchecked(), "name: String should have at most 3 characters"),
        (Checked.model_construct(value=10, label="a"), "too large"),
    ],
    ids=["validator", "private", "default", "construct"],
)
def test_what_would_come_back_otherwise_is_refused_when_it_is_written(
    payload: object, said: str
) -> None:
    kept = Kept(type(payload))
    with pytest.raises(SerializationError, match=said):
        kept.bytes_of(payload)


def test_deep_models_are_written_in_one_go() -> None:
    tree = Tree(name="leaf")
    for _ in range(60):
        tree = Tree(name="node", children=[tree])
    assert Kept(Tree).back(tree) == tree


def test_the_plugin_offers_it() -> None:
    offer = installed_plugins().find("payload family", "pydantic")
    assert offer is not None
    assert (offer.plugin, offer.factory().name) == ("pydantic", "pydantic")
