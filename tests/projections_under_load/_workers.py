"""Processes of ``worker.py``, which can be killed, stopped for a while, and ended in order."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.projections_under_load._waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PROGRAM = "tests.projections_under_load.worker"
ROOT = Path(__file__).parents[2]


class Worker:
    """A run of ``worker.py``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._is_ready = False

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def begin(self) -> None:
        """Wait until it works."""
        if not self._is_ready:
            assert await self.hear() == ["ready"]
        self._is_ready = True

    async def hear(self) -> list[Any]:
        """Give what it says next."""
        assert self._process.stdout is not None
        async with asyncio.timeout(DEADLINE):  # on Python 3.11 wait_for may swallow a cancellation
            line = await self._process.stdout.readline()
        assert line, "it ended; what it wrote says why"
        said: list[Any] = json.loads(line)
        return said

    def tell(self) -> None:
        """Give the line that it waits for."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")

    def stop(self) -> None:
        """Let it do nothing."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)  # now it does nothing

    def go_on(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """End it at once; see that it had not ended by itself."""
        assert self.is_running, f"it ended with {self._process.returncode}"
        self._process.kill()
        await self._process.wait()

    async def end(self) -> None:
        """Let it end in order, and see that it does."""
        await self.begin()
        assert self.is_running, f"it ended with {self._process.returncode}"
        self._process.terminate()
        async with asyncio.timeout(DEADLINE):
            code = await self._process.wait()
        assert code == 0, f"it ended with {code}"


async def start(*arguments: object) -> Worker:
    """Start a process; it may not be ready yet."""
    pipe = asyncio.subprocess.PIPE
    return Worker(
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", PROGRAM, *map(str, arguments)),
            stdin=pipe,
            stdout=pipe,
            cwd=ROOT,
        )
    )


@asynccontextmanager
async def started(*arguments: object) -> AsyncIterator[Worker]:
    """Start a process, give it when it is ready; it is killed if it still runs in the end."""
    worker = await start(*arguments)
    try:
        await worker.begin()
        yield worker
    finally:
        if worker.is_running:
            await worker.kill()
