"""The specification of dynamic consistency boundaries (https://dcb.events), item by item.

What differs is in ``docs/reference/dcb.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import (
    BoundaryError,
    Event,
    EventTypes,
    ExpectedVersion,
    Query,
    StorageEventStore,
    ToStream,
    open_backend,
)
from eventsourcing_core.stores import Guarantee

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import AppendResult, Marker

ANY = ExpectedVersion.ANY
DEFINED, RENAMED, ENROLLED = "dcb.defined", "dcb.renamed", "dcb.enrolled"


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[StorageEventStore]:
    async with open_backend(store_url, event_types=EventTypes()) as backend:
        store = backend.event_store
        if Guarantee.BOUNDARIES not in store.guarantees:
            pytest.skip("the store does not promise boundaries")
        await store.append("first", [made(DEFINED, 1, "course:1")], expected_version=0)
        await store.append("second", [made(DEFINED, 2, "course:2")], expected_version=0)
        enrolled = [
            made(ENROLLED, 3, "course:1", "student:1"),
            made(ENROLLED, 4, "course:2", "student:1"),
            made(RENAMED, 5, "course:1"),
        ]
        await store.append("third", enrolled, expected_version=0)
        yield store


def made(event_type: str, number: int, *tags: str) -> Event[object]:
    return Event(event_type, {"number": number}, tags=tags)


async def read(store: StorageEventStore, query: Query, after: int = 0) -> list[int]:
    found = store.read_all(query=query, after_position=after)
    return [event.data["number"] async for event in found]


async def append(
    store: StorageEventStore, *events: Event[object], condition: Marker | None = None
) -> tuple[AppendResult, ...]:
    group = [ToStream("decided", events, expected_version=ANY)]
    return await store.append_together(group, unless_changed=condition)


# Reading.


async def test_events_are_filtered_by_type_and_by_tag(store: StorageEventStore) -> None:
    assert await read(store, Query(event_types=[ENROLLED])) == [3, 4]
    assert await read(store, Query(tags={"course:1"})) == [1, 3, 5]
    assert await read(store, Query(tags={"course:1"}, event_types=[ENROLLED])) == [3]


async def test_events_are_read_from_a_position_on(store: StorageEventStore) -> None:
    everything = [event async for event in store.read_all()]
    for number, event in enumerate(everything, start=1):
        expected = [*range(number + 1, 6)]
        assert await read(store, Query.all(), event.position) == expected


async def test_the_number_of_events_can_be_limited_and_their_order_turned(
    store: StorageEventStore,
) -> None:
    found = store.read_all(query=Query(tags={"course:1"}), limit=2, backward=True)
    assert [event.data["number"] async for event in found] == [5, 3]


# Writing.


async def test_several_events_are_written_as_a_whole(store: StorageEventStore) -> None:
    view = await store.read_matching(Query(tags={"course:1"}))
    await append(store, made(ENROLLED, 6, "course:1"), made(ENROLLED, 7, "course:1"))
    with pytest.raises(BoundaryError):
        await append(store, made(DEFINED, 8), made(DEFINED, 9), condition=view.marker)
    assert await read(store, Query.all()) == [*range(1, 8)]


async def test_an_append_fails_if_an_event_matches_its_condition(store: StorageEventStore) -> None:
    query = Query(tags={"course:1"}, event_types=[ENROLLED])
    condition = (await store.read_matching(query)).marker
    await append(store, made(ENROLLED, 6, "course:1", "student:2"))
    with pytest.raises(BoundaryError):
        await append(store, made(ENROLLED, 7, "course:1"), condition=condition)


async def test_an_append_without_a_condition_passes(store: StorageEventStore) -> None:
    await append(store, made(ENROLLED, 6, "course:1"))
    await append(store, made(ENROLLED, 7, "course:1"))
    assert await read(store, Query(tags={"course:1"})) == [1, 3, 5, 6, 7]


async def test_events_up_to_the_position_of_a_condition_do_not_count(
    store: StorageEventStore,
) -> None:
    condition = (await store.read_matching(Query(tags={"course:1"}))).marker
    await append(store, made(ENROLLED, 6, "course:1"), condition=condition)
    assert await read(store, Query(tags={"course:1"})) == [1, 3, 5, 6]


async def test_events_that_do_not_match_a_condition_do_not_count(store: StorageEventStore) -> None:
    query = Query(tags={"course:1"}, event_types=[ENROLLED])
    condition = (await store.read_matching(query)).marker
    await append(store, made(RENAMED, 6, "course:1"), made(ENROLLED, 7, "course:2"))
    await append(store, made(ENROLLED, 8, "course:1"), condition=condition)


# Queries.


async def test_any_item_of_a_query_may_match(store: StorageEventStore) -> None:
    query = Query(event_types=[RENAMED]) | Query(tags={"course:2", "student:1"})
    assert await read(store, query) == [4, 5]
    more = query | Query(event_types=[DEFINED])
    assert await read(store, more) == [1, 2, 4, 5]


async def test_a_query_may_match_every_event(store: StorageEventStore) -> None:
    await append(store, made(DEFINED, 6))
    assert await read(store, Query.all()) == [1, 2, 3, 4, 5, 6]
    condition = (await store.read_matching(Query.all())).marker
    await append(store, made(DEFINED, 7), condition=condition)
    with pytest.raises(BoundaryError):
        await append(store, made(DEFINED, 8), condition=condition)


def test_a_query_has_at_least_one_item_that_says_something() -> None:
    with pytest.raises(ValueError, match=r"Query.all\(\)"):
        Query()


async def test_one_of_the_types_of_an_item_must_match(store: StorageEventStore) -> None:
    assert await read(store, Query(event_types=[DEFINED, RENAMED])) == [1, 2, 5]


async def test_all_tags_of_an_item_must_be_there(store: StorageEventStore) -> None:
    assert await read(store, Query(tags={"course:1", "student:1"})) == [3]
    assert await read(store, Query(tags={"course:1", "course:2"})) == []


async def test_an_item_without_types_matches_every_type(store: StorageEventStore) -> None:
    assert await read(store, Query(tags={"student:1"})) == [3, 4]


# Events, tags and positions.


async def test_an_event_has_a_type_data_and_tags(store: StorageEventStore) -> None:
    (event,) = [event async for event in store.read("first")]
    assert (event.event_type, event.data) == (DEFINED, {"number": 1})
    assert event.tags == {"course:1"}


async def test_an_event_may_have_no_tags(store: StorageEventStore) -> None:
    await append(store, made(DEFINED, 6))
    (event,) = [event async for event in store.read("decided")]
    assert event.tags == frozenset()


def test_an_event_has_a_tag_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        made(DEFINED, 1, "course:1", "course:1")


async def test_positions_are_unique_and_rise(store: StorageEventStore) -> None:
    await append(store, made(DEFINED, 6), made(DEFINED, 7))
    positions = [event.position async for event in store.read_all()]
    assert positions == sorted({*positions})
    assert positions[0] >= 1
