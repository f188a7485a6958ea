"""A process that decides: ``python -m tests.boundaries_under_load.decider URL NAME [FAULT]``.

It reads what matches some query, decides, and appends on condition that nothing else has come; each
outcome is a line of JSON. Beside it others append without any condition, some slowly, in
transactions that are given up at times. It goes on until its standard input ends. Tags and types
have a number in them that changes with time, the same in all processes: so what matches stays
small.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from eventsourcing_core import (
    BoundaryError,
    Event,
    EventTypes,
    ExpectedVersion,
    Query,
    ToStream,
    open_backend,
)
from tests.boundaries_under_load._faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core import StorageEventStore

ANY = ExpectedVersion.ANY
TAGS = ("course:1", "course:2", "student:1", "student:2", "room:1")
TYPES = ("enrolled", "left", "moved")
TASKS = 6
ATTEMPTS = 4
SECONDS = 0.5  # for which tags keep their number

Part = tuple[list[str], list[str] | None]


class GivenUpError(Exception):
    """A transaction is rolled back."""


class Decider:
    """Decides and writes with chances of its own."""

    def __init__(self, store: StorageEventStore, name: str, task: int) -> None:
        self._store = store
        self._name = f"{name}-{task}"
        self._chance = random.Random(self._name)  # noqa: S311 - no secret

    async def decide(self) -> None:
        """Decide once, and go on from each refusal."""
        slot = int(time.time() / SECONDS)
        parts = [self._part(slot) for _ in range(self._chance.randint(1, 2))]
        view = await self._store.read_matching(_query(parts))
        read = {event.position for event in view.events}
        marker = view.marker
        for _ in range(ATTEMPTS):
            await asyncio.sleep(self._chance.choice((0, 0, 0.001, 0.01)))
            group = self._group(slot)
            try:
                await self._append(group, marker)
            except BoundaryError as refusal:
                missed = [event.position for event in refusal.events]
                _say(parts, read, group, missed)
                read |= {*missed}
                marker = refusal.marker
            else:
                _say(parts, read, group, None)
                return

    async def write(self) -> None:
        """Write without a condition; every other time slowly, and at times not after all."""
        slot = int(time.time() / SECONDS)
        if self._chance.random() < 0.5:
            await self._store.append(self._name, self._events(slot), expected_version=ANY)
            return
        with suppress(GivenUpError):
            async with self._store.transaction() as transaction:
                await transaction.append(self._name, self._events(slot), expected_version=ANY)
                await asyncio.sleep(self._chance.choice((0, 0.002, 0.02)))
                if self._chance.random() < 0.3:
                    raise GivenUpError
                await transaction.append(self._name, self._events(slot), expected_version=ANY)

    async def _append(self, group: Sequence[ToStream], marker: Any) -> None:
        if self._chance.random() < 0.8:
            await self._store.append_together(group, unless_changed=marker)
            return
        async with self._store.transaction() as transaction:
            await transaction.append_together(group, unless_changed=marker)

    def _group(self, slot: int) -> list[ToStream]:
        streams = self._chance.sample(range(4), self._chance.randint(1, 2))
        return [
            ToStream(f"{self._name}-{stream}", self._events(slot), expected_version=ANY)
            for stream in streams
        ]

    def _events(self, slot: int) -> list[Event[object]]:
        return [
            Event(
                _numbered(self._chance.choice(TYPES), slot),
                {},
                tags={_numbered(tag, slot) for tag in self._some(TAGS, 0, 3)},
            )
            for _ in range(self._chance.randint(1, 3))
        ]

    def _part(self, slot: int) -> Part:
        tags = [_numbered(tag, slot) for tag in self._some(TAGS, 0, 2)]
        types = [_numbered(name, slot) for name in self._some(TYPES, 1, 2)]
        return tags, types if not tags or self._chance.random() < 0.3 else None

    def _some(self, what: Sequence[str], least: int, most: int) -> list[str]:
        return self._chance.sample(what, self._chance.randint(least, most))


def _numbered(name: str, slot: int) -> str:
    return f"{name}@{slot}"


def _query(parts: Sequence[Part]) -> Query:
    first, *others = [Query(tags=tags, event_types=types) for tags, types in parts]
    for other in others:
        first |= other
    return first


def _say(
    parts: Sequence[Part], read: set[int], group: Sequence[ToStream], missed: list[int] | None
) -> None:
    events: list[Any] = [event for write in group for event in write.events]
    said = {
        "query": parts,
        "read": sorted(read),
        "ids": [str(event.event_id) for event in events],
        "missed": missed,
    }
    print(json.dumps(said), flush=True)


async def decide_on(url: str, name: str, *faults: str) -> None:
    """Decide and write in several tasks, until the standard input ends."""
    for fault in faults:
        FAULTS[fault]()
    over = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
    async with open_backend(url, event_types=EventTypes()) as backend:

        async def go_on(task: int) -> None:
            decider = Decider(backend.event_store, name, task)
            while not over.done():
                await (decider.write() if task == 0 else decider.decide())

        await asyncio.gather(*map(go_on, range(TASKS)))
    await over


if __name__ == "__main__":
    asyncio.run(decide_on(*sys.argv[1:]))
