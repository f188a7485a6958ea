"""What the tests of the queue of appends write with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from eventsourcing_core._appending.queue import AppendQueue
from eventsourcing_core.stores import (
    Append,
    AppendResult,
    EncodedEvent,
    StreamHeldError,
    Verdict,
    Write,
    Written,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eventsourcing_core._appending.queue import WriteBatch

WRITTEN = Written((AppendResult(1, 1),), 1)
"""For writers that do not say where."""


def append(stream_id: str, number: int = 0, size: int = 1) -> Append:
    return group(stream_id, number=number, size=size)


def group(*streams: str, number: int = 0, size: int = 1) -> Append:
    """Make an append of one event to each stream."""
    event = EncodedEvent("x", b"", None, "json", number.to_bytes(16), 0)
    return Append(tuple(Write(stream, (event,), 0) for stream in sorted(streams)), size)


def name_of(one: Append) -> str:
    """Give an append's streams and number: ``a1``, and ``a+b1`` for a group."""
    return f"{'+'.join(one.keys)}{int.from_bytes(one.event_ids[0])}"


def heard(results: Iterable[Written | BaseException]) -> list[tuple[int, int] | BaseException]:
    """Give the place that each caller heard of, or its error; see ``Writer``."""
    return [one.results[0] if isinstance(one, Written) else one for one in results]


class Writer:
    """Records the batches; holds each until it is released, and fails as it is told.

    Faults of whole batches and verdicts are told of streams, or of single appends by their names.
    An append that is written hears the number of its batch, and its place in it from 0 on.
    """

    def __init__(self, *, held: bool = False) -> None:
        self.batches: list[list[Append]] = []
        self.faults: dict[str, Exception] = {}
        self.verdicts: dict[str, Exception] = {}
        self.released = asyncio.Event()
        self.entered = asyncio.Event()
        if not held:
            self.released.set()

    async def __call__(self, appends: Sequence[Append]) -> list[Verdict]:
        self.batches.append(list(appends))
        self.entered.set()
        await self.released.wait()
        for one in appends:
            if fault := _told(self.faults, one):
                raise fault
        return [
            _told(self.verdicts, one) or Written((AppendResult(len(self.batches), number),), 1)
            for number, one in enumerate(appends)
        ]

    async def let_one_go(self) -> None:
        """Let what is under way end, and wait until the next batch is under way."""
        self.entered.clear()
        self.released.set()
        self.released.clear()
        async with asyncio.timeout(10):
            await self.entered.wait()

    def streams(self) -> list[list[str]]:
        return [["+".join(one.keys) for one in batch] for batch in self.batches]

    def names(self) -> list[str]:
        return [" ".join(map(name_of, batch)) for batch in self.batches]


def _told(errors: dict[str, Exception], one: Append) -> Exception | None:
    told = [errors[name] for name in (*one.keys, name_of(one)) if name in errors]
    return told[0] if told else None


async def start(queue: AppendQueue, *appends: Append) -> list[asyncio.Task[Written]]:
    tasks = [asyncio.create_task(queue.append(one)) for one in appends]
    await asyncio.sleep(0)  # each runs up to its wait
    return tasks


async def held_by_first(writer: Writer, queue: AppendQueue) -> asyncio.Task[Written]:
    """Put one append under way, so that what comes next must wait."""
    (first,) = await start(queue, append("first"))
    await writer.entered.wait()
    return first


async def busy_queue(write: WriteBatch, **options: Any) -> AppendQueue:
    """Make a queue whose last write was of several appends: a task writes what comes next."""
    writer = Writer(held=True)
    queue = AppendQueue(writer, **options)
    tasks = await start(queue, *map(append, "xyz"))
    writer.released.set()
    await asyncio.gather(*tasks)
    assert writer.streams() == [["x"], ["y", "z"]]
    queue._write = write
    return queue


class Holding(Writer):
    """Fails a batch that has an append to a held stream, or gives a verdict that says so."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = asyncio.Event()

    async def __call__(self, appends: Sequence[Append]) -> list[Verdict]:
        try:
            verdicts = await super().__call__(appends)
        except StreamHeldError:
            self.failed.set()
            raise
        if any(isinstance(verdict, StreamHeldError) for verdict in verdicts):
            self.failed.set()
        return verdicts

    def hold(self, stream_id: str) -> None:
        self.faults[stream_id] = StreamHeldError()

    def queue(self, max_wait: float = 60.0, **options: Any) -> AppendQueue:
        return AppendQueue(self, max_wait=max_wait, **options)

    async def busy_queue(self, max_wait: float = 60.0, **options: Any) -> AppendQueue:
        return await busy_queue(self, max_wait=max_wait, **options)

    async def until_tried_again(self) -> None:
        """Wait until what is held was set apart, and tried again without success."""
        async with asyncio.timeout(10):
            for _ in range(2):
                self.failed.clear()
                await self.failed.wait()
