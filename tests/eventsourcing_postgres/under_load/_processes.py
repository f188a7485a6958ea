"""Processes of ``other_process.py``, and databases that outlive a test."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.eventsourcing_postgres._databases import temporary_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractContextManager, AsyncExitStack

PROGRAM = "tests.eventsourcing_postgres.under_load.other_process"
ROOT = Path(__file__).parents[3]
LONGEST_LINE = 1 << 28  # bytes; a process says all that it saw in one
DEADLINE = 120.0  # seconds after which whatever hangs is ended


class Process:
    """A run of ``other_process.py``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def hear(self) -> list[Any]:
        """Give what it says next."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "it ended; what it wrote says why"
        said: list[Any] = json.loads(line)
        return said

    def tell(self, word: object = "go") -> None:
        """Give the line that it waits for."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n".encode())

    async def end(self) -> list[Any]:
        """Give the last that it says, and see that it succeeded."""
        said = await self.hear()
        assert await self._process.wait() == 0
        return said


@asynccontextmanager
async def started(*arguments: object) -> AsyncIterator[Process]:
    """Start a process; give it when it is ready, and kill it if it still runs in the end."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", PROGRAM, *map(str, arguments)),
        stdin=pipe,
        stdout=pipe,
        cwd=ROOT,
        limit=LONGEST_LINE,
    )
    try:
        ready = Process(process)
        assert await ready.hear() == ["ready"]
        yield ready
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def start_all(stack: AsyncExitStack, *commands: tuple[object, ...]) -> list[Process]:
    """Start processes at once; they end with the stack."""
    return list(
        await asyncio.gather(
            *(stack.enter_async_context(started(*command)) for command in commands)
        )
    )


def database(server_url: str, template: str, name: str) -> AbstractContextManager[str]:
    """Make a fresh, migrated database, and give its URL."""
    return temporary_database(server_url, f"{template}_{name}", f"template {template}")
