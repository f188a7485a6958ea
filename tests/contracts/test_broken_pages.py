"""What is wrong with these stores' pages, the contract sees."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from eventsourcing_core.testing import PagedEventStoreContract
from eventsourcing_inmemory import InMemoryEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from eventsourcing_core import EventCodec, RecordedEvent
    from eventsourcing_core.testing import OpenEventStore

    Pages = AsyncIterator[Iterable[RecordedEvent[Any]]]


class Broken(InMemoryEventStore):
    """Pages of 100 events; a fault changes them, or the arguments."""

    caught_by: ClassVar[tuple[str, ...]] = ()

    def read_pages(self, stream_id: str, **options: Any) -> Pages:
        return self.paged(self.read(stream_id, **options))

    async def paged(self, events: AsyncIterator[RecordedEvent[Any]]) -> Pages:
        everything = [event async for event in events]
        for first in range(0, len(everything), 100):
            yield everything[first : first + 100]


class WithoutPages(InMemoryEventStore):
    caught_by = ("test_a_store_with_pages_is_one_of_the_port",)


class OnlyTheFirstPage(Broken):
    caught_by = ("test_pages_hold_a_long_stream_whole",)

    async def paged(self, events: AsyncIterator[RecordedEvent[Any]]) -> Pages:
        async for page in super().paged(events):
            yield page
            return


class PagesOverlap(Broken):
    caught_by = ("test_pages_hold_a_long_stream_whole",)

    async def paged(self, events: AsyncIterator[RecordedEvent[Any]]) -> Pages:
        last: list[RecordedEvent[Any]] = []
        async for page in super().paged(events):
            yield [*last, *page]
            last = [*page][-1:]


class LowerBoundForgotten(Broken):
    caught_by = ("test_pages_keep_the_bounds[4-None",)

    def read_pages(self, stream_id: str, *, from_version: int = 1, **options: Any) -> Pages:
        self.read(stream_id, from_version=from_version)  # checks it
        return super().read_pages(stream_id, **options)


class UpperBoundForgotten(Broken):
    caught_by = ("test_pages_keep_the_bounds[1-2-", "test_pages_keep_the_bounds[4-2")

    def read_pages(self, stream_id: str, *, to_version: int | None = None, **options: Any) -> Pages:
        self.read(stream_id, to_version=to_version)  # checks it
        return super().read_pages(stream_id, **options)


class UnknownStreamIsTheStore(Broken):
    caught_by = ("test_an_unknown_stream_has_no_events_in_its_pages",)

    def read_pages(self, stream_id: str, **options: Any) -> Pages:
        if stream_id not in self._log.streams:
            return self.paged(self.read_all())
        return super().read_pages(stream_id, **options)


class ChecksWhenItIsGoneThrough(Broken):
    caught_by = ("test_pages_before_version_1_are_refused_at_once",)

    async def read_pages(self, stream_id: str, **options: Any) -> Pages:
        async for page in super().read_pages(stream_id, **options):
            yield page


class TestBrokenPages(PagedEventStoreContract):
    faults = (WithoutPages, *Broken.__subclasses__())
    deadline = 0.3

    @pytest.fixture
    def open_store(self, fault: type[InMemoryEventStore]) -> OpenEventStore:
        @asynccontextmanager
        async def opened(codec: EventCodec) -> AsyncIterator[InMemoryEventStore]:
            yield fault(codec)

        return opened
