"""Many appends, one commit.

While one batch is being written, the appends that arrive wait and form the next one: one write,
one commit, and each caller gets its own verdict. When nothing is under way an append goes out at
once; there is no timer, and so no added latency. Where a server does the writing, two batches may
be under way: it works on one while this process prepares the next. The idea is the group commit of
databases (DeWitt et al., "Implementation Techniques for Main Memory Database Systems", 1984).

An append that cannot be written now, because somebody else holds its stream, must not keep its
neighbours waiting: it is set apart, and tried again with others that are, until it is written or
its time is over. Later appends to its stream wait for it, and no others.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextvars import Context
from typing import NamedTuple, cast

from eventsourcing_core._append import Append
from eventsourcing_core._errors import StorageError
from eventsourcing_core._event_store import AppendResult

Verdict = AppendResult | Exception
"""What became of one append: its result, or the error that its caller gets."""

WriteBatch = Callable[[Sequence[Append]], Awaitable[Sequence[Verdict]]]
"""Writes appends, each to another stream, in one transaction; gives a verdict for each.

It raises when the batch as a whole was not written.
"""

_PAUSE = 0.05  # seconds between two tries of what is set apart


class _Entry(NamedTuple):
    append: Append
    verdict: asyncio.Future[AppendResult]
    deadline: float  # of the loop's clock, for an append whose stream is held


class AppendQueue:
    """Lets concurrent appends share a write; stores own one each.

    A batch holds at most one append of a stream, and appends to one stream are written one after
    the other in the order they came. A batch that fails is written again, append by append, so
    that only the guilty one fails; unless ``is_outage`` says that the error is nobody's fault. A
    caller that is cancelled while it waits takes its append back; once it is being written, it is
    written.

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
        self._waiting: dict[str, deque[_Entry]] = {}  # by stream, in order of arrival
        self._writing: set[str] = set()  # the streams of the batches under way
        self._writers: set[asyncio.Future[None]] = set()
        self._free_writes = max_writes  # how many more batches may be under way
        self._apart: dict[str, _Entry] = {}  # by stream
        self._trying: set[str] = set()  # the streams of what is tried again now
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
        if self._is_cancellable and self._is_quiet and not (self._writers or self._trier):
            return await self._write_alone(append)
        entry = self._entry(append)
        self._waiting.setdefault(append.stream_id, deque()).append(entry)
        if not self._is_busy(append.stream_id):
            self._start_writer()
        return await entry.verdict

    async def close(self) -> None:
        """Refuse further appends, and wait until those that came before are written."""
        self._closed = True
        while self._writers or self._trier:
            await asyncio.wait([*self._writers, *([self._trier] if self._trier else [])])

    def _entry(self, append: Append) -> _Entry:
        loop = asyncio.get_running_loop()
        return _Entry(append, loop.create_future(), loop.time() + self._max_wait)

    def _is_busy(self, stream_id: str) -> bool:
        return any(stream_id in some for some in (self._writing, self._apart, self._trying))

    def _start_writer(self) -> None:
        if len(self._writers) < self._max_writes:
            # Not in the first caller's context: the appends of others would be traced as its own.
            writer = asyncio.get_running_loop().create_task(self._write_all(), context=Context())
            self._writers.add(writer)
            writer.add_done_callback(self._ended)

    async def _write_all(self) -> None:
        try:
            while batch := self._next_batch():
                if self._waiting:  # this batch took its share
                    self._start_writer()
                await self._write_one(batch)
        finally:
            # At once, not when the loop says that it ended: who comes in between would wait for it.
            self._writers.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _write_one(self, batch: list[_Entry]) -> None:
        streams = {entry.append.stream_id for entry in batch}
        self._is_quiet = len(batch) == 1
        self._writing |= streams
        self._free_writes -= 1
        try:
            await self._settle(batch)
        finally:
            self._writing -= streams
            self._free_writes += 1

    async def _write_alone(self, append: Append) -> AppendResult:
        """Write an append in its caller's task; those that come meanwhile are batched."""
        writer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writers.add(writer)
        self._writing.add(append.stream_id)
        self._free_writes -= 1
        entry: _Entry | None = None
        try:
            verdict = await self._verdict(append)
            if self._means_held(verdict):
                entry = self._entry(append)
                self._set_apart(entry)
        finally:
            self._writers.discard(writer)
            self._writing.discard(append.stream_id)
            self._free_writes += 1
            writer.set_result(None)
            if self._waiting:
                self._start_writer()
        if entry is not None:
            return await entry.verdict
        if isinstance(verdict, Exception):
            raise verdict
        return verdict

    def _ended(self, writer: asyncio.Future[None]) -> None:
        self._writers.discard(writer)  # one that was cancelled before it began
        if writer.cancelled() and not self._writers:  # nobody would write what waits now
            for waiting in self._waiting.values():
                _cancel(waiting)
            self._waiting.clear()

    def _next_batch(self) -> list[_Entry]:
        """Take the first append of each stream, as many as the limits allow.

        Nor more than a fair share, if another batch can be under way beside this one.
        """
        streams = [stream_id for stream_id in self._waiting if not self._is_busy(stream_id)]
        most = min(self._max_appends, -(-len(streams) // max(self._free_writes, 1)))
        batch = self._within_limits(self._first_ones(streams), most)
        for entry in batch:
            entries = self._waiting.pop(entry.append.stream_id)
            entries.popleft()
            if entries:  # behind the others, so that a busy stream does not keep them waiting
                self._waiting[entry.append.stream_id] = entries
        return batch

    def _first_ones(self, streams: Iterable[str]) -> Iterator[_Entry]:
        """Give what comes next in each stream; take away those whose callers were cancelled."""
        for stream_id in streams:
            entries = self._waiting[stream_id]
            while entries and entries[0].verdict.done():
                entries.popleft()
            if entries:
                yield entries[0]
            else:
                del self._waiting[stream_id]

    def _within_limits(self, entries: Iterable[_Entry], most: int) -> list[_Entry]:
        batch: list[_Entry] = []
        size = 0
        for entry in entries:
            size += entry.append.size
            if batch and (len(batch) == most or size > self._max_bytes):
                break
            batch.append(entry)
        return batch

    async def _settle(self, batch: list[_Entry]) -> None:
        """Write a batch, and answer its callers; those whose stream is held are set apart."""
        unsettled = deque(batch)  # what is set apart is no longer among them: it is tried meanwhile
        try:
            verdicts = await self._verdicts([entry.append for entry in batch])
            if verdicts is None:
                while unsettled:
                    await self._settle([unsettled.popleft()])
                return
            for entry, verdict in zip(batch, verdicts, strict=True):
                if self._means_held(verdict) and not self._is_late(entry):
                    self._set_apart(entry)
                else:
                    _answer(entry, verdict)
                unsettled.popleft()
        except Exception as error:  # noqa: BLE001 - what tells errors apart failed itself
            for entry in unsettled:
                _answer(entry, error)
        finally:  # whoever has no answer now: this task was cancelled
            _cancel(unsettled)

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

    def _means_held(self, verdict: Verdict) -> bool:
        return isinstance(verdict, Exception) and self._is_held(verdict)

    def _is_late(self, entry: _Entry) -> bool:
        return asyncio.get_running_loop().time() >= entry.deadline

    def _set_apart(self, entry: _Entry) -> None:
        self._apart[entry.append.stream_id] = entry
        if self._trier is None:
            task = asyncio.get_running_loop().create_task(self._try_again(), context=Context())
            self._trier = task
            task.add_done_callback(self._tried)

    async def _try_again(self) -> None:
        """Write what was set apart, as soon as nobody else holds its stream."""
        while self._apart:
            await asyncio.sleep(_PAUSE)
            await self._try(self._within_limits(self._apart.values(), self._max_appends))
        self._trier = None  # at once: what is set apart from now on needs another one

    async def _try(self, batch: list[_Entry]) -> None:
        streams = {entry.append.stream_id for entry in batch}
        self._trying |= streams
        try:
            for stream_id in streams:  # to come back behind the others, if they are still held
                del self._apart[stream_id]
            # Who was cancelled meanwhile takes his append back.
            if asked := [entry for entry in batch if not entry.verdict.done()]:
                await self._settle(asked)
        finally:
            self._trying -= streams
            if any(stream_id in self._waiting for stream_id in streams - self._apart.keys()):
                self._start_writer()

    def _tried(self, trier: asyncio.Task[None]) -> None:
        if self._trier is trier:  # it was cancelled
            self._trier = None
            _cancel(self._apart.values())
            self._apart.clear()
            if self._waiting:
                self._start_writer()


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


def _cancel(entries: Iterable[_Entry]) -> None:
    for entry in entries:
        entry.verdict.cancel()
