"""How far long work is, for people at a terminal."""

from __future__ import annotations

import sys
from collections import deque
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Task


_RATE_PERIOD = 10.0  # seconds that a rate is measured over
_PIPE_PAUSE = 5.0  # seconds between two lines in a pipe


class _RateColumn(ProgressColumn):
    """How many are done in a second.

    Args:
        shown: Gives the text of a number.
    """

    def __init__(self, shown: Callable[[int], str]) -> None:
        super().__init__()
        self._shown = shown

    def render(self, task: Task) -> Text:
        rate = task.finished_speed or task.speed
        return Text("" if rate is None else f"{self._shown(int(rate))}/s", "progress.data.speed")


@contextmanager
def progress(
    what: str, total: int, done: int = 0, *, shown: Callable[[int], str] = "{:,}".format
) -> Iterator[Callable[[int], None]]:
    """Show how far something is while the block runs, with the rate and the time that is left.

    Nothing of it is written into a pipe.

    Args:
        what: What is being done.
        total: How many there are.
        done: How many were done before.
        shown: Gives the text of a number, for the rate.

    Yields:
        A function to say how many are done now.
    """
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        _RateColumn(shown),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
        expand=True,
    ) as bar:
        task = bar.add_task(what, total=total, completed=done)
        yield lambda now: bar.update(task, completed=now)


def added_up(tell: Callable[[int], None]) -> Callable[[int], None]:
    """Give a function to say how many more are done, for one that is told how many are done now."""
    done = 0

    def add(number: int) -> None:
        nonlocal done
        done += number
        tell(done)

    return add


class Meter:
    """How far something is, at what rate, and how long it still takes, in words.

    Args:
        clock: Gives seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def said(self, done: int, total: int) -> str:
        """Give it in words, as ``45 %, 450 of 1,000, 25/s, 0:00:22 left``."""
        now = self._clock()
        self._seen.append((now, done))
        while self._seen[0][0] < now - _RATE_PERIOD:
            self._seen.popleft()
        since, before = self._seen[0]
        percent = 100 * done // total if total else 100
        text = f"{percent} %, {done:,} of {total:,}"
        if done > before:
            rate = (done - before) / (now - since)
            left = timedelta(seconds=round(max(total - done, 0) / rate))
            text = f"{text}, {rate:,.0f}/s, {left} left"
        return text


@contextmanager
def growing_progress(
    what: str, *, clock: Callable[[], float] = monotonic
) -> Iterator[Callable[[int, int], None]]:
    """Show how far something is of which there gets more; in a pipe a line every few seconds.

    Args:
        what: What is being done.
        clock: Gives seconds.

    Yields:
        A function to say how many are done now, and how many there are now.
    """
    with staged_progress(clock=clock) as tell:
        yield partial(tell, what)


@contextmanager
def staged_progress(
    *, clock: Callable[[], float] = monotonic
) -> Iterator[Callable[[str, int, int], None]]:
    """Show the same of several things, one after the other.

    Args:
        clock: Gives seconds.

    Yields:
        A function to say what is done now, and of it what ``growing_progress`` is told.
    """
    stages = _Stages(clock)
    if not sys.stderr.isatty():
        yield _into_pipe(stages, clock)
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        console=Console(stderr=True),
        transient=True,
        expand=True,
    ) as bar:
        task = bar.add_task("")

        def tell(what: str, done: int, total: int) -> None:
            line = stages.said(what, done, total)
            bar.update(task, description=line, completed=done, total=total)

        yield tell


class _Stages:
    """What is said of several things: each has a meter of its own.

    Args:
        clock: Gives seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._what = ""
        self._meter = Meter(clock)

    def said(self, what: str, done: int, total: int) -> str:
        """Give the line that says how far it is."""
        if what != self._what:
            self._what, self._meter = what, Meter(self._clock)
        return f"{what}: {self._meter.said(done, total)}"


def _into_pipe(stages: _Stages, clock: Callable[[], float]) -> Callable[[str, int, int], None]:
    """Give a function that writes a line every few seconds; none where nothing is new."""
    written_at, written = clock(), ""

    def tell(what: str, done: int, total: int) -> None:
        nonlocal written_at, written
        line = stages.said(what, done, total)
        now = clock()
        if now >= written_at + _PIPE_PAUSE and line != written:
            written_at, written = now, line
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    return tell
