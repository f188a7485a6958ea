"""What the chapters about storages write and read without the front."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from eventsourcing_core._versions import ExpectedVersion
from eventsourcing_core.stores._append import Append, Write
from eventsourcing_core.stores._rows import EncodedEvent, Row, RowQuery, Span
from eventsourcing_core.testing._samples import COUNTED

if TYPE_CHECKING:
    from eventsourcing_core.stores._rows import RowPage
    from eventsourcing_core.stores._storage import Parts, Storage

EVERYTHING = RowQuery()
"""No filter."""


def storage_of(parts: Parts) -> Storage:
    """Give the storage of a backend."""
    if parts.storage is None:
        pytest.fail("the backend has no storage: give one in its Parts")
    return parts.storage


def encoded(number: int, event_type: str = COUNTED) -> EncodedEvent:
    """Make an event as a storage gets it, with a number and an id of its own."""
    return EncodedEvent(
        event_type, b'{"number":%d}' % number, None, "json", uuid4().bytes, 1_700_000_000_000_000
    )


def append_to(
    stream_id: str,
    *events: EncodedEvent,
    expected: int | ExpectedVersion = ExpectedVersion.ANY,
) -> Append:
    """Make an append to one stream."""
    size = sum(len(event.data) + len(event.metadata or b"") for event in events)
    return Append((Write(stream_id, events, expected),), size)


async def rows_of(storage: Storage, stream_id: str, span: Span | None = None) -> list[Row]:
    """Read the rows of a stream."""
    pages = storage.rows(stream_id, Span() if span is None else span)
    return [row async for page in pages for row in page]


async def pages_of(
    storage: Storage,
    after: int = 0,
    query: RowQuery = EVERYTHING,
    *,
    backward: bool = False,
    limit: int | None = None,
) -> list[RowPage]:
    """Read all streams, and give the pages."""
    pages = storage.rows_of_all(after, query, backward=backward, limit=limit)
    return [page async for page in pages]
