"""Many appends, one commit.

While one batch is being written, the appends that arrive wait and form the next one: one write,
one commit, and each caller gets its own verdict. When nothing is under way an append goes out at
once; there is no timer, and so no added latency. Where a server does the writing, two batches may
be under way: it works on one while this process prepares the next. The idea is the group commit of
databases (DeWitt et al., "Implementation Techniques for Main Memory Database Systems", 1984).

The queue has three parts. ``_lines.py`` decides who goes next. Here are the tasks that write.
``_held.py`` has what cannot be written now, because somebody else holds its stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import cast

from eventsourcing_core._appending.held import Entry, Held, answer, cancel, refusal, start_task
from eventsourcing_core._appending.lines import Batch, Lines
from eventsourcing_core._appending.neighbours import Neighbours
from eventsourcing_core._errors import OutageError, StorageError, StoreBusyError, StreamHeldError
from eventsourcing_core.stores._append import Append, Verdict, Written
from eventsourcing_core.stores._checks import check_verdicts

WriteBatch = Callable[[Sequence[Append]], Awaitable[Sequence[Verdict]]]
"""Writes appends in the order given, and gives a verdict for each: see ``Storage.write``."""


class AppendQueue:
    """Lets concurrent appends share a write; the front of every store has one.

    A batch takes streams in turn, and of each stream all that waits, within the limits. Appends to
    one stream are written in the order they came, in one batch or in one after the other. An append
    to several streams goes when it is the first one in each of them.

    A batch that fails is written again, append by append, so that only the guilty one fails. But an
    ``OutageError`` would meet each of them: all callers of the batch get it. An append that gets a
    ``StreamHeldError`` is tried again, and does not keep others waiting.

    A caller that is cancelled while it waits takes its append back. Once a batch is being written,
    it is written. An append that meets no other one is written by its caller, which takes less time
    than by a task; it is cancelled with its caller, and is then written as a whole or not at all.

    Args:
        write: Writes a batch; may be cancelled, and must leave each append whole or undone then.
        max_wait: Seconds after which the caller of an append to a held stream gets that error.
        max_writes: The most batches under way at once, each to other streams. One is, where other
            processes append to the store, too. What was held is tried again beside them, one batch
            at a time.
        max_waiting: The most appends that may wait, besides those that are being written.
        max_appends: The most appends in one batch.
        max_bytes: The most bytes in one batch; a larger append goes alone.
    """

    def __init__(  # noqa: PLR0913 - each is documented above, and all but the first have defaults
        self,
        write: WriteBatch,
        *,
        max_wait: float = 30.0,
        max_writes: int = 1,
        max_waiting: int = 100_000,
        max_appends: int = 1000,
        max_bytes: int = 4 * 1024 * 1024,
    ) -> None:
        self._write = write
        self._max_wait = max_wait
        self._max_writes = max_writes
        self._max_waiting = max_waiting
        self._max_appends = max_appends
        self._lines: Lines[Entry] = Lines(max_appends, max_bytes)
        self._held = Held(self._lines, self._write_again, self._let_nobody_wait)
        self._writers: set[asyncio.Future[None]] = set()  # some, if a stream waits for its turn
        self._under_way = 0  # batches, and lone appends
        self._neighbours = Neighbours() if max_writes > 1 else None
        self._is_quiet = True  # the last write was of one append
        self._closed = False

    async def append(self, append: Append) -> Written:
        """Write an append with whatever else is waiting, and give its own result.

        Raises:
            EventSourcingError: This append's verdict, or why the batch could not be written.
            StoreBusyError: Too many appends are waiting; nothing was written.
            StorageError: The queue is closed.
        """
        if self._closed:
            message = "the store is closed"
            raise StorageError(message)
        lines = self._lines
        if self._is_quiet and not lines.by_key:
            return await self._write_alone(append)
        if lines.count >= self._max_waiting:
            raise StoreBusyError(lines.count)

        # Not by the loop's create_future(): this takes half as long, and every append needs one.
        verdict: asyncio.Future[Written] = asyncio.Future()
        entry = Entry(append, verdict, monotonic() + self._max_wait)
        lines.join(entry)
        if lines.turns:
            self._start_writer()
        return await verdict if len(entry.keys) == 1 else await self._verdict_of(entry)

    async def close(self) -> None:
        """Refuse further appends, and wait until those that came before are written."""
        self._closed = True
        while self._writers or self._held.trier:
            trier = [self._held.trier] if self._held.trier else []
            await asyncio.wait([*self._writers, *trier])

    def _start_writer(self) -> None:
        """Start another task that writes, if there is work for it and it may be."""
        if self._lines.turns and len(self._writers) < self._most_writes():
            writer = start_task(self._write_all())
            self._writers.add(writer)
            writer.add_done_callback(self._ended)  # for one that is cancelled before it begins

    async def _write_all(self) -> None:
        try:
            # Where there is one too many, the others go on with what waits.
            while len(self._writers) <= self._most_writes():
                batch = self._next_batch()
                if not batch.entries:
                    return
                self._start_writer()  # this batch took its share
                self._is_quiet = len(batch.entries) == 1
                self._under_way += 1
                try:
                    await self._settle(batch)
                finally:
                    self._under_way -= 1
        finally:
            # At once, not when the loop says that it ended: who comes in between would wait for it.
            self._ended(cast("asyncio.Task[None]", asyncio.current_task()))

    def _next_batch(self) -> Batch[Entry]:
        """Take the streams whose turn it is, but not more than a fair share of them.

        If another batch can be under way beside this one, some are left for it.
        """
        turns = self._lines.turns
        share = -(-len(turns) // max(self._most_writes() - self._under_way, 1))
        return self._lines.take(turns, share, self._max_appends)

    def _most_writes(self) -> int:
        """Give how many batches may be under way: one where others fill the server, too."""
        is_shared = self._neighbours is not None and self._neighbours.are_there
        return 1 if is_shared else self._max_writes

    async def _write_alone(self, append: Append) -> Written:
        """Write an append in its caller's task; those that come meanwhile are batched."""
        began = monotonic()
        keys = append.keys
        self._lines.seize(keys)
        writer: asyncio.Future[None] = asyncio.Future()
        self._writers.add(writer)
        self._under_way += 1
        entry: Entry | None = None
        try:
            verdict = await self._verdict(append)
            if self._neighbours is not None:
                self._neighbours.note((verdict,))
            if isinstance(verdict, StreamHeldError):
                entry = Entry(append, asyncio.Future(), began + self._max_wait)
                self._set_apart([entry], dict.fromkeys(keys, verdict))
        finally:
            self._writers.discard(writer)
            writer.set_result(None)
            self._under_way -= 1
            if entry is None:
                self._lines.let_go(keys)
            if self._lines.turns:
                self._start_writer()

        if entry is not None:
            return await self._verdict_of(entry)
        if isinstance(verdict, Written):
            return verdict
        raise refusal(verdict)

    async def _write_again(self, batch: Batch[Entry]) -> None:
        await self._settle(batch)
        self._start_writer()

    async def _settle(self, batch: Batch[Entry]) -> None:
        """Write a batch, answer its callers, and let go its streams."""
        entries, keys = batch
        held: dict[str, StreamHeldError] = {}  # by stream
        try:
            verdicts = await self._verdicts([entry.append for entry in entries])
            if verdicts is not None:
                held |= answer(entries, verdicts)
                if self._neighbours is not None:
                    self._neighbours.note(verdicts)
            else:
                await self._settle_one_by_one(entries, held)
        except Exception as error:  # noqa: BLE001 - verdicts that cannot be read: nobody is left waiting
            for entry in entries:
                entry.refuse(error)
        except BaseException:  # this task was cancelled
            for entry in entries:
                entry.verdict.cancel()
            raise
        finally:
            if held:
                self._set_apart(entries, held)
                keys = [key for key in keys if key not in held]
            self._lines.let_go(keys)

    def _set_apart(self, entries: Sequence[Entry], held: dict[str, StreamHeldError]) -> None:
        """Put back what was not written, and set apart the streams that are held."""
        self._lines.put_back([entry for entry in entries if not entry.is_gone()])
        for key, error in held.items():
            self._held.set_apart(key, error)

    async def _settle_one_by_one(
        self, entries: list[Entry], held: dict[str, StreamHeldError]
    ) -> None:
        for entry in entries:
            if held.keys().isdisjoint(entry.keys):  # nothing may overtake what is held
                held |= answer([entry], [await self._verdict(entry.append)])

    async def _verdict(self, append: Append) -> Verdict:
        try:
            verdicts = await self._write([append])
            check_verdicts(verdicts, 1, self._write)
        except Exception as error:  # noqa: BLE001 - every failure goes to the caller
            return error
        return verdicts[0]

    async def _verdicts(self, appends: Sequence[Append]) -> Sequence[Verdict] | None:
        """Write appends; None if that failed, and one of several may be to blame."""
        if len(appends) == 1:
            return [await self._verdict(appends[0])]
        try:
            verdicts = await self._write(appends)
            check_verdicts(verdicts, len(appends), self._write)
        except OutageError as error:
            return [error] * len(appends)
        except Exception:  # noqa: BLE001 - whatever it is, the guilty one will meet it again
            return None
        return verdicts

    async def _verdict_of(self, entry: Entry) -> Written:
        try:
            return await entry.verdict
        finally:
            # Lines may rest at it, and nobody else would find out that its caller is gone.
            self._lines.leave(entry)
            self._start_writer()

    def _ended(self, writer: asyncio.Future[None]) -> None:
        self._writers.discard(writer)
        self._let_nobody_wait()

    def _let_nobody_wait(self) -> None:
        """Cancel what waits for its turn if nothing writes any more: a task was cancelled."""
        if not self._writers:
            cancel(self._lines, self._lines.turns)
