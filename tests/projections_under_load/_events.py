"""What is written in these tests, and which keys it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core import EventTypes, event

if TYPE_CHECKING:
    from eventsourcing_core import RecordedEvent

types = EventTypes()
STREAMS = 12
ACCOUNTS = 8


@event("moved", event_types=types)
class Moved:
    amount: int
    account: str | None = None
    """Its key; None: the stream's."""
    other: str | None = None
    """A second key, for the view."""


@event("noted", event_types=types)
class Noted:
    """What nobody follows."""

    text: str


def key_of(event: RecordedEvent[Moved]) -> str:
    """Give the key whose order the ledger keeps."""
    return event.data.account or event.stream_id


def keys_of(event: RecordedEvent[Moved]) -> list[str]:
    """Give the keys of the view that an event belongs to."""
    return [key_of(event), *([event.data.other] if event.data.other else [])]


def all_keys() -> list[str]:
    """Give every key that there may be."""
    accounts = [f"account-{n}" for n in range(ACCOUNTS)]
    return [*accounts, *(f"stream-{n}" for n in range(STREAMS))]
