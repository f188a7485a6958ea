"""Filters, numbers and ids at their limits, and waiting."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import pytest_asyncio

from eventsourcing_core import (
    Event,
    ExpectedVersion,
    RecordedEvent,
    StorageError,
)
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

DEADLINE = 10.0  # seconds until something counts as never happening
NEVER = 3600.0  # seconds
MEGABYTE = 1024 * 1024
ANY = ExpectedVersion.ANY


def counted(number: int, *, size: int = 0) -> Event[object]:
    return Event("Counted", {"number": number, "text": "x" * size})


async def numbers(events: AsyncIterator[RecordedEvent[Any]]) -> list[int]:
    return [event.data["number"] async for event in events]


async def streams(store: SqliteEventStore, **filters: Any) -> list[str]:
    return [event.stream_id async for event in store.read_all(**filters)]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("doc", ["doc-1", "doc%2", "doc_3"]),
        ("doc-", ["doc-1"]),
        ("doc%", ["doc%2"]),
        ("doc_", ["doc_3"]),
        ("D", ["Doc-4"]),
        ("É", ["École-5"]),
        ("É"[:1].lower(), []),
        ("doc-1\0", []),
        ("\0", []),
        ("doc\ud800", []),
        ("", ["doc-1", "doc%2", "doc_3", "Doc-4", "École-5"]),
    ],
)
async def test_a_prefix_is_taken_letter_by_letter(
    store: SqliteEventStore, prefix: str, found: list[str]
) -> None:
    for number, stream_id in enumerate(["doc-1", "doc%2", "doc_3", "Doc-4", "École-5"]):
        await store.append(stream_id, [counted(number)], expected_version=0)
    assert await streams(store, stream_prefix=prefix) == found


@pytest.mark.parametrize("name", ["Counted\0", "Counted\0b", "counted", "Count%", "\ud800"])
async def test_an_event_type_is_taken_letter_by_letter(store: SqliteEventStore, name: str) -> None:
    await store.append("doc-1", [counted(1)], expected_version=0)
    assert await streams(store, event_types=[name]) == []


async def test_an_event_id_may_be_any_sixteen_bytes(store: SqliteEventStore) -> None:
    ids = [UUID(int=0), UUID(int=2**128 - 1), UUID(int=0x2500_0000)]
    events = [Event("Counted", {"number": n}, event_id=id_) for n, id_ in enumerate(ids)]
    result = await store.append("doc-1", events, expected_version=0)
    assert await store.append("doc-1", events, expected_version=0) == result
    assert [event.event_id async for event in store.read("doc-1")] == ids


@asynccontextmanager
async def waiting(store: SqliteEventStore) -> AsyncIterator[asyncio.Task[bool]]:
    """Give a wait that has looked once, and found nothing."""
    task = asyncio.create_task(store.wait(after_position=0, timeout=NEVER))
    await asyncio.wait({task}, timeout=0.05)
    assert not task.done()
    async with asyncio.timeout(DEADLINE):
        yield task
        await asyncio.wait({task})


@pytest_asyncio.fixture
async def open_database(path: Path) -> AsyncIterator[Any]:
    """Open databases of the one file; those that never poll are woken, or not at all."""
    async with AsyncExitStack() as stack:

        async def open_one(*, poll_interval: float = NEVER) -> SqliteDatabase:
            opened = SqliteDatabase.open(path, poll_interval=poll_interval)
            return await stack.enter_async_context(opened)

        yield open_one


async def test_an_append_wakes_who_waits_without_polling(open_database: Any) -> None:
    store = SqliteEventStore(await open_database())
    async with waiting(store) as wait:
        await store.append("doc-1", [counted(1)], expected_version=0)
        assert await wait


async def test_an_append_wakes_who_waits_on_another_store_of_the_database(
    open_database: Any,
) -> None:
    database = await open_database()
    async with waiting(SqliteEventStore(database)) as wait:
        await SqliteEventStore(database).append("doc-1", [counted(1)], expected_version=0)
        assert await wait


async def test_an_import_wakes_who_waits_without_polling(open_database: Any) -> None:
    store = SqliteEventStore(await open_database())
    recorded = RecordedEvent[object]("Counted", {}, stream_id="doc-1", version=1, position=1)
    async with waiting(store) as wait:
        await store.import_events([recorded])
        assert await wait


async def test_an_append_that_was_written_wakes_who_waits_though_it_was_cancelled(
    open_database: Any,
) -> None:
    database: SqliteDatabase = await open_database()
    store = SqliteEventStore(database)
    async with waiting(store) as wait:
        append = asyncio.create_task(store.append("doc-1", [counted(1)], expected_version=0))
        await asyncio.sleep(0)  # lets it begin
        assert database._writing.locked()
        append.cancel()
        assert await wait
    with pytest.raises(asyncio.CancelledError):
        await append


async def test_an_append_between_the_look_and_the_sleep_is_not_missed(
    open_database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    database: SqliteDatabase = await open_database()
    store = SqliteEventStore(database)
    fetch = database.fetch

    async def look_and_let_others_append(*arguments: Any) -> Any:
        seen = await fetch(*arguments)
        monkeypatch.setattr(database, "fetch", fetch)
        await store.append("doc-1", [counted(1)], expected_version=0)
        return seen

    monkeypatch.setattr(database, "fetch", look_and_let_others_append)
    async with asyncio.timeout(DEADLINE):
        assert await store.wait(after_position=0, timeout=NEVER)


async def test_an_append_of_somebody_else_is_found_by_polling(open_database: Any) -> None:
    here = SqliteEventStore(await open_database(poll_interval=0.01))
    elsewhere = SqliteEventStore(await open_database())
    async with waiting(here) as wait:
        await elsewhere.append("doc-1", [counted(1)], expected_version=0)
        assert await wait


async def test_closing_ends_a_wait_with_an_error(path: Path) -> None:
    async with SqliteDatabase.open(path, poll_interval=NEVER) as database:
        store = SqliteEventStore(database)
        wait = asyncio.create_task(store.wait(after_position=0, timeout=NEVER))
        await asyncio.wait({wait}, timeout=0.05)
    with pytest.raises(StorageError, match="closed"):
        async with asyncio.timeout(DEADLINE):
            await wait
