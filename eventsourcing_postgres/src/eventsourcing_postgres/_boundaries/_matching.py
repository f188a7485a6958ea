"""Reading what a decision rests on: all events that match, and how far that is all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core.stores import Matched, Witness
from eventsourcing_postgres._boundaries._arguments import item_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import QueryItem
    from eventsourcing_postgres._database import Database


async def matching(database: Database, items: Sequence[QueryItem]) -> Matched:
    """Give all that matches, by one round trip; see ``Storage.matching``."""
    found = await database.rows("read_matching", "matching", *item_texts(items), 0)
    about = found.pop(0)
    at: int | None = about.timestamp
    witness = None if at is None else Witness(at, about.event_id)
    return Matched(about.position, found, witness)
