"""Readers: what makes deliveries of rows."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from eventsourcing_core._errors import SerializationError, TransformError, said_of
from eventsourcing_core._projections._reading.delivery import Deliveries, Part
from eventsourcing_core._projections.sharing import Hashes, covers_all

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core._projections.definition import Definition
    from eventsourcing_core.stores._builds import Segment
    from eventsourcing_core.stores._rows import Row


class Reader:
    """Makes deliveries of rows, for the keys of a group.

    Args:
        definition: What tells the keys.
        codec: What decodes the events.
        segments: Those whose keys are wanted.
    """

    def __init__(
        self, definition: Definition, codec: EventCodec, segments: Sequence[Segment]
    ) -> None:
        self._codec = codec
        self._types = definition.event_types
        self._is_keyed_by_stream = definition.is_keyed_by_stream
        self._keys_of = definition.keys_of
        self._hashes = None if covers_all(segments) else Hashes(segments)

    def deliveries(self, rows: Sequence[Row]) -> Deliveries:
        """Give the deliveries of rows, in their order; those that concern nobody here left out."""
        hashes = self._hashes
        if not self._is_keyed_by_stream:
            return self._keyed(self._decoded(rows))
        if hashes is not None:
            rows = [row for row in rows if hashes.has(row[0])]  # what is not ours is not decoded
        return self._decoded(rows)

    def _decoded(self, rows: Sequence[Row]) -> Deliveries:
        upcasters = self._codec.event_types.upcasters
        if upcasters and any(row[3] in upcasters for row in rows):
            return self._one_by_one(rows)
        with suppress(SerializationError, TransformError):
            return Deliveries(rows, [*self._codec.decode(rows)], None, {}, {})
        return self._one_by_one(rows)

    def _one_by_one(self, rows: Sequence[Row]) -> Deliveries:
        """Decode rows of which some cannot be read, or are not of one event each."""
        upcasters = self._codec.event_types.upcasters
        kept: list[Row] = []
        events: list[RecordedEvent[Any] | None] = []
        errors: dict[int, str] = {}
        parts: dict[int, Sequence[Part]] = {}
        for row in rows:
            event: RecordedEvent[Any] | None = None
            try:
                found = [*self._codec.decode([row])]
            except (SerializationError, TransformError) as error:
                errors[row[2]] = said_of(error)
            else:
                if row[3] in upcasters:
                    made = parts[row[2]] = self._wanted(found, row[0])
                    found = [part.event for part in made]
                if not found:
                    continue
                event = found[0]
            kept.append(row)
            events.append(event)
        return Deliveries(kept, events, None, errors, parts)

    def _wanted(self, events: Sequence[RecordedEvent[Any]], stream_id: str) -> list[Part]:
        """Leave out what upcasters made beside the types that are wanted."""
        types = self._types
        return [
            Part(event, (stream_id,), place)
            for place, event in enumerate(events)
            if types is None or event.event_type in types
        ]

    def _keyed(self, found: Deliveries) -> Deliveries:
        """Tell the keys; where that fails, it stays the id of the stream, with no event.

        Its key may be one of this group also where its stream is not: so it is not left out.
        """
        rows: list[Row] = []
        events: list[RecordedEvent[Any] | None] = []
        told: list[Collection[str]] = []
        errors = dict(found.errors)
        parts: dict[int, Sequence[Part]] = {}
        for row, event, by_stream, _, made in found:
            keys, kept = by_stream, event
            try:
                if event is None:
                    keys = self._ours(keys)
                elif made:
                    ours = self._keyed_parts(made)
                    parts[row[2]] = ours
                    keys = [*dict.fromkeys(key for part in ours for key in part.keys)]
                    kept = ours[0].event if ours else event
                else:
                    keys = self._keys(event)
            except Exception as error:  # noqa: BLE001 - it is the user's function
                errors[row[2]], kept, keys = said_of(error), None, self._ours(by_stream)
            if keys or kept is None:
                rows.append(row)
                events.append(kept)
                told.append(keys)
        return Deliveries(rows, events, told, errors, parts)

    def _keyed_parts(self, made: Sequence[Part]) -> Sequence[Part]:
        keyed = [part._replace(keys=self._keys(part.event)) for part in made]
        return [part for part in keyed if part.keys]

    def _keys(self, event: RecordedEvent[Any]) -> Collection[str]:
        return self._ours(self._keys_of(event))

    def _ours(self, keys: Collection[str]) -> Collection[str]:
        hashes = self._hashes
        return keys if hashes is None else [key for key in keys if hashes.has(key)]
