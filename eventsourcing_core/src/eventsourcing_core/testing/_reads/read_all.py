"""Reading all streams in the order of positions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import HistoryChangedError
from eventsourcing_core.testing._appends.append import ANY
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._reads.read import FAR
from eventsourcing_core.testing._samples import Opened, collected, counted, numbers_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from eventsourcing_core.stores._event_store import EventStore

ODD, EVEN = "contract.odd", "contract.even"

OTHERS = (
    ("a%", "ab"),
    ("a_", "ab"),
    ("%", "a"),
    ("_", "a"),
    ("a*", "ab"),
    ("a?", "ab"),
    ("[a-c]", "b"),
    ("a\\", "ab"),
    ("\\%", "%"),
    ("a.", "ab"),
    ("'", "a"),
    ("Doc", "doc"),
    ("doc", "DOC"),
    ("É", "é"),
    ("e\u0301", "\u00e9"),
    ("ß", "ss"),
    ("a ", "a"),
    ("\U0010ffff", "\U0010fffe"),
)
"""Prefixes, each with a text that a careless comparison takes for one that begins so."""
IMPOSSIBLE = ("\0", "b\0", "\ud800", "b" * 256)
"""Prefixes that no stream id can have."""
NEXT = ("\U0010ffff", "\uffff", "🎉", "~", "!", " ")
"""Characters that may follow a prefix."""


async def six_events(store: EventStore) -> list[int]:
    """Append 1 to 6, odd and even, turn about in two streams; give the positions."""
    for number in range(1, 7):
        events = counted(number, event_type=ODD if number % 2 else EVEN)
        await store.append("b" if number in {1, 2, 4} else "a", events, expected_version=ANY)
    return [event.position for event in await collected(store.read_all())]


class ReadAllContract(Chapter):
    """Order, pages, filters, and all of them together."""

    async def test_all_events_are_read_in_the_order_of_appends(self, store: EventStore) -> None:
        positions = await six_events(store)
        events = await collected(store.read_all())
        assert numbers_of(events) == [1, 2, 3, 4, 5, 6]
        assert positions == sorted(set(positions))
        places = [(event.stream_id, event.version) for event in events]
        assert places == [("b", 1), ("b", 2), ("a", 1), ("b", 3), ("a", 2), ("a", 3)]

    async def test_an_empty_store_reads_as_empty(self, store: EventStore) -> None:
        assert await collected(store.read_all()) == []
        assert await collected(store.read_all(backward=True)) == []

    async def test_reading_begins_after_the_position(self, store: EventStore) -> None:
        positions = await six_events(store)
        for seen, position in enumerate(positions, start=1):
            events = await collected(store.read_all(after_position=position))
            assert numbers_of(events) == [1, 2, 3, 4, 5, 6][seen:]

    async def test_backward_begins_at_the_end_and_stops_before_the_position(
        self, store: EventStore
    ) -> None:
        positions = await six_events(store)
        everything = await collected(store.read_all(backward=True))
        assert numbers_of(everything) == [6, 5, 4, 3, 2, 1]
        events = store.read_all(after_position=positions[1], backward=True)
        assert numbers_of(await collected(events)) == [6, 5, 4, 3]

    @pytest.mark.parametrize(("limit", "expected"), [(0, []), (1, [1]), (4, [1, 2, 3, 4])])
    async def test_all_events_up_to_a_limit(
        self, store: EventStore, limit: int, expected: list[int]
    ) -> None:
        await six_events(store)
        assert numbers_of(await collected(store.read_all(limit=limit))) == expected

    @pytest.mark.parametrize(("limit", "expected"), [(0, []), (1, [6]), (4, [6, 5, 4, 3])])
    async def test_all_events_backward_up_to_a_limit(
        self, store: EventStore, limit: int, expected: list[int]
    ) -> None:
        await six_events(store)
        events = store.read_all(backward=True, limit=limit)
        assert numbers_of(await collected(events)) == expected

    @pytest.mark.parametrize("far", FAR)
    async def test_a_limit_far_away_is_a_bound(self, store: EventStore, far: int) -> None:
        await six_events(store)
        assert len(await collected(store.read_all(limit=far))) == 6
        assert await collected(store.read_all(after_position=far, backward=True)) == []

    @pytest.mark.parametrize("filters", [{}, {"event_types": {ODD}}, {"event_types": ()}])
    @pytest.mark.parametrize("distance", [1, 1000, *FAR])
    async def test_a_reader_ahead_of_the_store_is_told(
        self, store: EventStore, distance: int, filters: dict[str, Any]
    ) -> None:
        last = (await six_events(store))[-1]
        assert await collected(store.read_all(after_position=last, **filters)) == []
        with pytest.raises(HistoryChangedError) as caught:
            await collected(store.read_all(after_position=last + distance, **filters))
        assert (caught.value.event_id, caught.value.found) == (None, None)
        assert caught.value.last_position == last

    @pytest.mark.parametrize(
        ("event_types", "expected"),
        [
            ({ODD}, [1, 3, 5]),
            ([EVEN], [2, 4, 6]),
            ((ODD, EVEN, ODD), [1, 2, 3, 4, 5, 6]),
            (frozenset({EVEN, "contract.unknown"}), [2, 4, 6]),
            ({"contract.unknown"}, []),
            ({"contract.ODD", "contract.od", "contract.odd ", "contract._dd"}, []),
            ({"\0", "\ud800"}, []),
        ],
    )
    async def test_event_types_are_matched_exactly(
        self, store: EventStore, event_types: Collection[str], expected: list[int]
    ) -> None:
        await six_events(store)
        events = await collected(store.read_all(event_types=event_types))
        assert numbers_of(events) == expected

    async def test_event_types_may_be_classes(self, store: EventStore) -> None:
        await six_events(store)
        await store.append("a", [Opened("Zoë")], expected_version=ANY)
        (typed,) = await collected(store.read_all(event_types={Opened}))
        assert typed.data == Opened("Zoë")
        both = await collected(store.read_all(event_types=[ODD, Opened]))
        assert [event.event_type for event in both] == [ODD, ODD, ODD, typed.event_type]

    @pytest.mark.parametrize("event_types", [(), [], set[str](), frozenset[str]()])
    async def test_an_empty_collection_of_event_types_matches_nothing(
        self, store: EventStore, event_types: Collection[str]
    ) -> None:
        await six_events(store)
        assert await collected(store.read_all(event_types=event_types)) == []

    async def test_thousands_of_event_types_can_be_asked_for(self, store: EventStore) -> None:
        await six_events(store)
        event_types = [EVEN, *(f"contract.other-{number}" for number in range(40_000))]
        events = await collected(store.read_all(event_types=event_types))
        assert numbers_of(events) == [2, 4, 6]

    async def test_a_prefix_selects_streams(self, store: EventStore) -> None:
        for number, stream_id in enumerate(["doc-1", "doc-2", "do", "my-doc-1", "doc-"]):
            await store.append(stream_id, counted(number), expected_version=0)
        events = await collected(store.read_all(stream_prefix="doc-"))
        assert [event.stream_id for event in events] == ["doc-1", "doc-2", "doc-"]

    async def test_an_empty_prefix_selects_every_stream(self, store: EventStore) -> None:
        await six_events(store)
        events = await collected(store.read_all(stream_prefix=""))
        assert numbers_of(events) == [1, 2, 3, 4, 5, 6]

    @pytest.mark.parametrize(("prefix", "other"), OTHERS)
    async def test_every_character_of_a_prefix_means_itself(
        self, store: EventStore, prefix: str, other: str
    ) -> None:
        await store.append(other + "-1", counted(1), expected_version=0)
        await store.append(prefix + "-1", counted(2), expected_version=0)
        await store.append(prefix, counted(3), expected_version=0)
        events = await collected(store.read_all(stream_prefix=prefix))
        assert numbers_of(events) == [2, 3]

    @pytest.mark.parametrize("character", NEXT)
    async def test_a_prefix_selects_whatever_character_comes_next(
        self, store: EventStore, character: str
    ) -> None:
        await store.append("doc" + character, counted(1), expected_version=0)
        assert numbers_of(await collected(store.read_all(stream_prefix="doc"))) == [1]

    @pytest.mark.parametrize("prefix", IMPOSSIBLE)
    async def test_a_prefix_that_no_stream_id_can_have_selects_nothing(
        self, store: EventStore, prefix: str
    ) -> None:
        await six_events(store)
        assert await collected(store.read_all(stream_prefix=prefix)) == []

    async def test_filters_work_together_and_before_the_limit(self, store: EventStore) -> None:
        after_1, _, after_3, *_ = await six_events(store)
        even = store.read_all(
            after_position=after_1, limit=1, event_types={EVEN}, stream_prefix="a"
        )
        assert numbers_of(await collected(even)) == [6]
        odd = store.read_all(after_position=after_1, limit=1, event_types={ODD}, stream_prefix="a")
        assert numbers_of(await collected(odd)) == [3]
        backward = store.read_all(
            after_position=after_3,
            limit=3,
            event_types={ODD, EVEN},
            stream_prefix="a",
            backward=True,
        )
        assert numbers_of(await collected(backward)) == [6, 5]

    @pytest.mark.parametrize("size", [1, 2, 3, 7])
    async def test_pages_by_position_show_every_event_once_in_order(
        self, store: EventStore, size: int
    ) -> None:
        await six_events(store)
        seen: list[int] = []
        position = 0
        while page := await collected(store.read_all(after_position=position, limit=size)):
            seen += numbers_of(page)
            position = page[-1].position
            assert len(seen) <= 7  # else the reader turns pages for ever
            if len(seen) == 6:  # events that come while the reader turns pages
                await store.append("c", counted(7), expected_version=0)
        assert seen == [1, 2, 3, 4, 5, 6, 7]

    async def test_a_long_log_is_read_whole(self, store: EventStore) -> None:
        for first in range(0, 3000, 500):
            numbers = range(first, first + 500)
            await store.append(f"doc-{first % 1000}", counted(*numbers), expected_version=ANY)
        everything = await collected(store.read_all())
        assert numbers_of(everything) == list(range(3000))
        backward = await collected(store.read_all(stream_prefix="doc", backward=True))
        assert backward == everything[::-1]

    async def test_a_reader_of_all_may_append_meanwhile(self, store: EventStore) -> None:
        positions = await six_events(store)
        seen: list[int] = []
        async with asyncio.timeout(self.deadline):
            async for event in store.read_all():
                seen.append(event.position)
                if len(seen) <= 6:
                    await store.append("a", counted(0), expected_version=ANY)
        assert seen[:6] == positions
        assert seen == sorted(set(seen))
        assert len(await collected(store.read_all())) == 12
