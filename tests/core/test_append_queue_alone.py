"""Appends that meet no other: their callers write them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import ConcurrencyError
from eventsourcing_core.stores import StreamHeldError
from tests.core._writers import Holding, append, heard, start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, Verdict


class Alone(Holding):
    """Records which task writes."""

    def __init__(self, *, held: bool = False) -> None:
        super().__init__()
        self.tasks: list[asyncio.Task[object] | None] = []
        self.cancelled = 0
        if held:
            self.released.clear()

    async def __call__(self, appends: Sequence[Append]) -> list[Verdict]:
        self.tasks.append(asyncio.current_task())
        try:
            return await super().__call__(appends)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


async def test_an_append_that_meets_no_other_is_written_by_its_caller() -> None:
    writer = Alone()
    queue = writer.queue()
    results = [await queue.append(append(stream)) for stream in "aab"]
    assert heard(results) == [(1, 0), (2, 0), (3, 0)]
    assert writer.tasks == [asyncio.current_task()] * 3


async def test_appends_that_come_while_a_caller_writes_share_a_write() -> None:
    writer = Alone(held=True)
    queue = writer.queue()
    first, *others = await start(queue, append("first"), append("a"), append("b"), append("first"))
    writer.released.set()
    await asyncio.gather(first, *others)
    assert writer.streams() == [["first"], ["a", "b", "first"]]
    assert writer.tasks[0] is first
    assert not {*writer.tasks[1:]} & {first, *others}


async def test_callers_write_again_when_appends_no_longer_meet() -> None:
    writer = Alone(held=True)
    queue = writer.queue()
    tasks = await start(queue, *(append(stream) for stream in "abc"))
    writer.released.set()
    await asyncio.gather(*tasks)
    del writer.tasks[:]
    for stream in "ab":
        await queue.append(append(stream))
    assert [task is asyncio.current_task() for task in writer.tasks] == [False, True]


async def test_a_caller_that_is_cancelled_while_it_writes_ends_that_write_alone() -> None:
    writer = Alone(held=True)
    queue = writer.queue()
    first, same, other = await start(queue, append("a"), append("a"), append("b"))
    first.cancel()
    await asyncio.wait({first})
    assert first.cancelled()
    assert writer.cancelled == 1
    writer.released.set()
    async with asyncio.timeout(10):
        await asyncio.gather(same, other)


@pytest.mark.parametrize("error", [ConcurrencyError("a", 0, 1), OSError("disk full")])
async def test_a_caller_that_writes_gets_its_verdict(error: Exception) -> None:
    writer = Alone()
    queue = writer.queue()
    (writer.verdicts if isinstance(error, ConcurrencyError) else writer.faults)["a"] = error
    with pytest.raises(type(error)) as caught:
        await queue.append(append("a"))
    assert caught.value is error
    assert heard([await queue.append(append("b"))]) == [(2, 0)]


async def test_a_caller_that_writes_waits_for_a_held_stream() -> None:
    writer = Alone()
    writer.hold("held")
    queue = writer.queue()
    first, second = await start(queue, append("held", 1), append("held", 2))
    await writer.until_tried_again()
    assert not first.done()
    writer.faults.clear()
    async with asyncio.timeout(10):
        await asyncio.gather(first, second)
    assert writer.names()[-2:] == ["held1", "held2"]


async def test_closing_waits_for_a_caller_that_writes() -> None:
    writer = Alone(held=True)
    queue = writer.queue()
    (first,) = await start(queue, append("a"))
    closing = asyncio.create_task(queue.close())
    await asyncio.sleep(0)
    assert not closing.done()
    writer.released.set()
    async with asyncio.timeout(10):
        await closing
        await first


async def test_closing_waits_for_what_came_while_a_caller_wrote() -> None:
    writer = Alone(held=True)
    queue = writer.queue()
    first, *others = await start(queue, append("a", 1), append("a", 2), append("b", 3))
    closing = asyncio.create_task(queue.close())
    await asyncio.sleep(0)  # it waits for the caller
    await writer.let_one_go()
    await first
    await asyncio.sleep(0)
    assert writer.names() == ["a1", "b3 a2"]
    assert not closing.done()
    writer.released.set()
    async with asyncio.timeout(10):
        await closing
    assert [task.done() for task in others] == [True, True]


async def test_closing_waits_for_what_a_caller_that_writes_finds_held() -> None:
    writer = Alone(held=True)
    writer.hold("a")
    queue = writer.queue()
    (first,) = await start(queue, append("a"))
    closing = asyncio.create_task(queue.close())
    await asyncio.sleep(0)  # it waits for the caller
    writer.released.set()
    await writer.until_tried_again()
    assert not closing.done()
    writer.faults.clear()
    async with asyncio.timeout(10):
        await closing
        await first


@pytest.mark.parametrize("end", ["written", "refused", "failed", "held", "cancelled"])
async def test_callers_that_wrote_give_their_write_back(end: str) -> None:
    writer = Alone()
    queue = writer.queue(max_writes=2)
    for number in (1, 2, 3):
        writer.released.clear()
        (lone,) = await start(queue, append("lone", number))
        if end == "refused":
            writer.verdicts["lone"] = ConcurrencyError("lone", 0, 1)
        elif end == "failed":
            writer.faults["lone"] = OSError("disk full")
        elif end == "held":
            writer.verdicts["lone"] = StreamHeldError()
        elif end == "cancelled":
            lone.cancel()
        writer.released.set()
        if end == "held":
            await writer.until_tried_again()
            writer.verdicts.clear()
        async with asyncio.timeout(10):
            await asyncio.gather(lone, return_exceptions=True)

    del writer.batches[:]
    writer.released.clear()
    tasks = await start(queue, append("x"), append("y"))
    tasks += await start(queue, *map(append, "abcd"))
    await writer.let_one_go()
    await asyncio.sleep(0)
    assert writer.streams() == [["x"], ["y"], ["a", "b"], ["c", "d"]]
    writer.released.set()
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks)


class Gated(Holding):
    """Keeps an append that goes alone under way until its stream's gate is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.gates: dict[str, asyncio.Event] = {}
        self.under_way: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def __call__(self, appends: Sequence[Append]) -> list[Verdict]:
        stream_id = appends[0].keys[0]
        if len(appends) == 1 and stream_id in self.gates:
            self.under_way[stream_id].set()
            await self.gates[stream_id].wait()
        return await super().__call__(appends)

    async def until_under_way(self, stream_id: str) -> None:
        async with asyncio.timeout(10):
            await self.under_way[stream_id].wait()


async def test_what_is_tried_again_is_not_overtaken_by_a_caller_that_writes_alone() -> None:
    writer = Gated()
    writer.hold("held")
    queue = writer.queue()
    (held,) = await start(queue, append("held", 1))
    writer.gates["held"] = asyncio.Event()
    await writer.until_under_way("held")
    writer.faults.clear()
    writer.under_way["held"].clear()
    (later,) = await start(queue, append("held", 2))
    assert not writer.under_way["held"].is_set()
    writer.gates["held"].set()
    async with asyncio.timeout(10):
        await asyncio.gather(held, later)
    assert writer.names() == ["held1", "held1", "held2"]
