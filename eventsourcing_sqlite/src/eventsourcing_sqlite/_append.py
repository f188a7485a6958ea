"""Writing many appends in one transaction: a fixed number of statements, whatever their number."""

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
    from collections.abc import Sequence

    import aiosqlite

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
    batch = await _look_up(connection, appends)
    verdicts = [batch.settle(append) for append in appends]
    if batch.rows:
        await connection.executemany(_INSERT_EVENT, batch.rows)
    return verdicts


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


async def _look_up(connection: aiosqlite.Connection, appends: Sequence[Append]) -> _Batch:
    stream_ids = list({append.stream_id for append in appends})
    streams = await _fetch(
        connection, _STREAM_VERSIONS, stream_ids=json.dumps(stream_ids, ensure_ascii=False)
    )
    event_ids = b"".join([event.event_id for append in appends for event in append.events])
    places = await _fetch(connection, _EVENT_PLACES, event_ids=event_ids)
    return _Batch(
        versions={stream_id: version for stream_id, version, _ in streams},
        places={event_id: Place(*place) for event_id, *place in places},
        last_position=streams[0][2],
    )


async def _fetch(
    connection: aiosqlite.Connection, sql: str, **parameters: object
) -> list[tuple[Any, ...]]:
    # aiosqlite passes a list of tuples through, but promises less; and takes names, but says not.
    rows: object = await connection.execute_fetchall(sql, cast("Any", parameters))
    return cast("list[tuple[Any, ...]]", rows)
