"""Processes that decide on one store, some of which are killed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from eventsourcing_core import EventTypes, open_backend
from tests.boundaries_under_load._decisions import Decision, Log, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PROCESSES = 4
DEADLINE = 90.0  # seconds until something counts as never happening
PAUSE = 0.05  # between two looks at what was decided


class Process:
    """A process that decides, and the file that it says its decisions to."""

    def __init__(self, popen: subprocess.Popen[bytes], said: Path) -> None:
        self.popen = popen
        self.said = said

    def end(self) -> None:
        """Let it finish what it is at, and see that nothing went wrong."""
        assert self.popen.stdin is not None
        self.popen.stdin.close()
        assert self.popen.wait(DEADLINE) == 0

    def decisions(self) -> list[Decision]:
        """Give what it has decided; the last line of one that was killed may be half a line."""
        lines = self.said.read_text("utf-8").splitlines(keepends=True)
        return [Decision.of(json.loads(line)) for line in lines if line.endswith("\n")]


@contextmanager
def _started(command: list[str], said: Path) -> Iterator[Process]:
    with said.open("wb") as output:
        file: IO[bytes] = output
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=file, cwd=ROOT) as popen:  # noqa: S603 - our own program
            try:
                yield Process(popen, said)
            finally:
                popen.kill()


def decided(url: str, folder: Path, *faults: str, enough: int, kills: int = 0) -> list[Decision]:
    """Let processes decide until they have decided often enough, and kill some meanwhile."""
    program = [sys.executable, "-m", "tests.boundaries_under_load.decider", url]
    deadline = time.monotonic() + DEADLINE + enough / 100

    with ExitStack() as stack:

        def start(name: str) -> Process:
            command = [*program, name, *faults]
            return stack.enter_context(_started(command, folder / f"{name}.jsonl"))

        running = [start(f"decider-{number}") for number in range(PROCESSES)]
        ended: list[Process] = []
        while (count := _count([*running, *ended])) < enough:
            assert time.monotonic() < deadline, f"{count} decisions, and no more"
            assert all(process.popen.poll() is None for process in running)
            if count > enough * (len(ended) + 1) // (kills + 1):
                victim = running.pop(0)
                victim.popen.kill()
                ended.append(victim)
                running.append(start(f"decider-{PROCESSES + len(ended)}"))
            time.sleep(PAUSE)  # a look at the files costs those who write them
        for process in running:
            process.end()
        return [decision for process in [*running, *ended] for decision in process.decisions()]


def _count(processes: list[Process]) -> int:
    return sum(process.said.read_bytes().count(b"\n") for process in processes)


async def log_of(url: str) -> Log:
    """Read all that a store holds."""
    events: list[Stored] = []
    places: dict[str, int] = {}
    async with open_backend(url, event_types=EventTypes()) as backend:
        async for event in backend.event_store.read_all():
            events.append(Stored(event.position, event.event_type, event.tags))
            places[str(event.event_id)] = event.position
    return Log(events, places)
