"""A writer that ends its transactions in every way there is."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import asyncpg

from eventsourcing_core import Event, ExpectedVersion

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    from eventsourcing_postgres import PostgresEventStore

DOWN = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What the driver raises on a lost connection."""
EVENT_TYPES = ("Opened", "Moved", "Closed")
PREFIXES = ("order-", "cart-")
HOLD = """
insert into eventsourcing.events values
(-pg_backend_pid(), $1, 1, $2, 'Held', '', null, 'json', 0)
"""


class Writer:
    """Appends at random, and keeps what became of each append."""

    def __init__(
        self, store: PostgresEventStore, pool: asyncpg.Pool[asyncpg.Record], name: str
    ) -> None:
        self._store = store
        self._pool = pool
        self._name = name
        self._random = Random(name)  # noqa: S311 - no secret
        self.committed: list[list[str]] = []
        """The event ids of each append whose commit was acknowledged."""
        self.undone: list[list[str]] = []
        """The event ids of each append that was rolled back."""
        self.ways: list[str] = []
        """How it ended its transactions."""

    async def work(self, seconds: float) -> None:
        """Write one transaction after the other for some time."""
        ways = {
            self._append_plainly: 20,
            self._commit: 40,
            self._commit_two: 10,
            self._roll_back: 13,
            self._roll_back_a_savepoint: 13,
            self._be_killed: 4,
            self._wait_for_an_id: 8,
        }
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            (way,) = self._random.choices([*ways], [*ways.values()])
            await way()
            self.ways.append(way.__name__)

    async def _append_plainly(self) -> None:
        self.committed.append(await self._append(self._stream()))

    async def _commit(self) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            ids = await self._append(self._stream(), connection)
            await self._delay()
        self.committed.append(ids)

    async def _commit_two(self) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            first = await self._append(self._stream(), connection)
            await self._delay()
            # To a stream of its own: nobody waits for it while it waits for another.
            second = await self._append(self._own_stream(), connection)
            await self._delay()
        self.committed += [first, second]

    async def _roll_back(self) -> None:
        async with self._pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            ids = await self._append(self._stream(), connection)
            await self._delay()
            await transaction.rollback()
        self.undone.append(ids)

    async def _roll_back_a_savepoint(self) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            savepoint = connection.transaction()
            await savepoint.start()
            gone = await self._append(self._stream(), connection)
            await self._delay()
            await savepoint.rollback()
            kept = await self._append(self._stream(), connection)
            await self._delay()
        self.undone.append(gone)
        self.committed.append(kept)

    async def _be_killed(self) -> None:
        async with self._pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            ids = await self._append(self._stream(), connection)
            await self._delay()
            pid = connection.get_server_pid()
            assert await self._pool.fetchval("select pg_terminate_backend($1, 30000)", pid)
            try:
                await transaction.commit()
            except DOWN:
                self.undone.append(ids)
            else:
                message = "a transaction was committed on a connection that was killed"
                raise AssertionError(message)

    async def _wait_for_an_id(self) -> None:
        """Append what another transaction holds an id of: the append waits, its positions drawn."""
        events = self._events()
        async with self._pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(HOLD, self._name, events[0].event_id)
            waiting = asyncio.create_task(self._commit_elsewhere(events))
            await asyncio.sleep(0.2)  # longer than others: their floors would hide a missing one
            await transaction.rollback()
            self.committed.append(await waiting)

    async def _commit_elsewhere(self, events: list[Event[Any]]) -> list[str]:
        async with self._pool.acquire() as connection, connection.transaction():
            return await self._append(f"{self._own_stream()}-late", connection, events)

    async def _append(
        self,
        stream_id: str,
        connection: PoolConnectionProxy[asyncpg.Record] | None = None,
        events: list[Event[Any]] | None = None,
    ) -> list[str]:
        events = events or self._events()
        await self._store.append(
            stream_id, events, expected_version=ExpectedVersion.ANY, connection=connection
        )
        return [str(event.event_id) for event in events]

    def _events(self) -> list[Event[Any]]:
        return [
            Event(self._random.choice(EVENT_TYPES), {"n": n})
            for n in range(self._random.randint(1, 10))
        ]

    def _stream(self) -> str:
        """Give a stream of its own, or sometimes one that all write to."""
        if self._random.random() < 0.1:
            return f"{self._random.choice(PREFIXES)}shared-{self._random.randrange(4)}"
        return self._own_stream()

    def _own_stream(self) -> str:
        return f"{self._random.choice(PREFIXES)}{self._name}"

    async def _delay(self) -> None:
        """Leave the transaction open for a while."""
        is_long = self._random.random() < 0.05
        await asyncio.sleep(0.1 if is_long else self._random.uniform(0, 0.02))
