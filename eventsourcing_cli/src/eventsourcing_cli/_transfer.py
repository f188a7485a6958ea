"""From a store to an archive, and from an archive to a store; both can be repeated to go on."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eventsourcing_cli._archive import (
    ArchiveError,
    PartialArchive,
    Selection,
    Summary,
    event_of,
    lines_in,
)
from eventsourcing_cli._lines import ENCODING, row_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from eventsourcing_core import EventStore, StorageEventStore
    from eventsourcing_core.stores import Row

_TELLS = 500  # events between two reports of how far it is
_MOST_EVENTS = 10_000  # of one transaction,
_MOST_BYTES = 4 * 1024 * 1024  # and of their lines
_PART = 250  # lines that are read before the one transaction that is under way gets its turn


async def export_events(
    store: EventStore,
    archive: PartialArchive,
    selection: Selection,
    *,
    after_position: int,
    on_position: Callable[[int], None],
) -> None:
    """Add the events of a store to an archive.

    Args:
        store: Where the events are.
        archive: Open, and not finished.
        selection: Which of them.
        after_position: What ``position_of`` gave.
        on_position: Told every so often how far it is.

    Raises:
        ArchiveError: JSON has no form for an event.
        EventSourcingError: The store cannot be read.
        OSError: The disk is full, or the like.
    """
    events = store.read_all(
        after_position=after_position,
        event_types=selection.event_types,
        stream_prefix=selection.stream_prefix,
    )
    async for event in events:
        archive.write(event)
        if archive.events % _TELLS == 0:
            on_position(event.position)


async def position_of(store: EventStore, archive: PartialArchive, selection: Selection) -> int:
    """Find where the store has the last event of an archive; 0 if there is none in it yet.

    The events up to there are read and compared: two stores may have that one, and others before.

    Args:
        store: Where the events are.
        archive: Open, and not finished.
        selection: Which of them.

    Raises:
        ArchiveError: The store does not have these events, in this order.
        EventSourcingError: The store cannot be read.
    """
    position = 0
    comparison = archive.comparing()
    events = store.read_all(
        limit=archive.events,
        event_types=selection.event_types,
        stream_prefix=selection.stream_prefix,
    )
    async for event in events:
        comparison.add(event)
        position = event.position
    if comparison.is_equal:
        return position
    message = f"{archive.partial} is of another store's events: delete it, or give that store's URL"
    raise ArchiveError(message)


async def last_position_of(store: EventStore) -> int:
    """Give the position of the last event in a store; 0 if there is none."""
    async for event in store.read_all(backward=True, limit=1):
        return event.position
    return 0


async def import_events(
    store: StorageEventStore, path: Path, summary: Summary, on_events: Callable[[int], None]
) -> int:
    """Write the events of an archive that was checked; those that are there are passed over.

    While a transaction is under way, the lines of the next one are read.

    Args:
        store: Where they go.
        path: The archive.
        summary: What ``checked`` gave for it.
        on_events: Told how many events each transaction took, as soon as it is committed.

    Returns:
        How many were written.

    Raises:
        ArchiveError: A line is no event, or the file is not the one that was checked.
        ConcurrencyError: A stream went on otherwise than in the archive.
        DuplicateEventError: An event is in the store, in another place.
        EventSourcingError: The store cannot write.
    """
    written = 0
    under_way: asyncio.Task[int] | None = None
    async with aclosing(_batches(path, summary, store)) as batches:
        try:
            async for batch in batches:
                if under_way is not None:
                    written += await under_way
                under_way = asyncio.create_task(_write(batch, store, path, on_events))
        finally:  # also where a line is no event: what came before it is written
            if under_way is not None:
                written += await under_way
    return written


@dataclass(slots=True)
class _Batch:
    """What one transaction takes.

    Args:
        rows: An empty list if the store can keep the bytes of lines as they are; else None.
    """

    rows: list[Row] | None
    """The lines as rows; None if they are not all known to be such."""
    lines: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    """Of the archive, each with its number."""
    size: int = 0
    """Bytes of the lines."""

    def add(self, number: int, line: bytes) -> None:
        """Add a line."""
        self.lines.append((number, line))
        self.size += len(line)
        if self.rows is not None:
            row = row_of(number, line)
            if row is None:
                self.rows = None
            else:
                self.rows.append(row)


async def _batches(
    path: Path, summary: Summary, store: StorageEventStore
) -> AsyncGenerator[_Batch, None]:
    def empty() -> _Batch:
        return _Batch([] if store.codec.encoding == ENCODING else None)

    batch = empty()
    for number, line in lines_in(path, summary):
        if batch.lines and (
            len(batch.lines) == _MOST_EVENTS or batch.size + len(line) > _MOST_BYTES
        ):
            yield batch
            batch = empty()
        batch.add(number, line)
        if number % _PART == 0:
            await asyncio.sleep(0)  # what is under way gets its turn
    if batch.lines:
        yield batch


async def _write(
    batch: _Batch, store: StorageEventStore, path: Path, on_events: Callable[[int], None]
) -> int:
    if batch.rows is not None:
        count = await store.import_rows(batch.rows)
    else:
        events = [event_of(line, number, path) for number, line in batch.lines]
        count = await store.import_events(events)
    on_events(len(batch.lines))
    return count
