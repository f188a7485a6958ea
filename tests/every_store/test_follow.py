"""Following a store that repositories save to, through the front door, on every store."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from eventsourcing_core import Checkpoint, HistoryChangedError, StorageError, open_backend
from tests.every_store._ledger import Booked, Closed, Ledger, Renamed, types

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_core import Backend, EventStore, Page, Saved

LONG = 60
"""Seconds after which a test gives up."""


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Backend]:
    async with asyncio.timeout(LONG), open_backend(url, event_types=types) as backend:
        yield backend


async def record(backend: Backend, id: str, *changes: object) -> Saved:  # noqa: A002 - the word of the domain
    ledgers = backend.repository(Ledger)
    return ledgers.saved(await ledgers.update(id, lambda ledger: ledger.record(changes)))


def booked(*numbers: int) -> list[Booked]:
    return [Booked("a", Decimal(number)) for number in numbers]


async def followed(store: EventStore, position: int, after: Any = 0, **filters: Any) -> list[Page]:
    """Follow until everything up to a position was looked at."""
    pages: list[Page] = []
    async for page in store.follow(after, **filters):
        pages.append(page)
        if page.seen_to >= position:
            break
    return pages


def numbers(pages: list[Page]) -> list[int]:
    return [int(event.data.amount) for page in pages for event in page.events]


async def test_whoever_follows_to_the_place_of_a_save_has_seen_it(store_url: str) -> None:
    async with opened(store_url) as backend:
        await record(backend, "1", *booked(1, 2))
        saved = await record(backend, "2", *booked(3))
        pages = await followed(backend.event_store, saved.position)
        assert numbers(pages) == [1, 2, 3]
        assert pages[-1].events[-1].position == saved.position


async def test_a_follower_gets_what_another_process_saves_while_it_waits(store_url: str) -> None:
    async with opened(store_url) as backend, opened(store_url) as other:
        seen: asyncio.Queue[int] = asyncio.Queue()

        async def follow() -> None:
            async for page in backend.event_store.follow():
                for event in page.events:
                    seen.put_nowait(int(event.data.amount))

        following = asyncio.create_task(follow())
        for number in range(5):
            await record(other, "1", *booked(number))
            assert await seen.get() == number
        async with other.transaction() as transaction:
            ledgers = other.repository(Ledger)
            for id in ("1", "2"):  # noqa: A001 - the word of the domain
                ledger = await ledgers.load(id, transaction=transaction)
                ledger.record(booked(7))
                await ledgers.save(ledger, transaction=transaction)
        assert [await seen.get(), await seen.get()] == [7, 7]
        following.cancel()
        await asyncio.wait({following})


@pytest.mark.parametrize(
    "filters",
    [{"event_types": [Closed]}, {"event_types": ["Closed"]}, {"stream_prefix": "Ledger-closed"}],
    ids=str,
)
async def test_a_filter_lets_through_what_matches_and_the_cursor_reaches_the_end(
    store_url: str, filters: dict[str, Any]
) -> None:
    async with opened(store_url) as backend:
        await record(backend, "closed", Closed("a"))
        await record(backend, "open", *booked(1, 2), Renamed("a", "b"))
        await record(backend, "closed", Closed("b"))
        saved = await record(backend, "open", *booked(3, 4, 5))
        pages = await followed(backend.event_store, saved.position, **filters)
        assert [event.data for page in pages for event in page.events] == [Closed("a"), Closed("b")]
        assert pages[-1].seen_to == saved.position


async def test_a_follower_goes_on_where_it_was_when_the_store_is_opened_again(
    store_url: str,
) -> None:
    async with opened(store_url) as backend:
        saved = await record(backend, "1", *booked(1, 2, 3))
        before = await followed(backend.event_store, saved.position)
    checkpoint = before[-1].checkpoint
    assert checkpoint is not None
    async with opened(store_url) as backend:
        saved = await record(backend, "1", *booked(4, 5))
        for after in (checkpoint, before[-1].seen_to):
            assert numbers(await followed(backend.event_store, saved.position, after)) == [4, 5]


async def test_what_a_filter_hides_is_passed_with_proof(store_url: str) -> None:
    """A position alone would be passed again by other events, after a restore from a backup."""
    async with opened(store_url) as backend:
        await record(backend, "closed", Closed("a"))
        saved = await record(backend, "open", *booked(*range(10)))
        last = backend.event_store.read_all(backward=True, limit=1)
        (event,) = [event async for event in last]
        async with asyncio.timeout(10):
            async for page in backend.event_store.follow(event_types=[Closed]):
                if page.checkpoint == (saved.position, event.event_id):
                    break
        stranger = Checkpoint(saved.position, UUID(int=7))
        with pytest.raises(HistoryChangedError):
            await followed(backend.event_store, saved.position, stranger, event_types=[Closed])


async def test_a_checkpoint_of_which_the_id_is_a_text_says_so(store_url: str) -> None:
    async with opened(store_url) as backend:
        saved = await record(backend, "1", *booked(1))
        text: Any = "00000000-0000-0000-0000-000000000007"
        with pytest.raises(TypeError, match="is a UUID, got '00000000-.*: read it back by UUID"):
            backend.event_store.follow(Checkpoint(saved.position, text))


async def test_a_checkpoint_of_a_history_that_is_not_there_is_refused(store_url: str) -> None:
    async with opened(store_url) as backend:
        saved = await record(backend, "1", *booked(1, 2))
        (last,) = [
            event async for event in backend.event_store.read("Ledger-1", backward=True, limit=1)
        ]
        for checkpoint, found in (
            (Checkpoint(saved.position, UUID(int=7)), last.event_id),
            (Checkpoint(saved.position + 1000, last.event_id), None),
        ):
            with pytest.raises(HistoryChangedError) as caught:
                await followed(backend.event_store, saved.position + 1, checkpoint)
            error = caught.value
            assert (error.position, error.event_id) == checkpoint
            assert (error.found, error.last_position) == (found, saved.position)


async def test_closing_the_backend_ends_its_followers(store_url: str) -> None:
    async with opened(store_url) as backend:
        first = asyncio.Event()

        async def follow() -> None:
            async for page in backend.event_store.follow():
                assert page.events
                first.set()

        following = asyncio.create_task(follow())
        await record(backend, "1", *booked(1))
        await first.wait()
    async with asyncio.timeout(LONG):
        with pytest.raises(StorageError, match="the store is closed"):
            await following


async def test_a_new_store_ends_at_0_and_gives_a_sign_of_life(store_url: str) -> None:
    async with opened(store_url) as backend:
        store = backend.event_store
        assert await store.last_position() == 0
        await store.ping()
        saved = await record(backend, "1", *booked(1, 2))
        assert await store.last_position() == saved.position
        assert await store.stream_version("Ledger-1") == saved.version
