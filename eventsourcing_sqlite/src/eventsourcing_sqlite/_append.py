"""Writing many events in one transaction: a fixed number of statements, whatever their number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from eventsourcing_core import (
    Append,
    AppendResult,
    ConcurrencyError,
    DuplicateEventError,
    Place,
)
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import aiosqlite

    from eventsourcing_core import Import

_STREAM_VERSIONS = statement("stream_versions")
_EVENT_PLACES = statement("event_places")
_INSERT_EVENT = statement("insert_event")


async def write_appends(
    connection: aiosqlite.Connection, appends: Sequence[Append]
) -> list[AppendResult | Exception]:
    """Decide each append and insert the events of those that succeed.

    Args:
        connection: In a transaction that holds the write lock.
        appends: In this order.

    Returns:
        A verdict for each; a refused append leaves its neighbours alone.
    """
    stream_ids = {append.stream_id for append in appends}
    event_ids = [event.event_id for append in appends for event in append.events]
    batch = _Batch(*await _look_up(connection, stream_ids, event_ids))
    verdicts = [batch.settle(append) for append in appends]
    if batch.rows:
        await connection.executemany(_INSERT_EVENT, batch.rows)
    return verdicts


async def write_import(connection: aiosqlite.Connection, imported: Import) -> int:
    """Decide an import and insert its events; give their number.

    Args:
        connection: In a transaction that holds the write lock.
        imported: At least one event.

    Raises:
        ConcurrencyError: An event is not the next one of its stream.
        DuplicateEventError: An event id stands elsewhere.
    """
    versions, places, last_position = await _look_up(
        connection, imported.stream_ids, imported.event_ids
    )
    fresh = imported.settle(versions, places)
    rows = [
        (*event, stream_id, version, position)
        for position, (event, stream_id, version) in enumerate(fresh, start=last_position + 1)
    ]
    if rows:
        await connection.executemany(_INSERT_EVENT, rows)
    return len(rows)


class _Batch:
    """What the store holds, as far as a batch is concerned, and what the batch adds to it."""

    def __init__(
        self, versions: dict[str, int], places: dict[bytes, Place], last_position: int
    ) -> None:
        self._versions = versions
        self._places = places
        self._last_position = last_position
        self.rows: list[tuple[object, ...]] = []

    def settle(self, append: Append) -> AppendResult | Exception:
        version = self._versions[append.stream_id]
        try:
            return append.settle(version, self._places) or self._add(append, version)
        except (ConcurrencyError, DuplicateEventError) as verdict:
            return verdict

    def _add(self, append: Append, version: int) -> AppendResult:
        stream_id, position = append.stream_id, self._last_position
        for event in append.events:
            version += 1
            position += 1
            self.rows.append((*event, stream_id, version, position))
            # A neighbour may carry the same event id.
            self._places[event.event_id] = Place(stream_id, version, position)
        self._versions[stream_id] = version
        self._last_position = position
        return AppendResult(version, position)


async def _look_up(
    connection: aiosqlite.Connection, stream_ids: Iterable[str], event_ids: Iterable[bytes]
) -> tuple[dict[str, int], dict[bytes, Place], int]:
    """Give the streams' versions, the events' places, and the last position of the store."""
    wanted = json.dumps([*stream_ids], ensure_ascii=False)
    streams = await _fetch(connection, _STREAM_VERSIONS, stream_ids=wanted)
    places = await _fetch(connection, _EVENT_PLACES, event_ids=b"".join(event_ids))
    return (
        {stream_id: version for stream_id, version, _ in streams},
        {event_id: Place(*place) for event_id, *place in places},
        streams[0][2],
    )


async def _fetch(
    connection: aiosqlite.Connection, sql: str, **parameters: object
) -> list[tuple[Any, ...]]:
    # aiosqlite passes a list of tuples through, but promises less; and takes names, but says not.
    rows: object = await connection.execute_fetchall(sql, cast("Any", parameters))
    return cast("list[tuple[Any, ...]]", rows)
