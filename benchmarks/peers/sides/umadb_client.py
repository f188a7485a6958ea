"""UmaDB, through its Python client, which blocks.

Used as https://umadb.io/clients/python.html shows, from threads as it says: a tag for each stream,
and appends on the condition that nothing with this tag came since. All threads share one client,
which is faster than a client each. Left away because they would cost it time: ids of events, with
which repeated appends would be idempotent, as ours are.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from umadb import AppendCondition, Client, Event, IntegrityError, Query, QueryItem

from benchmarks.peers.payload import EVENT_TYPE, Deposit, values
from benchmarks.peers.side import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable

FILL = 10_000  # events in one append


class UmaDB:
    """A stream is what bears its tag; ``at`` is the position of its last event."""

    def __init__(self, url: str, connections: int) -> None:
        del connections  # the client multiplexes over one
        self._client = Client(url)

    def open(self) -> None:
        self._client.head()

    def close(self) -> None:
        self._client.close()

    def append(self, stream: UUID, at: int, count: int) -> int:
        tag = str(stream)
        condition = AppendCondition(Query([QueryItem(tags=[tag])]), at or None)
        try:
            return self._client.append(deposits(tag, count), condition)
        except IntegrityError as error:
            raise Conflict from error

    def last(self, stream: UUID) -> int:
        query = Query([QueryItem(tags=[str(stream)])])
        # To the end: a server on which many reads are left half way closes the connection.
        found = [*self._client.read(query, backwards=True, limit=1)]
        return found[0].position if found else 0

    def bulk(self, count: int) -> None:
        self.append(uuid4(), 0, count)

    def seed(self, count: int) -> str:
        key = uuid4()
        self.append(key, 0, count)
        return str(key)

    def load(self, key: str) -> int:
        balance = 0
        for found in self._client.read(Query([QueryItem(tags=[key])])):
            balance += decoded(found.event).amount
        return balance

    def fill(self, count: int) -> None:
        there = self._client.head() or 0
        for begin in range(there, count, FILL):
            events: list[Event] = []
            for _ in range(0, min(FILL, count - begin), 100):
                events += deposits(str(uuid4()), 100)
            self._client.append(events)

    def read_all(self, limit: int) -> int:
        seen = 0
        for found in self._client.read(limit=limit):
            decoded(found.event)
            seen += 1
        return seen

    def page(self, after: int, limit: int) -> tuple[int, int]:
        seen = 0
        for found in self._client.read(start=after + 1, limit=limit):
            decoded(found.event)
            seen += 1
            after = found.position
        return seen, after

    def end(self) -> int:
        return self._client.head() or 0

    def follow(self, count: int, ready: Callable[[], None]) -> list[int]:
        arrived: list[int] = []
        subscription = self._client.subscribe(after=self._client.head())
        ready()
        for _ in subscription:
            arrived.append(time.monotonic_ns())
            if len(arrived) == count:
                break
        subscription.cancel()
        return arrived


def deposits(tag: str, count: int) -> list[Event]:
    """Make that many events."""
    return [Event(EVENT_TYPE, json.dumps(values(1)).encode(), [tag]) for _ in range(count)]


def decoded(event: Event) -> Deposit:
    """Give the payload."""
    return Deposit(**json.loads(event.data))
