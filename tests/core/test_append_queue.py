"""Batches: what goes into one, and what each caller hears."""

from __future__ import annotations

import asyncio
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import ConcurrencyError, StorageError, StoreBusyError
from eventsourcing_core._appending.queue import AppendQueue
from eventsourcing_core.stores import AppendResult, OutageError, Written
from tests.core._writers import WRITTEN, Writer, append, busy_queue, heard, held_by_first, start

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from eventsourcing_core.stores import Append


async def test_an_append_goes_out_at_once_when_nothing_is_under_way() -> None:
    writer = Writer()
    assert await AppendQueue(writer).append(append("a")) == Written((AppendResult(1, 0),), 1)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
async def test_appends_are_written_where_tasks_begin_at_once() -> None:
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()
    loop.set_task_factory(vars(asyncio)["eager_task_factory"])  # unknown to checks for 3.11
    try:

        async def write(appends: Sequence[Append]) -> list[Written]:
            return [WRITTEN for _ in appends]  # without waiting for anything

        queue = await busy_queue(write)
        assert [await queue.append(append("a")) for _ in range(3)] == [WRITTEN] * 3
    finally:
        loop.set_task_factory(before)


async def test_appends_that_arrive_during_a_write_share_the_next_one() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a"), append("b"), append("c"))
    writer.released.set()
    results = await asyncio.gather(first, *tasks)
    assert heard(results) == [(1, 0), (2, 0), (2, 1), (2, 2)]
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
    assert heard(results) == [(1, 0), (2, 0), writer.verdicts["b"], (2, 2)]


async def test_in_a_failed_batch_only_the_guilty_append_fails() -> None:
    writer = Writer(held=True)
    writer.faults["b"] = ValueError("bad row")
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a"), append("b"), append("c"))
    writer.released.set()
    results = await asyncio.gather(first, *tasks, return_exceptions=True)
    assert heard(results) == [(1, 0), (3, 0), writer.faults["b"], (5, 0)]
    assert writer.streams() == [["first"], ["a", "b", "c"], ["a"], ["b"], ["c"]]


async def test_an_outage_fails_all_at_once_and_the_queue_goes_on() -> None:
    writer = Writer(held=True)
    writer.faults["b"] = OutageError("disk full")
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a"), append("b"))
    writer.released.set()
    results = await asyncio.gather(first, *tasks, return_exceptions=True)
    assert heard(results) == [(1, 0), writer.faults["b"], writer.faults["b"]]
    assert writer.streams() == [["first"], ["a", "b"]]
    assert heard([await queue.append(append("c"))]) == [(3, 0)]


async def test_a_caller_cancelled_while_it_waits_takes_its_append_back() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    a, b = await start(queue, append("a"), append("b"))
    a.cancel()
    writer.released.set()
    results = await asyncio.gather(first, a, b, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert heard(results[2:]) == [(2, 0)]
    assert writer.streams() == [["first"], ["b"]]


async def test_a_caller_cancelled_during_the_write_harms_no_neighbour() -> None:
    writer = Writer(held=True)
    queue = await busy_queue(writer)
    a, b = await start(queue, append("a"), append("b"))
    await writer.entered.wait()
    a.cancel()
    await asyncio.wait({a})
    writer.released.set()
    assert a.cancelled()
    assert heard([await b]) == [(1, 1)]


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
    async with asyncio.timeout(10):
        await closing
    assert (first.done(), waiting.done()) == (True, True)
    assert heard([await waiting]) == [(2, 0)]


async def test_when_the_loop_shuts_down_nobody_is_left_waiting() -> None:
    writer = Writer(held=True)
    queue = await busy_queue(writer)
    first = await held_by_first(writer, queue)
    (waiting,) = await start(queue, append("a"))
    for task in asyncio.all_tasks() - {asyncio.current_task(), first, waiting}:
        task.cancel()  # as asyncio.run does with what is left
    async with asyncio.timeout(10):
        results = await asyncio.gather(first, waiting, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError] * 2


@pytest.mark.parametrize(("surplus", "given"), [(-1, 0), (1, 2)])
@pytest.mark.parametrize("count", [1, 3])
async def test_a_store_that_gives_too_few_or_too_many_verdicts_fails_all_of_them(
    count: int, surplus: int, given: int
) -> None:
    async def write(appends: Sequence[Append]) -> list[Written]:
        return [WRITTEN] * (len(appends) + surplus)

    queue = AppendQueue(write) if count == 1 else await busy_queue(write)
    tasks = await start(queue, *map(append, "abc"[:count]))
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} == {StorageError}
    message = f"the store gave {given} verdicts for 1 appends"
    assert [str(result) for result in results] == [message] * count


