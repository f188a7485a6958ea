"""Writing many events in one transaction: a fixed number of statements, whatever their number."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from eventsourcing_core.stores import Judge, OutageError, Place
from eventsourcing_sqlite._conditions import found_of
from eventsourcing_sqlite._statements import statement
from eventsourcing_sqlite._tags import TAGS, stored_tags

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from eventsourcing_core.stores import Append, Row, Verdict

_LOOK_UP = statement("look_up")
_SAVE_STREAM = statement("save_stream")
_INSERT_EVENT = statement("insert_event")
_INSERT_TAGGED_EVENT = statement("insert_tagged_event")
_INSERT_TAG = statement("insert_tag")

_without_tags: Callable[[Row], tuple[Any, ...]] = itemgetter(slice(TAGS))


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
    verdicts = [
        judge.judge(
            append, append.condition and found_of(connection, append.condition, last_position)
        )
        for append in appends
    ]

    if judge.rows:
        _insert(connection, judge.rows)
        last_position = judge.rows[-1].position
    return verdicts, last_position, judge.rows


def _insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    versions = {row[0]: row[1] for row in rows}  # the last version of each stream
    connection.executemany(_SAVE_STREAM, versions.items())
    tagged = [row for row in rows if row[TAGS]]
    if not tagged:
        # Without the last one: to hand the driver a None takes a twelfth of the time of a row.
        connection.executemany(_INSERT_EVENT, map(_without_tags, rows))
        return
    connection.executemany(
        _INSERT_TAGGED_EVENT,
        [(*_without_tags(row), stored_tags(row.tags) if row.tags else None) for row in rows],
    )
    places = sorted([(tag, row.position) for row in tagged for tag in row.tags or ()])
    connection.executemany(_INSERT_TAG, places)


def _informed_judge(connection: sqlite3.Connection, appends: Sequence[Append]) -> tuple[Judge, int]:
    """Give the judge who knows what the file says of these appends, and its last position."""
    writes = [write for append in appends for write in append.writes]
    stream_ids = {write.stream_id for write in writes}
    for append in appends:
        if append.requires:
            stream_ids.update(append.keys)
    event_ids = b"".join([event.event_id for write in writes for event in write.events])
    parameters = {
        "stream_ids": json.dumps([*stream_ids], ensure_ascii=False),
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
