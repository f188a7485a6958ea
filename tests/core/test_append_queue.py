"""Batches: what goes into one, and what each caller hears."""

from __future__ import annotations

import asyncio
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import AppendQueue, AppendResult, ConcurrencyError, StorageError
from tests.core._writers import Writer, append, held_by_first, start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core import Append


async def test_an_append_goes_out_at_once_when_nothing_is_under_way() -> None:
    writer = Writer()
    assert await AppendQueue(writer).append(append("a")) == AppendResult(1, 0)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
async def test_appends_are_written_where_tasks_begin_at_once() -> None:
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()
    loop.set_task_factory(vars(asyncio)["eager_task_factory"])  # unknown to checks for 3.11
    try:

        async def write(appends: Sequence[Append]) -> list[AppendResult]:
            return [AppendResult(1, 1) for _ in appends]  # without waiting for anything

        queue = AppendQueue(write)
        assert [await queue.append(append("a")) for _ in range(3)] == [AppendResult(1, 1)] * 3
    finally:
        loop.set_task_factory(before)


async def test_appends_that_arrive_during_a_write_share_the_next_one() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a"), append("b"), append("c"))
    writer.released.set()
    assert await asyncio.gather(first, *tasks) == [(1, 0), (2, 0), (2, 1), (2, 2)]
    assert writer.streams() == [["first"], ["a", "b", "c"]]


async def test_a_busy_stream_does_not_starve_the_others() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer, max_appends=1)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("busy"), append("busy"), append("other"), append("busy"))
    writer.released.set()
    await asyncio.gather(first, *tasks)
    assert writer.streams() == [["first"], ["busy"], ["other"], ["busy"], ["busy"]]


async def test_batches_keep_to_the_limits_of_count_and_bytes() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer, max_appends=2, max_bytes=10)
    first = await held_by_first(writer, queue)
    sizes = {"a": 1, "b": 1, "c": 6, "d": 5, "e": 99, "f": 1}
    tasks = await start(queue, *(append(stream, size=size) for stream, size in sizes.items()))
    writer.released.set()
    await asyncio.gather(first, *tasks)
    assert writer.streams() == [["first"], ["a", "b"], ["c"], ["d"], ["e"], ["f"]]


async def test_each_caller_gets_its_own_verdict() -> None:
    writer = Writer(held=True)
    writer.verdicts["b"] = ConcurrencyError("b", 0, 1)
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a"), append("b"), append("c"))
    writer.released.set()
    results = await asyncio.gather(first, *tasks, return_exceptions=True)
    assert results == [(1, 0), (2, 0), writer.verdicts["b"], (2, 2)]


async def test_in_a_failed_batch_only_the_guilty_append_fails() -> None:
    writer = Writer(held=True)
    writer.faults["b"] = ValueError("bad row")
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a"), append("b"), append("c"))
    writer.released.set()
    results = await asyncio.gather(first, *tasks, return_exceptions=True)
    assert results == [(1, 0), (3, 0), writer.faults["b"], (5, 0)]
    assert writer.streams() == [["first"], ["a", "b", "c"], ["a"], ["b"], ["c"]]


async def test_an_outage_fails_all_at_once_and_the_queue_goes_on() -> None:
    writer = Writer(held=True)
    writer.faults["b"] = OSError("disk full")
    queue = AppendQueue(writer, is_outage=lambda error: isinstance(error, OSError))
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a"), append("b"))
    writer.released.set()
    results = await asyncio.gather(first, *tasks, return_exceptions=True)
    assert results == [(1, 0), writer.faults["b"], writer.faults["b"]]
    assert writer.streams() == [["first"], ["a", "b"]]
    assert await queue.append(append("c")) == (3, 0)


async def test_a_caller_cancelled_while_it_waits_takes_its_append_back() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    a, b = await start(queue, append("a"), append("b"))
    a.cancel()
    writer.released.set()
    results = await asyncio.gather(first, a, b, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert results[2] == (2, 0)
    assert writer.streams() == [["first"], ["b"]]


async def test_a_caller_cancelled_during_the_write_harms_no_neighbour() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    a, b = await start(queue, append("a"), append("b"))
    await writer.entered.wait()
    a.cancel()
    await asyncio.wait({a})
    writer.released.set()
    assert a.cancelled()
    assert await b == (1, 1)


async def test_close_waits_for_what_was_appended_and_refuses_more() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    (waiting,) = await start(queue, append("a"))
    closing = asyncio.create_task(queue.close())
    await asyncio.sleep(0)
    assert not closing.done()
    with pytest.raises(StorageError, match="the store is closed"):
        await queue.append(append("b"))
    writer.released.set()
    await closing
    assert (first.done(), waiting.done()) == (True, True)
    assert await waiting == (2, 0)


async def test_when_the_loop_shuts_down_nobody_is_left_waiting() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    (waiting,) = await start(queue, append("a"))
    for task in asyncio.all_tasks() - {asyncio.current_task(), first, waiting}:
        task.cancel()  # as asyncio.run does with what is left
    results = await asyncio.gather(first, waiting, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError] * 2


async def test_a_store_that_gives_too_few_verdicts_fails_all_of_them() -> None:
    async def write(appends: Sequence[Append]) -> list[AppendResult]:
        return [AppendResult(1, 1)] * (len(appends) - 1)

    queue = AppendQueue(write)
    tasks = await start(queue, append("a"), append("b"))
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(result) for result in results] == ["the store gave 0 verdicts for 1 appends"] * 2


async def test_a_shut_down_during_the_retries_leaves_nobody_waiting() -> None:
    hanging = asyncio.Event()

    async def write(appends: Sequence[Append]) -> list[AppendResult]:
        if len(appends) > 1:
            raise ValueError
        hanging.set()
        await asyncio.Event().wait()
        raise AssertionError

    queue = AppendQueue(write)
    tasks = await start(queue, append("a"), append("b"), append("c"))
    await hanging.wait()
    for task in asyncio.all_tasks() - {asyncio.current_task(), *tasks}:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError] * 3


async def test_the_writer_does_not_run_in_the_context_of_a_caller() -> None:
    user: ContextVar[str] = ContextVar("user", default="nobody")
    seen: list[str] = []

    async def write(appends: Sequence[Append]) -> list[AppendResult]:
        seen.append(user.get())
        return [AppendResult(1, 1)] * len(appends)

    user.set("alice")
    await AppendQueue(write).append(append("a"))
    assert seen == ["nobody"]
