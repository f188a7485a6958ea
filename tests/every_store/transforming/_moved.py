"""What a transformed store must hold: found here without anything of the transformation."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid5

from eventsourcing_core import open_backend
from tests.every_store._accounts import old, types

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from eventsourcing_core import Event, EventStore

HISTORY = (
    ("deposited", {"amount": 3}),
    ("owner.changed", {"name": "a", "place": "b"}),
    ("looked_at", {"by": "x"}),
    ("deposited.v2", {"cents": 5}),
    ("owner.changed", {"place": "c"}),
    ("noted", {"text": "no class has it"}),
    ("looked_at", {"by": "y"}),
)
"""What happens in each stream, again and again: one becomes one, two, one or none."""
ORIGINAL = "original-version"


class Moved(NamedTuple):
    """All that is kept of an event; positions are the target's own."""

    stream_id: str
    version: int
    event_id: UUID
    event_type: str
    data: Any
    timestamp: datetime
    metadata: Mapping[str, object]
    tags: frozenset[str]


def history(first: int, count: int) -> list[Event[Any]]:
    """Give new events of older programs."""
    chosen = (HISTORY[number % len(HISTORY)] for number in range(first, first + count))
    return [old(event_type, **data) for event_type, data in chosen]


async def expected(source: EventStore) -> list[Moved]:
    """Give what upcasters make of a store, with versions counted anew."""
    versions, before, made, number = Counter[str](), 0, list[Moved](), 0
    async for event in source.read_all():
        number = number + 1 if event.position == before else 1
        before = event.position
        versions[event.stream_id] += 1
        version = versions[event.stream_id]
        event_id = event.event_id if number == 1 else uuid5(event.event_id, str(number))
        metadata = {**event.metadata}
        if version != event.version:
            metadata[ORIGINAL] = event.version
        facts = (event.event_type, event.data, event.timestamp, metadata, event.tags)
        made.append(Moved(event.stream_id, version, event_id, *facts))
    return made


async def stored(target: EventStore) -> list[Moved]:
    """Give what a store holds."""
    return [
        Moved(
            *(event.stream_id, event.version, event.event_id, event.event_type),
            *(event.data, event.timestamp, dict(event.metadata), event.tags),
        )
        async for event in target.read_all()
    ]


async def faults_of(source_url: str, target_url: str) -> list[str]:
    """Say what is wrong in a target; nothing if all is right."""
    async with (
        open_backend(source_url, event_types=types) as source,
        open_backend(target_url, event_types=types) as target,
    ):
        wanted, found = await expected(source.event_store), await stored(target.event_store)
        counted = Counter(each.event_id for each in found)
        faults = [f"{each} comes {times} times" for each, times in counted.items() if times > 1]
        by_id = {each.event_id: each for each in found}
        faults += [f"{each} is lost" for each in wanted if each.event_id not in by_id]
        faults += [
            f"{by_id[each.event_id]} is to be {each}"
            for each in wanted
            if by_id.get(each.event_id, each) != each
        ]
        if not faults and wanted != found:
            faults = ["the order is another one, or there are more"]
        old_names = types.upcasters.keys()
        async with open_backend(target_url) as plain:
            faults += [
                f"{row.event_type} was left as it was"
                async for row in plain.event_store.read_all()
                if row.event_type in old_names
            ]
        return faults