@pytest.mark.parametrize("count", [1, 3])
async def test_a_store_that_gives_something_else_than_a_verdict_fails_its_caller(
    count: int,
) -> None:
    async def write(appends: Sequence[Append]) -> list[Written]:
        stray: Any = AppendResult(1, 1)
        return [stray, *[WRITTEN] * (len(appends) - 1)]

    queue = AppendQueue(write) if count == 1 else await busy_queue(write)
    first, *others = await start(queue, *map(append, "abc"[:count]))
    with pytest.raises(StorageError, match="gave a verdict that is none: AppendResult"):
        await first
    assert await asyncio.gather(*others) == [WRITTEN] * (count - 1)


class Unreadable(list[Written]):
    """Verdicts that cannot be read to their end."""

    def __iter__(self) -> Iterator[Written]:
        yield self[0]
        message = "cannot be read"
        raise LookupError(message)


async def test_verdicts_that_cannot_be_read_leave_nobody_waiting() -> None:
    async def write(appends: Sequence[Append]) -> list[Written]:
        return Unreadable([WRITTEN] * len(appends))

    queue = await busy_queue(write)
    tasks = await start(queue, *map(append, "abc"))
    async with asyncio.timeout(10):
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await queue.close()
    assert [type(result) for result in results] == [Written, LookupError, LookupError]


async def test_one_more_than_may_wait_is_refused_at_once_and_not_written() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer, max_waiting=2)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a", 1), append("b", 2))
    for stream_id in ("a", "c"):
        (refused,) = await start(queue, append(stream_id, 3))
        assert refused.done()
        with pytest.raises(StoreBusyError) as caught:
            await refused
        assert caught.value.waiting == 2
    writer.released.set()
    await asyncio.gather(first, *tasks)
    assert writer.names() == ["first0", "a1 b2"]


async def test_what_is_being_written_does_not_wait() -> None:
    writer = Writer(held=True)
    queue = await busy_queue(writer, max_waiting=2)
    tasks = await start(queue, append("a"), append("b"))
    await writer.entered.wait()
    tasks += await start(queue, append("a"), append("c"))
    (refused,) = await start(queue, append("d"))
    assert refused.done()
    with pytest.raises(StoreBusyError):
        await refused
    writer.released.set()
    await asyncio.gather(*tasks)
    await queue.append(append("d"))
    assert writer.streams() == [["a", "b"], ["c", "a"], ["d"]]


async def test_whoever_was_cancelled_does_not_count_as_waiting_for_long() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer, max_waiting=3)
    first = await held_by_first(writer, queue)
    for task in await start(queue, append("a"), append("a"), append("b")):
        task.cancel()
    writer.released.set()
    await first
    writer.released.clear()
    again = await held_by_first(writer, queue)
    tasks = await start(queue, append("a"), append("a"), append("b"))
    writer.released.set()
    async with asyncio.timeout(10):
        await asyncio.gather(again, *tasks)
    assert writer.streams() == [["first"], ["first"], ["a", "a", "b"]]


async def test_a_shut_down_during_the_retries_leaves_nobody_waiting() -> None:
    hanging = asyncio.Event()

    async def write(appends: Sequence[Append]) -> list[Written]:
        if len(appends) > 1:
            raise ValueError
        hanging.set()
        await asyncio.Event().wait()
        raise AssertionError

    queue = await busy_queue(write)
    tasks = await start(queue, append("a"), append("b"), append("c"))
    await hanging.wait()
    for task in asyncio.all_tasks() - {asyncio.current_task(), *tasks}:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError] * 3


async def test_the_writer_does_not_run_in_the_context_of_a_caller() -> None:
    user: ContextVar[str] = ContextVar("user", default="nobody")
    seen: list[str] = []

    async def write(appends: Sequence[Append]) -> list[Written]:
        seen.append(user.get())
        return [WRITTEN] * len(appends)

    queue = await busy_queue(write)
    user.set("alice")
    await queue.append(append("a"))
    assert seen == ["nobody"]
