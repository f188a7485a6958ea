"""PostgreSQL: messages that are delivered twice, beside those that are delivered once."""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING

from benchmarks._measure import Deposited, deposits, report, take_turns
from benchmarks.postgres import APPENDS, POOL, TASKS, together
from eventsourcing_core import Event, ExpectedVersion, open_backend
from tests.eventsourcing_postgres._databases import RUN, temporary_database
from tests.eventsourcing_postgres._server import running_server

if TYPE_CHECKING:
    from benchmarks._measure import Side
    from eventsourcing_core import EventStore

SHARE = 0.1
numbers = count(1)


class Deliveries:
    """Appends messages, each to a stream of its own, and some of them again.

    Args:
        store: Where to.
        share: How many of the appends repeat one that was confirmed, from 0 to 1.
    """

    def __init__(self, store: EventStore, share: float) -> None:
        self._store = store
        self._share = share
        self._chance = random.Random(7)  # noqa: S311 - it chooses what is repeated
        self._done: list[tuple[str, Event[Deposited]]] = []

    async def deliver(self) -> None:
        """Append one."""
        if self._done and self._chance.random() < self._share:
            stream_id, event = self._chance.choice(self._done)
        else:
            stream_id, event = f"message-{next(numbers)}", deposits(1)[0]
        await self._store.append(stream_id, [event], expected_version=ExpectedVersion.ANY)
        self._done.append((stream_id, event))


async def main(rounds: int = 7) -> None:
    """Measure in a database of its own; target: 0.7 of the rate without repetitions."""
    with running_server() as server, temporary_database(server, f"{RUN}_bench") as url:
        async with open_backend(
            url, serializer="msgpack", min_size=POOL, max_size=POOL, migrate=True
        ) as backend:
            store = backend.event_store
            sides: dict[str, Side] = {
                name: together(Deliveries(store, share).deliver, APPENDS, TASKS)
                for name, share in (("each once", 0.0), (f"{SHARE:.0%} again", SHARE))
            }
            report(
                f"{TASKS} tasks append messages with `ANY`, pool of {POOL}",
                await take_turns(sides, rounds),
                count=APPENDS,
                unit="messages",
            )
