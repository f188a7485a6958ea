"""Several appends of one stream: in one batch, in the order they came."""

from __future__ import annotations

import asyncio
import random
import sys
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._appending.queue import AppendQueue
from eventsourcing_core.stores import StreamHeldError, Verdict
from tests.core._writers import (
    WRITTEN,
    Writer,
    append,
    busy_queue,
    group,
    heard,
    held_by_first,
    name_of,
    start,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from eventsourcing_core.stores import Append, Written


async def test_a_batch_holds_all_that_waits_for_a_stream_in_the_order_it_came() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a", 1), append("b", 2), append("a", 3), append("a", 4))
    writer.released.set()
    results = await asyncio.gather(first, *tasks)
    assert heard(results) == [(1, 0), (2, 0), (2, 3), (2, 1), (2, 2)]
    assert writer.names() == ["first0", "a1 a3 a4 b2"]


async def test_what_a_limit_cuts_off_a_stream_waits_behind_the_other_streams() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer, max_appends=2)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, *(append("a", number) for number in (1, 2, 3)), append("b", 4))
    writer.released.set()
    await asyncio.gather(first, *tasks)
    assert writer.names() == ["first0", "a1 a2", "b4 a3"]


async def test_the_limit_of_bytes_cuts_a_stream_in_order() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer, max_bytes=10)
    first = await held_by_first(writer, queue)
    sizes = [6, 6, 1, 99, 1, 1]
    tasks = await start(queue, *(append("a", number, size) for number, size in enumerate(sizes)))
    writer.released.set()
    await asyncio.gather(first, *tasks)
    assert writer.names() == ["first0", "a0", "a1 a2", "a3", "a4 a5"]


async def test_a_stream_that_thousands_wait_for_keeps_others_waiting_for_one_batch() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, *(append("busy") for _ in range(3000)), append("other"))
    writer.released.set()
    await asyncio.gather(first, *tasks)
    assert [len(batch) for batch in writer.batches] == [1, 1000, 1000, 1000, 1]
    assert writer.streams()[2][0] == "other"


async def test_a_verdict_of_one_append_is_not_that_of_its_neighbours_in_the_stream() -> None:
    writer = Writer(held=True)
    writer.verdicts["a2"] = ValueError("conflict")
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, *(append("a", number) for number in (1, 2, 3)))
    writer.released.set()
    results = await asyncio.gather(first, *tasks, return_exceptions=True)
    assert heard(results) == [(1, 0), (2, 0), writer.verdicts["a2"], (2, 2)]


async def test_a_failed_batch_is_written_again_in_the_order_of_its_streams() -> None:
    writer = Writer(held=True)
    writer.faults["a2"] = ValueError("bad row")
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a", 1), append("a", 2), append("b", 4), append("a", 3))
    writer.released.set()
    results = await asyncio.gather(first, *tasks, return_exceptions=True)
    assert results[2] is writer.faults["a2"]
    assert writer.names() == ["first0", "a1 a2 a3 b4", "a1", "a2", "a3", "b4"]


async def test_who_is_cancelled_among_those_of_a_stream_is_left_out() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, *(append("a", number) for number in (1, 2, 3, 4)))
    for task in (tasks[0], tasks[2]):
        task.cancel()
    writer.released.set()
    await asyncio.gather(first, *tasks, return_exceptions=True)
    assert writer.names() == ["first0", "a2 a4"]


async def test_streams_that_all_callers_left_take_no_room_in_a_batch() -> None:
    writer = Writer()
    queue = await busy_queue(writer, max_writes=2)
    *gone, last = await start(queue, *(append(stream) for stream in "aabcde"))
    for task in gone:
        task.cancel()
    async with asyncio.timeout(10):
        await last
    assert writer.streams() == [["e"]]
    assert not queue._lines.by_key
    assert queue._lines.count == 0


