"""Keys that are parked, in the file of a build; all of it is run in the thread."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from eventsourcing_core.stores import ParkedKey, Wish, hash_of
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

PARKED = statement("projections/parked")
DUE = statement("projections/due")
COUNT_PARKED = statement("projections/count_parked")
_PARK_KEY = statement("projections/park_key")
_PARK_EVENT = statement("projections/park_event")
_FAIL_AGAIN = statement("projections/fail_again")
_UNPARK_EVENTS = statement("projections/unpark_events")
_UNPARK_KEY = statement("projections/unpark_key")
_BEGIN_AGAIN = statement("projections/begin_again")
_WISH = statement("projections/wish")


def parked_keys(rows: Iterable[tuple[Any, ...]]) -> list[ParkedKey]:
    """Give the keys that rows say."""
    return [
        ParkedKey(
            key,
            hash_,
            tuple(cast("list[int]", json.loads(positions))),
            waiting,
            attempts,
            error,
            bool(is_due),
            None if wish is None else Wish(wish),
            bool(is_given_up),
        )
        for key, hash_, positions, waiting, attempts, error, is_due, wish, is_given_up in rows
    ]


def park(
    connection: sqlite3.Connection,
    key: str,
    positions: Sequence[int],
    error: str,
    retry_in: float | None,
) -> None:
    """See ``Batch.park``."""
    row = {"key": key, "hash": hash_of(key), "error": error, "retry_in": retry_in}
    connection.execute(_PARK_KEY, row)
    connection.executemany(_PARK_EVENT, [(key, position) for position in positions])


def fail_again(
    connection: sqlite3.Connection, key: str, error: str, retry_in: float | None
) -> None:
    """See ``Batch.fail_again``."""
    connection.execute(_FAIL_AGAIN, {"key": key, "error": error, "retry_in": retry_in})


def unpark(connection: sqlite3.Connection, key: str, to_position: int) -> None:
    """See ``Batch.unpark``."""
    connection.execute(_UNPARK_EVENTS, {"key": key, "to_position": to_position})
    connection.execute(_UNPARK_KEY, {"key": key})
    connection.execute(_BEGIN_AGAIN, {"key": key})


def set_wish(connection: sqlite3.Connection, wish: Wish, key: str | None) -> int:
    """See ``ProjectionStore.wish``."""
    return connection.execute(_WISH, {"wish": wish.value, "key": key}).rowcount
