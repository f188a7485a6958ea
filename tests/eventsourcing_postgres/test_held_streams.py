"""Streams that somebody's open transaction holds: who appends to them waits, and nobody else."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from eventsourcing_core import AppendResult, ConcurrencyError, Event, ExpectedVersion, StorageError
from eventsourcing_postgres import PostgresEventStore, migrate
from eventsourcing_postgres._batches import write_batch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record]

ANY = ExpectedVersion.ANY


@pytest.fixture
async def other(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    connection.terminate()


@asynccontextmanager
async def opened(pool: Pool, max_wait: float = 30.0) -> AsyncIterator[PostgresEventStore]:
    """Open a store, and end the test if something in it waits for ever."""
    async with (
        asyncio.timeout(20),
        PostgresEventStore(pool, listen=False, max_wait=max_wait) as store,
    ):
        yield store


def one() -> list[Event[object]]:
    return [Event("Opened", {})]


def start(
    store: PostgresEventStore, *stream_ids: str, expected: int | ExpectedVersion = ANY
) -> list[asyncio.Task[AppendResult]]:
    """Begin appends at once, so that they share commits."""
    return [
        asyncio.create_task(store.append(stream_id, one(), expected_version=expected))
        for stream_id in stream_ids
    ]


async def until_apart(store: PostgresEventStore, count: int) -> None:
    while len(store._queue._held._apart) != count:  # noqa: ASYNC110 - the queue tells nobody
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("are_new", [True, False])
async def test_the_neighbours_of_held_streams_are_written(
    pool: Pool, other: Connection, *, are_new: bool
) -> None:
    held = [f"held-{n}" for n in range(8)]  # more than can be written at once
    free = [f"free-{n}" for n in range(40)]
    async with opened(pool) as store:
        if not are_new:
            await asyncio.gather(*start(store, *held))
        async with other.transaction():
            for stream_id in held:
                await store.append(stream_id, one(), expected_version=ANY, connection=other)
            waiting = start(store, *held)
            for _ in range(3):
                await asyncio.gather(*start(store, *free))
            assert not any(task.done() for task in waiting)
        before = 1 if are_new else 2
        results = await asyncio.gather(*waiting)
        assert [result.version for result in results] == [before + 1] * len(held)


async def test_many_held_streams_cost_their_neighbours_one_more_write(
    pool: Pool, other: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[int] = []
    real = write_batch

    async def counting(*args: Any, **options: Any) -> list[Any]:
        writes.append(len(args[1]))
        return await real(*args, **options)

    monkeypatch.setattr("eventsourcing_postgres._batches.write_batch", counting)
    held = [f"held-{n}" for n in range(60)]
    async with opened(pool) as store:
        async with other.transaction():
            for stream_id in held:
                await store.append(stream_id, one(), expected_version=ANY, connection=other)
            del writes[:]
            waiting = start(store, "alone", *held, *(f"free-{n}" for n in range(60)))
            await asyncio.gather(waiting[0], *waiting[61:])
            assert len(writes) <= 8, "not one for each"
        assert {result.version for result in await asyncio.gather(*waiting)} == {1, 2}


async def test_what_waits_for_a_held_stream_keeps_its_order(pool: Pool, other: Connection) -> None:
    async with opened(pool) as store:
        async with other.transaction():
            await store.append("a", one(), expected_version=0, connection=other)
            first = start(store, "a")
            await asyncio.gather(*start(store, "b"))
            later = start(store, "a", "a")
            await asyncio.gather(*start(store, "b"))
        results = await asyncio.gather(*first, *later)
        assert [result.version for result in results] == [2, 3, 4]


async def test_a_conflict_with_who_held_the_stream_is_found_when_it_is_free(
    pool: Pool, other: Connection
) -> None:
    async with opened(pool) as store:
        async with other.transaction():
            await store.append("a", one(), expected_version=0, connection=other)
            (task,) = start(store, "a", expected=0)
            await asyncio.gather(*start(store, "b"))
        with pytest.raises(ConcurrencyError) as caught:
            await task
        assert (caught.value.expected, caught.value.actual) == (0, 1)


async def test_new_streams_are_made_beside_one_whose_maker_gives_up(
    pool: Pool, other: Connection
) -> None:
    async with opened(pool) as store:
        transaction = other.transaction()
        await transaction.start()
        await store.append("c", one(), expected_version=0, connection=other)
        tasks = start(store, *"abcde", expected=0)
        await asyncio.gather(*tasks[:2], *tasks[3:])
        assert not tasks[2].done()
        await transaction.rollback()
        assert [result.version for result in await asyncio.gather(*tasks)] == [1] * 5
        assert sorted([event.stream_id async for event in store.read_all()]) == [*"abcde"]


async def test_who_waits_for_himself_gets_an_error(pool: Pool, other: Connection) -> None:
    async with opened(pool, max_wait=0.5) as store:
        async with other.transaction():
            await store.append("a", one(), expected_version=0, connection=other)
            with pytest.raises(
                StorageError, match="another transaction holds the stream"
            ) as caught:
                await store.append("a", one(), expected_version=ANY)
        assert isinstance(caught.value.__cause__, asyncpg.LockNotAvailableError)
        assert (await store.append("a", one(), expected_version=1)).version == 2


async def test_a_cancelled_append_to_a_held_stream_is_not_made_afterwards(
    pool: Pool, other: Connection
) -> None:
    async with opened(pool) as store:
        async with other.transaction():
            await store.append("a", one(), expected_version=0, connection=other)
            (task,) = start(store, "a")
            await asyncio.gather(*start(store, "b"))
            await until_apart(store, 1)
            task.cancel()
            await until_apart(store, 0)
        assert (await store.append("a", one(), expected_version=1)).version == 2


async def test_closing_waits_for_an_append_to_a_held_stream(pool: Pool, other: Connection) -> None:
    async with opened(pool) as store:
        transaction = other.transaction()
        await transaction.start()
        await store.append("a", one(), expected_version=0, connection=other)
        (task,) = start(store, "a")
        await asyncio.gather(*start(store, "b"))
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0)
        assert not closing.done()
        await transaction.commit()
        await closing
        assert task.result().version == 2


async def test_an_append_that_would_have_fitted_is_tried_again(pool: Pool) -> None:
    # A stream moves between two statements of the function: here, whenever it is called first.
    await pool.execute("""
        create sequence calls;
        alter function eventsourcing.append_one_v1 rename to real_append_one;
        create function eventsourcing.append_one_v1(
            stream_id text, expected bigint, event_id uuid, event_type text, data bytea,
            metadata bytea, encoding text, happened bigint, patience text
        ) returns bigint[] language plpgsql as $$
        begin
            if nextval('calls') = 1 then
                return array[expected, null];
            end if;
            return eventsourcing.real_append_one(
                stream_id, expected, event_id, event_type, data, metadata, encoding, happened,
                patience
            );
        end
        $$;
        comment on function eventsourcing.append_one_v1 is 'revision 1 for "eventsourcing"';
    """)
    async with opened(pool) as store:
        assert await store.append("a", one(), expected_version=0) == AppendResult(1, 1)
        assert await pool.fetchval("select last_value from calls") == 2


# Several appends of one stream in a batch.


async def types_in(store: PostgresEventStore, stream_id: str) -> list[str]:
    return [event.event_type async for event in store.read(stream_id)]


def named(
    store: PostgresEventStore, *appends: tuple[str, str, int | ExpectedVersion]
) -> list[asyncio.Task[AppendResult]]:
    """Begin appends of events of these types at once, so that they share a commit."""
    return [
        asyncio.create_task(store.append(stream_id, [Event(name, {})], expected_version=expected))
        for stream_id, name, expected in appends
    ]


async def test_those_behind_one_that_is_held_are_held(pool: Pool, other: Connection) -> None:
    async with opened(pool) as store:
        async with other.transaction():
            await store.append("a", one(), expected_version=0, connection=other)
            free = named(store, ("b", "B1", 0), ("c", "C1", 0), ("c", "C2", 1))
            held = named(store, ("a", "A1", ANY), ("a", "A2", ANY), ("a", "A3", 3))
            results = await asyncio.gather(*free)
            assert [result.version for result in results] == [1, 1, 2]
            assert not any(task.done() for task in held)
        results = await asyncio.gather(*held)
        assert [result.version for result in results] == [2, 3, 4]
        assert await types_in(store, "a") == ["Opened", "A1", "A2", "A3"]


async def test_nothing_overtakes_what_is_held_although_it_is_free_a_moment_later(
    pool: Pool,
) -> None:
    # The second of two tries, which passes over held streams, finds this one held once.
    await pool.execute("""
        create sequence calls;
        alter function eventsourcing.advance_v1 rename to real_advance;
        create function eventsourcing.advance_v1(stream_id text, expected bigint, size integer)
        returns bigint language plpgsql as $$
        begin
            if stream_id = 'a' and nextval('calls') <= 2 then
                raise lock_not_available;
            end if;
            return eventsourcing.real_advance(stream_id, expected, size);
        end
        $$;
        comment on function eventsourcing.advance_v1 is 'revision 1 for "eventsourcing"';
    """)
    async with opened(pool) as store:
        tasks = named(store, ("z", "Z", ANY), ("a", "A1", ANY), ("a", "A2", ANY), ("a", "A3", 2))
        results = await asyncio.gather(*tasks)
        assert [result.version for result in results] == [1, 1, 2, 3]
        assert await types_in(store, "a") == ["A1", "A2", "A3"]
        assert await pool.fetchval("select last_value from calls") > 2, (
            "it was held, and asked again"
        )


@pytest.mark.parametrize("expected", [ExpectedVersion.STREAM_EXISTS, 1])
async def test_nothing_overtakes_what_would_fit_since_the_stream_moved_meanwhile(
    pool: Pool, expected: int | ExpectedVersion
) -> None:
    # Somebody else begins the stream between the two statements that look at it.
    await pool.execute("""
        create sequence calls;
        alter function eventsourcing.version_of_v1 rename to real_version_of;
        create function eventsourcing.version_of_v1(stream_id text)
        returns bigint language plpgsql volatile as $$
        begin
            if nextval('calls') = 1 then
                insert into eventsourcing.streams values (stream_id, 1);
            end if;
            return eventsourcing.real_version_of(stream_id);
        end
        $$;
        comment on function eventsourcing.version_of_v1 is 'revision 1 for "eventsourcing"';
    """)
    async with opened(pool) as store:
        tasks = named(store, ("z", "Z", ANY), ("a", "A1", expected), ("a", "A2", ANY))
        results = await asyncio.gather(*tasks)
        assert [result.version for result in results] == [1, 2, 3]
        # The row that the test put there had no event.
        read = store.read("a", from_version=2)
        assert [event.event_type async for event in read] == ["A1", "A2"]


# Many appends in one transaction.


async def floors(connection: Connection) -> int:
    locks = "select count(*) from eventsourcing.floors where pid = pg_backend_pid()"
    return int(await connection.fetchval(locks))


async def test_a_transaction_takes_one_lock_however_often_it_appends(
    pool: Pool, other: Connection
) -> None:
    async with opened(pool) as store:
        for _ in range(2):
            async with other.transaction():
                for n in range(20):
                    await store.append(f"s-{n}", one(), expected_version=ANY, connection=other)
                    await store.append("elsewhere", one(), expected_version=ANY)
                assert await floors(other) == 1
            assert await floors(other) == 0


async def test_a_floor_that_a_savepoint_took_back_is_published_again(
    pool: Pool, other: Connection
) -> None:
    async with opened(pool) as store:
        async with other.transaction():
            savepoint = other.transaction()
            await savepoint.start()
            await store.append("gone", one(), expected_version=0, connection=other)
            await savepoint.rollback()
            assert await floors(other) == 0
            await store.append("slow", one(), expected_version=0, connection=other)
            await store.append("fast", one(), expected_version=0)
            assert [event.stream_id async for event in store.read_all()] == []
        assert [event.stream_id async for event in store.read_all()] == ["slow", "fast"]


async def test_two_stores_in_one_transaction_each_publish_a_floor(
    pool: Pool, other: Connection
) -> None:
    await migrate(pool, schema="second")
    for schema in ("eventsourcing", "second"):  # the class is 16 bits of an id: two may be equal
        await pool.execute(f"""
            create or replace function {schema}.lock_class() returns bigint
            language sql stable as $$ select 7::bigint $$
        """)
    async with (
        opened(pool) as first,
        PostgresEventStore(pool, schema="second", listen=False) as second,
    ):
        await asyncio.gather(*start(first, *(f"before-{n}" for n in range(20))))
        async with other.transaction():
            await first.append("a", one(), expected_version=0, connection=other)
            await second.append("slow", one(), expected_version=0, connection=other)
            await second.append("fast", one(), expected_version=0)
            assert [event.stream_id async for event in second.read_all()] == []
        assert [event.stream_id async for event in second.read_all()] == ["slow", "fast"]
