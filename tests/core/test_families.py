"""Payload families: when they are asked, and what is said where one is missing."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from uuid import UUID  # noqa: TC003 - evaluated

import pytest

from eventsourcing_core import EventTypes, SerializationError, event
from eventsourcing_core._payloads.families.registry import families

if TYPE_CHECKING:
    from eventsourcing_core.plugins import PayloadClass


class Colour(Enum):
    RED = "red"


class Point(NamedTuple):
    x: int


class Asked:
    """A family that knows no class, and remembers those that it was asked about."""

    name = "asked"

    def __init__(self) -> None:
        self.classes: list[type] = []

    def describe(self, cls: type) -> PayloadClass | None:
        self.classes.append(cls)
        return None


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The only family that is installed."""
    made = Asked()
    monkeypatch.setattr(families, "_find", lambda: (made,))
    return made


def test_no_plugin_is_asked_about_what_the_core_knows(asked: Asked) -> None:
    @event("base", event_types=EventTypes())
    class Base:
        colour: Colour
        point: Point
        key: UUID | None

    @event("sub", event_types=EventTypes())
    class Sub(Base):
        more: list[int] = dataclasses.field(default_factory=list[int])

    assert asked.classes == []
    assert Sub.__mro__[1] is Base


def test_they_are_asked_about_a_class_with_a_constructor(asked: Asked) -> None:
    class Given:
        def __init__(self, value: int) -> None:
            self.value = value

    with pytest.raises(SerializationError, match="Given has no typed fields: make it an @event"):
        EventTypes().register(Given)
    assert set(asked.classes) == {Given}


def test_they_are_asked_about_a_class_that_is_made_by_new(asked: Asked) -> None:
    class Made:
        def __new__(cls, **_: object) -> Self:
            """Make it."""
            return super().__new__(cls)

    with pytest.raises(SerializationError, match="Made has no typed fields: make it an @event"):
        EventTypes().register(Made)
    assert set(asked.classes) == {Made}


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("mark", "name"), [("__attrs_attrs__", "attrs"), ("__pydantic_complete__", "pydantic")]
)
def test_a_missing_family_is_named(mark: str, name: str) -> None:
    def constructed(self: object) -> None: ...

    cls: Any = type("Given", (), {mark: (), "__init__": constructed})
    cure = rf'pip install "eventsourcing-core\[{name}\]"'
    with pytest.raises(SerializationError, match=cure):
        EventTypes().register(cls)
    with pytest.raises(TypeError, match=cure):
        event("given", event_types=EventTypes())(cls)
    holder = dataclasses.make_dataclass("Holder", [("inside", cls)], frozen=True)
    with pytest.raises(SerializationError, match=rf"Holder.inside has the hint .*{cure}"):
        EventTypes().register(holder)
