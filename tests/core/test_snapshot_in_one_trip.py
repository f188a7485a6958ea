"""A snapshot and the events after it come in one trip, where the storage keeps both."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import EventCodec, Repository, StorageEventStore
from eventsourcing_core.stores import Parts, Span
from eventsourcing_inmemory._storage import InMemoryStorage
from tests.core._storages import Through, Watched
from tests.core._tills import Shelf, Till, sell, state, types

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from typing import Any

    from eventsourcing_core import RecordedEvent
    from eventsourcing_core.stores import Row, Storage


class Telling(Through):
    """Answers the question for a snapshot of a shelf, which it keeps beside its rows."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(InMemoryStorage())
        self.shelf = shelf

    async def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Read a stream."""
        asked = span.snapshot
        if asked is not None and asked.store is self.shelf:
            found = await self.shelf.load(asked.aggregate_id, max_version=span.to_version)
            asked.answer(found)
            span = Span(1 if found is None else found.version, span.to_version)
        async for rows in super().rows(stream_id, span):
            yield rows


class Together:
    """A store whose storage keeps the snapshots beside the rows, and what it was asked for."""

    def __init__(self) -> None:
        self.shelf = Shelf()
        self.watched = Watched(Telling(self.shelf))
        self.parts = Parts(self.watched, snapshot_store=self.shelf)

    def store(self, storage: Storage | None = None) -> StorageEventStore:
        """Give a store over the storage, or over another one around it."""
        parts = replace(self.parts, storage=storage or self.watched)
        return StorageEventStore(parts, EventCodec(event_types=types))

    def forget(self) -> None:
        """Forget what was asked for."""
        self.watched.reads, self.watched.given, self.shelf.calls = [], 0, []


def kept_in(store: StorageEventStore, shelf: Shelf) -> Repository[Till]:
    """Give a repository that takes a snapshot at every third event."""
    return Repository(store, Till, snapshot_store=shelf, snapshot_frequency=3)


@pytest.fixture
async def together() -> Together:
    made = Together()
    tills = kept_in(made.store(), made.shelf)
    await sell(tills, 1, 2, 3, 4, 5, 6)
    await sell(tills, 7, 8)
    assert made.shelf.versions() == [6]
    made.forget()
    return made


async def loaded(tills: Repository[Till]) -> tuple[object, ...]:
    return state(await tills.load("1"))


async def replayed(together: Together) -> tuple[object, ...]:
    plain = Repository(together.store(), Till, snapshot_frequency=None)
    found = await loaded(plain)
    together.forget()
    return found


async def test_it_takes_one_trip(together: Together) -> None:
    expected = await replayed(together)
    assert await loaded(kept_in(together.store(), together.shelf)) == expected
    assert (together.watched.reads, together.watched.given) == ([1], 3)
    assert together.shelf.calls == ["load"]  # the storage's own


async def test_without_a_snapshot_all_events_come_in_that_trip(together: Together) -> None:
    await together.shelf.prune("Till-1", keep=0)
    expected = await replayed(together)
    assert await loaded(kept_in(together.store(), together.shelf)) == expected
    assert (together.watched.reads, together.watched.given) == ([1], 8)


async def test_a_snapshot_that_cannot_be_used_costs_a_second_trip(together: Together) -> None:
    expected = await replayed(together)
    (snapshot,) = together.shelf._snapshots["Till-1"].values()
    for unusable in (
        replace(snapshot, state_version="2:of another class"),
        replace(snapshot, state=b"damaged"),
        replace(snapshot, version=99),  # of a stream that went further, before a failover
        replace(snapshot, version=7),  # of another event
    ):
        await together.shelf.save(unusable, keep=1)
        together.forget()
        assert await loaded(kept_in(together.store(), together.shelf)) == expected
        assert together.watched.reads == [1, 1]
        await together.shelf.prune("Till-1", keep=0)


async def test_where_snapshots_fail_all_events_are_replayed(together: Together) -> None:
    expected = await replayed(together)
    together.shelf.error = OSError("away")
    assert await loaded(kept_in(together.store(), together.shelf)) == expected
    assert together.watched.reads == [1, 1]


async def test_snapshots_of_another_store_are_asked_of_it(together: Together) -> None:
    expected = await replayed(together)
    other = Shelf()
    await other.save(together.shelf._snapshots["Till-1"][6])
    other.calls = []
    assert await loaded(kept_in(together.store(), other)) == expected
    assert (together.watched.reads, together.watched.given) == ([6], 3)
    assert (together.shelf.calls, other.calls) == ([], ["load"])


class Unaware(Through):
    """Knows nothing of snapshots, as a wrapper that makes spans of its own."""

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Read a stream."""
        return super().rows(stream_id, span._replace(snapshot=None))


async def test_a_storage_that_does_not_answer_is_asked_once(together: Together) -> None:
    expected = await replayed(together)
    tills = kept_in(together.store(Unaware(together.watched)), together.shelf)
    assert await loaded(tills) == expected
    together.forget()
    assert await loaded(tills) == expected
    assert together.watched.reads == [6]
    assert together.shelf.calls == ["load"]


class Renaming(Through):
    """Keeps streams under other ids, but not their snapshots."""

    async def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Read a stream."""
        async for rows in super().rows(stream_id.replace("-x", "-"), span):
            yield [row._replace(stream_id=stream_id) for row in rows]


async def test_behind_a_wrapper_that_renames_streams_the_snapshot_is_found(
    together: Together,
) -> None:
    (snapshot,) = together.shelf._snapshots["Till-1"].values()
    await together.shelf.save(replace(snapshot, aggregate_id="Till-x1"))
    together.forget()
    till = await kept_in(together.store(Renaming(together.watched)), together.shelf).load("x1")
    assert (till.version, together.watched.given) == (8, 3)


class Overriding(StorageEventStore):
    """Reads pages in a way of its own."""

    def read_pages(
        self, stream_id: str, *, from_version: int = 1, to_version: int | None = None
    ) -> AsyncIterator[Iterable[RecordedEvent[Any]]]:
        """Read a stream."""
        self.asked = from_version
        return super().read_pages(stream_id, from_version=from_version, to_version=to_version)


async def test_whoever_overrides_how_pages_are_read_is_asked(together: Together) -> None:
    expected = await replayed(together)
    store = Overriding(together.parts, EventCodec(event_types=types))
    assert await loaded(kept_in(store, together.shelf)) == expected
    assert store.asked == 6
