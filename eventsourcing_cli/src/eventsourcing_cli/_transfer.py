"""From a store to an archive, and from an archive to a store; both can be repeated to go on."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING

from eventsourcing_cli._archive import (
    ArchiveError,
    PartialArchive,
    Selection,
    Summary,
    event_of,
    line_of,
    lines_in,
)
from eventsourcing_cli._lines import ENCODING, lines_of, rows_of
from eventsourcing_core.evolution import stored_rows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from eventsourcing_core import EventStore, RecordedEvent, StorageEventStore
    from eventsourcing_core.stores import Row

_ROWS = 500  # of a store, that are made lines at once
_MOST_EVENTS = 10_000  # of one transaction,
_MOST_BYTES = 4 * 1024 * 1024  # and of their lines


async def export_events(
    store: StorageEventStore,
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
    async with aclosing(_lines(store, selection, after_position)) as pages:
        async for lines, position in pages:
            archive.write_lines(lines)
            on_position(position)


async def position_of(
    store: StorageEventStore, archive: PartialArchive, selection: Selection
) -> int:
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
    async with aclosing(_lines(store, selection, 0, archive.events)) as pages:
        async for lines, at in pages:
            comparison.add(lines)
            position = at
    if comparison.is_equal:
        return position
    message = f"{archive.partial} is of another store's events: delete it, or give that store's URL"
    raise ArchiveError(message)


async def _lines(
    store: StorageEventStore, selection: Selection, after_position: int, limit: int | None = None
) -> AsyncGenerator[tuple[bytes, int], None]:
    """Give events of a store as lines, many at once, and each time the position of the last one."""
    if limit == 0:
        return
    pages = stored_rows(
        store,
        after_position=after_position,
        event_types=selection.event_types,
        stream_prefix=selection.stream_prefix,
    )
    left = limit
    async with aclosing(pages):
        async for page in pages:
            for begin in range(0, len(page), _ROWS):
                rows = page[begin : begin + _ROWS][:left]
                lines = lines_of(rows)
                if lines is None:
                    lines = b"".join(map(line_of, store.codec.decode(rows)))
                yield lines, rows[-1].position
                left = None if left is None else left - len(rows)
                if left == 0:
                    return


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
    blocks: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    """The lines, many at once, each time with the number of the first one."""
    count: int = 0
    """The number of lines."""
    size: int = 0
    """Their bytes."""

    def add(self, number: int, lines: bytes) -> None:
        """Add lines."""
        self.blocks.append((number, lines))
        self.count += lines.count(b"\n")
        self.size += len(lines)
        if self.rows is not None:
            rows = rows_of(number, lines)
            if rows is None:
                self.rows = None
            else:
                self.rows += rows

    def events(self, path: Path) -> list[RecordedEvent[object]]:
        """Make the events of the lines.

        Raises:
            ArchiveError: A line is no event.
        """
        return [
            event_of(line, number, path)
            for first, lines in self.blocks
            for number, line in enumerate(BytesIO(lines), first)
        ]


async def _batches(
    path: Path, summary: Summary, store: StorageEventStore
) -> AsyncGenerator[_Batch, None]:
    def empty() -> _Batch:
        return _Batch([] if store.codec.encoding == ENCODING else None)

    batch = empty()
    for number, lines in lines_in(path, summary):
        if batch.blocks and (batch.count >= _MOST_EVENTS or batch.size + len(lines) > _MOST_BYTES):
            yield batch
            batch = empty()
        batch.add(number, lines)
        await asyncio.sleep(0)  # what is under way gets its turn
    if batch.blocks:
        yield batch


async def _write(
    batch: _Batch, store: StorageEventStore, path: Path, on_events: Callable[[int], None]
) -> int:
    if batch.rows is not None:
        count = await store.import_rows(batch.rows)
    else:
        count = await store.import_events(batch.events(path))
    on_events(batch.count)
    return count
