"""From a store to an archive, and from an archive to a store; both can be repeated to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_cli._archive import ArchiveError, PartialArchive, Selection, Summary, events_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from eventsourcing_core import EventStore, RecordedEvent

_TELLS = 500  # events between two reports of how far it is
_MOST_EVENTS = 1000  # of one transaction,
_MOST_BYTES = 1024 * 1024  # and of their lines


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
    store: EventStore, path: Path, summary: Summary, on_events: Callable[[int], None]
) -> int:
    """Write the events of an archive that was checked; those that are there are passed over.

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
    for batch in _batches(path, summary):
        written += await store.import_events(batch)
        on_events(len(batch))
    return written


def _batches(path: Path, summary: Summary) -> Iterator[list[RecordedEvent[object]]]:
    batch: list[RecordedEvent[object]] = []
    size = 0
    for event, length in events_in(path, summary):
        if batch and (len(batch) == _MOST_EVENTS or size + length > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += length
    if batch:
        yield batch
