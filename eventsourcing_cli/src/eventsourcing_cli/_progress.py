"""How far long work is, for people at a terminal: nothing of it is written into a pipe."""

from __future__ import annotations

import sys
from contextlib import contextmanager
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
