"""Readers ahead of all that a store has ever given: it is not the one that they have read."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_core import (
    Event,
    ExpectedVersion,
    HistoryChangedError,
    SchemaError,
    open_backend,
)

if TYPE_CHECKING:
    from pathlib import Path

    from eventsourcing_core import AppendResult, Backend

ANY = ExpectedVersion.ANY
DEADLINE = 30.0


async def note(backend: Backend, *texts: str) -> list[int]:
    """Append events; give their positions."""
    return [
        (
            await backend.event_store.append(
                "s-1", [Event("Noted", {"text": text})], expected_version=ANY
            )
        ).position
        for text in texts
    ]


async def texts_after(backend: Backend, position: int) -> list[str]:
    return [
        each.data["text"] async for each in backend.event_store.read_all(after_position=position)
    ]


async def test_a_reader_at_the_end_is_not_told_and_one_ahead_is(store_url: str) -> None:
    async with open_backend(store_url) as backend:
        store = backend.event_store
        assert await texts_after(backend, 0) == []
        last = (await note(backend, "a", "b"))[-1]
        assert await texts_after(backend, last) == []
        assert await texts_after(backend, await store.last_position()) == []
        with pytest.raises(HistoryChangedError, match=f"position {last + 1}, .*ends at {last}"):
            await texts_after(backend, last + 1)
        with pytest.raises(HistoryChangedError):
            await anext(store.follow(last + 1, stream_prefix="s"))
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(HistoryChangedError):
                await store.wait(after_position=last + 1, timeout=10 * DEADLINE)


async def test_a_reader_ahead_of_a_restored_file_is_told(tmp_path: Path) -> None:
    url, file, backup = f"sqlite:///{tmp_path / 'a.db'}", tmp_path / "a.db", tmp_path / "backup.db"
    async with open_backend(url) as backend:
        await note(backend, "a")
    shutil.copy(file, backup)
    async with open_backend(url) as backend:
        position = (await note(backend, "b", "c"))[-1]
    shutil.copy(backup, file)
    async with open_backend(url) as backend:
        with pytest.raises(HistoryChangedError):
            await texts_after(backend, position)


async def test_a_follower_that_waits_is_told_when_the_store_is_set_back(url: str) -> None:
    async with open_backend(url, migrate=True, poll_interval=0.01) as backend:
        await note(backend, "a", "b")
        following = backend.event_store.follow()
        assert len((await anext(following)).events) == 2
        waiting = asyncio.ensure_future(anext(following))
        connection = await asyncpg.connect(url)
        await connection.execute("set eventsourcing.allow_change = 'on'")
        async with connection.transaction():
            await connection.execute("delete from eventsourcing.events where version = 2")
            await connection.execute("select setval('eventsourcing.events_position', 1)")
        await connection.close()
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(HistoryChangedError):
                await waiting


async def appended_in_vain(backend: Backend) -> AppendResult:
    """Append in a transaction that is rolled back."""
    results: list[AppendResult] = []
    with suppress(LookupError):
        async with backend.transaction() as transaction:
            noted = [Event("Noted", {"a": 1})]
            results.append(await transaction.append("s-2", noted, expected_version=0))
            raise LookupError
    return results[0]


async def test_a_position_whose_append_was_rolled_back_was_given(url: str) -> None:
    async with open_backend(url, migrate=True) as backend:
        await note(backend, "a")
        result = await appended_in_vain(backend)
        assert await texts_after(backend, result.position) == []
        assert not await backend.event_store.wait(after_position=result.position, timeout=0)
        with pytest.raises(HistoryChangedError):
            await texts_after(backend, result.position + 1)


async def test_a_floor_below_a_reader_does_not_put_it_ahead(url: str) -> None:
    """An append may publish a lower floor than the horizon that was there: that is no change."""
    async with open_backend(url, migrate=True) as backend:
        last = (await note(backend, "a", "b"))[-1]
        connection = await asyncpg.connect(url)
        async with connection.transaction():
            await connection.execute(
                "select pg_advisory_xact_lock_shared(eventsourcing.lock_class() << 48)"
            )
            store = backend.event_store
            assert await store.last_position() == 0
            assert await texts_after(backend, last) == []
            found = [each async for each in store.read_all(after_position=last, event_types={"x"})]
            assert found == []
            assert not await store.wait(after_position=last, timeout=0)
        await connection.close()


async def test_where_the_sequence_is_behind_its_events_no_reader_of_them_is_told(url: str) -> None:
    async with open_backend(url, migrate=True) as backend:
        last = (await note(backend, "a", "b"))[-1]
        connection = await asyncpg.connect(url)
        await connection.execute("select setval('eventsourcing.events_position', 1, false)")
        await connection.close()
        found: list[str] = []
        with suppress(SchemaError):  # by now it may be known that the sequence is behind
            found = await texts_after(backend, last)
        assert found == []
