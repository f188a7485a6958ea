"""What the tests of the queue of appends write with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from eventsourcing_core import Append, AppendQueue, AppendResult, EncodedEvent

if TYPE_CHECKING:
    from collections.abc import Sequence


def append(stream_id: str, number: int = 0, size: int = 1) -> Append:
    event = EncodedEvent("x", b"", None, "json", number.to_bytes(16), 0)
    return Append(stream_id, (event,), 0, size)


def name_of(one: Append) -> str:
    """Give an append's stream and number, as ``a1``."""
    return f"{one.stream_id}{int.from_bytes(one.events[0].event_id)}"


class Writer:
    """Records the batches; holds each until it is released, and fails as it is told.

    Faults of whole batches and verdicts are told of streams, or of single appends by their names.
    """

    def __init__(self, *, held: bool = False) -> None:
        self.batches: list[list[Append]] = []
        self.faults: dict[str, Exception] = {}
        self.verdicts: dict[str, Exception] = {}
        self.released = asyncio.Event()
        self.entered = asyncio.Event()
        if not held:
            self.released.set()

    async def __call__(self, appends: Sequence[Append]) -> list[AppendResult | Exception]:
        self.batches.append(list(appends))
        self.entered.set()
        await self.released.wait()
        for one in appends:
            if fault := _told(self.faults, one):
                raise fault
        return [
            _told(self.verdicts, one) or AppendResult(len(self.batches), number)
            for number, one in enumerate(appends)
        ]

    def streams(self) -> list[list[str]]:
        return [[one.stream_id for one in batch] for batch in self.batches]

    def names(self) -> list[str]:
        return [" ".join(map(name_of, batch)) for batch in self.batches]


def _told(errors: dict[str, Exception], one: Append) -> Exception | None:
    return errors.get(one.stream_id) or errors.get(name_of(one))


async def start(queue: AppendQueue, *appends: Append) -> list[asyncio.Task[AppendResult]]:
    tasks = [asyncio.create_task(queue.append(one)) for one in appends]
    await asyncio.sleep(0)  # each runs up to its wait
    return tasks


async def held_by_first(writer: Writer, queue: AppendQueue) -> asyncio.Task[AppendResult]:
    """Put one append under way, so that what comes next must wait."""
    (first,) = await start(queue, append("first"))
    await writer.entered.wait()
    return first


class HeldError(Exception):
    """Says that somebody else holds a stream."""


class Holding(Writer):
    """Fails a batch that has an append to a held stream, or gives a verdict that says so."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = asyncio.Event()

    async def __call__(self, appends: Sequence[Append]) -> list[AppendResult | Exception]:
        try:
            verdicts = await super().__call__(appends)
        except HeldError:
            self.failed.set()
            raise
        if any(isinstance(verdict, HeldError) for verdict in verdicts):
            self.failed.set()
        return verdicts

    def hold(self, stream_id: str) -> None:
        self.faults[stream_id] = HeldError()

    def queue(self, max_wait: float = 60.0, **options: Any) -> AppendQueue:
        return AppendQueue(
            self, is_held=lambda error: isinstance(error, HeldError), max_wait=max_wait, **options
        )

    async def until_tried_again(self) -> None:
        """Wait until what is held was set apart, and tried again without success."""
        async with asyncio.timeout(10):
            for _ in range(2):
                self.failed.clear()
                await self.failed.wait()
