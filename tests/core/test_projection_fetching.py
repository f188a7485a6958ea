"""Reading ahead of a worker: as far as it may, and no further."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import Event, EventTypes, RecordedEvent, View
from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._encoding.following import Rows
from eventsourcing_core._projections.definition import definition_of
from eventsourcing_core._projections.deliveries import MOST_ROWS, Fetcher, Reader
from eventsourcing_core.stores import Progress, Row, new_segments

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

types = EventTypes()
codec = EventCodec(event_types=types)


class Counts(View[int]):
    """A view of anything."""

    name = "counts"

    def evolve(self, value: int | None, event: RecordedEvent[Any]) -> int:
        raise NotImplementedError


def reader() -> Reader:
    return Reader(definition_of(Counts(), types), codec, new_segments(1, Progress(0, None)))


async def let_it_read() -> None:
    """Let the fetcher come as far as it wants to."""
    for _ in range(300):
        await asyncio.sleep(0)


def page(number: int, count: int, length: int) -> Rows:
    encoded = codec.encode(Event("e", {"text": "x" * length}))
    rows = [
        Row("s", at, at, *encoded) for at in range(number * count + 1, (number + 1) * count + 1)
    ]
    return Rows(rows, rows[-1].position, None)


@pytest.mark.parametrize(("count", "length"), [(512, 1), (4, 1_000_000)], ids=["many", "large"])
async def test_so_much_is_read_ahead_and_no_more(count: int, length: int) -> None:
    read = 0

    async def pages() -> AsyncIterator[Rows]:
        nonlocal read
        for number in range(100):
            read += 1
            yield page(number, count, length)
            await asyncio.sleep(0)

    fetcher = Fetcher(pages(), reader())
    await let_it_read()
    first = read
    assert first == (MOST_ROWS // 512 if count == 512 else 5)
    taken = fetcher.take()
    assert [each.position for each in taken.deliveries] == [*range(1, first * count + 1)]
    assert taken.seen_to == first * count
    await let_it_read()
    assert read == 2 * first
    await fetcher.end()


async def test_what_reading_fails_with_comes_after_what_was_read() -> None:
    async def pages() -> AsyncIterator[Rows]:
        yield page(0, 1, 1)
        raise KeyError

    fetcher = Fetcher(pages(), reader())
    await fetcher.is_ready.wait()
    await let_it_read()
    assert len(fetcher.take().deliveries) == 1
    with pytest.raises(KeyError):
        fetcher.take()
