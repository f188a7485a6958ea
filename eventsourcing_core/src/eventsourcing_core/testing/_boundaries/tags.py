"""Tags: they come back as they were given, and events are found by them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._events.event import Event, RecordedEvent
from eventsourcing_core.stores._boundaries.words import Query, ToStream
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._appends.append import ANY
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import ALIKE, COUNTED, collected, numbers_of
from eventsourcing_core.testing._storage.samples import append_to, encoded, pages_of, storage_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core.stores._storage import Parts

OTHER = "contract.other"
"""Another type of plain events."""

STRANGE = (
    *(",", ", ", '"', "'", "{}", "{a,b}", "}", "\\", '\\"', "NULL", "null", "[", '["a"]', "a b"),
    *(" ", "\u3000", "é", "e\u0301", "\U0001f389", "A", "a", "x" * 255, "\U0001f389" * 255),
    *("course:1", "course:10", "course:", ":", "%", "_", "*", "$1", "--", ";", "a\u200bb"),
)
"""Tags that somebody may spoil on the way to a column and back."""

TAGGED: tuple[tuple[str, set[str]], ...] = (
    (COUNTED, {"a"}),
    (OTHER, {"a"}),
    (COUNTED, {"a", "b"}),
    (COUNTED, set()),
    (OTHER, {"b", "c", "a"}),
    (OTHER, set()),
    (COUNTED, {"ab"}),
    (COUNTED, {"b"}),
    (OTHER, {"A"}),
)
"""The type and the tags of the events that the queries below look through."""

QUERIES: dict[str, tuple[Query, list[int]]] = {
    "one tag": (Query(tags={"a"}), [0, 1, 2, 4]),
    "two tags": (Query(tags={"a", "b"}), [2, 4]),
    "three tags": (Query(tags=["c", "b", "a"]), [4]),
    "a tag and a type": (Query(tags={"a"}, event_types=[OTHER]), [1, 4]),
    "a tag and two types": (Query(tags={"b"}, event_types=[OTHER, COUNTED]), [2, 4, 7]),
    "a type": (Query(event_types=[OTHER]), [1, 4, 5, 8]),
    "two types": (Query(event_types=[OTHER, COUNTED]), [*range(9)]),
    "one or the other": (Query(tags={"c"}) | Query(tags={"ab"}), [4, 6]),
    "items that overlap": (Query(tags={"a"}) | Query(tags={"b"}), [0, 1, 2, 4, 7]),
    "a tag or a type": (Query(tags={"ab"}) | Query(event_types=[OTHER]), [1, 4, 5, 6, 8]),
    "a tag that nothing has": (Query(tags={"d"}), []),
    "one tag that nothing has": (Query(tags={"a", "d"}), []),
    "a type that nothing has": (Query(tags={"a"}, event_types=["contract.none"]), []),
    "everything": (Query.all(), [*range(9)]),
    "everything or a tag": (Query.all() | Query(tags={"a"}), [*range(9)]),
}
"""Queries, and the numbers of the events that they match."""


def tagged(number: int, *tags: str, event_type: str = COUNTED) -> Event[object]:
    """Make a counted event with tags."""
    return Event(event_type, {"number": number}, tags=tags)


async def append_tagged(store: StorageEventStore, stream_ids: Iterable[str] = ("s",)) -> None:
    """Append the events that the queries look through, in turn to some streams."""
    streams = [*stream_ids]
    for number, (event_type, tags) in enumerate(TAGGED):
        event = tagged(number, *tags, event_type=event_type)
        await store.append(streams[number % len(streams)], [event], expected_version=ANY)


class TagContract(Chapter, needs=(Guarantee.BOUNDARIES,)):
    """What is stored of tags, and what is found by them."""

    async def test_tags_come_back_as_they_were_given(self, store: StorageEventStore) -> None:
        events = [tagged(1, "b", "a"), tagged(2), tagged(3, "c")]
        await store.append("s", events, expected_version=0)
        expected = [{"a", "b"}, set[str](), {"c"}]
        assert [event.tags for event in await collected(store.read("s"))] == expected
        assert [event.tags for event in await collected(store.read_all())] == expected
        backward = await collected(store.read("s", backward=True))
        assert [event.tags for event in backward] == expected[::-1]

    async def test_strange_tags_are_kept_apart(self, store: StorageEventStore) -> None:
        await store.append("all", [tagged(0, *STRANGE)], expected_version=0)
        events = [tagged(number, tag) for number, tag in enumerate(STRANGE, start=1)]
        await store.append("each", events, expected_version=0)
        (first, *others) = await collected(store.read_all())
        assert first.tags == {*STRANGE}
        assert [event.tags for event in others] == [{tag} for tag in STRANGE]
        for number, tag in enumerate(STRANGE, start=1):
            found = await collected(store.read_all(query=Query(tags={tag})))
            assert numbers_of(found) == [0, number]

    async def test_tags_that_are_alike_are_kept_apart(self, store: StorageEventStore) -> None:
        events = [tagged(number, tag) for number, tag in enumerate(ALIKE)]
        await store.append("s", events, expected_version=0)
        for number, tag in enumerate(ALIKE):
            view = await store.read_matching(Query(tags={tag}))
            assert numbers_of(view.events) == [number]

    async def test_an_event_may_have_a_hundred_tags(self, store: StorageEventStore) -> None:
        tags = [f"{number:03}".rjust(255, "é") for number in range(100)]
        await store.append("s", [tagged(1, *tags)], expected_version=0)
        (event,) = (await store.read_matching(Query(tags=tags))).events
        assert event.tags == {*tags}

    async def test_tags_beside_events_are_added_to_theirs(self, store: StorageEventStore) -> None:
        await store.append("s", [tagged(1, "a"), tagged(2)], expected_version=0, tags={"b", "a"})
        group = [ToStream("t", [tagged(3, "c")], expected_version=0, tags=["b"])]
        await store.append_together(group)
        found = [event.tags for event in await collected(store.read_all())]
        assert found == [{"a", "b"}, {"a", "b"}, {"b", "c"}]

    async def test_the_tags_of_rows_are_sorted(self, parts: Parts) -> None:
        storage = storage_of(parts)
        events = [encoded(1)._replace(tags=("a", "b", "é")), encoded(2)]
        await storage.write([append_to("s", *events, expected=0)])
        (page,) = [page for page in await pages_of(storage) if page.rows]
        assert [row.tags and tuple(row.tags) for row in page.rows] == [("a", "b", "é"), None]

    async def test_an_import_keeps_tags(self, store: StorageEventStore) -> None:
        if Guarantee.IMPORTS not in store.guarantees:
            pytest.skip("the store does not import")
        await append_tagged(store)
        events = await collected(store.read_all())
        assert await store.import_events(events) == 0
        copied: list[RecordedEvent[object]] = [
            RecordedEvent(
                event.event_type,
                event.data,
                stream_id="copy",
                version=event.version,
                position=event.position,
                tags=event.tags,
            )
            for event in events
        ]
        await store.import_events(copied)
        found = await collected(store.read("copy"))
        assert [event.tags for event in found] == [tags for _, tags in TAGGED]

    @pytest.mark.parametrize("name", QUERIES)
    async def test_a_query_finds_what_matches(self, store: StorageEventStore, name: str) -> None:
        await append_tagged(store, ("s", "t"))
        query, expected = QUERIES[name]
        assert numbers_of(await collected(store.read_all(query=query))) == expected
        backward = store.read_all(query=query, backward=True)
        assert numbers_of(await collected(backward)) == expected[::-1]
        limited = store.read_all(query=query, limit=2)
        assert numbers_of(await collected(limited)) == expected[:2]
        assert numbers_of((await store.read_matching(query)).events) == expected

    async def test_a_query_is_joined_with_the_other_filters(self, store: StorageEventStore) -> None:
        await append_tagged(store, ("s", "t"))
        query = Query(tags={"a"}) | Query(tags={"ab"})
        for filters, expected in (
            ({"event_types": [COUNTED]}, [0, 2, 6]),
            ({"stream_prefix": "t"}, [1]),
            ({"event_types": [OTHER], "stream_prefix": "s"}, [4]),
            ({"after_position": 0, "event_types": list[str]()}, list[int]()),
        ):
            found = store.read_all(query=query, **filters)  # pyright: ignore[reportArgumentType] - filters of several types
            assert numbers_of(await collected(found)) == expected

    async def test_following_a_query_gives_what_matches(self, store: StorageEventStore) -> None:
        await append_tagged(store)
        found: list[int] = []
        later = [tagged(9, "a"), tagged(10, "b", "z")]
        async with asyncio.timeout(self.deadline):
            async for page in store.follow(query=Query(tags={"b"})):
                found += numbers_of(page.events)
                if later and len(found) == 3:
                    await store.append("s", later, expected_version=ANY)
                    later.clear()
                if len(found) > 3:
                    break
        assert found == [2, 4, 7, 10]
