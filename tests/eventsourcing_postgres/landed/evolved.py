"""What filled the stores in ``evolved``: events that changed, and what appends write beside them.

Events of names and fields that were given up, in two encodings and through a transformer; snapshots
that state a version; commands with an id; aggregates that were kept in memory; a view that is
inline, and on PostgreSQL a projection with a table. In a clone at the commit, with this folder in
it, and with an empty database at ``URL``::

    program=tests.eventsourcing_postgres.landed.evolved
    python -c "from $program import main; main('URL')" >COMMIT.txt

Then it is dumped as what ``program`` and ``following`` filled. Nothing here is renamed: snapshots
and builds are of classes of this module.
"""

from __future__ import annotations

import asyncio
import zlib
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from eventsourcing_core import (
    Aggregate,
    Event,
    EventTypes,
    Projection,
    RecordedEvent,
    View,
    WasNamed,
    event,
    open_backend,
    upcaster,
)

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    import asyncpg

    from eventsourcing_core import Backend, Repository

    Connection = asyncpg.Connection[asyncpg.Record]

SHELVES = ("json", "msgpack", "deflate")
SNAPSHOT_FREQUENCY = 4
PUT = 2
"""How much is put on a shelf by each command."""

before, types = EventTypes(), EventTypes()
"""What the events were once, and what they are."""


@event("landed.shelf_labelled", event_types=before)
class OldLabelled:
    label: str


@event("landed.pieces_put", event_types=before)
class OldPut:
    pieces: int


@event("landed.pieces_moved", event_types=before)
class OldMoved:
    pieces: int
    back: int


@event("landed.shelf_dusted", event_types=before)
class OldDusted:
    by: str


@event("landed.shelf_labelled", event_types=types)
class Labelled:
    name: Annotated[str, WasNamed("label")]


@event("landed.pieces_put.v3", event_types=types)
class Put:
    amount: Decimal
    unit: str = "piece"


@event("landed.pieces_taken", event_types=types)
class Taken:
    amount: Decimal


@upcaster("landed.pieces_put", to="landed.pieces_put.v2", event_types=types)
def as_amount(data: dict[str, Any]) -> dict[str, Any]:
    return {"amount": data["pieces"]}


@upcaster("landed.pieces_put.v2", to="landed.pieces_put.v3", event_types=types)
def as_text(data: dict[str, Any]) -> dict[str, Any]:
    return {"amount": str(data["amount"])}


@upcaster(
    "landed.pieces_moved", to=("landed.pieces_put.v3", "landed.pieces_taken"), event_types=types
)
def as_two(data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("landed.pieces_put.v3", {"amount": str(data["pieces"])}),
        ("landed.pieces_taken", {"amount": str(data["back"])}),
    ]


@upcaster("landed.shelf_dusted", to=(), event_types=types)
def as_none(data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    assert data == {"by": "Zoë"}
    return []


class Shelf(Aggregate):
    category = "landed_shelf"
    event_types = types
    state_version = 3
    ignores = ("landed.shelf_scented",)
    name: str = ""
    amount: Decimal = Decimal(0)

    def apply(self, event: Event[Labelled | Put | Taken]) -> None:
        match event.data:
            case Labelled(name):
                self.name = name
            case Put(amount):
                self.amount += amount
            case Taken(amount):
                self.amount -= amount

    def put(self, amount: int) -> None:
        self._record(Put(Decimal(amount)))


class Stored(View[Decimal]):
    name = "landed-stored"

    def evolve(self, value: Decimal | None, event: RecordedEvent[Put | Taken]) -> Decimal:
        change = event.data.amount if isinstance(event.data, Put) else -event.data.amount
        return (value or Decimal(0)) + change


class Journal(Projection["Connection"]):
    name = "landed-journal"

    async def create(self, connection: Connection) -> None:
        await connection.execute("create table journal (shelf text, amount numeric)")

    async def apply(self, event: RecordedEvent[Put], connection: Connection) -> None:
        await connection.execute(
            "insert into journal values ($1, $2)", event.stream_id, event.data.amount
        )


class Deflate:
    """A transformer, so that there is an encoding of two parts."""

    name = "deflate"

    def transform(self, data: bytes) -> bytes:
        return zlib.compress(data)

    def restore(self, data: bytes) -> bytes:
        return zlib.decompress(data)


def opened(url: str, name: str = "json") -> AbstractAsyncContextManager[Backend]:
    """Open a store with what is inline there, to write as the shelf of a name is written."""
    inline: list[View[Any] | Projection[Any]] = [Stored()]
    if url.startswith("postgresql"):
        inline.append(Journal())
    serializer = "json" if name == "deflate" else name
    transformers = [Deflate()] if name == "deflate" else []
    return open_backend(
        url, event_types=types, serializer=serializer, transformers=transformers, inline=inline
    )


def shelves_of(backend: Backend) -> Repository[Shelf]:
    """Give the repository that keeps them in memory."""
    return backend.repository(Shelf, cache=10, snapshot_frequency=SNAPSHOT_FREQUENCY)


async def put(backend: Backend, name: str, number: int) -> Shelf:
    """Put something on a shelf, by a command that has an id."""
    return await shelves_of(backend).update(
        name, lambda shelf: shelf.put(PUT), command_id=f"{name}-{number}"
    )


async def write(url: str) -> list[str]:
    """Fill an empty database; give what is read from it."""
    old = [OldLabelled("Zoë"), OldPut(10), OldMoved(5, 4), OldDusted("Zoë"), OldPut(1)]
    async with open_backend(url, migrate=True, event_types=before) as backend:
        for name in SHELVES:
            await backend.event_store.append(f"landed_shelf-{name}", old, expected_version=0)
    for name in SHELVES:
        async with opened(url, name) as backend:
            for number in range(3):
                await put(backend, name, number)
            scented = Event("landed.shelf_scented", {"by": name})
            await backend.event_store.append(f"landed_shelf-{name}", [scented], expected_version=8)
    async with opened(url, "deflate") as backend:
        return [repr(event) async for event in backend.event_store.read_all()]


def main(url: str) -> None:
    """Fill it, and print what is read, a line for each event."""
    print("\n".join(asyncio.run(write(url))))


async def shelves_go_on(backend: Backend, name: str) -> None:
    """Show that a shelf and what is inline are as in the dump, and count once what comes."""
    stored, shelves = backend.view(Stored), shelves_of(backend)
    stream_id = f"landed_shelf-{name}"
    shelf = await shelves.load(name)
    assert (shelf.name, shelf.amount, shelf.version) == ("Zoë", Decimal(12 + 3 * PUT), 9)
    assert await stored.get(stream_id) == 12 + 3 * PUT
    assert (await put(backend, name, 2)).version == 9  # it was done before
    assert (await put(backend, name, 3)).version == 10
    assert (await put(backend, name, 4)).amount == 12 + 5 * PUT
    assert await stored.get(stream_id) == 12 + 5 * PUT
