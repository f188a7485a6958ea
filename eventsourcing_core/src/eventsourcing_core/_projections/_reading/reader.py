"""Readers: what tells to which keys rows belong."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from eventsourcing_core._errors import SerializationError, TransformError, said_of
from eventsourcing_core._projections._reading.delivery import Deliveries, Part
from eventsourcing_core._projections.sharing import Hashes, covers_all
from eventsourcing_core.stores._rows import Columns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core._projections.definition import Definition
    from eventsourcing_core.stores._builds import Segment
    from eventsourcing_core.stores._rows import Row


class Reader:
    """Makes deliveries of rows, for the keys of a group.

    Args:
        definition: What tells the keys.
        codec: What decodes the events, for who has keys of its own.
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
        """Give the deliveries of rows, in their order; those that concern nobody here left out.

        Events are only made for keys of its own, or to see what upcasters make of them, and are
        gone at once: what is read ahead is kept as it is stored.
        """
        if isinstance(rows, Columns):  # as tuples, which the collector of garbage passes over
            rows = cast("Sequence[Row]", [*rows.values()])
        upcasters, hashes = self._codec.event_types.upcasters, self._hashes
        if self._is_keyed_by_stream and hashes is not None:
            rows = [row for row in rows if hashes.has(row[0])]
        is_upcast = upcasters and any(row[3] in upcasters for row in rows)
        if self._is_keyed_by_stream and not is_upcast:
            return Deliveries(rows, None, {}, {})
        return self._keyed(rows)

    def _keyed(self, rows: Sequence[Row]) -> Deliveries:
        """Tell the keys; where that fails, it stays the id of the stream, with an error.

        Its key may be one of this group also where its stream is not: so it is not left out.
        """
        kept: list[Row] = []
        told: list[Collection[str]] = []
        errors: dict[int, str] = {}
        parts: dict[int, Sequence[Part]] = {}
        upcasters = self._codec.event_types.upcasters
        for row, made in self._made(rows):
            error = made if isinstance(made, str) else ""
            keys: Collection[str] = ()
            try:
                if isinstance(made, str):
                    pass
                elif row[3] in upcasters:
                    parts[row[2]] = ours = self._parts(made)
                    keys = dict.fromkeys(key for part in ours for key in part.keys)
                else:
                    keys = self._ours(self._keys_of(made[0]))
            except Exception as failure:  # noqa: BLE001 - it is the user's function
                error = said_of(failure)
            if error:
                errors[row[2]], keys = error, self._ours((row[0],))
            if keys or error:
                kept.append(row)
                told.append(keys)
        return Deliveries(kept, told, errors, parts)

    def _made(
        self, rows: Sequence[Row]
    ) -> Iterator[tuple[Row, Sequence[RecordedEvent[Any]] | str]]:
        """Give the events of each row; or why it cannot be read."""
        upcasters = self._codec.event_types.upcasters
        done = 0
        if not upcasters or not any(row[3] in upcasters for row in rows):
            with suppress(SerializationError, TransformError):
                for row, event in zip(rows, self._codec.decode(rows), strict=True):
                    yield row, (event,)
                    done += 1
        for row in rows[done:]:  # from the first one on that cannot be read
            try:
                made: Sequence[RecordedEvent[Any]] | str = [*self._codec.decode([row])]
            except (SerializationError, TransformError) as error:
                made = said_of(error)
            yield row, made

    def _parts(self, made: Sequence[RecordedEvent[Any]]) -> Sequence[Part]:
        """Leave out what upcasters made beside the types that are wanted, and what is of others."""
        types = self._types
        keyed = [
            Part(place, self._ours(self._keys_of(event)))
            for place, event in enumerate(made)
            if types is None or event.event_type in types
        ]
        return [part for part in keyed if part.keys]

    def _ours(self, keys: Collection[str]) -> Collection[str]:
        hashes = self._hashes
        return keys if hashes is None else [key for key in keys if hashes.has(key)]
