"""Appends to several streams."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from eventsourcing_core._appending.queue import AppendQueue
from eventsourcing_core.stores import StreamHeldError
from tests.core._writers import Holding, Writer, append, busy_queue, group, held_by_first, start

if TYPE_CHECKING:
    import pytest


async def test_a_group_that_meets_no_other_append_is_written_at_once() -> None:
    writer = Writer()
    queue = AppendQueue(writer)
    await queue.append(group("a", "b"))
    await queue.append(append("b"))
    assert writer.names() == ["a+b0", "b0"]
    assert not queue._lines.by_key


async def test_what_comes_while_a_caller_writes_a_group_waits_for_it_in_each_stream() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer, max_writes=2)
    tasks = await start(queue, group("a", "b"), append("a", 1), append("b", 2), append("c", 3))
    await asyncio.sleep(0)
    assert writer.names() == ["a+b0", "c3"]
    writer.released.set()
    await asyncio.gather(*tasks)
    assert writer.names() == ["a+b0", "c3", "a1", "b2"]


async def test_a_group_goes_when_it_is_first_in_each_of_its_streams() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    appends = [append("a", 1), group("a", "b", number=2), append("b", 3), append("c", 4)]
    tasks = await start(queue, *appends)
    writer.released.set()
    await asyncio.gather(first, *tasks)
    assert writer.names() == ["first0", "a1 c4", "a+b2", "b3"]


async def test_no_stream_of_a_group_is_under_way_elsewhere() -> None:
    writer = Writer(held=True)
    queue = await busy_queue(writer, max_writes=2)
    tasks = await start(queue, append("a", 1))
    await writer.entered.wait()
    tasks += await start(queue, group("a", "b", number=2), append("b", 3), append("c", 4))
    await asyncio.sleep(0)
    assert writer.names() == ["a1", "c4"]
    writer.released.set()
    await asyncio.gather(*tasks)
    assert writer.names() == ["a1", "c4", "a+b2", "b3"]


async def test_a_group_whose_caller_is_cancelled_keeps_nobody_waiting() -> None:
    writer = Writer(held=True)
    queue = await busy_queue(writer, max_writes=2)
    tasks = await start(queue, append("a", 1))
    await writer.entered.wait()
    doomed, behind = await start(queue, group("a", "b", number=2), append("b", 3))
    await asyncio.sleep(0)
    doomed.cancel()
    await asyncio.wait({doomed})
    await asyncio.sleep(0)
    assert writer.names() == ["a1", "b3"], "beside the append that the group waited for"
    writer.released.set()
    await asyncio.gather(*tasks, behind)
    await queue.close()
    assert not queue._lines.by_key


async def test_a_group_that_is_held_sets_all_its_streams_apart() -> None:
    writer = Holding()
    writer.hold("b")
    queue = writer.queue()
    (first,) = await start(queue, group("a", "b"))
    later = await start(queue, append("a", 1), append("c", 2), append("b", 3))
    async with asyncio.timeout(10):
        await later[1]
    await writer.until_tried_again()
    assert not any(task.done() for task in (first, later[0], later[2]))
    assert {*writer.names()} == {"a+b0", "c2"}
    writer.faults.clear()
    async with asyncio.timeout(10):
        await asyncio.gather(first, *later)
    assert writer.names()[-2:] == ["a+b0", "a1 b3"]


async def test_a_group_behind_a_held_append_waits_and_its_other_streams_with_it() -> None:
    writer = Holding()
    writer.hold("a1")
    queue = await writer.busy_queue()
    appends = [append("a", 1), group("a", "b", number=2), append("b", 3), append("c", 4)]
    tasks = await start(queue, *appends)
    async with asyncio.timeout(10):
        await tasks[3]
    await writer.until_tried_again()
    assert not any(task.done() for task in tasks[:3])
    writer.faults.clear()
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks)
    assert writer.names()[-3:] == ["a1", "a+b2", "b3"]


async def test_in_a_failed_batch_a_group_does_not_overtake_what_is_held() -> None:
    writer = Holding()
    writer.released.clear()
    writer.hold("a2")
    queue = writer.queue()
    first = await held_by_first(writer, queue)
    appends = [append("b", 1), append("a", 2), group("a", "b", number=3), append("b", 4)]
    gone, *tasks = await start(queue, *appends)
    gone.cancel()  # so the group is first in the line of b, and then shares a batch with a2
    writer.released.set()
    await first
    await writer.until_tried_again()
    assert writer.names()[:4] == ["first0", "a2 a+b3", "a2", "a2"]
    writer.faults.clear()
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks)
    assert writer.names()[-3:] == ["a2", "a+b3", "b4"]


async def test_a_group_whose_time_is_over_gets_the_error_and_lets_others_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    for module in ("queue", "held"):
        monkeypatch.setattr(f"eventsourcing_core._appending.{module}.monotonic", lambda: now)
    writer = Holding()
    writer.hold("a1")
    queue = writer.queue(max_wait=30.0)
    held, doomed = await start(queue, append("a", 1), group("a", "b", number=2))
    await writer.until_tried_again()
    now = 20.0
    (behind,) = await start(queue, append("b", 3))
    await writer.until_tried_again()
    assert not doomed.done()
    assert not behind.done()
    now = 30.0
    async with asyncio.timeout(10):
        results = await asyncio.gather(held, doomed, return_exceptions=True)
        await behind
        await queue.close()
    assert [type(result) for result in results] == [StreamHeldError] * 2
    assert queue._lines.count == 0
    assert writer.names()[-1] == "b3"


async def test_a_shut_down_leaves_nobody_waiting_behind_a_group() -> None:
    writer = Writer(held=True)
    queue = await busy_queue(writer)
    tasks = await start(queue, append("a", 1))
    await writer.entered.wait()
    tasks += await start(queue, group("a", "b", number=2), append("b", 3), group("b", "c"))
    (doomed,) = asyncio.all_tasks() - {asyncio.current_task(), *tasks}
    doomed.cancel()
    await asyncio.wait(tasks, timeout=10)
    assert [task.cancelled() for task in tasks] == [True] * 4
    writer.released.set()
    async with asyncio.timeout(10):
        await asyncio.gather(*(queue.append(append(stream)) for stream in "abc"))


async def test_closing_waits_for_groups() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a", 1), group("a", "b"), group("b", "c"), append("c"))
    closing = asyncio.create_task(queue.close())
    await asyncio.sleep(0)
    writer.released.set()
    async with asyncio.timeout(10):
        await closing
    assert all(task.done() for task in (first, *tasks))
    assert not queue._lines.by_key
