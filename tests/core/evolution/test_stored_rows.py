"""Rows of all streams as they are stored, for tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core import Event, StorageEventStore, open_backend
from eventsourcing_core.evolution import stored_rows

if TYPE_CHECKING:
    from collections.abc import Collection


async def found(
    store: StorageEventStore,
    after: int = 0,
    types: Collection[str] | None = None,
    prefix: str | None = None,
) -> list[tuple[str, int, bytes]]:
    pages = stored_rows(store, after_position=after, event_types=types, stream_prefix=prefix)
    return [(row.stream_id, row.position, row.data) async for page in pages for row in page]


async def test_rows_are_the_stored_bytes_of_what_was_asked_for() -> None:
    async with open_backend("memory://") as backend:
        store = backend.event_store
        for stream_id, event_type in [
            ("StoredRow-1", "stored_row.first"),
            ("OtherRow-1", "stored_row.first"),
            ("StoredRow-2", "stored_row.second"),
        ]:
            await store.append(stream_id, [Event(event_type, {"n": 1})], expected_version=0)
        data = b'{"n":1}'
        everything = [("StoredRow-1", 1, data), ("OtherRow-1", 2, data), ("StoredRow-2", 3, data)]
        assert await found(store) == everything
        assert await found(store, after=1) == everything[1:]
        assert await found(store, types=["stored_row.second", "\n"]) == everything[2:]
        assert await found(store, prefix="StoredRow-") == everything[::2]
        assert await found(store, types=["stored_row.first"], prefix="StoredRow-") == everything[:1]
        assert await found(store, types=[]) == []
        assert await found(store, prefix="a\n") == []
