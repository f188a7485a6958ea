from __future__ import annotations

import asyncio
from collections import defaultdict
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    Append,
    AppendQueue,
    AppendResult,
    ConcurrencyError,
    EncodedEvent,
    StorageError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


def append(stream_id: str, number: int = 0, size: int = 1) -> Append:
    event = EncodedEvent("x", b"", None, "json", number.to_bytes(16), 0)
    return Append(stream_id, (event,), 0, size)


class Writer:
    """Records the batches; holds each until it is released, and fails as it is told."""

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
            if one.stream_id in self.faults:
                raise self.faults[one.stream_id]
        return [
            self.verdicts.get(one.stream_id, AppendResult(len(self.batches), number))
            for number, one in enumerate(appends)
        ]

    def streams(self) -> list[list[str]]:
        return [[one.stream_id for one in batch] for batch in self.batches]


async def start(queue: AppendQueue, *appends: Append) -> list[asyncio.Task[AppendResult]]:
    tasks = [asyncio.create_task(queue.append(one)) for one in appends]
    await asyncio.sleep(0)  # each runs up to its wait
    return tasks


async def held_by_first(writer: Writer, queue: AppendQueue) -> asyncio.Task[AppendResult]:
    """Put one append under way, so that what comes next must wait."""
    (first,) = await start(queue, append("first"))
    await writer.entered.wait()
    return first


async def test_an_append_goes_out_at_once_when_nothing_is_under_way() -> None:
    writer = Writer()
    assert await AppendQueue(writer).append(append("a")) == AppendResult(1, 0)


async def test_appends_that_arrive_during_a_write_share_the_next_one() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a"), append("b"), append("c"))
    writer.released.set()
    assert await asyncio.gather(first, *tasks) == [(1, 0), (2, 0), (2, 1), (2, 2)]
    assert writer.streams() == [["first"], ["a", "b", "c"]]


async def test_a_batch_holds_one_append_of_a_stream_and_keeps_their_order() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a", 1), append("a", 2), append("b", 3), append("a", 4))
    writer.released.set()
    await asyncio.gather(first, *tasks)
    assert writer.streams() == [["first"], ["a", "b"], ["a"], ["a"]]
    numbers = [int.from_bytes(batch[0].events[0].event_id) for batch in writer.batches[1:]]
    assert numbers == [1, 2, 4]


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


async def test_two_batches_are_under_way_where_two_may_be_and_share_what_waits() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer, max_writes=2)
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
    queue = AppendQueue(writer, max_writes=2)
    tasks = await start(queue, append("a", 1))
    await writer.entered.wait()
    tasks += await start(queue, append("a", 2), append("b", 3), append("a", 4))
    await asyncio.sleep(0)
    assert writer.streams() == [["a"], ["b"]]
    writer.released.set()
    await asyncio.gather(*tasks)
    written = [one.events[0].event_id[-1] for batch in writer.batches for one in batch]
    assert [number for number in written if number != 3] == [1, 2, 4]
    assert written.count(3) == 1


async def test_closing_waits_for_every_batch_under_way() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer, max_writes=2)
    tasks = await start(queue, append("a"), append("b"), append("a"))
    await writer.entered.wait()
    closing = asyncio.create_task(queue.close())
    await asyncio.sleep(0)
    writer.released.set()
    await closing
    await asyncio.gather(*tasks)
    assert [name for batch in writer.streams() for name in batch] == ["a", "b", "a"]


async def test_a_writer_that_is_cancelled_before_it_begins_strands_nobody() -> None:
    queue = AppendQueue(Writer())
    (task,) = await start(queue, append("a"))
    for other in asyncio.all_tasks() - {asyncio.current_task(), task}:
        other.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await queue.append(append("b")) == AppendResult(1, 0)


async def test_what_a_batch_leaves_for_another_is_not_kept_waiting() -> None:
    batches: list[str] = []
    ends: list[asyncio.Event] = []

    async def write(appends: Sequence[Append]) -> list[AppendResult]:
        batches.append("".join(one.stream_id for one in appends))
        ends.append(asyncio.Event())
        await ends[-1].wait()
        return [AppendResult(1, 1)] * len(appends)

    queue = AppendQueue(write, max_writes=2)
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
    queue = AppendQueue(writer, max_writes=2)
    (first,) = await start(queue, append("a"))
    await writer.entered.wait()
    (doomed,) = asyncio.all_tasks() - {asyncio.current_task(), first}
    rest = await start(queue, append("b"), append("b"))
    await asyncio.sleep(0)
    doomed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    writer.released.set()
    assert await asyncio.gather(*rest) == [AppendResult(2, 0), AppendResult(3, 0)]


# Streams that somebody else holds.


class HeldError(Exception):
    """Says that somebody else holds a stream."""


