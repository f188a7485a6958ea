"""Rows that are imported as they are: what tools move from store to store."""

from __future__ import annotations

from typing import Any

import pytest

from eventsourcing_core import (
    ConcurrencyError,
    Event,
    EventCodec,
    InvalidStreamIdError,
    RecordedEvent,
    SerializationError,
    StorageEventStore,
    open_backend,
)
from eventsourcing_core.stores import Row

ROW = Row("a", 1, 1, "Opened", b'{"n":1}', None, "json", bytes(range(16)), 7)


async def events_of(store: StorageEventStore) -> list[RecordedEvent[Any]]:
    return [event async for event in store.read_all()]


async def test_rows_are_stored_as_their_events_would_be() -> None:
    rows = [
        ROW,
        ROW._replace(stream_id="b", event_id=bytes(16), metadata=b'{"by":"Alice"}'),
        ROW._replace(version=2, event_id=bytes([7] * 16)),
    ]
    events = [*EventCodec("json").decode(rows)]
    async with open_backend("memory://") as ours, open_backend("memory://") as other:
        assert await ours.event_store.import_rows(rows) == 3
        assert await other.event_store.import_events(events) == 3
        assert await events_of(ours.event_store) == await events_of(other.event_store)
        assert await ours.event_store.import_rows(rows) == 0
        assert await ours.event_store.import_rows([]) == 0


async def test_rows_must_fit_as_events_must() -> None:
    async with open_backend("memory://") as backend:
        store = backend.event_store
        await store.append("a", [Event("Other", {})], expected_version=0)
        with pytest.raises(ConcurrencyError):
            await store.import_rows([ROW])


@pytest.mark.parametrize(
    ("row", "error", "said"),
    [
        pytest.param(ROW._replace(stream_id=""), InvalidStreamIdError, "empty", id="stream"),
        pytest.param(ROW._replace(event_type="\n"), ValueError, "invalid event type", id="type"),
        pytest.param(ROW._replace(version=0), ValueError, "count from 1, got 0", id="version"),
        pytest.param(
            ROW._replace(encoding="msgpack"),
            ValueError,
            "writes 'json', and a row is 'msgpack'",
            id="encoding",
        ),
        pytest.param(
            ROW._replace(data=b" " * 99, metadata=b" "),
            SerializationError,
            "version 1 of stream 'a': .*takes 100 bytes, at most 99",
            id="size",
        ),
    ],
)
async def test_a_row_that_no_store_keeps_is_refused(
    row: Row, error: type[Exception], said: str
) -> None:
    async with open_backend("memory://", max_event_bytes=99) as backend:
        with pytest.raises(error, match=said):
            await backend.event_store.import_rows([ROW._replace(stream_id="b"), row])
        assert await events_of(backend.event_store) == []
