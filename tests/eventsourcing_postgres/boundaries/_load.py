"""Runs deciders in processes, kills some, and has all decisions judged."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg

from tests.eventsourcing_postgres.boundaries._decisions import (
    EVENTS,
    Refused,
    Verdicts,
    happened_in,
    judged,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DECIDER = "tests.eventsourcing_postgres.boundaries._decider"
ROOT = Path(__file__).parents[3]
PROCESSES = 4
TASKS = 8  # of each
LONGEST_LINE = 1 << 28  # bytes; a process says all that was refused in one
KILL_AFTER = 1.0  # seconds that a process lives that is killed
DEADLINE = 120.0  # seconds after which whatever hangs is ended
DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"
SOON = """
do $$ begin
    execute format('alter database %I set deadlock_timeout = %L', current_database(), '20ms');
end $$
"""
"""Lets the server look for deadlocks before those who wait give up."""


class Outcome(NamedTuple):
    """What came of a load."""

    verdicts: Verdicts
    ways: set[str]
    failures: set[str]
    """What deciders met that is no verdict."""
    kills: int
    deadlocks: int


async def run(url: str, seconds: float, broken: str = "", name: str = "load") -> Outcome:
    """Let processes decide for some time, while others are killed."""
    refused: list[Refused] = []
    ways: set[str] = set()
    failures: set[str] = set()
    kills = 0
    await fetched(url, SOON)
    async with asyncio.timeout(seconds + DEADLINE), AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(
                started(DECIDER, url, f"{name}-{number}", seconds, TASKS, broken)
            )
            for number in range(PROCESSES)
        ]
        for process in processes:
            let_go(process)
        ends = [asyncio.create_task(said_by(process)) for process in processes]
        while not all(end.done() for end in ends):
            # Killed on leaving the block, with whatever is under way.
            victim_name = f"{name}-killed-{kills}"
            async with started(DECIDER, url, victim_name, seconds, TASKS, broken) as victim:
                let_go(victim)
                await asyncio.wait(ends, timeout=KILL_AFTER)
            kills += 1
        for end in ends:
            said = end.result()
            refused += [Refused(*one) for one in said[0]]
            ways.update(said[1])
            failures.update(said[2])

    verdicts = judged(happened_in(await fetched(url, EVENTS)), refused)
    ((deadlocks,),) = await fetched(url, DEADLOCKS)
    return Outcome(verdicts, ways, failures, kills, deadlocks)


async def fetched(url: str, sql: str) -> list[Any]:
    """Give the rows of a statement."""
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


@asynccontextmanager
async def started(program: str, *arguments: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a process; give it when it is ready, and kill it if it still runs in the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", program, *map(str, arguments)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        limit=LONGEST_LINE,
    )
    try:
        assert await said_by(process) == ["ready"]
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def let_go(process: asyncio.subprocess.Process) -> None:
    """Let a process begin."""
    assert process.stdin is not None
    process.stdin.write(b"go\n")


async def said_by(process: asyncio.subprocess.Process) -> list[Any]:
    """Give what a process says next."""
    assert process.stdout is not None
    line = await process.stdout.readline()
    assert line, "it ended; what it wrote says why"
    said: list[Any] = json.loads(line)
    return said
