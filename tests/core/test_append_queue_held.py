"""Streams that somebody else holds."""

from __future__ import annotations

import asyncio

import pytest

from eventsourcing_core import ConcurrencyError
from eventsourcing_core._appending.held import Entry, Held
from eventsourcing_core._appending.lines import Batch, Lines
from eventsourcing_core.stores import StreamHeldError
from tests.core._writers import WRITTEN, Holding, append, heard, held_by_first, start


class Clock:
    """The time by which an append is late."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("queue", "held"):
        monkeypatch.setattr(f"eventsourcing_core._appending.{module}.monotonic", clock)
    return clock


async def test_an_append_to_a_held_stream_keeps_nobody_waiting() -> None:
    writer = Holding()
    writer.hold("held")
    queue = await writer.busy_queue()
    held, *others = await start(queue, append("held"), append("a"), append("b"))
    async with asyncio.timeout(10):
        await asyncio.gather(*others)
        await queue.append(append("c"))
    await writer.until_tried_again()
    assert not held.done()
    writer.faults.clear()
    async with asyncio.timeout(10):
        assert heard([await held]) == [(len(writer.batches), 0)]
    assert writer.streams()[0] == ["held", "a", "b"]


async def test_a_verdict_may_say_that_a_stream_is_held() -> None:
    writer = Holding()
    writer.verdicts["held"] = StreamHeldError()
    held, other = await start(await writer.busy_queue(), append("held"), append("a"))
    assert heard([await other]) == [(1, 1)]
    assert not held.done()
    writer.verdicts.clear()
    async with asyncio.timeout(10):
        await held


async def test_appends_to_a_held_stream_are_written_in_the_order_they_came() -> None:
    writer = Holding()
    writer.hold("held")
    tasks = await start(writer.queue(), *(append("held", number) for number in (1, 2, 3)))
    await writer.until_tried_again()
    del writer.batches[:]
    writer.faults.clear()
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks)
    assert writer.names() == ["held1", "held2 held3"]


async def test_a_stream_that_stays_held_is_the_error_of_all_whose_time_is_over(
    clock: Clock,
) -> None:
    writer = Holding()
    writer.hold("held")
    queue = writer.queue(max_wait=30.0)
    tasks = await start(queue, *(append("held") for _ in range(8)))
    await writer.until_tried_again()
    clock.now = 29.9
    await writer.until_tried_again()
    assert not any(task.done() for task in tasks)
    clock.now = 30.0
    del writer.batches[:]
    async with asyncio.timeout(10):
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results == [writer.faults["held"]] * 8
    assert len(writer.batches) == 1, "they wait together, not one after the other"
    assert not queue._lines.by_key, "the stream is free at once"
    assert queue._lines.count == 0


async def test_a_caller_that_is_cancelled_while_its_stream_is_held_takes_its_append_back() -> None:
    writer = Holding()
    writer.hold("held")
    queue = writer.queue()
    first, second = await start(queue, append("held", 1), append("held", 2))
    await writer.until_tried_again()
    first.cancel()
    tried = len(writer.batches)
    writer.faults.clear()
    async with asyncio.timeout(10):
        await second
    assert writer.names()[tried:] == ["held2"]


async def test_closing_waits_for_an_append_to_a_held_stream() -> None:
    writer = Holding()
    writer.hold("held")
    queue = writer.queue()
    first, second = await start(queue, append("held"), append("held"))
    await writer.until_tried_again()
    closing = asyncio.create_task(queue.close())
    await writer.until_tried_again()
    assert not closing.done()
    writer.faults.clear()
    async with asyncio.timeout(10):
        await closing
    assert first.done()
    assert second.done()


async def test_what_is_apart_is_tried_together() -> None:
    writer = Holding()
    streams = ["a", "b", "c"]
    for stream_id in streams:
        writer.hold(stream_id)
    queue = writer.queue(max_writes=2)
    tasks = await start(queue, *map(append, streams))
    await writer.until_tried_again()
    del writer.batches[:]
    await writer.until_tried_again()
    tried = writer.streams()
    assert sorted(tried[0]) == streams
    writer.faults.clear()
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks)


async def test_an_append_to_a_stream_that_is_apart_does_not_overtake_it() -> None:
    writer = Holding()
    writer.hold("held")
    queue = writer.queue(max_writes=2)
    (first,) = await start(queue, append("held", 1))
    await writer.until_tried_again()
    later = await start(queue, append("held", 2), append("other", 3), append("held", 4))
    async with asyncio.timeout(10):
        await later[1]
    await writer.until_tried_again()
    assert not first.done()
    assert not later[0].done()
    writer.faults.clear()
    async with asyncio.timeout(10):
        await asyncio.gather(first, *later)
    assert writer.names()[-2:] == ["held1", "held2 held4"]
    assert [*{*writer.names()[:-2]} - {"held1"}] == ["other3"]


async def test_what_is_held_is_set_apart_with_what_comes_behind_it_in_the_batch() -> None:
    writer = Holding()
    writer.verdicts["a"] = StreamHeldError()
    queue = await writer.busy_queue()
    tasks = await start(queue, append("a", 1), append("a", 2), append("b", 3), append("a", 4))
    await tasks[2]
    tasks += await start(queue, append("a", 5))
    await writer.until_tried_again()
    assert writer.names()[:2] == ["a1 a2 a4 b3", "a1"]
    writer.verdicts.clear()
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks)
    assert writer.names()[-2:] == ["a1", "a2 a4 a5"]


async def test_in_a_failed_batch_nothing_is_written_behind_what_is_held() -> None:
    writer = Holding()
    writer.hold("a1")
    queue = await writer.busy_queue()
    tasks = await start(queue, append("a", 1), append("a", 2), append("b", 3), append("a", 4))
    await tasks[2]
    await writer.until_tried_again()
    assert writer.names()[:4] == ["a1 a2 a4 b3", "a1", "b3", "a1"]
    writer.faults.clear()
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks)
    assert writer.names()[-2:] == ["a1", "a2 a4"]


async def test_in_a_failed_batch_what_comes_before_the_held_one_is_written() -> None:
    writer = Holding()
    writer.hold("a2")
    queue = await writer.busy_queue()
    tasks = await start(queue, append("a", 1), append("a", 2), append("a", 3))
    await tasks[0]
    writer.faults.clear()
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks)
    assert writer.names() == ["a1 a2 a3", "a1", "a2", "a2", "a3"]


async def test_what_a_store_wrote_behind_a_held_append_is_answered_and_not_written_again() -> None:
    writer = Holding()
    writer.verdicts |= {"a1": StreamHeldError(), "a3": ConcurrencyError("a", 0, 1)}
    queue = await writer.busy_queue()
    first, *others = await start(queue, *(append("a", number) for number in (1, 2, 3)))
    async with asyncio.timeout(10):
        results = await asyncio.gather(*others, return_exceptions=True)
    assert heard(results) == [(1, 1), writer.verdicts["a3"]]
    writer.verdicts.clear()
    async with asyncio.timeout(10):
        await first
    assert writer.names() == ["a1 a2 a3", "a1"]


async def test_one_whose_time_is_over_leaves_those_behind_it_where_they_are(clock: Clock) -> None:
    writer = Holding()
    writer.hold("a")
    queue = writer.queue(max_wait=30.0)
    tasks = await start(queue, append("a", 1), append("a", 2))
    clock.now = 10.0
    tasks += await start(queue, append("a", 3), append("a", 4))
    await writer.until_tried_again()
    clock.now = 30.0
    await writer.until_tried_again()
    assert [task.done() for task in tasks] == [True, True, False, False]
    writer.faults.clear()
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks, return_exceptions=True)
    assert writer.names()[-2:] == ["a3", "a4"]


async def test_the_time_of_one_that_its_caller_writes_runs_from_its_first_try(clock: Clock) -> None:
    writer = Holding()
    writer.hold("held")
    writer.released.clear()
    (lone,) = await start(writer.queue(max_wait=5.0), append("held"))
    clock.now = 5.0
    writer.released.set()
    with pytest.raises(StreamHeldError):
        async with asyncio.timeout(10):
            await lone
    assert writer.names() == ["held0"]


async def test_one_that_is_late_in_its_batch_fails_and_those_behind_it_wait(clock: Clock) -> None:
    writer = Holding()
    writer.released.clear()
    queue = writer.queue(max_wait=30.0)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a", 1))
    clock.now = 10.0
    tasks += await start(queue, append("a", 2))
    clock.now = 30.0
    writer.verdicts["a"] = StreamHeldError()
    writer.released.set()
    async with asyncio.timeout(10):
        await first
        with pytest.raises(StreamHeldError):
            await tasks[0]
    assert not tasks[1].done()
    writer.verdicts.clear()
    async with asyncio.timeout(10):
        await tasks[1]
    assert writer.names() == ["first0", "a1 a2", "a2"]


async def test_who_is_cancelled_while_the_stream_is_found_held_is_not_tried_again() -> None:
    writer = Holding()
    writer.released.clear()
    writer.verdicts["a"] = StreamHeldError()
    queue = await writer.busy_queue()
    first, second, third = await start(queue, *(append("a", number) for number in (1, 2, 3)))
    await writer.entered.wait()
    first.cancel()
    await asyncio.wait({first})
    writer.released.set()
    await writer.until_tried_again()
    second.cancel()
    writer.verdicts.clear()
    async with asyncio.timeout(10):
        await third
    assert writer.names()[0] == "a1 a2 a3"
    assert {*writer.names()[1:-1]} == {"a2"}
    assert writer.names()[-1] == "a3"


async def test_a_stream_that_all_callers_left_while_it_was_held_is_free_again() -> None:
    writer = Holding()
    writer.hold("a")
    queue = writer.queue()
    tasks = await start(queue, append("a", 1), append("a", 2))
    await writer.until_tried_again()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    writer.faults.clear()
    async with asyncio.timeout(10):
        await queue.append(append("a", 3))
        await queue.close()
    assert writer.names()[-1] == "a3"


async def test_callers_whose_streams_are_held_are_not_forgotten_when_the_loop_ends() -> None:
    writer = Holding()
    writer.hold("held")
    queue = writer.queue()
    tasks = await start(queue, append("held"), append("held"))
    await writer.until_tried_again()
    tasks += await start(queue, append("held"))
    (trier,) = asyncio.all_tasks() - {asyncio.current_task(), *tasks}
    trier.cancel()
    await asyncio.wait(tasks, timeout=10)
    assert [task.cancelled() for task in tasks] == [True] * 3
    writer.faults.clear()
    async with asyncio.timeout(10):
        await queue.append(append("held"))


async def test_a_shut_down_while_something_is_tried_again_leaves_nobody_waiting() -> None:
    writer = Holding()
    writer.hold("a")
    queue = writer.queue()
    tasks = await start(queue, append("a", 1), append("a", 2))
    await writer.until_tried_again()
    writer.released.clear()
    writer.entered.clear()
    await writer.entered.wait()
    tasks += await start(queue, append("a", 3))
    (trier,) = asyncio.all_tasks() - {asyncio.current_task(), *tasks}
    trier.cancel()
    await asyncio.wait(tasks, timeout=10)
    assert [task.cancelled() for task in tasks] == [True] * 3


async def test_a_shut_down_before_anything_is_tried_again_leaves_nobody_waiting() -> None:
    writer = Holding()
    writer.hold("held")
    queue = writer.queue()
    (task,) = await start(queue, append("held"))
    (trier,) = asyncio.all_tasks() - {asyncio.current_task(), task}
    trier.cancel()
    await asyncio.wait({task}, timeout=10)
    assert task.cancelled()
    writer.faults.clear()
    async with asyncio.timeout(10):
        await queue.append(append("held"))


async def test_what_is_set_apart_just_as_nothing_else_is_any_more_is_tried_again() -> None:
    # The task that tried again has ended then, and asyncio has not told so yet.
    lines: Lines[Entry] = Lines(10, 1000)
    one, other = (Entry(append(name), asyncio.Future(), 1e12) for name in ("one", "other"))

    async def write(batch: Batch[Entry]) -> None:
        for entry in batch.entries:
            entry.verdict.set_result(WRITTEN)
        lines.let_go(batch.keys)

    def set_the_other_apart() -> None:
        if lines.turns:
            held.set_apart(lines.turns.popleft(), StreamHeldError())

    held = Held(lines, write, set_the_other_apart)
    for entry in (one, other):
        lines.join(entry)
    held.set_apart(lines.turns.popleft(), StreamHeldError())
    async with asyncio.timeout(10):
        assert [await one.verdict, await other.verdict] == [WRITTEN, WRITTEN]
    assert not lines.by_key
