"""A projection store in a file, and processes that use it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.eventsourcing_sqlite.projections._builds import opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from eventsourcing_sqlite._projections.store import SqliteProjectionStore

PROGRAM = Path(__file__).with_name("other_process.py")
DEADLINE = 30.0  # seconds after which a process that hangs is killed


@pytest_asyncio.fixture
async def projections(path: Path) -> AsyncIterator[SqliteProjectionStore]:
    """Open a projection store in the file; whoever meets a lock gives up soon."""
    async with opened(path, busy_timeout=0.3) as store:
        yield store


class Process:
    """A run of ``other_process.py``."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self._popen = popen

    def hear(self, *words: object) -> None:
        """Wait until it says this; it says nothing else."""
        assert self._popen.stdout is not None
        said: list[Any] = json.loads(self._popen.stdout.readline())
        assert said == [*words]

    def hear_rest(self) -> list[list[Any]]:
        """Give all that it says until it ends well."""
        assert self._popen.stdout is not None
        said: list[list[Any]] = [json.loads(line) for line in self._popen.stdout]
        assert self._popen.wait() == 0
        return said

    def begin(self) -> None:
        """Give the line that it waits for."""
        assert self._popen.stdin is not None
        self._popen.stdin.write("go\n")
        self._popen.stdin.flush()

    def kill(self) -> None:
        """End it at once, with SIGKILL."""
        self._popen.kill()
        self._popen.wait()


@contextmanager
def _started(command: str, path: Path) -> Iterator[Process]:
    words = [sys.executable, str(PROGRAM), command, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, encoding="utf-8") as popen:  # noqa: S603 - our own program
        timer = Timer(DEADLINE, popen.kill)
        timer.start()
        try:
            yield Process(popen)
        finally:
            timer.cancel()
            timer.join()
            popen.kill()


@pytest.fixture
def start(path: Path) -> Iterator[Callable[[str], Process]]:
    """Give what starts a process on the file."""
    with ExitStack() as processes:
        yield lambda command: processes.enter_context(_started(command, path))
