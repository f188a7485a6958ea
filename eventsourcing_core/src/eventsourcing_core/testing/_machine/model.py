"""An event store as plain as can be, which says what a real one must answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from eventsourcing_core._errors import ConcurrencyError, DuplicateEventError
from eventsourcing_core._versions import ExpectedVersion
from eventsourcing_core.stores._event_store import AppendResult

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from eventsourcing_core._events.event import Event

Verdict = AppendResult | type[ConcurrencyError | DuplicateEventError] | None
"""The result of an earlier append that this one repeats, an error, or None: it is written."""


class Row(NamedTuple):
    """An event, and where it stands."""

    stream_id: str
    version: int
    position: int
    event: Event[object]


class Model:
    """The rows of all streams in one list; every answer is a search through it."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def stream(self, stream_id: str) -> list[Row]:
        """Give the rows of a stream."""
        return [row for row in self.rows if row.stream_id == stream_id]

    def verdict(
        self, stream_id: str, events: Sequence[Event[object]], expected: int | ExpectedVersion
    ) -> Verdict:
        """Say what becomes of an append."""
        stream = self.stream(stream_id)
        ids = [event.event_id for event in events]
        mine = [row for row in stream if row.event.event_id in ids]
        number = 0 if expected is ExpectedVersion.NO_STREAM else expected
        place = stream[number : number + len(ids)] if isinstance(number, int) else mine
        if [row.event.event_id for row in place] == ids:
            return AppendResult(place[-1].version, place[-1].position)
        missing = expected is ExpectedVersion.STREAM_EXISTS and not stream
        if missing or (isinstance(number, int) and number != len(stream)):
            return ConcurrencyError
        taken = {row.event.event_id for row in self.rows}
        if taken & set(ids) or len(set(ids)) < len(ids):
            return DuplicateEventError
        return None

    def write(self, stream_id: str, event: Event[object], position: int) -> None:
        """Add one event at the end of its stream and of everything."""
        self.rows.append(Row(stream_id, len(self.stream(stream_id)) + 1, position, event))

    def read(
        self, stream_id: str, first: int, last: int | None, limit: int | None, *, backward: bool
    ) -> list[Row]:
        """Give what reading a stream gives."""
        rows = [
            row
            for row in self.stream(stream_id)
            if first <= row.version and (last is None or row.version <= last)
        ]
        return (rows[::-1] if backward else rows)[:limit]

    def read_all(
        self,
        after: int,
        limit: int | None,
        types: Collection[str] | None,
        prefix: str | None,
        *,
        backward: bool,
    ) -> list[Row]:
        """Give what reading everything gives."""
        rows = [
            row
            for row in self.rows
            if row.position > after
            and (types is None or row.event.event_type in types)
            and row.stream_id.startswith(prefix or "")
        ]
        return (rows[::-1] if backward else rows)[:limit]
