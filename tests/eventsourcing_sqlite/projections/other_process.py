"""What the tests run in processes of their own: ``python other_process.py COMMAND FILE``.

Each line that it writes is a list in JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from eventsourcing_core.stores import (
    Build,
    BuildSpec,
    Move,
    Plan,
    Progress,
    ProjectionKind,
    Worker,
)
from eventsourcing_sqlite import SqliteDatabase
from eventsourcing_sqlite._projections.store import SqliteProjectionStore

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from eventsourcing_core.stores import Arrangement

BALANCES = BuildSpec(Build("balances", 1), ProjectionKind.PROJECTION, "Balances")
BUSY_TIMEOUT = 20.0  # a slow machine is no reason to fail


def say(*words: object) -> None:
    print(json.dumps(words), flush=True)


async def hear() -> None:
    await asyncio.to_thread(sys.stdin.readline)


async def create(connection: Any) -> None:
    await connection.execute("create table balance (account text primary key, cents integer)")
    say("created")


async def register(store: SqliteProjectionStore) -> None:
    """Register a build at the moment that is given."""
    say("ready")
    await hear()
    await store.register(BALANCES, segments=4, start=Progress(0, None), create=create)
    say("registered")


async def register_and_hang(store: SqliteProjectionStore) -> None:
    """Stay in the transaction that makes the tables."""

    async def create_and_hang(connection: Any) -> None:
        await create(connection)
        await hear()

    await store.register(BALANCES, segments=4, start=Progress(0, None), create=create_and_hang)


async def count_and_hang(store: SqliteProjectionStore) -> None:
    """Take all, commit one batch, and stay in a second one."""

    def take_all(arrangement: Arrangement) -> Plan:
        return Plan(take=frozenset(segment.low for segment in arrangement.segments))

    build = BALANCES.build
    await store.register(BALANCES, segments=4, start=Progress(0, None), create=create)
    arrangement = await store.beat(build, Worker("killed", None, None), 600, take_all)
    for position in (1, 2):
        move = Move(arrangement.segments, Progress(position, None))
        async with store.batch(build, move, lease=600) as batch:
            await batch.connection.execute("insert into balance values (?, 1)", (str(position),))
            await batch.park(f"key-{position}", [position], "broken", 60)
            if position == 2:
                say("inside")
                await hear()
        arrangement = await store.arrangement(build)


async def main(command: str, path: str) -> None:
    commands: dict[str, Callable[[SqliteProjectionStore], Coroutine[None, None, None]]] = {
        "register": register,
        "register_and_hang": register_and_hang,
        "count_and_hang": count_and_hang,
    }
    async with SqliteDatabase.open(path, busy_timeout=BUSY_TIMEOUT) as database:
        await commands[command](SqliteProjectionStore(database))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
