"""What stands in the store already of appends that may be repetitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from eventsourcing_core import EventSourcingError
from eventsourcing_core.stores import Place
from eventsourcing_postgres._arguments import uuids
from eventsourcing_postgres._statements import statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, Placed, Verdict
    from eventsourcing_postgres._pool import Connection
    from eventsourcing_postgres._standbys import Standbys


class Standing(NamedTuple):
    """What the store holds of some appends, at one moment."""

    versions: dict[str, int]
    """The versions of those of their streams that are there."""
    places: dict[bytes, Place]
    """Where those of their events stand whose ids are there."""

    def knows(self, append: Append) -> bool:
        """Tell whether the id of any of its events is there."""
        return not self.places.keys().isdisjoint(append.event_ids)

    def settle(self, append: Append) -> Verdict | list[Placed]:
        """Decide an append of any kind; give what is to be written."""
        try:
            return append.settle(self.versions, self.places)
        except EventSourcingError as error:
            return error


async def look_up(
    connection: Connection, appends: Sequence[Append], schema: str, standbys: Standbys
) -> Standing:
    """Look up what the store holds of appends, by one statement."""
    rows = await connection.fetch(
        statement("find_standing", schema),
        uuids(event_id for append in appends for event_id in append.event_ids),
        [key for append in appends for key in append.keys],
    )
    events = [row for row in rows if row[0] is not None]
    if events:
        standbys.are_awaited = events[0][4]
    return Standing(
        versions={row[1]: row[2] for row in rows if row[0] is None},
        places={row[0]: Place(row[1], row[2], row[3]) for row in events},
    )
