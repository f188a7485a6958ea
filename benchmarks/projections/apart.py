"""Processes of their own: none pays for another's imports, threads or garbage."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, Self, TypeVar

from benchmarks._measure import resident_megabytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.context import SpawnProcess

P = ParamSpec("P")
R = TypeVar("R")

WARM_UP = 10  # memory is compared with what it was after a tenth of the time
PAUSE = 0.02  # seconds between two looks at the memory


class Figures(NamedTuple):
    """What one run gave."""

    events: int
    seconds: float
    cpu_seconds: float = 0.0
    """For how long this process computed, the server left out; 0: that was not measured."""
    growth_mb: float = 0.0
    """Resident memory: the most there was after warming up, less what there was then."""

    @property
    def rate(self) -> float:
        """Events for each second."""
        return self.events / self.seconds


class Watch:
    """Measures time, computing and memory of a block."""

    def __enter__(self) -> Self:
        self._seen = [resident_megabytes()]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        self._cpu, self._begin = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self._seconds = time.perf_counter() - self._begin
        self._cpu = time.process_time() - self._cpu
        self._ended.set()
        self._thread.join()

    def figures(self, events: int) -> Figures:
        """Give them, once the block is left."""
        after = self._seen[len(self._seen) // WARM_UP :]
        return Figures(events, self._seconds, self._cpu, max(after) - after[0])

    def _look(self) -> None:
        while not self._ended.wait(PAUSE):
            self._seen.append(resident_megabytes())


def apart(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function in a new process, and give what it returns."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        return processes.submit(function, *args, **kwargs).result()


@contextmanager
def running(
    function: Callable[P, None], *args: P.args, **kwargs: P.kwargs
) -> Iterator[SpawnProcess]:
    """Run a function that does not end in a new process; it is killed at the end."""
    process = get_context("spawn").Process(target=function, args=args, kwargs=kwargs, daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()
