"""What the tests run in processes of their own: ``python -m … COMMAND URL …``.

Each line that it writes is a list in JSON. Each process says that it is ready, and most wait for a
line then.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import cycle
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import asyncpg

from eventsourcing_core import (
    AppendResult,
    ConcurrencyError,
    DuplicateEventError,
    Event,
    ExpectedVersion,
)
from eventsourcing_postgres import PostgresEventStore
from tests.eventsourcing_postgres.under_load._writer import DOWN, Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from uuid import UUID

    Pool = asyncpg.Pool[asyncpg.Record]

PATIENCE = 30.0  # seconds for what must succeed in the end
PAUSE = 0.05  # seconds before trying again


def say(*words: object) -> None:
    print(json.dumps(words), flush=True)


async def heard() -> str:
    """Wait for a line; an empty one when nobody is there any more."""
    readable = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline()


async def ready() -> None:
    say("ready")
    await heard()


@asynccontextmanager
async def opened(url: str, connections: int = 3) -> AsyncIterator[tuple[PostgresEventStore, Pool]]:
    async with (
        asyncpg.create_pool(url, min_size=0, max_size=connections) as pool,
        PostgresEventStore(pool) as store,
    ):
        yield store, pool


async def write(url: str, name: str, tasks: str, seconds: str) -> None:
    """Append in every way there is, for some time, in several tasks."""
    # A transaction that is killed takes a second connection.
    async with opened(url, 2 * int(tasks) + 1) as (store, pool):
        writers = [Writer(store, pool, f"{name}-{task}") for task in range(int(tasks))]
        await ready()
        await asyncio.gather(*(writer.work(float(seconds)) for writer in writers))
    say(
        [ids for writer in writers for ids in writer.committed],
        [ids for writer in writers for ids in writer.undone],
        [way for writer in writers for way in writer.ways],
    )


async def follow(url: str, after: str, filters: str) -> None:
    """Read in pages, each with a fresh iterator from the last position seen, up to one it hears."""
    seen: list[tuple[int, str]] = []
    failures: set[str] = set()
    cursor = int(after)
    loop = asyncio.get_running_loop()
    async with opened(url) as (store, _):
        say("ready")
        last = asyncio.create_task(heard())
        deadline = float("inf")
        for limit in cycle((7, 100, 700)):
            if last.done():
                deadline = min(deadline, loop.time() + PATIENCE)
                if cursor >= int(last.result()) or loop.time() > deadline:
                    break
            try:
                async for event in store.read_all(
                    after_position=cursor, limit=limit, **json.loads(filters)
                ):
                    seen.append((event.position, str(event.event_id)))
                    cursor = event.position
                await store.wait(after_position=cursor, timeout=0.2)
            except Exception as error:  # noqa: BLE001 - the tests say which it may meet
                failures.add(type(error).__name__)
                await asyncio.sleep(PAUSE)
    say(cursor >= int(last.result()), [*failures], seen)


class Acknowledged(NamedTuple):
    """An append that succeeded in the end."""

    stream_id: str
    expected_version: int | None
    """None: any."""
    event_ids: list[str]
    version: int
    position: int
    failures: list[str]
    """What it met when it was tried in vain."""
    landed: list[int] | None
    """Version and position at which a failed attempt had written it nevertheless."""


async def insist(url: str, name: str, stores: str, tasks: str) -> None:
    """Append in several tasks on several stores, and repeat what fails; until it hears a line."""
    acknowledged: list[Acknowledged] = []
    refused: list[str] = []
    async with AsyncExitStack() as stack:
        opens = [await stack.enter_async_context(opened(url)) for _ in range(int(stores))]
        say("ready")
        stop = asyncio.create_task(heard())

        async def append_to(store: PostgresEventStore, pool: Pool, number: int) -> None:
            random = Random(f"{name}-{number}")  # noqa: S311 - no secret
            own, version = f"own-{name}-{number}", 0
            while not stop.done():
                events = [Event("Counted", {"n": n}) for n in range(random.randint(1, 5))]
                try:
                    if number % 2:
                        done = await append_at_last(store, pool, own, events, version)
                        version = done.version
                    else:
                        done = await append_at_last(store, pool, f"shared-{number}", events, None)
                except (ConcurrencyError, DuplicateEventError, TimeoutError) as error:
                    refused.append(repr(error))
                    return
                acknowledged.append(done)

        await asyncio.gather(
            *(
                append_to(*pair, int(tasks) * index + task)
                for index, pair in enumerate(opens)
                for task in range(int(tasks))
            )
        )
    say(acknowledged, refused)


async def append_at_last(
    store: PostgresEventStore,
    pool: Pool,
    stream_id: str,
    events: list[Event[dict[str, int]]],
    version: int | None,
) -> Acknowledged:
    """Append until it succeeds; after a failure look first whether it was written."""
    failures: list[str] = []
    landed: list[int] | None = None
    expected = ExpectedVersion.ANY if version is None else version
    async with asyncio.timeout(PATIENCE):
        while True:
            if failures:
                landed = landed or await place(pool, events[-1].event_id)
            try:
                result = await store.append(stream_id, events, expected_version=expected)
            except (ConcurrencyError, DuplicateEventError):
                raise
            except Exception as error:  # noqa: BLE001 - the tests say which it may meet
                failures.append(type(error).__name__)
                await asyncio.sleep(PAUSE)
            else:
                ids = [str(event.event_id) for event in events]
                return Acknowledged(stream_id, version, ids, *result, failures, landed)


async def place(pool: Pool, event_id: UUID) -> list[int] | None:
    """Give version and position of an event; None if it is not there, or the server is not."""
    sql = "select version, position from eventsourcing.events where event_id = $1"
    with suppress(*DOWN):
        row = await pool.fetchrow(sql, event_id)
        return None if row is None else [*row]
    return None


async def race(url: str, stream_id: str, tasks: str, rounds: str) -> None:
    """Load the version of one stream and try to append with it, in several tasks."""
    won: list[int] = []
    lost = 0

    async with opened(url, int(tasks)) as (store, _):
        await ready()

        async def compete() -> None:
            nonlocal lost
            for _ in range(int(rounds)):
                found = [
                    event.version async for event in store.read(stream_id, backward=True, limit=1)
                ]
                version = found[0] if found else 0
                try:
                    result = await store.append(
                        stream_id, [Event("Won", {"after": version})], expected_version=version
                    )
                except ConcurrencyError:
                    lost += 1
                else:
                    won.append(result.version)

        await asyncio.gather(*(compete() for _ in range(int(tasks))))
    say(won, lost)


async def append_batches(url: str, name: str, streams: str, stores: str, batches: str) -> None:
    """Append to several streams at once, chosen at random out of a few; on several stores."""
    appended: list[tuple[str, AppendResult]] = []

    async def append_to(store: PostgresEventStore, stream_id: str) -> None:
        result = await store.append(
            stream_id, [Event("Counted", {})], expected_version=ExpectedVersion.ANY
        )
        appended.append((stream_id, result))

    async def append_all(store: PostgresEventStore, random: Random) -> None:
        for _ in range(int(batches)):
            chosen = random.sample(range(int(streams)), random.randint(2, 4))
            await asyncio.gather(*(append_to(store, f"shared-{number}") for number in chosen))

    async with AsyncExitStack() as stack:
        opens = [await stack.enter_async_context(opened(url)) for _ in range(int(stores))]
        await ready()
        await asyncio.gather(
            *(
                append_all(store, Random(f"{name}-{number}"))  # noqa: S311 - no secret
                for number, (store, _) in enumerate(opens)
            )
        )
    say(appended)


if __name__ == "__main__":
    commands: dict[str, Callable[..., Coroutine[None, None, None]]] = {
        "write": write,
        "follow": follow,
        "insist": insist,
        "race": race,
        "append_batches": append_batches,
    }
    asyncio.run(commands[sys.argv[1]](*sys.argv[2:]))
