"""Streams that somebody else holds: set apart, and tried again.

An append that cannot be written now, because somebody else's transaction is at work on its stream,
must not keep its neighbours waiting. So the lines of its streams are set apart. Of each such line
the first entry is tried again, until it is written or its time is over. Later ones wait for it, and
no others do.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import Context
from time import monotonic
from typing import TYPE_CHECKING

from eventsourcing_core._errors import StorageError, StreamHeldError, shown
from eventsourcing_core.stores._append import Written

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from eventsourcing_core._appending.lines import Batch, Lines
    from eventsourcing_core.stores._append import Append, Verdict

_PAUSE = 0.05  # seconds between two tries of what is set apart


class Entry:
    """An append, and the caller that waits for its verdict.

    Args:
        append: The append.
        verdict: What its caller waits for; done early if the caller was cancelled.
        deadline: Until when it is tried while its stream is held, by the monotonic clock.
    """

    __slots__ = ("append", "deadline", "keys", "verdict")

    def __init__(self, append: Append, verdict: asyncio.Future[Written], deadline: float) -> None:
        self.append = append
        self.keys = append.keys
        self.verdict = verdict
        self.deadline = deadline

    def is_gone(self) -> bool:
        """Tell whether its caller has an answer, or was cancelled."""
        return self.verdict.done()

    def refuse(self, error: Exception) -> None:
        """Give its caller an error, if the caller is still there."""
        if not self.verdict.done():
            self.verdict.set_exception(error)


def answer(entries: Sequence[Entry], verdicts: Sequence[Verdict]) -> dict[str, StreamHeldError]:
    """Answer callers; give the streams of those that are held, with the error that says so.

    What is written behind something that is held is answered, too: it is written.
    """
    held: dict[str, StreamHeldError] = {}
    for entry, verdict in zip(entries, verdicts, strict=True):
        if isinstance(verdict, Written):
            if not entry.verdict.done():  # its caller was cancelled
                entry.verdict.set_result(verdict)
        elif isinstance(verdict, StreamHeldError):
            held |= dict.fromkeys(entry.keys, verdict)
        else:
            entry.refuse(refusal(verdict))
    return held


def refusal(verdict: object) -> Exception:
    """Give what the caller of an append gets that was not written."""
    if isinstance(verdict, Exception):
        return verdict
    return StorageError(f"the store gave a verdict that is none: {shown(verdict)}")


class Held:
    """Keeps the lines that are set apart, and tries them again in a task.

    Args:
        lines: All lines.
        write: Writes a batch and answers its callers; sets apart again what is still held.
        ended: Told when the task has ended; it may have been cancelled.
    """

    def __init__(
        self,
        lines: Lines[Entry],
        write: Callable[[Batch[Entry]], Awaitable[None]],
        ended: Callable[[], None],
    ) -> None:
        self._lines = lines
        self._write = write
        self._on_end = ended
        self._apart: deque[str] = deque()
        self.trier: asyncio.Task[None] | None = None
        """The task that tries again what is set apart; None if nothing is."""

    def set_apart(self, key: str, error: StreamHeldError) -> None:
        """Set apart a line that was taken; whoever's time is over at its head gets the error."""
        now = monotonic()
        while (entry := self._lines.first(key)) and entry.deadline <= now:
            entry.refuse(error)
            self._lines.drop_first(key)

        if entry is None:
            self._lines.let_go([key])
            return
        self._apart.append(key)
        if self.trier is None:
            self.trier = start_task(self._try_again())
            self.trier.add_done_callback(self._ended)  # for one that is cancelled before it begins

    async def _try_again(self) -> None:
        try:
            while self._apart:
                await asyncio.sleep(_PAUSE)
                batch = self._lines.take(self._apart, len(self._apart), 1)
                if batch.entries:
                    await self._write(batch)
        finally:  # at once, not when the loop says so: what is set apart now needs another task
            self._ended(self.trier)

    def _ended(self, task: asyncio.Task[None] | None) -> None:
        if self.trier is not task:
            return
        self.trier = None
        cancel(self._lines, self._apart)
        self._on_end()


def cancel(lines: Lines[Entry], places: deque[str]) -> None:
    """Let nobody wait for a task that was cancelled; where it was not, nothing waits there."""
    for entry in lines.strand(places):
        entry.verdict.cancel()


def start_task(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """Start a task.

    Not in the first caller's context: the appends of others would be traced as its own. And not by
    the loop's factory, which may be eager: a task must be known before it begins.
    """
    return asyncio.Task(work, loop=asyncio.get_running_loop(), context=Context())
