"""The events that the contracts store, the reading of whole streams, and waiting in a loop."""

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from eventsourcing_core._events.event import Event, RecordedEvent
from eventsourcing_core._events.event_types import EventTypes, event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

EVENT_TYPES = EventTypes()
"""The registry of the contracts: theirs alone."""

ALIKE = (
    # These differ after more bytes than some databases look at in a key.
    *("x" * 254 + last for last in "abAé"),
    "x" * 254,
    *("é" * 250 + last for last in ("a", "b", "ab", "")),
    *("\U0001f389" * 254 + last for last in "ab"),
    *(first + "\U0001f389" * 254 for first in "ab"),
    # These do so in the eyes of a person, or of a database with a language.
    *("doc", "Doc", "DOC", "doc ", " doc", "doc\u00a0", "doc\u3000", "d\u00adoc", "d\u200boc"),
    *("\u00e9", "e\u0301", "\u00c9", "E\u0301", "e", "\u212b", "\u00c5", "A\u030a"),
    *("\ufb01", "fi", "\u0131", "i", "\u0130", "I", "\u00df", "ss", "\u1e9e", "\u017f", "s"),
    *("1", "01", "1.0", "\uff11", "\u00b9", "1e0", "+1", "0x1", "true", "null", "None"),
    # These have the same CRC-32.
    *("plumless", "buckeroo"),
    # And these are made of what separates the parts of a key.
    *("doc-1", "doc-10", "doc-1-", "doc--1", "doc_1", "doc:1", "doc/1", "doc.1", "doc|1", "doc#1"),
    *("doc-1\U0010ffff", "doc-1\uffff", "doc-1!", "doc-1~", "%", "_", "*", "?", "[a]", "$1", "\\"),
)
"""Names that somebody may take for one another; no two are the same."""

COUNTED = "contract.counted"
"""The type of the plain events, which have no class."""


@event("contract.opened", event_types=EVENT_TYPES)
class Opened:
    """A typed event with fields that no format has of its own."""

    owner: str
    balance: Decimal = Decimal(0)
    reference: UUID | None = None
    due: datetime | None = None
    labels: tuple[str, ...] = ()


class Unregistered:
    """A payload whose class no registry knows."""


def counted(*numbers: int, event_type: str = COUNTED) -> list[Event[object]]:
    """Make plain events, each with a number by which it is recognised, and an id of its own."""
    return [Event(event_type, {"number": number}) for number in numbers]


def numbers_of(events: "Iterable[RecordedEvent[Any]]") -> list[int]:
    """Give the numbers of events that ``counted`` made."""
    return [event.data["number"] for event in events]


def versions_of(events: "Iterable[RecordedEvent[Any]]") -> list[int]:
    """Give the versions of events."""
    return [event.version for event in events]


async def collected(events: "AsyncIterator[RecordedEvent[Any]]") -> list[RecordedEvent[Any]]:
    """Read to the end."""
    return [event async for event in events]


async def let_others_run(turn: int) -> None:
    """Let other tasks run between two reads, and threads in every eighth turn.

    A loop that never sleeps can keep a store's thread from the interpreter's lock for minutes: the
    thread is woken each time that the lock is let go, and finds it taken again.
    """
    await asyncio.sleep(0.001 if turn % 8 == 7 else 0)
