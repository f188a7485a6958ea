"""Whatever the hint: the same bytes as of a dataclass, and an equal object of them."""

# Pyright cannot follow hints that are made at run time.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ConfigDict, create_model
from pydantic.errors import PydanticUserError

from eventsourcing_core import Event, EventCodec, EventTypes, JsonSerializer, SerializationError
from eventsourcing_core.stores import Row
from eventsourcing_msgpack import MsgpackSerializer
from tests.eventsourcing_msgspec._hints import KINDS, Kind

if TYPE_CHECKING:
    from collections.abc import Callable


def model(hint: Any) -> type[Any]:
    config = ConfigDict(frozen=True, arbitrary_types_allowed=True)
    try:
        made: type[Any] = create_model("Given", __config__=config, value=(hint, ...))
    except PydanticUserError:  # a TypedDict of typing, on an old Python
        assume(False)  # noqa: FBT003 - its way to say so
        raise
    return made


def attrs_class(hint: Any) -> type[Any]:
    return attrs.frozen(type("Given", (), {"__annotations__": {"value": hint}}))


class Kept:
    """Keeps objects of a class as bytes, written by the converter."""

    def __init__(self, cls: type[Any], serializer: JsonSerializer | MsgpackSerializer) -> None:
        self.cls, self._name = cls, serializer.name
        self._types = EventTypes()
        self._types.register(cls, "kept")
        self._codec = EventCodec(serializer, event_types=self._types)

    def written(self, payload: object) -> bytes | None:
        try:
            return self._codec.encode(Event.of(payload, event_types=self._types)).data
        except SerializationError:
            return None

    def read(self, data: bytes) -> Any:
        row = Row("s-1", 1, 1, "kept", data, None, self._name, bytes(16), 0)
        (recorded,) = self._codec.decode([row])
        return recorded.data


@pytest.mark.parametrize("serializer", [JsonSerializer(), MsgpackSerializer()], ids=["json", "mp"])
@pytest.mark.parametrize("define", [model, attrs_class])
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(kind=KINDS, data=st.data())
def test_a_class_stores_what_a_dataclass_does(
    define: Callable[[Any], type[Any]],
    serializer: JsonSerializer | MsgpackSerializer,
    kind: Kind,
    data: st.DataObject,
) -> None:
    hint, values = kind
    plain = dataclasses.make_dataclass("Given", [("value", hint)], frozen=True)
    try:
        ours = Kept(plain, serializer)
    except SerializationError:
        assume(False)  # noqa: FBT003 - as above
        return
    theirs = Kept(define(hint), serializer)
    try:
        payload = theirs.cls(value=data.draw(values))
    except ValueError:  # pydantic takes no NaN as a Decimal
        assume(False)  # noqa: FBT003 - as above
        return
    written = theirs.written(payload)
    assert written == ours.written(plain(payload.value))
    if written is not None:
        back = theirs.read(written)
        assert type(back) is theirs.cls
        # As text, since NaN differs from itself, in any order, since sets have none. What no class
        # keeps is the fold of a time.
        assert sorted(repr(back.value)) == sorted(repr(ours.read(written).value))
