"""The program that filled the stores which are kept here, one for each commit that landed.

``<commit>.sql`` is a dump of the database, ``<commit>.txt`` is what that commit read from it. In a
clone at that commit, with this folder in it, and with an empty database at ``URL``::

    program=tests.eventsourcing_postgres.landed.program
    python -c "from $program import main; main('URL')" >COMMIT.txt
    pg_dump --inserts --no-owner --no-privileges --schema=eventsourcing URL >COMMIT.sql

The dump is made with the server and the pg_dump of version 16, so that later ones take it too, and
without the lines that only psql understands (they begin with a backslash). Neither file is edited
afterwards, and nothing here is renamed: a snapshot is of a class of this module.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from eventsourcing_core import (
    Aggregate,
    Event,
    EventSourcingError,
    ExpectedVersion,
    RecordedEvent,
    event,
    open_backend,
    recording_metadata,
)

if TYPE_CHECKING:
    from eventsourcing_core import Backend

NOON = datetime(2026, 11, 29, 12, 0, 0, 123456, tzinfo=UTC)
SNAPSHOT_FREQUENCY = 4


@event("landed.opened")
class Opened:
    owner: str


@event("landed.deposited")
class Deposited:
    amount: Decimal


class Account(Aggregate):
    owner: str = ""
    balance: Decimal = Decimal(0)

    def apply(self, event: Event[Opened | Deposited]) -> None:
        match event.data:
            case Opened(owner):
                self.owner = owner
            case Deposited(amount):
                self.balance += amount

    def open(self, owner: str) -> None:
        self._record(Opened(owner))

    def deposit(self, amount: Decimal) -> None:
        self._record(Deposited(amount))


async def fill(backend: Backend, name: str, first: int) -> None:
    """Write streams that have a name in their ids, with event ids from a number on."""
    store = backend.event_store
    values: dict[str, object] = {
        "text": "Zoë \0 漢 🎉 ' \\ $$",
        "bytes": b"\x00\xff",
        "id": UUID(int=7),
        "time": NOON,
        "date": date(2026, 2, 28),
        "span": timedelta(days=-1, microseconds=1),
        "amount": Decimal("1.10"),
        "numbers": [0, -1, 2**53 + 1, 0.1, float("inf"), float("nan")],
        "nothing": None,
        "$uuid": {"$$": True},
    }
    events = [
        Event(
            "Valued",
            {key: value},
            event_id=UUID(int=first + number),
            timestamp=NOON,
            metadata=facts,
        )
        for number, (key, value) in enumerate(values.items())
        for facts in [{"user": "ann", key: value} if number % 2 else None]
    ]
    await store.append(f"values-{name}", events[:1], expected_version=0)
    await store.append(f"values-{name}", events[1:], expected_version=1)
    await store.append(f"values-{name}", events[1:], expected_version=1)  # a repetition
    await refused(backend, f"other-{name}", events[0])
    oldest = datetime(1, 1, 1, tzinfo=UTC)
    latest = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    await asyncio.gather(
        *(
            store.append(
                f"shared-{name}-{number}",
                [
                    Event("Shared", {"n": number}, timestamp=time),
                    Event("Shared", {}, timestamp=NOON),
                ],
                expected_version=ExpectedVersion.ANY,
            )
            for number, time in enumerate([oldest, latest, NOON])
        )
    )

    accounts = backend.repository(Account, snapshot_frequency=SNAPSHOT_FREQUENCY)
    with recording_metadata(user="ann"):
        account = await accounts.load(name)
        account.open(f"Zoë {name}")
        await accounts.save(account)
        for cents in range(1, 7):
            account.deposit(Decimal(cents) / 100)
            await accounts.save(account)


async def refused(backend: Backend, stream_id: str, known: Event[object]) -> None:
    """Append an event whose id stands in another stream: its position stays a hole."""
    try:
        await backend.event_store.append(stream_id, [known], expected_version=0)
    except EventSourcingError:
        return
    raise AssertionError(stream_id)


async def bring(backend: Backend, name: str, first: int) -> None:
    """Import streams that another store recorded, one of them in two parts."""
    recorded = [
        RecordedEvent(
            "Brought",
            {"n": number},
            stream_id=f"brought-{name}-{number % 2}",
            version=number // 2 + 1,
            position=10 * number + 1,
            event_id=UUID(int=first + number),
            timestamp=NOON,
            metadata={"from": "elsewhere"},
        )
        for number in range(6)
    ]
    await backend.event_store.import_events(recorded[:4])
    await backend.event_store.import_events(recorded)


async def write(url: str) -> list[str]:
    """Fill an empty database; give what is read from it."""
    async with open_backend(url, migrate=True) as backend:
        await fill(backend, "json", 1000)
        await bring(backend, "json", 2000)
    async with open_backend(url, serializer="msgpack") as backend:
        await fill(backend, "msgpack", 3000)
        await bring(backend, "msgpack", 4000)
        await backend.event_store.append(  # both encodings in one stream
            "values-json", [Event("Valued", {"last": True}, timestamp=NOON)], expected_version=10
        )
        return [repr(event) async for event in backend.event_store.read_all()]


def main(url: str) -> None:
    """Fill it, and print what is read, a line for each event."""
    print("\n".join(asyncio.run(write(url))))
