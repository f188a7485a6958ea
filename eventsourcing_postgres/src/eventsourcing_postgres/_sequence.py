"""The sequence that positions are drawn from, and whether it goes with the events.

Readers go on after the highest position that they have seen. A sequence that is behind the events
gives lower ones again: to new events, which such a reader never sees. It falls behind where events
come without it: on a logical replica, which copies rows only, and after restoring the tables alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core import SchemaError
from eventsourcing_postgres._statements import in_schema, statement

if TYPE_CHECKING:
    from eventsourcing_postgres._pool import Connection

_CATCH_UP = (
    "select setval('{schema_text}.events_position', (select max(position) from {schema}.events))"
)
_MEND = (
    "alter sequence {schema}.events_position as bigint increment by 1 minvalue 1 no maxvalue "
    "cache 1 no cycle"
)
_BEHIND = (
    "the sequence of the schema {schema_name!r} is behind its events: it has come to {drawn}, and "
    "there is an event at {highest}. The tables were restored or copied without it, as a logical "
    "replica is. New events would get positions that readers have passed. Stop whoever appends, "
    "and run: "
)
_WRONG = (
    "the sequence events_position of the schema {schema_name!r} is not as migrate has made it, so "
    "positions would not rise by 1 from event to event; run: "
)


async def check_sequence(connection: Connection, schema: str) -> None:
    """Refuse a sequence that would not give each new event a position above all others.

    Raises:
        SchemaError: It says the statement that mends it.
    """
    ((is_right, drawn, highest),) = await connection.fetch(statement("sequence", schema))
    if not is_right:
        raise SchemaError(_WRONG.format(schema_name=schema) + in_schema(_MEND, schema))
    if drawn is not None and highest > drawn:
        said = _BEHIND.format(schema_name=schema, drawn=drawn, highest=highest)
        raise SchemaError(said + in_schema(_CATCH_UP, schema))
