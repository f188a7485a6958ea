"""Writing many events in one transaction: a fixed number of statements, whatever their number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from eventsourcing_core.stores import Judge, Place
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, Verdict

_LOOK_UP = statement("look_up")
_SAVE_STREAM = statement("save_stream")
_INSERT_EVENT = statement("insert_event")


def write_appends(connection: sqlite3.Connection, appends: Sequence[Append]) -> Sequence[Verdict]:
    """Decide each append and insert the events of those that succeed; run in the thread.

    Args:
        connection: In a transaction that holds the write lock.
        appends: In this order.

    Returns:
        A verdict for each; a refused append leaves its neighbours alone.
    """
    judge = _informed_judge(connection, appends)
    verdicts = [judge.judge(append) for append in appends]

    if judge.rows:
        reached = {row[0]: row[1] for row in judge.rows}  # the last version of each stream
        connection.executemany(_SAVE_STREAM, reached.items())
        # The driver takes plain tuples in less time.
        connection.executemany(_INSERT_EVENT, map(tuple, judge.rows))
    return verdicts


def _informed_judge(connection: sqlite3.Connection, appends: Sequence[Append]) -> Judge:
    """Give the judge who knows what the file says of these appends."""
    writes = [write for append in appends for write in append.writes]
    stream_ids = list({write.stream_id for write in writes})
    event_ids = b"".join([event.event_id for write in writes for event in write.events])
    parameters = {
        "stream_ids": json.dumps(stream_ids, ensure_ascii=False),
        "event_ids": event_ids,
    }

    versions: dict[str, int] = {}
    places: dict[bytes, Place] = {}
    last_position = 0
    for event_id, stream_id, version, position in connection.execute(_LOOK_UP, parameters):
        if event_id is None:
            versions[stream_id] = version
            last_position = position
        else:
            places[event_id] = Place(stream_id, version, position)
    return Judge(versions, places, last_position)
