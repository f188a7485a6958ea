"""The process of one side: ``python -m benchmarks.peers.worker SIDE URL CONNECTIONS``.

It reads a command per line, as JSON, and answers each with a line. ``follow`` and ``tail`` first
answer that they are ready.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import random
import select
import sys
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from benchmarks._measure import resident_megabytes
from benchmarks.peers.concurrency import by_tasks, by_threads
from benchmarks.peers.sides import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

PAUSE = 0.005  # seconds between two looks of a reader that found nothing
PAGE = 1_000


class Worker:
    """Runs commands on one side, be it one that awaits or one that blocks.

    Args:
        side: An ``AsyncSide`` or a ``SyncSide``.
        answer: Takes what is to be answered.
        runner: The event loop of the process.
    """

    def __init__(
        self, side: Any, answer: Callable[[dict[str, Any]], None], runner: asyncio.Runner
    ) -> None:
        self._side = side
        self._answer = answer
        self._runner = runner
        self._is_async = inspect.iscoroutinefunction(side.open)

    def do(self, method: str, *arguments: Any) -> Any:
        """Call a method of the side, and wait for it where it is a coroutine."""
        result = getattr(self._side, method)(*arguments)
        return self._runner.run(result) if inspect.iscoroutine(result) else result

    def append(
        self, *, tasks: int, events: int, seconds: float, race: str | None = None
    ) -> dict[str, Any]:
        """Append until the time is over."""
        stream = UUID(race) if race else None
        if self._is_async:
            return self._runner.run(by_tasks(self._side, tasks, events, seconds, stream))
        return by_threads(self._side, tasks, events, seconds, stream)

    def timed(self, *, method: str, arguments: list[Any], times: int) -> dict[str, Any]:
        """Call a method so many times; give the seconds of each, and the last result."""
        call = getattr(self._side, method)
        seconds: list[float] = []

        async def await_it() -> object:
            result = None
            for _ in range(times):
                begin = time.perf_counter()
                result = await call(*arguments)
                seconds.append(time.perf_counter() - begin)
            return result

        def wait_for_it() -> object:
            result = None
            for _ in range(times):
                begin = time.perf_counter()
                result = call(*arguments)
                seconds.append(time.perf_counter() - begin)
            return result

        result = self._runner.run(await_it()) if self._is_async else wait_for_it()
        return {"seconds": seconds, "result": result}

    def replay(self, *, limit: int) -> dict[str, Any]:
        """Read all events, and look at the memory of the process meanwhile."""
        before = most = resident_megabytes()
        ended = threading.Event()

        def watch() -> None:
            nonlocal most
            while not ended.wait(0.02):
                most = max(most, resident_megabytes())

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            answer = self.timed(method="read_all", arguments=[limit], times=1)
        finally:
            ended.set()
            watching.join()
        return {**answer, "before_mb": before, "growth_mb": most - before}

    def pings(self, *, count: int) -> dict[str, Any]:
        """Append single events to an idle store; give when each call began, in nanoseconds."""
        begun: list[int] = []

        async def await_them() -> None:
            # In one go: what the side does in the background needs the loop to run.
            for _ in range(count):
                await asyncio.sleep(_idle())
                begun.append(time.monotonic_ns())
                await self._side.append(uuid4(), 0, 1)
            await asyncio.sleep(_idle())

        def wait_for_them() -> None:
            for _ in range(count):
                time.sleep(_idle())
                begun.append(time.monotonic_ns())
                self._side.append(uuid4(), 0, 1)

        if self._is_async:
            self._runner.run(await_them())
        else:
            wait_for_them()
        return {"begun": begun}

    def follow(self, *, count: int) -> dict[str, Any]:
        """Wait for events; give when each arrived."""
        return {"arrived": self.do("follow", count, lambda: self._answer({"ready": True}))}

    def tail(self) -> dict[str, Any]:
        """Read what comes, from where the last page ended, until a line says to stop."""
        position = self.do("end")
        self._answer({"ready": True})
        seen = 0
        stopping = False
        while True:
            count, position = self.do("page", position, PAGE)
            seen += count
            if count == 0 and stopping:
                return {"seen": seen}
            if count == 0:
                time.sleep(PAUSE)
            stopping = stopping or bool(select.select([sys.stdin], [], [], 0)[0])


def _idle() -> float:
    return random.uniform(0.03, 0.06)  # noqa: S311 - seconds, no secret


def main() -> None:
    """Answer until the input ends. What the side prints goes where errors go."""
    name, url, connections = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(values: dict[str, Any]) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    module, _, attribute = BY_NAME[name].place.partition(":")
    made = getattr(import_module(f"benchmarks.peers.sides.{module}"), attribute)
    with asyncio.Runner() as runner:
        worker = Worker(made(url, int(connections)), answer, runner)
        worker.do("open")
        answer({"ready": True})
        serve(worker, answer, sys.stdin)
        worker.do("close")


def serve(worker: Worker, answer: Callable[[dict[str, Any]], None], commands: TextIO) -> None:
    """Do one command after the other."""
    for line in iter(commands.readline, ""):
        command: dict[str, Any] = json.loads(line)
        name = command.pop("command", None)
        if name is not None:
            answer(getattr(worker, name)(**command))


if __name__ == "__main__":
    main()
