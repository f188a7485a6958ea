"""What the file holds about a condition, looked up in the transaction that writes.

There is one writer at a time, and this is asked once he holds the lock. So what is found is all
that there is, until his own commit.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

from eventsourcing_core.stores import Found, Row
from eventsourcing_sqlite._pages import as_row
from eventsourcing_sqlite._statements import statement
from eventsourcing_sqlite._tags import parameters_of, with_tags

if TYPE_CHECKING:
    import sqlite3

    from eventsourcing_core.stores import Condition

_STANDING_MATCHES = statement("standing_matches")
_EVENT_ID_AT = statement("event_id_at")

_ENOUGH = 101  # that were not read: see Found
_FIRST_STRETCH = 1_000  # positions; the next one is four times as long


def found_of(connection: sqlite3.Connection, condition: Condition, last_position: int) -> Found:
    """Look up what a condition is about; run in the thread.

    Args:
        connection: In a transaction that holds the write lock.
        condition: The condition.
        last_position: The highest position that was ever given.
    """
    return Found(
        _standing(connection, condition, last_position),
        last_position,
        _witness(connection, condition),
    )


def _standing(
    connection: sqlite3.Connection, condition: Condition, last_position: int
) -> list[Row]:
    """Find what matches above the horizon; nearly always that is the end, and nothing is asked.

    Behind an old horizon there may be very many. A refusal gives the first ones only, so they are
    looked for in stretches until there are enough.
    """
    parameters = parameters_of(condition.items) if condition.horizon < last_position else {}
    rows: list[Row] = []
    most = _ENOUGH + len(condition.seen)
    first, stretch = condition.horizon + 1, _FIRST_STRETCH
    while first <= last_position and len(rows) < most:
        bounds = {"first": first, "last": first + stretch - 1, "rows": most - len(rows)}
        found = connection.execute(_STANDING_MATCHES, {**parameters, **bounds}).fetchall()
        rows += map(as_row, repeat(Row), with_tags(found))
        first += stretch
        stretch *= 4
    return rows


def _witness(connection: sqlite3.Connection, condition: Condition) -> bytes | None:
    if condition.witness is None:
        return None
    position = {"position": condition.witness.position}
    ids = connection.execute(_EVENT_ID_AT, position).fetchall()
    return ids[0][0] if ids else None
