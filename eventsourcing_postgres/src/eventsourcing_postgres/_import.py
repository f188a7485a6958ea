"""Importing: appends to many streams in one transaction, all or none.

What there is to write is decided on one snapshot, by the rule of the core, before anything is
locked. The function ``append`` then checks each stream's version under its lock. If one has moved
in between, all is rolled back and decided anew, since what came may be these very events. Readers
of all streams are safe as with any append: the same function publishes the floor and draws the
positions.

Streams are locked in sorted order, as by every append, and an import that meets a held one soon
gives back those that it has, and tries again; so it neither keeps their other writers waiting nor
ends in a deadlock.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from eventsourcing_core import Place, StorageError
from eventsourcing_postgres._arguments import event_ids, import_arguments
from eventsourcing_postgres._errors import BusyStreamError, is_duplicate, is_held, is_passing
from eventsourcing_postgres._statements import statement

if TYPE_CHECKING:
    from eventsourcing_core import Import
    from eventsourcing_postgres._database import Connection, Database

_PATIENCE = "100ms"  # to wait for a held stream while holding others
_PAUSE = 0.05  # seconds until the next attempt
_MOVED = "import failed: its streams are appended to all the time: repeat it"


async def write_import(database: Database, imported: Import, *, max_wait: float) -> int:
    """Decide an import and insert its events; give their number.

    Args:
        database: Where to.
        imported: At least one event.
        max_wait: Seconds to try for, as long as others are at work on its streams.

    Raises:
        ConcurrencyError: An event is not the next one of its stream.
        DuplicateEventError: An event id stands elsewhere, or comes twice.
        StorageError: PostgreSQL failed, or a stream was held for all that time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + max_wait
    while True:
        try:
            return await database.use("import", _attempt, imported, database.schema)
        except StorageError as error:
            # An id that was not there a moment ago is found, and judged, by the next attempt.
            may_pass = is_held(error) or is_passing(error) or is_duplicate(error)
            if not may_pass or loop.time() >= deadline:
                raise
        await asyncio.sleep(_PAUSE)


async def _attempt(connection: Connection, imported: Import, schema: str) -> int:
    rows = await connection.fetch(
        statement("find_imported", schema),
        event_ids(each.event for each in imported.events),
        imported.stream_ids,
    )
    versions = {row[1]: row[2] for row in rows if row[0] is None}
    places = {row[0]: Place(row[1], row[2], row[3]) for row in rows if row[0] is not None}
    fresh = imported.settle(versions, places)
    if fresh:
        async with connection.transaction():
            sql = statement("append", schema)
            outcomes = await connection.fetch(sql, *import_arguments(fresh), _PATIENCE, False)  # noqa: FBT003 - SQL has no keywords here
            if any(position is None for _, position in outcomes):
                raise BusyStreamError(_MOVED)  # the block rolls back
    return len(fresh)
