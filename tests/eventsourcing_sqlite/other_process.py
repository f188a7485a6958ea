"""What the tests run in processes of their own: ``python other_process.py COMMAND FILE …``.

Each line that it writes is a list in JSON. Where several begin at the same moment, each says that
it is ready, and waits for a line.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from itertools import count
from random import sample
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from eventsourcing_core import ConcurrencyError, Event, ExpectedVersion, ToStream
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

BUSY_TIMEOUT = 20.0  # a slow machine is no reason to fail


def say(*words: object) -> None:
    print(json.dumps(words), flush=True)


async def ready() -> None:
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)


def three_events(ids: list[str]) -> list[Event[object]]:
    """Give events that say which of how many they are; half an append would be seen."""
    return [Event("Counted", {"n": n}, event_id=UUID(id_)) for n, id_ in enumerate(ids)]


async def race(path: str, name: str, rounds: str) -> None:
    """Try to write each version of one stream, and append to a stream of its own meanwhile."""
    async with SqliteDatabase.open(path, busy_timeout=BUSY_TIMEOUT) as database:
        store = SqliteEventStore(database)
        await ready()

        async def win_versions() -> int:
            won = 0
            for version in range(int(rounds)):
                with suppress(ConcurrencyError):
                    await store.append(
                        "shared", [Event("Won", {"by": name})], expected_version=version
                    )
                    won += 1
            return won

        async def append_freely(number: int) -> None:
            event = Event("Counted", {"n": number})
            await store.append(f"own-{name}", [event], expected_version=ExpectedVersion.ANY)

        won, *_ = await asyncio.gather(win_versions(), *map(append_freely, range(int(rounds))))
        say("won", won)


async def follow(path: str, total: str) -> None:
    """Read all events in small steps, each after the last position seen, until there are enough."""
    async with SqliteDatabase.open(path, busy_timeout=BUSY_TIMEOUT, poll_interval=0.01) as database:
        store = SqliteEventStore(database)
        await ready()
        seen: list[tuple[int, str]] = []
        while len(seen) < int(total):
            last = seen[-1][0] if seen else 0
            seen += [
                (event.position, str(event.event_id))
                async for event in store.read_all(after_position=last, limit=7)
            ]
            await store.wait(after_position=seen[-1][0] if seen else 0, timeout=0.1)
        say("seen", seen)


async def append_until_killed(path: str) -> None:
    """Say each append before it is tried, and when it is done; in several tasks."""
    async with SqliteDatabase.open(path, busy_timeout=BUSY_TIMEOUT) as database:
        store = SqliteEventStore(database)

        async def append_to(stream_id: str) -> None:
            while True:
                ids = [str(uuid4()) for _ in range(3)]
                say("try", stream_id, ids)
                result = await store.append(
                    stream_id, three_events(ids), expected_version=ExpectedVersion.ANY
                )
                say("done", stream_id, ids, result)

        await asyncio.gather(*(append_to(f"doc-{number}") for number in range(4)))


async def group_until_killed(path: str, name: str) -> None:
    """Append groups of events to three streams, and say when each is done; in several tasks."""
    async with SqliteDatabase.open(path, busy_timeout=BUSY_TIMEOUT) as database:
        store = SqliteEventStore(database)

        async def append_groups(task: int) -> None:
            for number in count():
                group = f"{name}-{task}-{number}"
                writes = [
                    ToStream(
                        f"shared-{stream}",
                        [Event[object]("Grouped", {"group": group}) for _ in range(2)],
                        expected_version=ExpectedVersion.ANY,
                    )
                    for stream in sample(range(4), 3)
                ]
                await store.append_together(writes)
                say("done", group)

        await asyncio.gather(*map(append_groups, range(4)))


async def make(path: str) -> None:
    """Make the file, and write one event."""
    await ready()
    async with SqliteDatabase.open(path, busy_timeout=BUSY_TIMEOUT) as database:
        result = await SqliteEventStore(database).append(
            "shared", [Event("Made", {})], expected_version=ExpectedVersion.ANY
        )
        say("made", result)


if __name__ == "__main__":
    commands: dict[str, Callable[..., Coroutine[None, None, None]]] = {
        "race": race,
        "follow": follow,
        "append": append_until_killed,
        "groups": group_until_killed,
        "make": make,
    }
    asyncio.run(commands[sys.argv[1]](*sys.argv[2:]))
