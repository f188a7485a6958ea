"""Segments in the file of a build: how far it is, and who may go on with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from eventsourcing_core import Checkpoint
from eventsourcing_core.stores import FencedError, Progress, Segment
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence

    from eventsourcing_core.stores import Build, Move

SEGMENTS = statement("projections/segments")
_SAVE = statement("projections/save_segment")
_MOVE = statement("projections/move_segment")
_REWIND = statement("projections/rewind")
_UNPARK_ALL = ("DELETE FROM eventsourcing_parked_keys", "DELETE FROM eventsourcing_parked_events")


def segments_of(rows: Iterable[tuple[Any, ...]]) -> list[Segment]:
    """Give the segments that rows say."""
    return [
        Segment(low, high, Progress(position, _checkpoint(*checkpoint)), epoch)
        for low, high, position, *checkpoint, epoch in rows
    ]


def read_segments(connection: sqlite3.Connection) -> list[Segment]:
    """Read all; run in the thread."""
    return segments_of(connection.execute(SEGMENTS))


def save_segments(connection: sqlite3.Connection, segments: Sequence[Segment]) -> None:
    """Keep these in place of all that are there; run in the thread."""
    connection.execute("DELETE FROM eventsourcing_segments")
    connection.executemany(_SAVE, map(_row, segments))


def replace_segments(
    connection: sqlite3.Connection,
    change: Callable[[Sequence[Segment]], Sequence[Segment] | None],
) -> bool:
    """Change segments; run in the thread.

    Args:
        connection: In a transaction.
        change: Gives what is to be in place of those that are there; None: leave them.

    Returns:
        Whether it gave any.
    """
    there = read_segments(connection)
    changed = change(there)
    if changed is not None and changed != there:
        save_segments(connection, changed)
    return changed is not None


def raise_epochs(connection: sqlite3.Connection) -> list[Segment]:
    """Fence whoever has a segment, and give how far they are; run in the thread."""
    connection.execute("UPDATE eventsourcing_segments SET epoch = epoch + 1")
    return read_segments(connection)


def rewind(connection: sqlite3.Connection, to: Progress) -> None:
    """Set all to a progress, fence whoever has one, and unpark all keys; run in the thread."""
    connection.execute(_REWIND, _target(to))
    unpark_all(connection)


def unpark_all(connection: sqlite3.Connection) -> None:
    """Let no key be parked any more; run in the thread."""
    for delete in _UNPARK_ALL:
        connection.execute(delete)


def move_segments(connection: sqlite3.Connection, build: Build, move: Move) -> None:
    """Move segments; run in the thread.

    Raises:
        FencedError: One is not where it is said to be, or somebody has taken it.
    """
    target = _target(move.to)
    rows = [
        {
            "low": segment.low,
            "high": segment.high,
            "position": segment.progress.position,
            "epoch": segment.epoch,
            **target,
        }
        for segment in move.segments
    ]
    moved = connection.executemany(_MOVE, rows).rowcount
    if moved != len(rows):
        message = (
            f"{len(rows) - max(moved, 0)} of {len(rows)} segments of {build}, have been moved or "
            "taken by somebody else: nothing was written"
        )
        raise FencedError(message)


def _target(to: Progress) -> dict[str, object]:
    position, event_id = _columns(to.checkpoint)
    return {
        "to_position": to.position,
        "to_checkpoint_position": position,
        "to_checkpoint_event_id": event_id,
    }


def _row(segment: Segment) -> tuple[object, ...]:
    low, high, progress, epoch = segment
    return low, high, progress.position, *_columns(progress.checkpoint), epoch


def _columns(checkpoint: Checkpoint | None) -> tuple[int | None, bytes | None]:
    if checkpoint is None:
        return None, None
    return checkpoint.position, checkpoint.event_id.bytes


def _checkpoint(position: int | None, event_id: bytes | None) -> Checkpoint | None:
    if position is None or event_id is None:
        return None
    return Checkpoint(position, UUID(bytes=event_id))
