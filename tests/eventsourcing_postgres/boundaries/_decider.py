"""A process that decides and writes at random: ``python -m … URL NAME SECONDS TASKS BROKEN``.

It says that it is ready, waits for a line, and says in the end what was refused. ``BROKEN`` says
how the library is broken first, or what to decide by: then the oracle must find what is wrong.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress
from random import Random, choice
from typing import TYPE_CHECKING, Any

import asyncpg

from eventsourcing_core import (
    BoundaryError,
    ConcurrencyError,
    Event,
    EventSourcingError,
    ExpectedVersion,
    ToStream,
)
from eventsourcing_postgres import PostgresEventStore
from eventsourcing_postgres._boundaries import _arguments, _locks
from eventsourcing_postgres._storage import PostgresStorage
from tests.eventsourcing_postgres.boundaries._decisions import query_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core import Marker, Transaction
    from eventsourcing_core.stores import Matched, QueryItem
    from tests.eventsourcing_postgres.boundaries._decisions import Part

    Pool = asyncpg.Pool[asyncpg.Record]

COURSES, STUDENTS, TYPES = 4, 6, 3  # of each season
SEASON = 0.5  # seconds, after which others come: what a decider has read stays short
TRIES = 3  # of a decision that is refused


class UndoneError(Exception):
    """Ends a transaction that is not to be kept."""


class Decider:
    """Writes in every way there is, and keeps what was refused."""

    def __init__(self, store: PostgresEventStore, pool: Pool, name: str) -> None:
        self._store = store
        self._pool = pool
        self._name = name
        self._random = Random(name)  # noqa: S311 - no secret
        self._count = 0
        self.refused: list[tuple[list[Part], list[int], list[int]]] = []
        """Of each refused decision its query, what was read, and what the refusal gave."""
        self.ways: set[str] = set()
        """What it has done."""

    async def work(self, seconds: float) -> None:
        """Do one thing after the other for some time."""
        ways = {
            self._write: 10,
            self._write_slowly: 8,
            self._decide: 40,
            self._decide_at_once: 8,
            self._decide_in_a_transaction: 8,
        }
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            (way,) = self._random.choices([*ways], [*ways.values()])
            with suppress(ConcurrencyError):
                await way()
            self.ways.add(way.__name__)

    async def _write(self) -> None:
        events = [self._event({}) for _ in range(self._random.randint(1, 3))]
        await self._store.append(self._stream(), events, expected_version=ExpectedVersion.ANY)

    async def _write_slowly(self) -> None:
        """Write in a transaction that is committed, or not, or of which a savepoint is not."""
        end = self._random.choice(("commit", "roll back", "savepoint"))
        with suppress(UndoneError):
            async with self._pool.acquire() as connection, connection.transaction():
                if end == "savepoint":
                    with suppress(UndoneError):
                        async with connection.transaction():
                            await self._append(connection)
                            await self._delay()
                            raise UndoneError
                await self._append(connection)
                await self._delay()
                if end == "roll back":
                    raise UndoneError

    async def _append(self, connection: Any) -> None:
        await self._store.append(
            f"{self._name}-slow-{self._next()}",
            [self._event({})],
            expected_version=ExpectedVersion.ANY,
            connection=connection,
        )

    async def _decide(self) -> None:
        await self._insist(self._parts())

    async def _decide_at_once(self) -> None:
        """Let several rest on the same, so that they judge each other."""
        parts = self._parts()
        await asyncio.gather(*(self._insist(parts) for _ in range(self._random.randint(2, 5))))

    async def _decide_in_a_transaction(self) -> None:
        parts = self._parts()
        events, marker = await self._store.read_matching(query_of(parts))
        read = [event.position for event in events]
        with suppress(UndoneError):
            async with self._store.transaction() as transaction:
                try:
                    await self._together(transaction, parts, read, marker)
                except BoundaryError as error:
                    self._note(parts, read, error)
                await self._delay()
                if self._random.random() < 0.3:
                    raise UndoneError

    async def _insist(self, parts: list[Part]) -> None:
        """Decide, and if it is refused, read what was missed and decide again."""
        events, marker = await self._store.read_matching(query_of(parts))
        read = [event.position for event in events]
        for _ in range(TRIES):
            if self._random.random() < 0.3:
                await asyncio.sleep(self._random.uniform(0, 0.01))
            try:
                await self._together(self._store, parts, read, marker)
            except BoundaryError as error:
                self._note(parts, read, error)
                read = [*read, *(event.position for event in error.events)]
                marker = error.marker
            else:
                return

    def _note(self, parts: list[Part], read: list[int], error: BoundaryError) -> None:
        self.refused.append((parts, read, [event.position for event in error.events]))

    async def _together(
        self,
        store: PostgresEventStore | Transaction,
        parts: list[Part],
        read: list[int],
        marker: Marker,
    ) -> None:
        said = {
            "decision": f"{self._name}-{self._next()}",
            "parts": [[*part] for part in parts],
            "read": read,
        }
        streams = [self._stream() for _ in range(self._random.choice((1, 1, 1, 2, 3)))]
        await store.append_together(
            [
                ToStream(
                    stream,
                    [self._event(said) for _ in range(self._random.choice((1, 1, 2)))],
                    expected_version=ExpectedVersion.ANY,
                )
                for stream in {*streams}
            ],
            unless_changed=marker,
        )

    def _event(self, data: dict[str, Any]) -> Event[dict[str, Any]]:
        season = int(time.time() / SEASON)
        tags = {f"course:{season}-{self._random.randrange(COURSES)}"}
        if self._random.random() < 0.6:
            tags.add(f"student:{season}-{self._random.randrange(STUDENTS)}")
        if self._random.random() < 0.2:
            tags = set()
        return Event(f"oracle.{season}-{self._random.randrange(TYPES)}", data, tags=tags)

    def _parts(self) -> list[Part]:
        season = int(time.time() / SEASON)
        course = f"course:{season}-{self._random.randrange(COURSES)}"
        student = f"student:{season}-{self._random.randrange(STUDENTS)}"
        kind = f"oracle.{season}-{self._random.randrange(TYPES)}"
        choices: list[list[Part]] = [
            [([course], None)],
            [([student, course], None)],
            [([student], None), ([course], None)],
            [([course], [kind]), ([student], None)],
            [([], [kind])],
            [([], [kind]), ([student], None)],
        ]
        return self._random.choices(choices, (30, 15, 15, 15, 8, 4))[0]

    def _stream(self) -> str:
        if self._random.random() < 0.3:
            return f"oracle-shared-{self._random.randrange(8)}"
        return f"{self._name}-{self._next()}"

    def _next(self) -> int:
        self._count += 1
        return self._count

    async def _delay(self) -> None:
        await asyncio.sleep(self._random.choice((0, 0.002, 0.01, 0.04)))


def break_marker() -> None:
    """Ask for the horizon after the rows were read, as whoever takes the last position does."""
    matching = PostgresStorage.matching

    async def matching_late(self: PostgresStorage, items: Sequence[QueryItem]) -> Matched:
        early = await matching(self, items)
        late = await matching(self, items)
        return early._replace(horizon=late.horizon)

    PostgresStorage.matching = matching_late  # type: ignore[method-assign]  # broken on purpose


def break_order() -> None:
    """Lock tags in one order now, and in the other one then."""
    in_order = _locks.in_order

    def in_any_order(locks: Any) -> Any:
        turn = choice((1, -1))  # noqa: S311 - no secret
        return sorted(in_order(locks), key=lambda lock: turn * lock[0])

    setattr(_arguments, "in_order", in_any_order)  # noqa: B010 - it is not exported there


def break_types() -> None:
    """Decide by types alone: it is the function of the server that is broken."""
    parts = Decider._parts

    def parts_of_types(self: Decider) -> list[Part]:
        while True:
            found = parts(self)
            if found[0][0] == []:
                return found

    Decider._parts = parts_of_types  # type: ignore[method-assign]  # all decide by types


BREAKS = {"marker": break_marker, "order": break_order, "types": break_types}


async def main(url: str, name: str, seconds: str, tasks: str, broken: str) -> None:
    if broken in BREAKS:
        BREAKS[broken]()
    failures: set[str] = set()
    async with (
        asyncpg.create_pool(url, min_size=0, max_size=8) as pool,
        PostgresEventStore(pool) as store,
    ):
        deciders = [Decider(store, pool, f"{name}-{task}") for task in range(int(tasks))]
        print(json.dumps(["ready"]), flush=True)
        await asyncio.to_thread(sys.stdin.readline)

        async def work(decider: Decider) -> None:
            end = time.monotonic() + float(seconds)
            while (left := end - time.monotonic()) > 0:
                try:
                    await decider.work(left)
                except EventSourcingError as error:
                    failures.add(f"{type(error).__name__}: {error}"[:200])

        await asyncio.gather(*map(work, deciders))
    refused = [one for decider in deciders for one in decider.refused]
    ways = {way for decider in deciders for way in decider.ways}
    print(json.dumps([refused, sorted(ways), sorted(failures)]), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
