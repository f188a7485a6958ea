"""Reading ahead of a worker: as far as it may, and no further."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import Event, EventTypes, RecordedEvent, View
from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._encoding.following import Rows
from eventsourcing_core._projections._reading.reader import Reader
from eventsourcing_core._projections.definition import definition_of
from eventsourcing_core._projections.deliveries import MOST_ROWS, TURN, Fetcher
from eventsourcing_core.stores import HASHES, Progress, Row, hash_of, new_segments

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

types = EventTypes()
codec = EventCodec(event_types=types)


class Counts(View[int]):
    """A view of anything."""

    name = "counts"

    def evolve(self, value: int | None, event: RecordedEvent[Any]) -> int:
        raise NotImplementedError


class ByText(Counts):
    """Has keys of its own."""

    name = "by-text"

    def key(self, event: RecordedEvent[Any]) -> list[str]:
        texts: list[str] = event.data["texts"]
        return texts


def reader(view: View[int] | None = None, segments: int = 1) -> Reader:
    """Make a reader for the first of so many segments."""
    first = new_segments(segments, Progress(0, None))[:1]
    return Reader(definition_of(view or Counts(), types), codec, first)


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


@pytest.mark.parametrize(("count", "length"), [(TURN, 1), (4, 1_000_000)], ids=["many", "large"])
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
    assert first == (MOST_ROWS // TURN if count == TURN else 5)
    taken = fetcher.take()
    assert [each.position for each in taken.deliveries] == [*range(1, first * count + 1)]
    assert taken.seen_to == first * count
    await let_it_read()
    assert read == 2 * first
    await fetcher.end()


async def test_a_large_page_is_decoded_in_turns_with_whatever_else_is_to_be_done() -> None:
    async def pages() -> AsyncIterator[Rows]:
        yield page(0, 4 * TURN, 1)

    fetcher = Fetcher(pages(), reader())
    turns = 0
    while not fetcher.is_ready.is_set():
        turns += 1
        await asyncio.sleep(0)
    assert turns >= 4
    taken = fetcher.take()
    assert [each.position for each in taken.deliveries] == [*range(1, 4 * TURN + 1)]
    assert taken.seen_to == 4 * TURN


@pytest.mark.parametrize("segments", [1, 8])
async def test_what_several_turns_and_pages_give_is_what_each_row_gives(segments: int) -> None:
    texts: list[list[str] | None] = [["a", "b", "c", "d"], [], None, ["e"], None] * TURN
    rows = [
        Row(
            f"s{at % 7}", at, at, *codec.encode(Event("e", {} if keys is None else {"texts": keys}))
        )
        for at, keys in enumerate(texts, 1)
    ]
    rows[4::5] = [row._replace(data=b"damaged") for row in rows[4::5]]
    middle = 2 * TURN + 3

    async def pages() -> AsyncIterator[Rows]:
        yield Rows(rows[:middle], middle, None)
        yield Rows(rows[middle:], len(rows), None)

    fetcher = Fetcher(pages(), reader(ByText(), segments))
    await let_it_read()
    found = fetcher.take().deliveries
    expected = [
        (row.position, keys is None, here)
        for row, keys in zip(rows, texts, strict=True)
        for here in [[key for key in keys or [row.stream_id] if hash_of(key) < HASHES // segments]]
        if keys is None or (keys and here)  # a key that nobody can tell may be here
    ]
    assert [(each.position, each.error != "", [*each.keys]) for each in found] == expected
    assert next(each.error[:8] for each in found if each.row.data == b"damaged") == "version "
    assert {each.error for each in found if "texts" in each.error} == {"KeyError: 'texts'"}
    assert [found[place] for place in range(len(found))] == [*found]
    assert [*found[7:-7]] == [*found][7:-7]


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
