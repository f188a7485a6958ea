"""Structs with fields that had another name."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest

from eventsourcing_core import Event, EventCodec, EventTypes, WasNamed
from eventsourcing_core.stores import Row

types = EventTypes()
plain = EventTypes()


class Counted(msgspec.Struct, frozen=True):
    count: Annotated[int, WasNamed("number")]


types.register(Counted, "counted")


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
@pytest.mark.parametrize("name", ["number", "count"])
def test_a_struct_is_read_under_either_name(serializer: str, name: str) -> None:
    stored = EventCodec(serializer, event_types=plain).encode(Event("counted", {name: 3}))
    codec = EventCodec(serializer, event_types=types)
    (event,) = codec.decode([Row("s", 1, 1, *stored)])
    assert event.data == Counted(3)