async def test_a_stream_whose_writer_was_cancelled_can_be_written_again() -> None:
    writer = Writer(held=True)
    queue = await busy_queue(writer)
    tasks = await start(queue, append("a", 1), append("a", 2))
    await writer.entered.wait()
    tasks += await start(queue, append("a", 3), append("b", 4))
    (doomed,) = asyncio.all_tasks() - {asyncio.current_task(), *tasks}
    doomed.cancel()
    await asyncio.wait(tasks, timeout=10)
    assert [task.cancelled() for task in tasks] == [True] * 4
    writer.released.set()
    async with asyncio.timeout(10):
        assert heard([await queue.append(append("a", 5))]) == [(2, 0)]


WORKLOADS: dict[str, Callable[[int], Append]] = {
    "one stream": lambda _: append("a"),
    "a stream each": lambda number: append(f"{number}"),
    "groups in one stream": lambda number: group("a", f"{number}"),
    "groups in a chain": lambda number: group(f"{number}", f"{number + 1}"),
    "groups and their streams": lambda number: group("a", "b") if number % 9 == 0 else append("a"),
}
QUEUE = ("queue.py", "held.py", "lines.py")


@pytest.mark.parametrize("workload", WORKLOADS)
async def test_the_work_for_an_append_does_not_grow_with_how_many_wait(workload: str) -> None:
    calls: list[int] = []
    for count in (200, 800):
        queue = await busy_queue(Writer(), max_appends=10)
        appends = [WORKLOADS[workload](number) for number in range(count)]
        calls.append(0)

        def counting(frame: FrameType, event: str, _: object) -> None:
            is_ours = frame.f_code.co_filename.endswith(QUEUE)
            calls[-1] += is_ours and event in {"call", "c_call"}

        sys.setprofile(counting)
        try:
            await asyncio.gather(*map(queue.append, appends))
        finally:
            sys.setprofile(None)
    assert calls[1] / 800 < 1.5 * calls[0] / 200


class Chaos:
    """Writes as it likes: all, or all but what is held, or nothing."""

    def __init__(self, moods: random.Random) -> None:
        self.moods = moods
        self.written: list[Append] = []

    async def __call__(self, appends: Sequence[Append]) -> list[Verdict]:
        for _ in range(self.moods.randrange(4)):
            await asyncio.sleep(0)
        mood = self.moods.random()
        if mood < 0.2:
            raise ValueError if len(appends) > 1 else StreamHeldError
        streams = sorted({key for one in appends for key in one.keys})
        held = {stream_id for stream_id in streams if self.moods.random() < 0.2}
        if mood < 0.4 and held:
            raise StreamHeldError
        verdicts: list[Verdict] = []
        for one in appends:
            is_held = not held.isdisjoint(one.keys)
            verdicts.append(StreamHeldError() if is_held else WRITTEN)
            if not is_held:
                self.written.append(one)
        return verdicts


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_happens_each_stream_is_written_in_the_order_of_its_calls(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventsourcing_core._appending.held._PAUSE", 0)
    moods = random.Random(seed)  # noqa: S311 - the same each time
    writer = Chaos(moods)
    queue = AppendQueue(
        writer,
        max_appends=moods.choice([1, 5, 1000]),
        max_bytes=moods.choice([3, 1000]),
        max_writes=moods.choice([1, 2]),
    )
    groups = moods.choice([0, 0.1, 0.7])
    names: dict[asyncio.Task[Written], str] = {}
    for number in range(200):
        streams = moods.sample("abcd", 2 + moods.randrange(2))
        is_group = moods.random() < groups
        one = group(*streams, number=number) if is_group else append(moods.choice("aaabcd"), number)
        names[asyncio.create_task(queue.append(one))] = name_of(one)
        if moods.random() < 0.3:
            await asyncio.sleep(0)
        if moods.random() < 0.1:
            moods.choice([*names]).cancel()
    async with asyncio.timeout(10):
        await asyncio.wait(names)
        await queue.close()
    for stream in "abcd":
        written = [one.event_ids[0] for one in writer.written if stream in one.keys]
        assert written == sorted(set(written)), f"the appends to {stream} in their order, each once"
    answered = {name for task, name in names.items() if not task.cancelled()}
    assert answered <= set(map(name_of, writer.written))
    assert not queue._lines.by_key
    assert queue._lines.count == 0
