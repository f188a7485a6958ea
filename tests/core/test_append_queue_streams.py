"""Several appends of one stream: in one batch, in the order they came."""

from __future__ import annotations

import asyncio
import random
import sys
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import AppendQueue, AppendResult
from tests.core._writers import HeldError, Writer, append, held_by_first, name_of, start

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from eventsourcing_core import Append


async def test_a_batch_holds_all_that_waits_for_a_stream_in_the_order_it_came() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    first = await held_by_first(writer, queue)
    tasks = await start(queue, append("a", 1), append("b", 2), append("a", 3), append("a", 4))
    writer.released.set()
    assert await asyncio.gather(first, *tasks) == [(1, 0), (2, 0), (2, 3), (2, 1), (2, 2)]
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
    assert results == [(1, 0), (2, 0), writer.verdicts["a2"], (2, 2)]


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
    queue = AppendQueue(writer, max_writes=2)
    *gone, last = await start(queue, *(append(stream) for stream in "aabcde"))
    for task in gone:
        task.cancel()
    async with asyncio.timeout(10):
        await last
    assert writer.streams() == [["e"]]
    assert queue._waiting == {}


async def test_a_stream_whose_writer_was_cancelled_can_be_written_again() -> None:
    writer = Writer(held=True)
    queue = AppendQueue(writer)
    tasks = await start(queue, append("a", 1), append("a", 2))
    await writer.entered.wait()
    tasks += await start(queue, append("a", 3), append("b", 4))
    (doomed,) = asyncio.all_tasks() - {asyncio.current_task(), *tasks}
    doomed.cancel()
    await asyncio.wait(tasks, timeout=10)
    assert [task.cancelled() for task in tasks] == [True] * 4
    writer.released.set()
    async with asyncio.timeout(10):
        assert await queue.append(append("a", 5)) == AppendResult(2, 0)


@pytest.mark.parametrize("streams", [1, 10**6], ids=["one", "many"])
async def test_the_work_for_an_append_does_not_grow_with_how_many_wait(streams: int) -> None:
    calls: list[int] = []
    for count in (200, 800):
        queue = AppendQueue(Writer(), max_appends=10)
        appends = [append(f"{number % streams}") for number in range(count)]
        calls.append(0)

        def counting(frame: FrameType, event: str, _: object) -> None:
            calls[-1] += event in {"call", "c_call"} and "_append_queue" in frame.f_code.co_filename

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
        self.written: list[str] = []

    async def __call__(self, appends: Sequence[Append]) -> list[AppendResult | Exception]:
        for _ in range(self.moods.randrange(4)):
            await asyncio.sleep(0)
        mood = self.moods.random()
        if mood < 0.2:
            raise ValueError if len(appends) > 1 else HeldError
        held = {one.stream_id for one in appends if self.moods.random() < 0.2}
        if mood < 0.4 and held:
            raise HeldError
        self.written += [name_of(one) for one in appends if one.stream_id not in held]
        return [HeldError() if one.stream_id in held else AppendResult(1, 1) for one in appends]


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_happens_each_stream_is_written_in_the_order_of_its_calls(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventsourcing_core.stores._append_queue._PAUSE", 0)
    moods = random.Random(seed)  # noqa: S311 - the same each time
    writer = Chaos(moods)
    queue = AppendQueue(
        writer,
        is_held=lambda error: isinstance(error, HeldError),
        max_appends=moods.choice([1, 5, 1000]),
        max_bytes=moods.choice([3, 1000]),
        max_writes=moods.choice([1, 2]),
        is_cancellable=moods.random() < 0.5,
    )
    names: dict[asyncio.Task[AppendResult], str] = {}
    for number in range(200):
        one = append(moods.choice("aaaabcd"), number)
        names[asyncio.create_task(queue.append(one))] = name_of(one)
        if moods.random() < 0.3:
            await asyncio.sleep(0)
        if moods.random() < 0.1:
            moods.choice([*names]).cancel()
    async with asyncio.timeout(10):
        await asyncio.wait(names)
        await queue.close()
    for stream in "abcd":
        written = [name for name in writer.written if name.startswith(stream)]
        assert written == sorted(set(written), key=lambda name: int(name[1:]))
    answered = {name for task, name in names.items() if not task.cancelled()}
    assert answered <= {*writer.written}
    assert queue._waiting == {}
