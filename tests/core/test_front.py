"""What the front of every store does, whatever the storage under it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import (
    Event,
    EventCodec,
    EventStore,
    EventTypes,
    ExpectedVersion,
    JsonSerializer,
    SerializationError,
    StorageError,
    StorageEventStore,
    StoreBusyError,
    UnknownEventTypeError,
)
from eventsourcing_core.stores import Parts, RowQuery
from eventsourcing_core.testing._imports.samples import recorded
from eventsourcing_core.testing._samples import COUNTED, collected, counted, numbers_of
from eventsourcing_core.testing._storage.counting import CountingStorage
from eventsourcing_core.testing._store.values import Marked
from tests.contracts._broken import BrokenStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Sequence

    from eventsourcing_core.stores import Append, Storage, Verdict
    from tests.contracts._broken import Pages

ANY = ExpectedVersion.ANY

METHODS = {
    "append": "write",
    "import_events": "write",
    "read": "rows",
    "read_pages": "rows",
    "stream_version": "rows",
    "read_all": "rows_of_all",
    "follow": "rows_of_all",
    "last_position": "rows_of_all",
    "wait": "wait",
    "ping": "wait",
    "streams": None,
    "statistics": None,
    "appenders": None,
    "transaction": None,
}
"""Each method of the front, and what it asks the storage."""


@pytest.fixture
async def store() -> AsyncIterator[StorageEventStore]:
    """Open the front over a storage in memory."""
    async with StorageEventStore(BrokenStorage.parts()) as store:
        yield store


def call(store: StorageEventStore, method: str) -> Awaitable[object]:
    """Use one method of a store."""
    match method:
        case "append":
            return store.append("doc-2", counted(2), expected_version=0)
        case "import_events":
            return store.import_events(recorded("a-1"))
        case "read" | "read_pages" | "stream_version":
            asked = getattr(store, method)("doc-1")
        case "wait":
            return store.wait(after_position=0, timeout=0)
        case "transaction":
            return store.transaction().__aenter__()
        case _:
            asked = getattr(store, method)()
    return asked if hasattr(asked, "__await__") else anext(asked)


async def test_the_front_has_the_methods_of_the_port(store: StorageEventStore) -> None:
    assert isinstance(store, EventStore)


async def test_a_backend_without_a_storage_has_no_event_store() -> None:
    with pytest.raises(StorageError, match="the backend has no event store"):
        StorageEventStore(Parts())


# Its life.


@pytest.mark.parametrize("method", METHODS)
async def test_a_closed_store_refuses(method: str) -> None:
    async with StorageEventStore(BrokenStorage.parts()) as store:
        await store.append("doc-1", counted(1), expected_version=0)
    with pytest.raises(StorageError, match="closed"):
        await call(store, method)


async def test_a_closed_store_imports_not_even_nothing(store: StorageEventStore) -> None:
    await store.close()
    with pytest.raises(StorageError, match="closed"):
        await store.import_events([])


@pytest.mark.parametrize("method", METHODS)
async def test_another_event_loop_is_refused(store: StorageEventStore, method: str) -> None:
    await store.append("doc-1", counted(1), expected_version=0)

    async def use_elsewhere() -> None:
        await call(store, method)

    with pytest.raises(RuntimeError, match="the store belongs to another event loop"):
        await asyncio.to_thread(asyncio.run, use_elsewhere())
    assert numbers_of(await collected(store.read_all())) == [1]
    assert (await store.append("doc-2", counted(2), expected_version=0)).version == 1


async def test_closing_writes_what_waits(store: StorageEventStore) -> None:
    appends = [store.append("doc-1", counted(number), expected_version=ANY) for number in range(9)]
    tasks = [asyncio.ensure_future(append) for append in appends]
    await asyncio.sleep(0)
    await store.close()
    assert [(await task).version for task in tasks] == [*range(1, 10)]


async def test_closing_ends_followers(store: StorageEventStore) -> None:
    following = asyncio.ensure_future(anext(store.follow()))
    await asyncio.sleep(0)
    await store.close()
    with pytest.raises(StorageError, match="closed"):
        await following


async def test_one_append_more_than_may_wait_is_refused_at_once() -> None:
    async with StorageEventStore(BrokenStorage.parts(), max_waiting=3) as store:
        appends = [store.append("doc-1", counted(n), expected_version=ANY) for n in range(8)]
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
        refused = [each for each in outcomes if isinstance(each, StoreBusyError)]
        assert len(refused) >= 3
        assert len(await collected(store.read("doc-1"))) == 8 - len(refused)


# What it asks of the storage.


@pytest.mark.parametrize(
    ("method", "asked"), [(method, asked) for method, asked in METHODS.items() if asked]
)
async def test_every_method_asks_the_storage(method: str, asked: str) -> None:
    parts = BrokenStorage.parts()
    assert parts.storage
    storage = CountingStorage(parts.storage)
    async with StorageEventStore(replace(parts, storage=storage)) as store:
        await store.append("doc-1", counted(1), expected_version=0)
        storage.calls.clear()
        await call(store, method)
        assert storage.calls == {asked: 1}


async def test_what_no_store_can_hold_is_not_asked_for() -> None:
    asked: list[RowQuery] = []

    class Noting(BrokenStorage):
        def rows_of_all(
            self, after: int, query: RowQuery, *, backward: bool, limit: int | None
        ) -> Pages:
            asked.append(query)
            return super().rows_of_all(after, query, backward=backward, limit=limit)

    async with StorageEventStore(Noting.parts()) as store:
        for prefix in ("\0", "b\0", "\ud800", "b" * 256):
            await collected(store.read_all(stream_prefix=prefix))
        await collected(store.read_all(event_types=["a", "a", "\0", "\ud800", ""]))
    assert asked == [RowQuery(frozenset())] * 4 + [RowQuery(frozenset({"a"}))]


async def test_a_filtered_follower_asks_seldom_while_others_append() -> None:
    parts = BrokenStorage.parts()
    assert parts.storage
    storage = CountingStorage(parts.storage)
    async with StorageEventStore(replace(parts, storage=storage)) as store:
        following = asyncio.ensure_future(anext_with_events(store))
        end = asyncio.get_running_loop().time() + 0.3
        written = 0
        while asyncio.get_running_loop().time() < end:
            await store.append("others", counted(written), expected_version=ANY)
            await asyncio.sleep(0.001)
            written += 1
        asked = storage.calls["rows_of_all"]
        await store.append("wanted", counted(7, event_type="wanted"), expected_version=0)
        async with asyncio.timeout(5):
            assert await following == [7]
    assert written > 20
    assert asked <= 10  # each look is two: whether its place still stands, and what comes after it


async def anext_with_events(store: StorageEventStore) -> list[int]:
    """Follow until something wanted comes."""
    async for page in store.follow(event_types={"wanted"}):
        if page.events:
            return numbers_of(page.events)
    return []


# What the backend does not have.


async def test_an_import_into_a_store_without_them_names_the_storage() -> None:
    parts = replace(BrokenStorage.parts(), guarantees=frozenset())
    async with StorageEventStore(parts) as store:
        with pytest.raises(StorageError, match="BrokenStorage cannot import events"):
            await store.import_events(recorded("a-1"))
        assert await collected(store.read_all()) == []


@pytest.mark.parametrize("method", ["streams", "statistics", "appenders"])
async def test_looking_into_a_store_without_an_inspection_names_the_storage(method: str) -> None:
    async with StorageEventStore(replace(BrokenStorage.parts(), inspection=None)) as store:
        with pytest.raises(StorageError, match="BrokenStorage does not list its streams"):
            await call(store, method)


async def test_a_transaction_of_a_store_without_them_names_the_storage() -> None:
    async with StorageEventStore(replace(BrokenStorage.parts(), transactions=None)) as store:
        with pytest.raises(StorageError, match="BrokenStorage has no transactions"):
            async with store.transaction():
                pytest.fail("a transaction was opened")


# Its codec.


async def test_a_tuple_of_events_is_a_sequence_too(store: StorageEventStore) -> None:
    await store.append("doc-1", tuple(counted(1, 2)), expected_version=0)
    assert numbers_of(await collected(store.read("doc-1"))) == [1, 2]


async def test_nothing_to_import_is_no_error(store: StorageEventStore) -> None:
    assert await store.import_events([]) == 0
    assert await collected(store.read_all()) == []


async def test_imported_events_are_encoded_by_the_store_that_takes_them() -> None:
    async with StorageEventStore(BrokenStorage.parts()) as source:
        await source.append("a", counted(1, 2), expected_version=0)
        events = await collected(source.read_all())
    marked = Marked()
    async with StorageEventStore(BrokenStorage.parts(), serializer=marked) as target:
        await target.import_events(events)
        assert numbers_of(await collected(target.read("a"))) == [1, 2]
    assert marked.written >= 2


async def test_bytes_that_cannot_be_read_are_an_error_that_says_which() -> None:
    class Unreadable(JsonSerializer):
        name = "unreadable"

        def deserialize(self, data: bytes) -> object:
            message = f"no way to read {len(data)} bytes"
            raise ValueError(message)

    async with StorageEventStore(BrokenStorage.parts(), serializer=Unreadable()) as store:
        await store.append("doc-1", counted(1), expected_version=0)
        for events in (store.read("doc-1"), store.read_all()):
            with pytest.raises(SerializationError) as caught:
                await collected(events)
            for fact in ("version 1", "'doc-1'", COUNTED, "unreadable"):
                assert fact in str(caught.value)
        assert (await store.append("doc-1", counted(2), expected_version=1)).version == 2


async def test_the_registry_of_the_codec_is_used() -> None:
    codec = EventCodec(event_types=EventTypes(strict=True))
    async with StorageEventStore(BrokenStorage.parts(), codec) as store:
        with pytest.raises(UnknownEventTypeError):
            await store.append("doc-1", counted(1), expected_version=0)
        assert await collected(store.read("doc-1")) == []


async def test_an_append_that_cannot_be_encoded_leaves_its_neighbours_alone() -> None:
    batches: list[int] = []

    class Noting(BrokenStorage):
        async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
            batches.append(len(appends))
            return await super().write(appends)

    async with StorageEventStore(Noting.parts()) as store:
        outcomes = await asyncio.gather(
            store.append("a", counted(1), expected_version=0),
            store.append("b", [Event("bad", {"value": object()})], expected_version=0),
            store.append("c", counted(2), expected_version=0),
            return_exceptions=True,
        )
        assert isinstance(outcomes[1], SerializationError)
        assert numbers_of(await collected(store.read_all())) == [1, 2]
    assert sum(batches) == 2


async def test_a_storage_that_joins_no_transaction_says_what_to_do(
    store: StorageEventStore,
) -> None:
    with pytest.raises(StorageError, match="open one with transaction\\(\\), and append in that"):
        await store.append("a", counted(1), expected_version=0, connection=object())
    assert await store.stream_version("a") == 0


async def test_a_wrapper_is_around_what_transactions_read_and_write_too() -> None:
    wrappers: list[CountingStorage] = []

    def wrap(storage: Storage) -> Storage:
        wrappers.append(CountingStorage(storage))
        return wrappers[-1]

    async with StorageEventStore(BrokenStorage.parts().around(wrap)) as store:
        await store.append("a", counted(1), expected_version=0)
        async with store.transaction() as transaction:
            await transaction.append("a", counted(2), expected_version=1)
            await collected(transaction.read("a"))
            assert transaction.snapshot_store is None
        async with store.transaction() as transaction:
            assert transaction.connection is None
    storage, inside, _ = (wrapper.calls for wrapper in wrappers)
    assert (storage["write"], storage["rows"]) == (1, 0)
    assert (inside["write"], inside["rows"]) == (1, 1)


def test_parts_without_anything_are_wrapped_too() -> None:
    assert Parts().around(CountingStorage) == Parts()


async def test_a_follower_that_catches_up_has_checkpoints_on_the_way() -> None:
    async with StorageEventStore(BrokenStorage.parts()) as store:
        await store.append("others", counted(*range(3000)), expected_version=0)
        hidden = [event async for event in store.read("others")]
        page = await anext(store.follow(event_types={"wanted"}))
    assert page.seen_to < 3000
    assert page.checkpoint == (page.seen_to, hidden[page.seen_to - 1].event_id)
