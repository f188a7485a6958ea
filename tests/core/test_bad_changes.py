"""Changes of events that cannot be right: named when a class is registered or a backend opened.

What only an event can show is named by stream, version and step when it is read, and nothing is
lost: ``test_upcasters.py`` has these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import pytest

from eventsourcing_core import EventTypes, WasNamed, event, open_backend, upcaster

if TYPE_CHECKING:
    from collections.abc import Callable

any_upcaster: Any = upcaster


def lead(types: EventTypes, source: str, to: Any, name: str = "lead") -> None:
    def function(data: dict[str, Any]) -> dict[str, Any]:
        return data

    function.__qualname__ = name
    any_upcaster(source, to=to, event_types=types)(function)


def end(types: EventTypes, name: str) -> None:
    event(name, event_types=types)(type("End", (), {"__annotations__": {"a": int}}))


def two_ways(types: EventTypes) -> None:
    lead(types, "b", "c", "one")
    lead(types, "b", "d", "other")


def circle(types: EventTypes) -> None:
    lead(types, "a", "b")
    lead(types, "b", ("end", "c"))
    lead(types, "c", "a")
    end(types, "end")


def no_end(types: EventTypes) -> None:
    lead(types, "a", "b")
    lead(types, "b", ("end", "nowhere"))
    end(types, "end")


def itself(types: EventTypes) -> None:
    lead(types, "a", ("end", "a"))


def upcast_class(types: EventTypes) -> None:
    lead(types, "a", "end")
    end(types, "a")


def present_field(types: EventTypes) -> None:
    hints = {"a": int, "b": Annotated[int, WasNamed("a")]}
    event("e", event_types=types)(type("Renamed", (), {"__annotations__": hints}))


def awaits(types: EventTypes) -> None:
    async def later(data: dict[str, Any]) -> dict[str, Any]:
        return data

    any_upcaster("a", to="end", event_types=types)(later)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (two_ways, "two ways out of 'b': .*one from 'b'.*other from 'b'"),
        (circle, "circle, 'a' → 'b' → 'c' → 'a'"),
        (no_end, "the upcasters of '[ab]' end with 'nowhere', which has no class"),
        (itself, "from 'a' to 'end' or 'a' would come back to itself"),
        (upcast_class, "stored as 'a' go through an upcaster, so none is read as .*End"),
        (present_field, r"Renamed says WasNamed\('a'\), and has or had another field"),
        (awaits, "later.* is a coroutine function"),
    ],
)
async def test_it_is_named_before_an_event_is_read(
    change: Callable[[EventTypes], None], said: str
) -> None:
    types = EventTypes()
    with pytest.raises((ValueError, TypeError), match=said):  # noqa: PT012 - either may refuse
        change(types)
        async with open_backend("memory://", event_types=types):
            pass
