"""Several batches under way at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._appending.queue import AppendQueue
from tests.core._writers import WRITTEN, Writer, append, busy_queue, heard, start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, Written


async def test_two_batches_are_under_way_where_two_may_be_and_share_what_waits() -> None:
    writer = Writer(held=True)
    queue = await busy_queue(writer, max_writes=2)
    tasks = await start(queue, *(append(name) for name in "abcd"))
    await writer.entered.wait()
    await asyncio.sleep(0)
    tasks += await start(queue, append("e"))
    assert writer.streams() == [["a", "b"], ["c", "d"]]
    writer.released.set()
    await asyncio.gather(*tasks)
    assert writer.streams() == [["a", "b"], ["c", "d"], ["e"]]


async def test_appends_to_one_stream_are_never_under_way_together() -> None:
    writer = Writer(held=True)
    queue = await busy_queue(writer, max_writes=2)
    tasks = await start(queue, append("a", 1))
    await writer.entered.wait()
    tasks += await start(queue, append("a", 2), append("b", 3), append("a", 4))
    await asyncio.sleep(0)
    assert writer.names() == ["a1", "b3"]
    writer.released.set()
    await asyncio.gather(*tasks)
    assert writer.names() == ["a1", "b3", "a2 a4"]


async def test_an_append_is_not_under_way_together_with_that_of_a_caller_that_writes() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer, max_writes=2)
    tasks = await start(queue, append("a", 1), append("a", 2), append("b", 3))
    await asyncio.sleep(0)
    assert writer.names() == ["a1", "b3"]
    writer.released.set()
    await asyncio.gather(*tasks)
    assert writer.names() == ["a1", "b3", "a2"]


async def test_the_appends_of_one_stream_are_not_shared_out_to_two_batches() -> None:
    writer = Writer(held=True)
    queue = await busy_queue(writer, max_writes=2)
    tasks = await start(queue, *(append("a") for _ in range(64)), append("b"), append("c"))
    await asyncio.sleep(0)
    assert writer.streams() == [["a"] * 64 + ["b"], ["c"]]
    writer.released.set()
    await asyncio.gather(*tasks)


async def test_closing_waits_for_every_batch_under_way() -> None:
    writer = Writer(held=True)
    queue = await busy_queue(writer, max_writes=2)
    tasks = await start(queue, append("a"), append("b"), append("a"))
    await writer.entered.wait()
    closing = asyncio.create_task(queue.close())
    await asyncio.sleep(0)
    writer.released.set()
    await closing
    await asyncio.gather(*tasks)
    assert writer.streams() == [["a", "a"], ["b"]]


async def test_a_writer_that_is_cancelled_before_it_begins_strands_nobody() -> None:
    queue = await busy_queue(Writer())
    (task,) = await start(queue, append("a"))
    for other in asyncio.all_tasks() - {asyncio.current_task(), task}:
        other.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await task
    assert heard([await queue.append(append("b"))]) == [(1, 0)]


async def test_what_a_batch_leaves_for_another_is_not_kept_waiting() -> None:
    batches: list[str] = []
    ends: list[asyncio.Event] = []

    async def write(appends: Sequence[Append]) -> list[Written]:
        batches.append("".join(one.keys[0] for one in appends))
        ends.append(asyncio.Event())
        await ends[-1].wait()
        return [WRITTEN] * len(appends)

    queue = await busy_queue(write, max_writes=2)
    tasks = await start(queue, *(append(name) for name in "abcd"))
    await asyncio.sleep(0)
    assert batches == ["ab", "cd"]
    tasks += await start(queue, append("a"), append("b"))
    ends[1].set()
    await asyncio.gather(*tasks[2:4])
    ends[0].set()  # both streams are free at the same moment, and nothing else is under way
    await asyncio.gather(*tasks[:2])
    await asyncio.sleep(0)
    assert batches == ["ab", "cd", "a", "b"]
    for end in ends:
        end.set()
    await asyncio.gather(*tasks)


async def test_a_writer_that_is_cancelled_leaves_what_another_will_write() -> None:
    writer = Writer(held=True)
    queue = await busy_queue(writer, max_writes=2)
    (first,) = await start(queue, append("a"))
    await writer.entered.wait()
    (doomed,) = asyncio.all_tasks() - {asyncio.current_task(), first}
    rest = await start(queue, append("b"), append("b"))
    await asyncio.sleep(0)
    doomed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    writer.released.set()
    assert heard(await asyncio.gather(*rest)) == [(2, 0), (2, 1)]
