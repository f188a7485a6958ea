"""Accounts whose events were stored in older forms, and a program that reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsourcing_core import (
    Aggregate,
    Event,
    EventTypes,
    ExpectedVersion,
    event,
    open_backend,
    upcaster,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

types = EventTypes()


@event("deposited.v2", event_types=types)
class Deposited:
    cents: int


@event("owner.named", event_types=types)
class Named:
    name: str


@event("owner.moved", event_types=types)
class Moved:
    place: str


@upcaster("deposited", to="deposited.v2", event_types=types)
def cents(data: dict[str, Any]) -> dict[str, Any]:
    return {"cents": data["amount"] * 100}


@upcaster("owner.changed", to=("owner.named", "owner.moved"), event_types=types)
def split(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if "name" in data:
        yield "owner.named", {"name": data["name"]}
    if "place" in data:
        yield "owner.moved", {"place": data["place"]}


@upcaster("looked_at", to=(), event_types=types)
def drop(_: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return []


class Account(Aggregate):
    category = "account"
    event_types = types
    cents: int = 0
    said: str = ""

    def deposit(self, cents: int) -> None:
        self._record(Deposited(cents))

    def apply(self, event: Event[Deposited | Named | Moved]) -> None:
        match event.data:
            case Deposited(cents):
                self.cents += cents
            case Named(text) | Moved(text):
                self.said += text


def old(event_type: str, /, **data: object) -> Event[dict[str, Any]]:
    """Make an event as an older program has stored it."""
    return Event(event_type, {**data})


async def store_old(url: str, stream_id: str, *events: Event[Any], **options: Any) -> int:
    """Append events as a program without classes; give the position of the last one."""
    async with open_backend(url, event_types=EventTypes(), **options) as backend:
        result = await backend.event_store.append(
            stream_id, events, expected_version=ExpectedVersion.ANY
        )
        return result.position
