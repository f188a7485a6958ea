"""What a process of one build does: only calls that every build has, so that builds compare.

It imports nothing of the benchmarks: the environment that it runs in belongs to another checkout.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
import time
from itertools import count
from typing import TYPE_CHECKING, Any

from eventsourcing_core import Aggregate, Event, EventCodec, event, open_backend

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from eventsourcing_core import Backend

TASKS, APPENDS, ALONE, EVENTS, ALL = 64, 6_400, 1_000, 10_000, 100_000
RACERS, UPDATES = 16, 640
TEN, ENCODED = 10, 1_000  # events of an append, and appends
numbers = count(1)


@event("build.deposited")
class Deposited:
    """A typed event of about 100 bytes."""

    owner: str
    amount: int
    currency: str
    memo: str


class Account(Aggregate):
    """Rebuilt from deposits."""

    balance: int = 0

    def deposit(self) -> None:
        """Record a deposit."""
        self._record(Deposited("Alice Example", 1, "EUR", "a memo of some length"))

    def apply(self, event: Event[Deposited]) -> None:
        """Add."""
        match event.data:
            case Deposited(amount=amount):
                self.balance += amount


def deposits(number: int) -> list[Event[Deposited]]:
    """Make that many events."""
    return [
        Event.of(Deposited("Alice Example", 1, "EUR", "a memo of some length"))
        for _ in range(number)
    ]


async def append(backend: Backend, tasks: int, appends: int, events: int = 1) -> None:
    """Append one event or a few to new streams."""

    async def one_task() -> None:
        for _ in range(appends // tasks):
            stream_id = f"s-{next(numbers)}"
            await backend.event_store.append(stream_id, deposits(events), expected_version=0)

    await asyncio.gather(*(one_task() for _ in range(tasks)))


async def append_many(backend: Backend) -> None:
    """Append many events at once."""
    await backend.event_store.append(f"m-{next(numbers)}", deposits(EVENTS), expected_version=0)


async def encode() -> None:
    """Make events and encode appends of them, with no store."""
    codec = EventCodec("msgpack")
    for number in range(ENCODED):
        codec.encode_append(f"e-{number}", deposits(TEN), 0)


async def load(backend: Backend) -> None:
    """Load an aggregate, three times."""
    accounts = backend.repository(Account, snapshot_frequency=None)
    if not (await accounts.load("1")).version:
        await backend.event_store.append("Account-1", deposits(EVENTS), expected_version=0)
    for _ in range(3):
        await accounts.load("1")


async def update(backend: Backend) -> None:
    """Update one new aggregate by several tasks, and see that all of it is there.

    It is kept in memory where the build can do that.
    """
    options: dict[str, Any] = {"cache": 1000}
    if "cache" not in inspect.signature(backend.repository).parameters:
        options = {}
    accounts = backend.repository(Account, **options)
    account_id = f"u-{next(numbers)}"

    async def one_task() -> None:
        for _ in range(UPDATES // RACERS):
            await accounts.update(account_id, Account.deposit, attempts=10_000)

    await asyncio.gather(*(one_task() for _ in range(RACERS)))
    balance = (await accounts.load(account_id)).balance
    if balance != UPDATES:
        message = f"{UPDATES} updates have succeeded, {balance} are there"
        raise RuntimeError(message)


async def read_all(backend: Backend) -> None:
    """Read all events."""
    seen = 0
    async for _ in backend.event_store.read_all():
        seen += 1
    while seen < ALL:
        await append_many(backend)
        seen += EVENTS


async def main(url: str) -> None:
    """Do what is asked for, line by line, until there are no more lines."""
    options: dict[str, Any] = {"migrate": True} if url.startswith("postgresql") else {}
    async with open_backend(url, serializer="msgpack", **options) as backend:
        acts: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "append by 64 tasks": lambda: append(backend, TASKS, APPENDS),
            "append 10 by 64 tasks": lambda: append(backend, TASKS, APPENDS // 4, TEN),
            "encode 10": encode,
            "append by one task": lambda: append(backend, 1, ALONE),
            "append 10,000": lambda: append_many(backend),
            "load 10,000": lambda: load(backend),
            "update by 16 tasks": lambda: update(backend),
            "read_all": lambda: read_all(backend),
        }
        for line in sys.stdin:
            act = json.loads(line)
            # What only computes is told by processor time, which neighbours disturb less.
            clock = time.process_time if act.startswith("encode") else time.perf_counter
            begin = clock()
            await acts[act]()
            print(clock() - begin, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
