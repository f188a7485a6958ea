"""A process that writes groups: ``python -m … URL NAME GROUPS TASKS``.

They go to a few streams, that overlap, in any order; some require streams, some are in transactions
of the process's own. It says that it is ready, waits for a line, and says in the end which were
written, and what it met.
"""

from __future__ import annotations

import asyncio
import json
import sys
from random import Random
from typing import TYPE_CHECKING, Any

import asyncpg

from eventsourcing_core import (
    ConcurrencyError,
    Event,
    EventSourcingError,
    ExpectedVersion,
    StreamAt,
    ToStream,
)
from eventsourcing_postgres import PostgresEventStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    Pool = asyncpg.Pool[asyncpg.Record]

STREAMS = 24
TAGS = 6


async def write(store: PostgresEventStore, pool: Pool, name: str, random: Random) -> str:
    """Write a group in one of three ways; say what became of it."""
    chosen = random.sample(range(STREAMS), random.randint(2, 6))
    required = chosen.pop() if len(chosen) > 2 and random.random() < 0.3 else None
    streams = [f"grouped-{number}" for number in chosen]
    data = {"group": name, "size": len(streams)}
    tags = tags_of(random)
    writes = [
        ToStream(
            stream,
            [Event("Grouped", data, tags=tags)],
            expected_version=ExpectedVersion.ANY,
        )
        for stream in streams
    ]
    requires: list[StreamAt] = []
    if required is not None:
        stream = f"grouped-{required}"
        requires.append(StreamAt(stream, await store.stream_version(stream)))
    try:
        if random.random() < 0.3:
            async with pool.acquire() as connection, connection.transaction():
                await store.append_together(writes, requires=requires, connection=connection)
                await asyncio.sleep(random.choice((0, 0.005)))
        elif random.random() < 0.2:
            async with store.transaction() as transaction:
                await transaction.append_together(writes, requires=requires)
        else:
            await store.append_together(writes, requires=requires)
    except ConcurrencyError:
        return "refused"
    return "written"


def tags_of(random: Random) -> set[str]:
    """Give some groups tags, whose locks are taken, too."""
    if random.random() < 0.5:
        return set()
    return {f"grouped:{random.randrange(TAGS)}" for _ in range(2)}


async def main(url: str, name: str, groups: str, tasks: str) -> None:
    """Write so many groups in all, in several tasks."""
    written: list[str] = []
    refused: list[str] = []
    failures: set[str] = set()
    async with (
        asyncpg.create_pool(url, min_size=0, max_size=8) as pool,
        PostgresEventStore(pool) as store,
    ):
        print(json.dumps(["ready"]), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        numbers = iter(range(int(groups)))

        async def work(numbers: Iterator[int]) -> None:
            for number in numbers:
                group = f"{name}-{number}"
                random = Random(group)  # noqa: S311 - no secret
                try:
                    became = await write(store, pool, group, random)
                except EventSourcingError as error:
                    failures.add(f"{type(error).__name__}: {error}"[:200])
                else:
                    (written if became == "written" else refused).append(group)

        await asyncio.gather(*(work(numbers) for _ in range(int(tasks))))
    said: list[Any] = [written, refused, sorted(failures)]
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