class Holding(Writer):
    """Fails a batch that has an append to a held stream."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = asyncio.Event()

    async def __call__(self, appends: Sequence[Append]) -> list[AppendResult | Exception]:
        try:
            return await super().__call__(appends)
        except HeldError:
            self.failed.set()
            raise

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


async def test_an_append_to_a_held_stream_keeps_nobody_waiting() -> None:
    writer = Holding()
    writer.hold("held")
    queue = writer.queue()
    held, *others = await start(queue, append("held"), append("a"), append("b"))
    async with asyncio.timeout(10):
        await asyncio.gather(*others)
        await queue.append(append("c"))
    await writer.until_tried_again()
    assert not held.done()
    writer.faults.clear()
    async with asyncio.timeout(10):
        assert await held == AppendResult(len(writer.batches), 0)


async def test_a_verdict_may_say_that_a_stream_is_held() -> None:
    writer = Holding()
    writer.verdicts["held"] = HeldError()
    held, other = await start(writer.queue(), append("held"), append("a"))
    assert (await other).position == 1
    assert not held.done()
    writer.verdicts.clear()
    async with asyncio.timeout(10):
        await held


async def test_appends_to_a_held_stream_are_written_in_the_order_they_came() -> None:
    writer = Holding()
    writer.hold("held")
    tasks = await start(writer.queue(), *(append("held", number) for number in (1, 2, 3)))
    await writer.until_tried_again()
    writer.faults.clear()
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks)
    numbers = [int.from_bytes(batch[0].events[0].event_id) for batch in writer.batches]
    assert numbers == [*[1] * (len(numbers) - 2), 2, 3]


async def test_a_stream_that_stays_held_is_the_callers_error_in_the_end() -> None:
    writer = Holding()
    writer.hold("held")
    loop = asyncio.get_running_loop()
    begin = loop.time()
    tasks = await start(writer.queue(max_wait=0.5), *(append("held") for _ in range(8)))
    async with asyncio.timeout(10):
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results == [writer.faults["held"]] * 8
    assert 0.5 <= loop.time() - begin < 1.0, "they wait together, not one after the other"


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
    assert [batch[0].events[0].event_id[-1] for batch in writer.batches[tried:]] == [2]


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


# Appends that meet no other, where a write may be cancelled.


class Alone(Holding):
    """Records which task writes."""

    def __init__(self, *, held: bool = False) -> None:
        super().__init__()
        self.tasks: list[asyncio.Task[object] | None] = []
        self.cancelled = 0
        if held:
            self.released.clear()

    async def __call__(self, appends: Sequence[Append]) -> list[AppendResult | Exception]:
        self.tasks.append(asyncio.current_task())
        try:
            return await super().__call__(appends)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def alone(self) -> AppendQueue:
        return self.queue(is_cancellable=True)


async def test_an_append_that_meets_no_other_is_written_by_its_caller() -> None:
    writer = Alone()
    queue = writer.alone()
    assert [(await queue.append(append(stream))).version for stream in "aab"] == [1, 2, 3]
    assert writer.tasks == [asyncio.current_task()] * 3


async def test_appends_that_come_while_a_caller_writes_share_a_write() -> None:
    writer = Alone(held=True)
    queue = writer.alone()
    first, *others = await start(queue, append("first"), append("a"), append("b"), append("first"))
    writer.released.set()
    await asyncio.gather(first, *others)
    assert writer.streams() == [["first"], ["a", "b", "first"]]
    assert writer.tasks[0] is first
    assert not {*writer.tasks[1:]} & {first, *others}


async def test_callers_write_again_when_appends_no_longer_meet() -> None:
    writer = Alone(held=True)
    queue = writer.alone()
    tasks = await start(queue, *(append(stream) for stream in "abc"))
    writer.released.set()
    await asyncio.gather(*tasks)
    del writer.tasks[:]
    for stream in "ab":
        await queue.append(append(stream))
    assert [task is asyncio.current_task() for task in writer.tasks] == [False, True]


async def test_a_caller_that_is_cancelled_while_it_writes_ends_that_write_alone() -> None:
    writer = Alone(held=True)
    queue = writer.alone()
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
    queue = writer.alone()
    (writer.verdicts if isinstance(error, ConcurrencyError) else writer.faults)["a"] = error
    with pytest.raises(type(error)) as caught:
        await queue.append(append("a"))
    assert caught.value is error
    assert (await queue.append(append("b"))).version == 2


async def test_a_caller_that_writes_waits_for_a_held_stream() -> None:
    writer = Alone()
    writer.hold("held")
    queue = writer.alone()
    first, second = await start(queue, append("held", 1), append("held", 2))
    await writer.until_tried_again()
    assert not first.done()
    writer.faults.clear()
    async with asyncio.timeout(10):
        await asyncio.gather(first, second)
    assert [batch[0].events[0].event_id[-1] for batch in writer.batches][-2:] == [1, 2]


async def test_closing_waits_for_a_caller_that_writes() -> None:
    writer = Alone(held=True)
    queue = writer.alone()
    (first,) = await start(queue, append("a"))
    closing = asyncio.create_task(queue.close())
    await asyncio.sleep(0)
    assert not closing.done()
    writer.released.set()
    async with asyncio.timeout(10):
        await closing
        await first


async def test_what_is_apart_is_tried_together() -> None:
    writer = Holding()
    streams = ["a", "b", "c"]
    for stream_id in streams:
        writer.hold(stream_id)
    queue = writer.queue(max_writes=2, is_cancellable=True)
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
    queue = writer.queue(max_writes=2, is_cancellable=True)
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
    written = [one.events[0].event_id[-1] for batch in writer.batches for one in batch]
    assert [number for number in written if number != 1][-2:] == [2, 4]
    assert written.index(2) > len(written) - 1 - written[::-1].index(1)


async def test_two_appends_to_a_stream_are_never_under_way_at_once() -> None:
    writer = Alone(held=True)
    queue = writer.queue(max_writes=2, is_cancellable=True)
    tasks = await start(queue, append("a", 1), append("a", 2), append("b", 3))
    await asyncio.sleep(0)
    assert sorted(stream for batch in writer.streams() for stream in batch) == ["a", "b"]
    writer.released.set()
    await asyncio.gather(*tasks)
    assert writer.streams()[-1] == ["a"]


async def test_what_fails_while_it_judges_an_error_is_everybodys_error() -> None:
    def broken(error: Exception) -> bool:
        message = f"cannot judge {error!r}"
        raise LookupError(message)

    writer = Writer(held=True)
    writer.faults["a"] = ValueError("bad row")
    queue = AppendQueue(writer, is_outage=broken, is_held=broken)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a"), append("b"))
    writer.released.set()
    async with asyncio.timeout(10):
        results = await asyncio.gather(first, *tasks, return_exceptions=True)
        await queue.close()
    assert [type(result) for result in results] == [AppendResult, LookupError, LookupError]


async def test_callers_whose_streams_are_held_are_not_forgotten_when_the_loop_ends() -> None:
    writer = Holding()
    writer.hold("held")
    queue = writer.queue()
    tasks = await start(queue, append("held"), append("held"))
    await writer.until_tried_again()
    assert queue._trier is not None
    queue._trier.cancel()
    await asyncio.wait({tasks[0]}, timeout=10)
    assert tasks[0].cancelled()
    writer.faults.clear()
    async with asyncio.timeout(10):
        await tasks[1]


class Gated(Holding):
    """Keeps an append that goes alone under way until its stream's gate is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.gates: dict[str, asyncio.Event] = {}
        self.under_way: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def __call__(self, appends: Sequence[Append]) -> list[AppendResult | Exception]:
        stream_id = appends[0].stream_id
        if len(appends) == 1 and stream_id in self.gates:
            self.under_way[stream_id].set()
            await self.gates[stream_id].wait()
        return await super().__call__(appends)

    async def until_under_way(self, stream_id: str) -> None:
        async with asyncio.timeout(10):
            await self.under_way[stream_id].wait()


