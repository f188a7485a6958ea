"""Writing imports: events of many streams that bring their own versions, all or none.

What there is to write is decided on one snapshot, by the rule of the core, before anything is
locked. The function ``append`` then checks each stream's version under its lock. If one has moved
in between, all is rolled back and decided anew, since what came may be these very events. An import
that follows one of new events only is taken for another such: nobody looks before it fails. Readers
of all streams are safe as with any append: the same function publishes the floor and draws the
positions.

Streams are locked in sorted order, as by every append, and an import that meets a held one soon
gives back those that it has. So it neither keeps their other writers waiting nor ends in a
deadlock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core import EventSourcingError
from eventsourcing_core.stores import Written
from eventsourcing_postgres._arguments import import_arguments
from eventsourcing_postgres._batches import call_append
from eventsourcing_postgres._boundaries._together import write_placed
from eventsourcing_postgres._connections import transacted
from eventsourcing_postgres._errors import moved
from eventsourcing_postgres._standing import look_up
from eventsourcing_postgres._statements import LARGEST_INTEGER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, Placed, Verdict
    from eventsourcing_postgres._pool import Connection
    from eventsourcing_postgres._standbys import Standbys
    from eventsourcing_postgres._terms import Terms


def doing_of(append: Append) -> str:
    """Say what an append is, for messages."""
    return "append" if append.imported is None else "import"


async def write_import(
    connection: Connection,
    append: Append,
    schema: str,
    standbys: Standbys,
    terms: Terms,
) -> Verdict:
    """Decide an import and insert its events.

    Args:
        connection: Where to.
        append: The import.
        schema: The schema of the store.
        standbys: Told whether commits wait for one.
        terms: See ``Terms``.

    Raises:
        StreamHeldError: A stream has moved since it was looked at, or was not looked at and is not
            where the import goes on.
        UniqueViolationError: An import that was trusted has an id that is there.
    """
    placed = _all_new(append) if terms.is_trusted else None
    if placed is None:
        settled = (await look_up(connection, [append], schema, standbys)).settle(append)
        if not isinstance(settled, list):
            return settled
        placed = settled

    async with transacted(connection):
        if not await _is_written(connection, append, placed, schema, standbys, terms):
            raise moved(doing_of(append))  # the block rolls back
    return Written((), len(placed))


async def _is_written(  # noqa: PLR0913 - as above, and what was decided
    connection: Connection,
    append: Append,
    placed: Sequence[Placed],
    schema: str,
    standbys: Standbys,
    terms: Terms,
) -> bool:
    """Write what was decided; tell whether it was, or a stream has moved."""
    if any(event.tags for _, _, event in placed):
        return await write_placed(connection, append, placed, schema, standbys, terms)
    outcomes = await call_append(connection, import_arguments(placed), schema, terms)
    standbys.are_awaited = outcomes[0][2]
    return all(position is not None for _, position, _ in outcomes)


def _all_new(append: Append) -> list[Placed] | None:
    """Give what an import writes if each stream is where its first event goes on.

    The server compares the versions, and refuses an id that is there. None: it is empty, or fits no
    store.
    """
    versions = {
        append.writes[write].stream_id: version - 1
        for write, _, version in reversed(append.imported or ())
    }
    if max(versions.values(), default=0) >= LARGEST_INTEGER:
        return None
    try:
        settled = append.settle(versions, {}) if versions else None
    except EventSourcingError:
        return None
    return settled if isinstance(settled, list) else None
