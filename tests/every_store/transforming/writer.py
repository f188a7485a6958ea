"""A process of an older program that goes on to write, until its standard input ends.

``python -m tests.every_store.transforming.writer URL NAME``; at the end it says how many it wrote.
"""

from __future__ import annotations

import asyncio
import random
import sys

from eventsourcing_core import EventTypes, ExpectedVersion, open_backend
from tests.every_store.transforming._moved import history

STREAMS = 12


async def write(url: str, name: str) -> int:
    """Append until nobody listens any more."""
    chance = random.Random(name)  # noqa: S311 - no secret
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    written = 0
    async with open_backend(url, event_types=EventTypes()) as backend:
        print("ready", flush=True)
        while not ended.done():
            events = history(chance.randrange(7), chance.randrange(1, 4))
            stream_id = f"account-{chance.randrange(STREAMS)}"
            await backend.event_store.append(
                stream_id, events, expected_version=ExpectedVersion.ANY
            )
            written += len(events)
            await asyncio.sleep(chance.uniform(0, 0.02))
    return written


if __name__ == "__main__":
    print(asyncio.run(write(*sys.argv[1:])))
