"""The harness's end of a worker: start it, send commands, take answers, end it."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from benchmarks.peers.servers import Servers
    from benchmarks.peers.sides import Listed

PATIENCE = 900.0  # seconds until a worker that does not answer is taken for stuck


class Process:
    """A worker that runs."""

    def __init__(self, side: Listed, url: str, connections: int) -> None:
        self.side = side
        self.url = url
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "benchmarks.peers.worker", side.name, url, str(connections)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it; by force if it is in the middle of something."""
        if error is not None:
            self._process.kill()
        try:
            self._process.communicate(timeout=30)  # the end of its input ends it
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def send(self, command: str | None, **arguments: Any) -> None:
        """Send a command; without a name it stops one that runs."""
        print(json.dumps({"command": command, **arguments}), file=self._process.stdin, flush=True)

    def answer(self) -> dict[str, Any]:
        """Take the next answer."""
        answers: Any = self._process.stdout  # it is there: see above
        readable, _, _ = select.select([answers], [], [], PATIENCE)
        line = answers.readline() if readable else ""
        if not line:
            message = f"the worker of {self.side.name} {'ended' if readable else 'does not answer'}"
            raise RuntimeError(message)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a command, and take its answer."""
        self.send(command, **arguments)
        return self.answer()

    def call(self, method: str, *arguments: Any, times: int = 1) -> dict[str, Any]:
        """Call a method of the side so many times, one after the other."""
        return self.ask("timed", method=method, arguments=list(arguments), times=times)


@contextmanager
def opened(servers: Servers, sides: Iterable[Listed], connections: int) -> Iterator[list[Process]]:
    """Start a worker for each side, each on an empty place."""
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                Process(side, stack.enter_context(servers.place(side)), connections)
            )
            for side in sides
        ]
        for process in processes:
            process.answer()
        yield processes


@contextmanager
def several(url: str, side: Listed, number: int, connections: int) -> Iterator[list[Process]]:
    """Start so many workers of one side on one place.

    One after the other: not every library can look after its schema in two processes at once.
    """
    with ExitStack() as stack:
        processes: list[Process] = []
        for _ in range(number):
            process = stack.enter_context(Process(side, url, connections))
            process.answer()
            processes.append(process)
        yield processes
