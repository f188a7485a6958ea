"""The in-memory store: appending single events, and loading an aggregate of 10,000."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgpack

from benchmarks._measure import Deposited, Purse, deposits, report, take_turns
from benchmarks.peers.payload import values
from eventsourcing_core import Repository
from eventsourcing_inmemory import InMemoryEventStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks._measure import Side

APPENDS = 20_000
EVENTS = 10_000


async def main(rounds: int = 7) -> None:
    """Measure; targets: 50,000 events/s, loads under 100 ms with JSON and 60 ms with msgpack."""
    sides: dict[str, Side] = {name: appending(name) for name in ("json", "msgpack")}
    seconds = await take_turns(sides, rounds)
    report("Append one event to each of many streams", seconds, count=APPENDS, unit="events")

    sides = {"json.loads and the dataclass": bare(json.dumps, json.loads)}
    sides["msgpack.unpackb and the dataclass"] = bare(msgpack.packb, msgpack.unpackb)
    for name in ("json", "msgpack"):
        sides[f"Repository.load, {name}"] = await loading(name)
    seconds = await take_turns(sides, rounds)
    report("Load an aggregate of 10,000 typed events", seconds, count=EVENTS, unit="events")


def appending(serializer: str) -> Side:
    """Make events and append them, one by one, to as many streams."""

    async def run() -> None:
        store = InMemoryEventStore(serializer=serializer)
        for number in range(APPENDS):
            await store.append(f"account-{number}", deposits(1), expected_version=0)

    return run


def bare(dumps: Callable[[object], Any], loads: Callable[[Any], Any]) -> Side:
    """Decode as many payloads as the aggregate has, and build them."""
    rows = [dumps(values(n)) for n in range(EVENTS)]

    async def run() -> None:
        for row in rows:
            Deposited(**loads(row))

    return run


async def loading(serializer: str) -> Side:
    """Load the aggregate."""
    store = InMemoryEventStore(serializer=serializer)
    await store.append("Purse-1", deposits(EVENTS), expected_version=0)
    repository = Repository(store, Purse)

    async def run() -> None:
        account = await repository.load("1")
        if account.version != EVENTS:
            raise AssertionError(account.version)

    return run
