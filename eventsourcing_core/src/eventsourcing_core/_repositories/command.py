"""Commands with an id: whoever repeats one, its events are stored once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from eventsourcing_core._errors import ConcurrencyError, StorageError, shown
from eventsourcing_core.stores._storage import ALL_GUARANTEES, Guarantee

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from eventsourcing_core._events.event import Event
    from eventsourcing_core.stores._event_store import EventStore

_COMMANDS = UUID("6f2c0a5e-2f0b-5d0e-9a54-5a0cbb9c2f61")
"""The namespace of the ids of events that follow from a command's id. It is stored: permanent."""


_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.5  # seconds between two tries of an update


class EventIds:
    """Gives the ids of the events that a command records, one after the other, without end.

    It is not a generator: an aggregate holds it, and whoever has an aggregate may copy it.

    Args:
        command: What all of them follow from.
    """

    def __init__(self, command: UUID) -> None:
        self._command = command
        self._number = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> UUID:
        self._number += 1
        return uuid5(self._command, str(self._number))


def check_callable(change: object) -> None:
    """Refuse what cannot be called with an aggregate.

    Raises:
        TypeError: It is something else.
    """
    if not callable(change):
        message = (
            f"update takes a function of the aggregate, got {shown(change)}: such as "
            "lambda account: account.deposit(5)"
        )
        raise TypeError(message)


def check_unique_ids(store: object) -> None:
    """Refuse a command with an id where its events could be stored twice.

    Raises:
        StorageError: The store does not promise that an event id occurs once.
    """
    guarantees: frozenset[Guarantee] = getattr(store, "guarantees", ALL_GUARANTEES)
    if Guarantee.UNIQUE_EVENT_IDS not in guarantees:
        message = (
            f"{type(store).__name__} does not promise that an event id occurs once, so a command "
            "that is repeated would be stored again: call update without command_id, and make the "
            "command itself find out whether it was done"
        )
        raise StorageError(message)


def event_ids_of(stream_id: str, command_id: UUID | str) -> EventIds:
    """Give the ids of the events that a command records on a stream.

    UUIDs of version 5 (RFC 9562, section 5.5): the same command on the same stream gives the same
    ids, in every process.

    Raises:
        ValueError: The command's id is empty.
        TypeError: It is neither a UUID nor a text.
    """
    if not isinstance(command_id, UUID | str):
        message = f"command_id is a UUID or a str, got {shown(command_id)}"
        raise TypeError(message)
    if not str(command_id):
        message = "command_id is empty: give each command an id of its own"
        raise ValueError(message)
    return EventIds(uuid5(uuid5(_COMMANDS, stream_id), str(command_id)))


async def holds_as_they_are(
    store: EventStore, stream_id: str, before: int, events: Sequence[Event[Any]]
) -> bool:
    """Tell whether events are stored with what they say, and not only by their ids.

    Of two deliveries of one command that meet, one stores its events. The other one finds their ids
    at the very place, and counts as stored, too: but what it recorded may say something else.

    Args:
        store: Where they were appended.
        stream_id: The stream.
        before: Its version before them.
        events: The events, as they were recorded.
    """
    after = before + len(events)
    if after == before:
        return True
    stored = store.read(stream_id, from_version=before + 1, to_version=after)
    return [_facts(event) async for event in stored] == [_facts(event) for event in events]


async def confirm(store: EventStore, stream_id: str, version: int, event_id: bytes) -> None:
    """See to it that an event that was read stays, with all before it: append it once more.

    Reading tells only that it was there. A server that was told to wait no longer for its standby
    shows what a failover would lose. An append that is repeated is confirmed as the first one was.

    Args:
        store: Where it was read.
        stream_id: The stream.
        version: Its version; 0: there was no event, and nothing is to be confirmed.
        event_id: Its id.

    Raises:
        ConcurrencyError: It is not there any more.
    """
    if version == 0:
        return
    found = [e async for e in store.read(stream_id, from_version=version, to_version=version)]
    there = await store.stream_version(stream_id)
    if not found and there >= version:  # upcasters drop it: what stays is one before it, if any
        async for event in store.read(stream_id, to_version=version, backward=True):
            found, version, event_id = [event], event.version, event.raw_event_id
            break
        else:
            return
    if not found or found[0].raw_event_id != event_id:
        raise ConcurrencyError(stream_id, version, there)
    await store.append(stream_id, found[:1], expected_version=version - 1)


def _facts(event: Event[Any]) -> tuple[object, ...]:
    return event.event_type, event.data, event.raw_timestamp, dict(event.metadata)


async def pause(attempt: int) -> None:
    """Let some time pass, so that two who met do not meet again."""
    from random import uniform  # noqa: PLC0415 - it takes longer to import than the core may take

    longest = min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE)
    await asyncio.sleep(uniform(0, longest))  # noqa: S311 - no secret
