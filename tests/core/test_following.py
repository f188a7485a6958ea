"""A follower whose store is replaced under it, as by a failover, is told before it goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import Event, ExpectedVersion, HistoryChangedError, StorageEventStore
from eventsourcing_core._encoding import following
from eventsourcing_core.stores import Parts
from eventsourcing_inmemory import InMemoryEventStore
from tests.core._storages import Through

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core import EventStore, Page
    from eventsourcing_core.stores import RowPage, RowQuery

ANY = ExpectedVersion.ANY


class Replaced(Through):
    """A storage that can be replaced by another one while it is in use."""

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        return await super().wait(after_position=after_position, timeout=min(timeout, 0.01))


def said(*texts: str) -> list[Event[object]]:
    return [Event("said", {"text": text}) for text in texts]


async def store_with(shared: Sequence[Event[Any]], own: Sequence[Event[Any]]) -> InMemoryEventStore:
    store = InMemoryEventStore()
    for number, event in enumerate([*shared, *own]):
        await store.append(f"{event.event_type}-{number}", [event], expected_version=0)
    return store


async def next_page(pages: AsyncIterator[Page]) -> Page:
    async with asyncio.timeout(10):
        return await anext(pages)


async def seen_until(pages: AsyncIterator[Page], position: int) -> list[str]:
    """Follow until a position was looked at; give the texts."""
    texts: list[str] = []
    async with asyncio.timeout(10):
        async for page in pages:
            texts += [event.data["text"] for event in page.events]
            if page.seen_to >= position:
                return texts
    raise AssertionError(texts)


FILTERS: list[dict[str, Any]] = [{}, {"event_types": ["said"]}, {"stream_prefix": "said-"}]
AFTERWARDS = {
    "as long": said("x"),
    "longer": said("x", "y", "z"),
    "shorter": [],
    "other events": [Event("noted", {}), Event("noted", {})],
}


@pytest.mark.parametrize("own", AFTERWARDS.values(), ids=AFTERWARDS)
@pytest.mark.parametrize("filters", FILTERS, ids=["all", "types", "prefix"])
async def test_a_follower_of_a_replaced_store_is_told(
    filters: dict[str, Any], own: list[Event[object]]
) -> None:
    shared = said("a", "b")
    before, after = await store_with(shared, said("c")), await store_with(shared, own)
    storage = Replaced(before._storage)
    async with StorageEventStore(Parts(storage)) as store:
        pages = store.follow(**filters)
        assert await seen_until(pages, 3) == ["a", "b", "c"]
        storage.storage = after._storage
        with pytest.raises(HistoryChangedError, match="position 3"):
            await next_page(pages)
    await before.close()
    await after.close()


@pytest.mark.parametrize("filters", FILTERS, ids=["all", "types", "prefix"])
async def test_whoever_has_passed_hidden_events_is_told_by_the_last_one_that_it_saw(
    filters: dict[str, Any],
) -> None:
    def hidden() -> list[Event[object]]:
        return [Event("noted", {"text": "hidden"}), Event("noted", {"text": "hidden"})]

    before = await store_with(said("a", "b"), hidden())
    after = await store_with(said("a", "x"), [*hidden(), *said("c")])
    storage = Replaced(before._storage)
    async with StorageEventStore(Parts(storage)) as store:
        pages = store.follow(**filters)
        await seen_until(pages, 4)
        storage.storage = after._storage
        with pytest.raises(HistoryChangedError):
            await next_page(pages)
    await before.close()
    await after.close()


@pytest.mark.parametrize("filters", FILTERS, ids=["all", "types", "prefix"])
async def test_a_follower_of_a_store_that_is_the_same_goes_on(filters: dict[str, Any]) -> None:
    shared = said("a", "b", "c")
    before, after = await store_with(shared, []), await store_with(shared, said("d"))
    storage = Replaced(before._storage)
    async with StorageEventStore(Parts(storage)) as store:
        pages = store.follow(**filters)
        assert await seen_until(pages, 3) == ["a", "b", "c"]
        storage.storage = after._storage
        assert await seen_until(pages, 4) == ["d"]
    await before.close()
    await after.close()


async def test_a_look_begins_with_the_last_event_and_gives_it_once() -> None:
    asked: list[int] = []

    class Noting(Replaced):
        def rows_of_all(
            self, after: int, query: RowQuery, *, backward: bool, limit: int | None
        ) -> AsyncIterator[RowPage]:
            asked.append(after)
            return super().rows_of_all(after, query, backward=backward, limit=limit)

    inner = InMemoryEventStore()
    async with StorageEventStore(Parts(Noting(inner._storage))) as store:
        assert await told_one_by_one(store, store.follow()) == ["0", "1", "2"]
    await inner.close()
    assert asked[0] == 0
    assert set(asked[1:]) == {0, 1}  # one before the event that it has seen: no question of its own


async def told_one_by_one(store: EventStore, pages: AsyncIterator[Page]) -> list[str]:
    texts: list[str] = []
    for number in range(3):
        await store.append("said-1", said(str(number)), expected_version=ANY)
        texts += [event.data["text"] for event in (await next_page(pages)).events]
    return texts


class RolledBack(Replaced):
    """A storage without the event at position 3, where a fourth one comes during the first look."""

    is_first = True

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> AsyncIterator[RowPage]:
        pages = super().rows_of_all(after, query, backward=backward, limit=limit)
        async for page in pages:
            yield page._replace(rows=[row for row in page.rows if row.position != 3])
        if self.is_first:
            self.is_first = False
            async with StorageEventStore(Parts(Replaced(self.storage))) as store:
                await store.append("said-9", said("b"), expected_version=0)


async def test_no_event_above_what_was_looked_at_is_a_proof() -> None:
    """Whoever goes on from such a checkpoint would miss the events in between."""
    inner = await store_with(said("a"), [Event("noted", {}), Event("noted", {})])
    async with StorageEventStore(Parts(RolledBack(inner._storage))) as store:
        pages = store.follow(event_types=["said"])
        found = [await next_page(pages) for _ in range(2)]
    places = [(page.seen_to, page.checkpoint and page.checkpoint.position) for page in found]
    assert places == [(3, 1), (4, 4)]
    await inner.close()


async def test_a_follower_that_lacks_a_proof_looks_for_it_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(following, "_PROOF_PAUSE", 7.0)
    waits: list[float] = []

    class Noting(Replaced):
        async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - as above
            waits.append(timeout)
            return await super().wait(after_position=after_position, timeout=timeout)

    inner = await store_with(said("a"), [Event("noted", {})])
    async with StorageEventStore(Parts(Noting(inner._storage))) as store:
        pages = store.follow(event_types=["said"])
        _, second = await next_page(pages), await next_page(pages)
        await store.append("noted-9", [Event("noted", {})], expected_version=0)
        third = await next_page(pages)
        assert (third.seen_to, third.checkpoint) == (3, second.checkpoint)
        waits.clear()
        await store.append("noted-10", [Event("noted", {})], expected_version=0)
        await next_page(pages)
    await inner.close()
    assert waits[0] == 7.0
