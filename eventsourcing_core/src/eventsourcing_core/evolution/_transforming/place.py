"""How far a new store is: its own last event says so, so that nothing else has to be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core._encoding.all_streams import Reading
from eventsourcing_core.evolution._transforming.form import forms_of, original_version
from eventsourcing_core.evolution._transforming.report import TransformationError
from eventsourcing_core.stores._rows import RowQuery

if TYPE_CHECKING:
    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core.stores._rows import Row


async def position_of(target: StorageEventStore, source: StorageEventStore) -> int:
    """Give the position in the source of what the target has last; 0 if it has nothing.

    Whatever is made of one stored event is written in one piece, and in the order of the source. So
    all before it is there, and nothing after it.

    Raises:
        TransformationError: The target's last event was not made of one in the source.
        StorageError: A store cannot be read.
    """
    last = await _last_row(target)
    if last is None:
        return 0
    try:
        found = [*target.codec.decode((last,))]
    except ValueError as error:
        raise _other_events(last, str(error)) from error
    if [event.event_type for event in found] != [last.event_type]:
        raise _other_events(last, f"upcasters lead on from {last.event_type!r}")

    version = original_version(found[0])
    position = 0
    async for origin in source.read(last.stream_id, from_version=version, limit=1):
        position = origin.position
    row = await _row_at(source, position) if position else None
    if row is None:
        raise _other_events(last, f"the source has nothing that is read at version {version}")
    made = [(event.raw_event_id, event.event_type) for event in forms_of(row, 0, source.codec)]
    if made[-1:] != [(last.event_id, last.event_type)]:
        raise _other_events(last, f"of version {version} in the source another one is made")
    return position


async def _last_row(store: StorageEventStore) -> Row | None:
    async for page in store.pages(Reading(0, RowQuery(), backward=True, limit=1)):
        for row in page.rows:
            return row
    return None


async def _row_at(store: StorageEventStore, position: int) -> Row | None:
    async for page in store.pages(Reading(position - 1, RowQuery(), limit=1)):
        for row in page.rows:
            return row if row.position == position else None
    return None


def _other_events(last: Row, reason: str) -> TransformationError:
    message = (
        f"the target ends with version {last.version} of stream {last.stream_id!r} (position "
        f"{last.position}), which these upcasters have not made of the source's events: {reason}; "
        "give a new store as the target, and the code that it was begun with"
    )
    return TransformationError(message)
