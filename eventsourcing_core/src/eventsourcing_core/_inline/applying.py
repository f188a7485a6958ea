"""Applying events to a view or a projection in the transaction that has written them.

Projectors park what fails. Here nothing may wait: an append whose event fails is not kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsourcing_core._errors import InlineError, OutageError, said_of
from eventsourcing_core._projections._reading.decoding import decoded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core._projections.definition import Definition
    from eventsourcing_core._projections.sharing import Hashes
    from eventsourcing_core._projections.values import ValueCodec
    from eventsourcing_core.stores._builds import Build
    from eventsourcing_core.stores._inline import InlineBatch
    from eventsourcing_core.stores._rows import Row

    _Places = dict[int, list[int]]
    """By position, which of the events that upcasters make of a row; see ``decoded``."""


async def apply_events(
    definition: Definition,
    rows: Sequence[Row],
    codec: EventCodec,
    batch: InlineBatch,
    hashes: Hashes | None = None,
) -> None:
    """Apply events to a build.

    Each key of each build gets events of its own: a handler may change one, or keep what it holds.

    Args:
        definition: The view or projection.
        rows: The events, by position; those of other types are left out.
        codec: What decodes them.
        batch: What the build is written with.
        hashes: Those of the keys that are wanted; None: all.

    Raises:
        InlineError: An event cannot be applied; the cause says why.
        SerializationError: A row cannot be read.
        TransformError: A transformer failed.
        StorageError: What the batch raised.
    """
    by_key: dict[str, _Places] = {}
    wanted: _Places = {}
    for position, place, told in _keyed(definition, rows, codec):
        keys = told if hashes is None else [key for key in told if hashes.has(key)]
        for places in (*(by_key.setdefault(key, {}) for key in keys), *([wanted] if keys else ())):
            places.setdefault(position, []).append(place)

    at = {row[2]: row for row in rows}

    def events_of(places: _Places) -> Sequence[RecordedEvent[Any]]:
        return [*decoded(codec, [at[position] for position in places], places)]

    if wanted and definition.values is not None:
        events_by_key = {key: events_of(places) for key, places in by_key.items()}
        await _evolve(definition, definition.values, events_by_key, batch)
    elif wanted:
        await _write(definition, events_of(wanted), batch)


def _keyed(
    definition: Definition, rows: Sequence[Row], codec: EventCodec
) -> Iterator[tuple[int, int, Collection[str]]]:
    """Give the keys of each event that is wanted, by its position and its place there.

    Raises:
        InlineError: A key cannot be told.
    """
    types, upcasters = definition.event_types, codec.event_types.upcasters
    if definition.is_keyed_by_stream and not any(row[3] in upcasters for row in rows):
        for row in rows:  # that can be told as it is stored
            if types is None or row[3] in types:
                yield row[2], 0, (row[0],)
        return
    position = place = 0
    for event in codec.decode(rows):
        place = place + 1 if event.position == position else 0
        position = event.position
        if types is None or event.event_type in types:
            try:
                keys = definition.keys_of(event)
            except Exception as error:
                raise _failed(definition.build, event, error) from error
            yield position, place, keys


async def _evolve(
    definition: Definition,
    codec: ValueCodec[Any],
    by_key: Mapping[str, Sequence[RecordedEvent[Any]]],
    batch: InlineBatch,
) -> None:
    """Read the values of a view, evolve them, and write those that have changed."""
    view: Any = definition.follower
    stored = await batch.values(sorted(by_key))
    changed: dict[str, str | None] = {}
    for key in sorted(by_key):
        text = stored.get(key)
        event = by_key[key][0]
        try:
            value = None if text is None else codec.decode(text)
            for event in by_key[key]:
                value = view.evolve(value, event)
            new = None if value is None else codec.encode(value)
        except Exception as error:
            raise _failed(definition.build, event, error) from error
        if new != text:
            changed[key] = new
    if changed:
        await batch.put(changed)


async def _write(
    definition: Definition, events: Sequence[RecordedEvent[Any]], batch: InlineBatch
) -> None:
    """Let a projection write its tables."""
    projection: Any = definition.follower
    try:
        await projection.apply_many(events, batch.connection)
    except OutageError:
        raise
    except Exception as error:
        raise _failed(definition.build, events[0], error) from error


def _failed(build: Build, event: RecordedEvent[Any], error: Exception) -> InlineError:
    return InlineError(
        f"append refused, nothing was written: {build}, is inline and cannot apply event "
        f"{event.event_type!r}, version {event.version} of stream {event.stream_id!r} "
        f"({said_of(error)}): mend the cause, or let it follow with "
        "backend.projections.make_async(…)"
    )
