"""The contract of event stores that also give a stream by the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._reads.read import FAR, five_events
from eventsourcing_core.testing._samples import collected, counted, versions_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.stores._event_store import EventStore


class PageContract(Chapter):
    """Every rule of ``PagedEventStore``: what pages hold is what ``read`` gives.

    The fixture to override is the one of ``EventStoreContract``.
    """

    async def test_pages_hold_a_long_stream_whole(self, store: EventStore) -> None:
        await store.append("doc-1", counted(*range(3000)), expected_version=0)
        read = await collected(store.read("doc-1"))
        assert versions_of(read) == [*range(1, 3001)]
        assert await _gone_through(store.read_pages("doc-1")) == read

    @pytest.mark.parametrize(
        ("first", "last", "expected"),
        [(1, None, [1, 2, 3, 4, 5]), (4, None, [4, 5]), (1, 2, [1, 2]), (2, 4, [2, 3, 4])]
        + [(6, None, []), (4, 2, []), *((1, far, [1, 2, 3, 4, 5]) for far in FAR)]
        + [(far, None, []) for far in FAR],
    )
    async def test_pages_keep_the_bounds(
        self, store: EventStore, first: int, last: int | None, expected: list[int]
    ) -> None:
        await five_events(store)
        pages = store.read_pages("doc-1", from_version=first, to_version=last)
        events = await _gone_through(pages)
        assert versions_of(events) == expected
        assert events == await collected(store.read("doc-1", from_version=first, to_version=last))

    async def test_an_unknown_stream_has_no_events_in_its_pages(self, store: EventStore) -> None:
        await five_events(store)
        assert await _gone_through(store.read_pages("unknown")) == []


async def _gone_through(
    pages: AsyncIterator[Iterable[RecordedEvent[object]]],
) -> list[RecordedEvent[object]]:
    return [event async for page in pages for event in page]
