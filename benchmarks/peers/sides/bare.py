"""What the driver and the server can do: the limits, and the textbook transaction."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import asyncpg
import msgpack

from benchmarks._bare import COLUMNS, INSERT, TABLES
from benchmarks.peers.payload import EVENT_TYPE, Deposit, values
from benchmarks.peers.side import Conflict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Connection = asyncpg.Connection[asyncpg.Record]

# One statement for several events, as the stores of this kind of table do it.
INSERT_SEVERAL = """
insert into bare_events (stream_id, version, event_id, event_type, data, encoding, "timestamp")
select * from unnest($1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::bytea[], $6::text[],
    $7::bigint[])
"""
FUNCTION = """
create function bare_append(
    stream text, expected bigint, event_ids uuid[], event_types text[], datas bytea[],
    encodings text[], happened bigint[]
) returns bigint language plpgsql as $$
declare
    reached bigint;
    size bigint := cardinality(event_ids);
begin
    if expected = 0 then
        insert into bare_streams as s values (stream, size)
        on conflict do nothing returning s.version into reached;
    else
        update bare_streams as s set version = s.version + size
        where s.id = stream and s.version = expected returning s.version into reached;
    end if;
    if reached is null then
        return null;
    end if;
    insert into bare_events (
        stream_id, version, event_id, event_type, data, encoding, "timestamp"
    )
    select stream, expected + row_number() over (), given.*
    from unnest(event_ids, event_types, datas, encodings, happened) as given;
    return reached;
end
$$;
"""
FILL = """
insert into bare_events (stream_id, version, event_id, event_type, data, encoding, "timestamp")
select 'Filled-' || stream, version, uuidv7(), $2, $3, 'msgpack', 0
from (select uuidv7() as stream from generate_series(1, $1::bigint) offset 0) as made,
    generate_series(1, 100) as version
"""
STREAM = "select event_type, data from bare_events where stream_id = $1 order by version"
PAGE = """
select event_type, data, metadata, encoding, uuid_send(event_id), "timestamp",
    stream_id, version, position
from bare_events where position > $1 order by position limit $2
"""
COUNT = """
insert into bare_streams values ($1, $2) on conflict (id) do update set version = excluded.version
"""
PAGE_SIZE = 5_000


class Bare:
    """One INSERT that checks nothing, COPY, fetching and decoding.

    On connections of its own: asyncpg's pool resets a connection each time that it comes back,
    which is a round trip more, and a limit has none to spare.
    """

    def __init__(self, url: str, connections: int) -> None:
        self._url = url
        self._size = connections
        self._connections: list[Connection] = []
        self._free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()

    async def open(self) -> None:
        for _ in range(self._size):
            connection = await asyncpg.connect(self._url)
            self._connections.append(connection)
            self._free.put_nowait(connection)
        async with self._borrowed() as connection:
            if await connection.fetchval("select to_regclass('bare_events') is null"):
                await connection.execute(TABLES)
                await connection.execute(FUNCTION)

    async def close(self) -> None:
        for connection in self._connections:
            await connection.close()

    @asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[Connection]:
        connection = await self._free.get()
        try:
            yield connection
        finally:
            self._free.put_nowait(connection)

    async def append(self, stream: UUID, at: int, count: int) -> int:
        rows = rows_of(stream, at, count)
        async with self._borrowed() as connection:
            if count == 1:
                await connection.execute(INSERT, *rows[0])
            else:
                await connection.execute(INSERT_SEVERAL, *columns(rows))
        return at + count

    async def bulk(self, count: int) -> None:
        rows = rows_of(uuid4(), 0, count)
        async with self._borrowed() as connection:
            await connection.copy_records_to_table("bare_events", records=rows, columns=COLUMNS)

    async def seed(self, count: int) -> str:
        key = uuid4()
        await self.append(key, 0, count)
        async with self._borrowed() as connection:
            await connection.execute("analyze bare_events")
        return str(key)

    async def load(self, key: str) -> int:
        balance = 0
        async with self._borrowed() as connection:
            for _, data in await connection.fetch(STREAM, key):
                balance += Deposit(**msgpack.unpackb(data)).amount
        return balance

    async def fill(self, count: int) -> None:
        data = msgpack.packb(values(1))
        async with self._borrowed() as connection:
            there = await connection.fetchval("select count(*) from bare_events")
            await connection.execute(FILL, max(0, count - there) // 100, EVENT_TYPE, data)
            await connection.execute("vacuum analyze")

    async def read_all(self, limit: int) -> int:
        seen = cursor = 0
        while seen < limit:
            found, cursor = await self.page(cursor, min(PAGE_SIZE, limit - seen))
            if not found:
                break
            seen += found
        return seen

    async def page(self, after: int, limit: int) -> tuple[int, int]:
        async with self._borrowed() as connection:
            rows = await connection.fetch(PAGE, after, limit)
        for row in rows:
            Deposit(**msgpack.unpackb(row[1]))
        return len(rows), rows[-1][8] if rows else after

    async def end(self) -> int:
        async with self._borrowed() as connection:
            found = await connection.fetchval("select coalesce(max(position), 0) from bare_events")
        return int(found)


class Function(Bare):
    """The least that a store does: one function checks the version, advances it, and inserts."""

    async def append(self, stream: UUID, at: int, count: int) -> int:
        names, _, *others = columns(rows_of(stream, at, count))
        async with self._borrowed() as connection:
            reached = await connection.fetchval(
                "select bare_append($1, $2, $3, $4, $5, $6, $7)", names[0], at, *others
            )
        if reached is None:
            raise Conflict
        return int(reached)

    async def last(self, stream: UUID) -> int:
        async with self._borrowed() as connection:
            found = await connection.fetchval(
                "select coalesce((select version from bare_streams where id = $1), 0)", str(stream)
            )
        return int(found)


class Textbook(Function):
    """Look, compare, insert, count and commit, in a transaction: five round trips.

    On asyncpg's pool, as everybody does it.
    """

    async def open(self) -> None:
        await super().open()
        size = self._size
        self._pool = await asyncpg.create_pool(self._url, min_size=size, max_size=size)

    async def close(self) -> None:
        await self._pool.close()
        await super().close()

    async def append(self, stream: UUID, at: int, count: int) -> int:
        rows = rows_of(stream, at, count)
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                version = await connection.fetchval(
                    "select version from bare_streams where id = $1 for update", str(stream)
                )
                if (version or 0) != at:
                    raise Conflict
                if count == 1:
                    await connection.execute(INSERT, *rows[0])
                else:
                    await connection.execute(INSERT_SEVERAL, *columns(rows))
                await connection.execute(COUNT, str(stream), at + count)
        except asyncpg.UniqueViolationError as error:
            raise Conflict from error
        return at + count


def rows_of(stream: UUID, at: int, count: int) -> list[tuple[Any, ...]]:
    """Make rows of one stream, as the driver takes them."""
    now = time.time_ns() // 1000
    return [
        (
            str(stream),
            version,
            uuid4(),
            EVENT_TYPE,
            msgpack.packb(values(1)),
            "msgpack",
            now,
        )
        for version in range(at + 1, at + count + 1)
    ]


def columns(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    """Turn rows into columns."""
    return [list(column) for column in zip(*rows, strict=True)]
