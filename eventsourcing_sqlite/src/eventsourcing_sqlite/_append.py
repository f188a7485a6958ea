"""Writing many events in one transaction: a fixed number of statements, whatever their number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from eventsourcing_core.stores import Judge, OutageError, Place
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, Row, Verdict

_LOOK_UP = statement("look_up")
_SAVE_STREAM = statement("save_stream")
_INSERT_EVENT = statement("insert_event")


def write_appends(
    connection: sqlite3.Connection, appends: Sequence[Append], reached: int
) -> tuple[Sequence[Verdict], int]:
    """Do as ``write_rows`` does, and give no rows."""
    return write_rows(connection, appends, reached)[:2]


def write_rows(
    connection: sqlite3.Connection, appends: Sequence[Append], reached: int
) -> tuple[Sequence[Verdict], int, Sequence[Row]]:
    """Decide each append and insert the events of those that succeed; run in the thread.

    Args:
        connection: In a transaction that holds the write lock.
        appends: In this order.
        reached: A position that was given to an event, and committed.

    Returns:
        A verdict for each, the last position then, and what was written. A refused append leaves
        its neighbours alone.

    Raises:
        OutageError: The file does not go so far.
    """
    judge, last_position = _informed_judge(connection, appends)
    if last_position < reached:
        message = (
            f"the event store goes to position {last_position} only, and gave position {reached} "
            "before: an older state of it was restored while it was open; open it again, and make "
            "anew what was made from its events"
        )
        raise OutageError(message)
    verdicts = [judge.judge(append) for append in appends]

    if judge.rows:
        versions = {row[0]: row[1] for row in judge.rows}  # the last version of each stream
        connection.executemany(_SAVE_STREAM, versions.items())
        # The driver takes plain tuples in less time.
        connection.executemany(_INSERT_EVENT, [row[:9] for row in judge.rows])
        last_position = judge.rows[-1].position
    return verdicts, last_position, judge.rows


def _informed_judge(connection: sqlite3.Connection, appends: Sequence[Append]) -> tuple[Judge, int]:
    """Give the judge who knows what the file says of these appends, and its last position."""
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
    return Judge(versions, places, last_position), last_position
