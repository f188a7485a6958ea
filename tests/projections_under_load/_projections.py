"""What follows in these tests: a view and a projection, in two versions, and a reactor.

The versions are classes of the same name, as they are when somebody changes one.
"""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - the library reads the annotations
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

import aiosqlite

from eventsourcing_core import Projection, RecordedEvent, View
from tests.projections_under_load._events import Moved, key_of, keys_of

if TYPE_CHECKING:
    from collections.abc import Iterable

SERIAL = {
    True: "integer primary key autoincrement",
    False: "bigint generated always as identity primary key",
}
TABLES = (
    """create table entry (
        serial {serial}, build integer not null,
        event_id text not null, key text not null, position bigint not null
    )""",
    "create table applied (event_id text primary key, count integer not null)",
)
ENTER = "insert into entry (build, event_id, key, position) values ($1, $2, $3, $4)"
COUNT = """
insert into applied values ($1, 1)
on conflict (event_id) do update set count = applied.count + 1
"""


@dataclass(frozen=True, slots=True)
class Count:
    """What a key of the view has seen."""

    build: int
    """The version that made it."""
    events: int
    """How many."""
    last: int
    """The position of the last one."""
    digest: int
    """Of all, in their order."""


def counted(value: Count | None, event: RecordedEvent[Moved], build: int) -> Count:
    """Give the value after an event."""
    value = value or Count(build, 0, 0, 0)
    digest = crc32(f"{value.digest} {event.event_id} {event.data.amount}".encode())
    return Count(build, value.events + 1, event.position, digest)


def counts_of(events: Iterable[RecordedEvent[Moved]], build: int) -> dict[str, Count]:
    """Give the view that a plain loop makes."""
    values: dict[str, Count] = {}
    for event in events:
        for key in keys_of(event):
            values[key] = counted(values.get(key), event, build)
    return values


def view_of(number: int) -> type[View[Count]]:
    """Give a version of the view."""

    class Tally(View[Count]):
        name = "tally"
        class_name = "Tally"
        version = number

        def key(self, event: RecordedEvent[Moved]) -> list[str]:
            return keys_of(event)

        def evolve(self, value: Count | None, event: RecordedEvent[Moved]) -> Count:
            return counted(value, event, number)

    return Tally


async def execute(connection: Any, sql: str, *values: object) -> None:
    """Run a statement of either database."""
    if isinstance(connection, aiosqlite.Connection):
        await connection.execute(sql.replace("$", "?"), values)
    else:
        await connection.execute(sql, *values)


async def execute_many(connection: Any, sql: str, values: Sequence[tuple[object, ...]]) -> None:
    """Run a statement many times."""
    if isinstance(connection, aiosqlite.Connection):
        sql = sql.replace("$", "?")
    await connection.executemany(sql, values)


async def make_tables(connection: Any) -> None:
    """Make the tables of the ledger."""
    serial = SERIAL[isinstance(connection, aiosqlite.Connection)]
    for table in TABLES:
        await execute(connection, table.format(serial=serial))


async def enter(connection: Any, event: RecordedEvent[Moved], build: int) -> None:
    """Note in the ledger that an event was applied, and count how often."""
    id_ = str(event.event_id)
    await execute(connection, ENTER, build, id_, key_of(event), event.position)
    await execute(connection, COUNT, id_)


def ledger_of(number: int) -> type[Projection[Any]]:
    """Give a version of the ledger: the first takes event by event, the others many at once."""
    return _first_ledger() if number == 1 else _later_ledger(number)


def _first_ledger() -> type[Projection[Any]]:
    class Ledger(Projection[Any]):
        name = "ledger"
        class_name = "Ledger"

        def key(self, event: RecordedEvent[Moved]) -> str:
            return key_of(event)

        async def create(self, connection: Any) -> None:
            await make_tables(connection)

        async def apply(self, event: RecordedEvent[Moved], connection: Any) -> None:
            await enter(connection, event, 1)

    return Ledger


def _later_ledger(number: int) -> type[Projection[Any]]:
    class Ledger(Projection[Any]):
        name = "ledger"
        class_name = "Ledger"
        version = number

        def key(self, event: RecordedEvent[Moved]) -> str:
            return key_of(event)

        async def create(self, connection: Any) -> None:
            await make_tables(connection)

        async def apply_many(self, events: Sequence[RecordedEvent[Moved]], connection: Any) -> None:
            entries = [(number, str(e.event_id), key_of(e), e.position) for e in events]
            await execute_many(connection, ENTER, entries)
            await execute_many(connection, COUNT, [(id_,) for _, id_, _, _ in entries])

    return Ledger
