"""This library, as its README opens it."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import asyncpg

from benchmarks._measure import Purse, deposits
from benchmarks.peers.side import Conflict
from eventsourcing_core import ConcurrencyError, EventCodec, OnDemand, open_backend

if TYPE_CHECKING:
    from collections.abc import Callable

# Rows that the store would have written, made by the server itself: a million takes seconds.
FILL = """
with made as (
    insert into eventsourcing.streams (id, version)
    select 'Filled-' || uuidv7(), $4::bigint from generate_series(1, $1::bigint)
    returning id
)
insert into eventsourcing.events (
    position, stream_id, version, event_id, event_type, data, encoding, "timestamp"
)
select
    nextval('eventsourcing.events_position'), id, version, uuidv7(), $5, $2, $3,
    (extract(epoch from clock_timestamp()) * 1000000)::bigint
from made, generate_series(1, $4::bigint) as version
"""
FILLED_STREAM = 100  # events in each stream that FILL makes
SEED = 1_000  # events in one append while an aggregate is made


class Ours:
    """The store by URL, with the serializer ``msgpack``."""

    serializer = "msgpack"

    def __init__(self, url: str, connections: int) -> None:
        self._url = url
        self._connections = connections
        self._opened = AsyncExitStack()

    async def open(self) -> None:
        backend = await self._opened.enter_async_context(
            open_backend(
                self._url,
                serializer=self.serializer,
                min_size=self._connections,
                max_size=self._connections,
                migrate=True,
            )
        )
        self._backend = backend
        self._store = backend.event_store
        self._accounts = backend.repository(Purse, snapshot_frequency=None)
        self._snapshots = backend.repository(Purse, snapshot_frequency=OnDemand())

    async def close(self) -> None:
        await self._opened.aclose()

    async def append(self, stream: UUID, at: int, count: int) -> int:
        try:
            result = await self._store.append(
                f"Purse-{stream}", deposits(count), expected_version=at
            )
        except ConcurrencyError as error:
            raise Conflict from error
        return result.version

    async def last(self, stream: UUID) -> int:
        async for recorded in self._store.read(f"Purse-{stream}", backward=True, limit=1):
            return recorded.version
        return 0

    async def bulk(self, count: int) -> None:
        await self.append(uuid4(), 0, count)

    async def seed(self, count: int) -> str:
        key = uuid4()
        for version in range(0, count, SEED):
            await self.append(key, version, min(SEED, count - version))
        return str(key)

    async def load(self, key: str) -> int:
        return (await self._accounts.load(key)).balance

    async def take_snapshot(self, key: str) -> None:
        await self._snapshots.take_snapshot(await self._snapshots.load(key))

    async def load_snapshot(self, key: str) -> int:
        return (await self._snapshots.load(key)).balance

    async def fill(self, count: int) -> None:
        encoded = EventCodec(self.serializer).encode(*deposits(1))
        connection = await asyncpg.connect(self._url)
        try:
            there = await connection.fetchval("select count(*) from eventsourcing.events")
            await connection.execute(
                FILL,
                max(0, count - there) // FILLED_STREAM,
                encoded.data,
                encoded.encoding,
                FILLED_STREAM,
                encoded.event_type,
            )
            await connection.execute("vacuum analyze")
        finally:
            await connection.close()

    async def read_all(self, limit: int) -> int:
        seen = 0
        async for _ in self._store.read_all(limit=limit):
            seen += 1
        return seen

    async def page(self, after: int, limit: int) -> tuple[int, int]:
        seen = 0
        async for recorded in self._store.read_all(after_position=after, limit=limit):
            seen += 1
            after = recorded.position
        return seen, after

    async def end(self) -> int:
        async for recorded in self._store.read_all(backward=True, limit=1):
            return recorded.position
        return 0

    async def follow(self, count: int, ready: Callable[[], None]) -> list[int]:
        position = await self.end()
        await self._store.wait(after_position=position, timeout=1)  # it listens from here on
        ready()
        arrived: list[int] = []
        while len(arrived) < count:
            await self._store.wait(after_position=position, timeout=1)
            async for recorded in self._store.read_all(after_position=position):
                arrived.append(time.monotonic_ns())
                position = recorded.position
        return arrived


class OursJson(Ours):
    """The same with the serializer that needs no plugin."""

    serializer = "json"


class OursHot(Ours):
    """The same by an aggregate that is kept in memory, and decides each deposit."""

    async def open(self) -> None:
        await super().open()
        self._hot = self._backend.repository(Purse, snapshot_frequency=None, cache=1_000)

    async def append(self, stream: UUID, at: int, count: int) -> int:
        del at  # it is not the caller's to know

        def deposit(purse: Purse) -> None:
            for _ in range(count):
                purse.deposit()

        try:
            return (await self._hot.update(str(stream), deposit)).version
        except ConcurrencyError as error:
            raise Conflict from error

    async def last(self, stream: UUID) -> int:
        return (await self._hot.load(str(stream))).version
