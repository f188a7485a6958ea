"""Rows of the registry, as the values of the port."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from eventsourcing_core import Checkpoint
from eventsourcing_core.stores import (
    Arrangement,
    Build,
    BuildRecord,
    BuildSpec,
    BuildState,
    ParkedKey,
    Progress,
    ProjectionKind,
    Segment,
    Wish,
    Worker,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def record_of(row: Sequence[Any]) -> BuildRecord:
    """Give what is stored of a build; further columns are let be."""
    name, version, kind, class_name, indexes, state, is_paused, is_switching = row[:8]
    event_types = None if row[10] is None else tuple(row[10])
    build = Build(name, version)
    spec = BuildSpec(build, ProjectionKind(kind), class_name, tuple(indexes), event_types)
    return BuildRecord(
        spec,
        BuildState(state),
        is_paused=is_paused,
        is_switching=is_switching,
        wanted_segments=row[8],
        inline_from=row[9],
    )


def arrangement_of(row: Any) -> Arrangement:
    """Give an arrangement."""
    found: list[list[Any]] = json.loads(row["segments"])
    workers: list[list[Any]] = json.loads(row["workers"] or "[]")
    return Arrangement(
        record_of(tuple(row)),
        tuple(_segment_of(*columns) for *columns, _ in found),
        {columns[0]: columns[-1] for columns in found if columns[-1] is not None},
        tuple(Worker(*columns) for columns in workers),
    )


def _segment_of(  # noqa: PLR0913 - the columns of the table
    low: int,
    high: int,
    position: int,
    event_position: int | None,
    event_id: str | None,
    epoch: int,
) -> Segment:
    checkpoint = None
    if event_position is not None and event_id is not None:
        checkpoint = Checkpoint(event_position, UUID(event_id))
    return Segment(low, high, Progress(position, checkpoint), epoch)


def progress_columns(progress: Progress) -> tuple[int, int | None, UUID | None]:
    """Give the columns of a progress."""
    checkpoint = progress.checkpoint
    if checkpoint is None:
        return progress.position, None, None
    return progress.position, checkpoint.position, checkpoint.event_id


def segment_columns(segments: Iterable[Segment]) -> list[list[Any]]:
    """Give segments as the arrays of their columns, for ``write_segments.sql``."""
    rows = [
        (segment.low, segment.high, *progress_columns(segment.progress), segment.epoch)
        for segment in segments
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def parked_key_of(row: Sequence[Any]) -> ParkedKey:
    """Give a parked key."""
    key, hash_, positions, waiting, attempts, error, is_due, wish, is_given_up = row
    return ParkedKey(
        key,
        hash_,
        tuple(positions),
        waiting=waiting,
        attempts=attempts,
        error=error,
        is_due=is_due,
        wish=None if wish is None else Wish(wish),
        is_given_up=is_given_up,
    )


def storable(text: str) -> str:
    """Give a message as PostgreSQL can hold it: without NUL, and halves of surrogate pairs."""
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\0")
