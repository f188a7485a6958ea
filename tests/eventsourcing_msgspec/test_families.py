"""Classes of payload families make their objects themselves, so msgspec leaves them alone."""

from __future__ import annotations

import attrs
import pytest
from pydantic import BaseModel, ConfigDict

from eventsourcing_core import EventCodec, EventTypes, event

types = EventTypes()


@event(event_types=types)
@attrs.frozen
class Given:
    value: int


@event(event_types=types)
class Model(BaseModel):
    model_config = ConfigDict(frozen=True)
    value: int


@event(event_types=types)
class Plain:
    inside: Given


@pytest.mark.parametrize("cls", [Given, Model, Plain])
@pytest.mark.parametrize("name", ["json", "msgpack"])
def test_the_converter_does_it(name: str, cls: type) -> None:
    decision = EventCodec(name, event_types=types).typed(cls)
    assert not decision.is_typed
    assert "makes its objects itself" in decision.reason