async def tried_while_its_batch_is_under_way(writer: Gated, queue: AppendQueue) -> Any:
    """Bring an append to where it is tried again, while another of its batch is first written."""
    writer.hold("held")
    writer.gates["slow"] = asyncio.Event()
    held, slow = await start(queue, append("held", 1), append("slow"))
    await writer.until_under_way("slow")  # one by one, since the batch of both failed
    writer.gates["held"] = asyncio.Event()
    await writer.until_under_way("held")
    return held, slow


async def test_what_is_tried_again_is_not_cancelled_when_its_batch_ends() -> None:
    writer = Gated()
    held, slow = await tried_while_its_batch_is_under_way(writer, writer.queue())
    writer.gates["slow"].set()
    async with asyncio.timeout(10):
        await slow
        writer.faults.clear()
        writer.gates["held"].set()
        assert isinstance(await held, AppendResult)


async def test_what_is_tried_again_is_not_overtaken_when_its_batch_ends() -> None:
    writer = Gated()
    queue = writer.queue()
    held, slow = await tried_while_its_batch_is_under_way(writer, queue)
    (later,) = await start(queue, append("held", 2))
    writer.gates["slow"].set()
    async with asyncio.timeout(10):
        await slow
        await queue.append(append("other"))  # whatever can be written now is
    assert not any(one.events[0].event_id[-1] == 2 for batch in writer.batches for one in batch)
    writer.faults.clear()
    writer.gates["held"].set()
    async with asyncio.timeout(10):
        await asyncio.gather(held, later)


async def test_what_is_tried_again_is_not_overtaken_by_a_caller_that_writes_alone() -> None:
    writer = Gated()
    writer.hold("held")
    queue = writer.queue(is_cancellable=True)
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
    written = [one.events[0].event_id[-1] for batch in writer.batches for one in batch]
    assert written == [1, 1, 2]
