"""Many appends, one commit.

While one batch is being written, the appends that arrive wait and form the next one: one write,
one commit, and each caller gets its own verdict. When nothing is under way an append goes out at
once; there is no timer, and so no added latency. Where a server does the writing, two batches may
be under way: it works on one while this process prepares the next. The idea is the group commit of
databases (DeWitt et al., "Implementation Techniques for Main Memory Database Systems", 1984).

An append that cannot be written now, because somebody else holds its stream, must not keep its
neighbours waiting: its stream is set apart. Of each such stream the first append is tried again,
until it is written or its time is over. Later appends to the stream wait for it, and no others.

A stream is in one place at a time: it waits for its turn, or is in a batch under way, or is set
apart. So its appends are written in the order they came.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import Context
from time import monotonic
from typing import NamedTuple, cast

from eventsourcing_core._errors import StorageError
from eventsourcing_core.stores._append import Append
from eventsourcing_core.stores._event_store import AppendResult

Verdict = AppendResult | Exception
"""What became of one append: its result, or the error that its caller gets."""

WriteBatch = Callable[[Sequence[Append]], Awaitable[Sequence[Verdict]]]
"""Writes appends in the order given, in one transaction; gives a verdict for each.

Several may go to one stream, and each is judged by what the earlier ones left. If one of them is
not written because somebody else holds the stream, the later ones to it are not written either. It
raises when the batch as a whole was not written.
"""

_PAUSE = 0.05  # seconds between two tries of what is set apart


class _Entry(NamedTuple):
    append: Append
    verdict: asyncio.Future[AppendResult]
    deadline: float  # of the monotonic clock, for an append whose stream is held


class AppendQueue:
    """Lets concurrent appends share a write; stores own one each.

    A batch takes streams in turn, and of each stream all that waits, within the limits. Appends to
    one stream are written in the order they came, in one batch or in one after the other. A batch
    that fails is written again, append by append, so that only the guilty one fails; unless
    ``is_outage`` says that the error is nobody's fault. A caller that is cancelled while it waits
    takes its append back; once it is being written, it is written.

    Args:
        write: Writes a batch.
        is_outage: Tells errors that would meet any append (the connection is lost, the disk is
            full): all callers of the batch get them.
        is_held: Tells errors and verdicts that say that somebody else holds a stream now.
        max_wait: Seconds after which the caller of such an append gets that error.
        max_appends: The most appends in one batch.
        max_bytes: The most bytes in one batch; a larger append goes alone.
        max_writes: The most batches under way at once, each to other streams. What ``is_held`` sets
            apart is tried again beside them, one batch at a time.
        is_cancellable: Whether a write may be cancelled half way, and then happened or did not.
            An append that meets no other one is then written by its caller, which takes less
            time than by a task, and is cancelled with it.
    """

    def __init__(  # noqa: PLR0913 - each is documented above, and all but the first have defaults
        self,
        write: WriteBatch,
        *,
        is_outage: Callable[[Exception], bool] = lambda _: False,
        is_held: Callable[[Exception], bool] = lambda _: False,
        max_wait: float = 30.0,
        max_appends: int = 1000,
        max_bytes: int = 4 * 1024 * 1024,
        max_writes: int = 1,
        is_cancellable: bool = False,
    ) -> None:
        self._write = write
        self._is_outage = is_outage
        self._is_held = is_held
        self._max_wait = max_wait
        self._max_appends = max_appends
        self._max_bytes = max_bytes
        self._max_writes = max_writes
        self._waiting: dict[str, deque[_Entry]] = {}  # of each stream that is in one of the places
        self._turns: deque[str] = deque()  # the streams that can be written now
        self._apart: deque[str] = deque()  # the streams that somebody else holds
        self._writers: set[asyncio.Future[None]] = set()  # some, if a stream waits for its turn
        self._free_writes = max_writes  # how many more batches may be under way
        self._trier: asyncio.Task[None] | None = None  # tries what is apart again
        self._is_cancellable = is_cancellable
        self._is_quiet = True  # the last write was of one append
        self._closed = False

    async def append(self, append: Append) -> AppendResult:
        """Write an append with whatever else is waiting, and give its own result.

        Raises:
            EventSourcingError: This append's verdict, or why the batch could not be written.
            StorageError: The queue is closed.
        """
        if self._closed:
            message = "the store is closed"
            raise StorageError(message)
        if self._is_cancellable and self._is_quiet and not self._waiting:
            return await self._write_alone(append)
        entry = _Entry(append, _future(), monotonic() + self._max_wait)
        waiting = self._waiting.get(append.stream_id)
        if waiting is not None:  # whatever has the stream now will see to it
            waiting.append(entry)
        else:
            self._waiting[append.stream_id] = deque((entry,))
            self._turns.append(append.stream_id)
            self._start_writer()
        return await entry.verdict

    async def close(self) -> None:
        """Refuse further appends, and wait until those that came before are written."""
        self._closed = True
        while self._writers or self._trier:
            await asyncio.wait([*self._writers, *([self._trier] if self._trier else [])])

    def _start_writer(self) -> None:
        if len(self._writers) < self._max_writes:
            writer = _task(self._write_all())
            self._writers.add(writer)
            writer.add_done_callback(self._ended)  # for one that is cancelled before it begins

    async def _write_all(self) -> None:
        try:
            while batch := self._next_batch():
                if self._turns:  # this batch took its share
                    self._start_writer()
                self._is_quiet = len(batch) == 1
                self._free_writes -= 1
                try:
                    await self._settle(batch)
                finally:
                    self._free_writes += 1
        finally:
            # At once, not when the loop says that it ended: who comes in between would wait for it.
            self._ended(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _write_alone(self, append: Append) -> AppendResult:
        """Write an append in its caller's task; those that come meanwhile are batched."""
        deadline = monotonic() + self._max_wait
        writer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writers.add(writer)
        waiting = self._waiting[append.stream_id] = deque()
        self._free_writes -= 1
        held: Exception | None = None
        entry: _Entry | None = None
        try:
            verdict = await self._verdict(append)
            if isinstance(verdict, Exception) and self._is_held(verdict):
                held = verdict
                entry = _Entry(append, _future(), deadline)
                waiting.appendleft(entry)
        finally:
            self._writers.discard(writer)
            self._free_writes += 1
            writer.set_result(None)
            self._let_go(append.stream_id, held)
            if self._turns:
                self._start_writer()
        if entry is not None:
            return await entry.verdict
        if isinstance(verdict, Exception):
            raise verdict
        return verdict

    def _next_batch(self) -> list[_Entry]:
        """Take the streams whose turn it is, but not more than a fair share of them.

        If another batch can be under way beside this one, some are left for it.
        """
        share = -(-len(self._turns) // max(self._free_writes, 1))
        return self._take(self._turns, share, self._max_appends)

    def _take(self, streams: deque[str], most: int, most_of_each: int) -> list[_Entry]:
        """Take the first appends of the first streams, as many as the limits allow.

        Those whose callers were cancelled are taken away. What is left of a stream waits until the
        batch has ended, and then for another turn: a busy stream does not keep the others waiting.
        """
        batch: list[_Entry] = []
        space = self._max_bytes
        while streams and most:
            stream_id = streams.popleft()
            waiting = self._waiting[stream_id]
            before = len(batch)
            end = min(before + most_of_each, self._max_appends)
            while waiting and len(batch) < end:
                entry = waiting[0]
                if not entry.verdict.done():
                    space -= entry.append.size
                    if space < 0 and batch:
                        break
                    batch.append(entry)
                waiting.popleft()
            if len(batch) > before:
                most -= 1
            elif waiting:  # the batch is full
                streams.appendleft(stream_id)
                break
            else:
                del self._waiting[stream_id]
        return batch

    async def _settle(self, batch: list[_Entry]) -> None:
        """Write a batch, answer its callers, and let go its streams."""
        held: dict[str, Exception] = {}  # by stream, what says that somebody else holds it
        try:
            verdicts = await self._verdicts([entry.append for entry in batch])
            if verdicts is not None:
                self._answer_unless_held(batch, verdicts, held)
            else:
                await self._settle_one_by_one(batch, held)
        except Exception as error:  # noqa: BLE001 - what tells errors apart failed itself
            for entry in batch:
                _answer(entry, error)
        except BaseException:  # this task was cancelled
            for entry in batch:
                entry.verdict.cancel()
            raise
        finally:
            if held:
                self._put_back([entry for entry in batch if not entry.verdict.done()])
            for stream_id in dict.fromkeys([entry.append.stream_id for entry in batch]):
                self._let_go(stream_id, held.get(stream_id))

    async def _settle_one_by_one(self, batch: list[_Entry], held: dict[str, Exception]) -> None:
        for entry in batch:
            if entry.append.stream_id not in held:  # nothing may overtake what is held
                self._answer_unless_held([entry], [await self._verdict(entry.append)], held)

    def _answer_unless_held(
        self, batch: list[_Entry], verdicts: Sequence[Verdict], held: dict[str, Exception]
    ) -> None:
        """Answer callers; note the streams of the others in ``held``.

        What is written behind something that is held is answered, too: it is written.
        """
        for entry, verdict in zip(batch, verdicts, strict=True):
            if isinstance(verdict, Exception) and self._is_held(verdict):
                held[entry.append.stream_id] = verdict
            else:
                _answer(entry, verdict)

    async def _verdict(self, append: Append) -> Verdict:
        try:
            verdicts = await self._write([append])
            _check_count(verdicts, 1)
        except Exception as error:  # noqa: BLE001 - every failure goes to the caller
            return error
        return verdicts[0]

    async def _verdicts(self, appends: Sequence[Append]) -> Sequence[Verdict] | None:
        """Write appends; None if that failed, and one of several may be to blame."""
        if len(appends) == 1:
            return [await self._verdict(appends[0])]
        try:
            verdicts = await self._write(appends)
            _check_count(verdicts, len(appends))
        except Exception as error:  # noqa: BLE001 - every failure goes to the callers
            return [error] * len(appends) if self._is_outage(error) else None
        return verdicts

    def _put_back(self, entries: list[_Entry]) -> None:
        for entry in reversed(entries):
            self._waiting[entry.append.stream_id].appendleft(entry)

    def _let_go(self, stream_id: str, held: Exception | None) -> None:
        """Give a stream another turn if something waits there, or set it apart if it is held."""
        waiting = self._waiting[stream_id]
        if held is not None:
            now = monotonic()
            while waiting and waiting[0].deadline <= now:
                _answer(waiting.popleft(), held)
        if not waiting:
            del self._waiting[stream_id]
        elif held is None:
            self._turns.append(stream_id)
        else:
            self._apart.append(stream_id)
            self._start_trier()

    def _start_trier(self) -> None:
        if self._trier is None:
            self._trier = task = _task(self._try_again())
            task.add_done_callback(self._ended)

    async def _try_again(self) -> None:
        """Write what was set apart, as soon as nobody else holds its stream."""
        try:
            while self._apart:
                await asyncio.sleep(_PAUSE)
                if batch := self._take(self._apart, len(self._apart), 1):
                    await self._settle(batch)
                    if self._turns:
                        self._start_writer()
        finally:  # at once: what is set apart from now on needs another one
            self._ended(cast("asyncio.Task[None]", asyncio.current_task()))

    def _ended(self, task: asyncio.Future[None]) -> None:
        """Let nobody wait for a task that was cancelled; where it was not, nothing waits."""
        self._writers.discard(task)
        if self._trier is task:
            self._trier = None
            self._cancel(self._apart)
        if not self._writers:
            self._cancel(self._turns)

    def _cancel(self, streams: deque[str]) -> None:
        while streams:
            for entry in self._waiting.pop(streams.popleft()):
                entry.verdict.cancel()


def _future() -> asyncio.Future[AppendResult]:
    return asyncio.get_running_loop().create_future()


def _task(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """Start a task.

    Not in the first caller's context: the appends of others would be traced as its own. And not by
    the loop's factory, which may be eager: a task must be known before it begins.
    """
    return asyncio.Task(work, loop=asyncio.get_running_loop(), context=Context())


def _check_count(verdicts: Sequence[Verdict], count: int) -> None:
    if len(verdicts) != count:
        message = f"the store gave {len(verdicts)} verdicts for {count} appends"
        raise StorageError(message)


def _answer(entry: _Entry, verdict: Verdict) -> None:
    if entry.verdict.done():  # its caller was cancelled
        return
    if isinstance(verdict, Exception):
        entry.verdict.set_exception(verdict)
    else:
        entry.verdict.set_result(verdict)
