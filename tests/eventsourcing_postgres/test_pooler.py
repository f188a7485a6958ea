"""Behind a pooler that lends a server connection for one transaction: nothing of a session is kept.

Many clients share two connections here, so whatever relies on a session meets another one's.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_core import Event, ExpectedVersion, StorageError, open_backend
from eventsourcing_core.stores import (
    Build,
    BuildSpec,
    Move,
    Progress,
    ProjectionKind,
    Snapshot,
)
from eventsourcing_core.testing import EventStoreContract, SnapshotStoreContract
from eventsourcing_postgres import PostgresEventStore, PostgresSnapshotStore, migrate
from eventsourcing_postgres._backend import open_postgres
from tests.eventsourcing_postgres._pooler import Pooler, executable
from tests.eventsourcing_postgres.test_contracts import emptied_at_first

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from eventsourcing_core import Backend, StorageEventStore
    from eventsourcing_core.stores import SnapshotStore
    from eventsourcing_core.testing import NewLocation, NewSnapshotLocation

    Pool = asyncpg.Pool[asyncpg.Record]

CLIENTS = 50
POOLS = 5
ROUNDS = 8


@pytest.fixture(scope="session")
def make_pooler(server_url: str) -> Callable[[int], Pooler]:
    """Give a function that makes a pooler with so many connections to the server."""
    if executable() is None:
        pytest.skip("no pgbouncer on this machine: install Debian's package of that name")
    return lambda size: Pooler(server_url, size)


@pytest.fixture(scope="session")
def pooler(make_pooler: Callable[[int], Pooler]) -> Iterator[Pooler]:
    """Give a running pooler with two connections to each database."""
    made = make_pooler(2)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def pooled_url(pooler: Pooler, url: str) -> str:
    """Give the URL of a fresh, migrated database, through the pooler."""
    return pooler.in_front_of(url)


def pool_on(url: str, size: int = 10) -> Pool:
    """Make the pool that a caller makes: it keeps no prepared statements."""
    return asyncpg.create_pool(url, min_size=1, max_size=size, statement_cache_size=0)


class TestEventStore(EventStoreContract):
    examples = 5  # as many as show that it works here, too: test_contracts has the others

    @pytest.fixture
    def new_location(self, pooler: Pooler, contract_url: str) -> NewLocation:
        url = pooler.in_front_of(contract_url)
        return lambda: emptied_at_first(contract_url, lambda: open_postgres(url, pooler=True))

    async def test_tags_in_any_order_are_held_without_a_circle(
        self, store: StorageEventStore
    ) -> None:
        del store
        pytest.skip("each tag that is held takes a connection of the pooler, which has two")


class TestSnapshotStore(SnapshotStoreContract):
    @pytest.fixture
    def new_location(self, pooler: Pooler, contract_url: str) -> NewSnapshotLocation:
        @asynccontextmanager
        async def open_snapshots() -> AsyncIterator[SnapshotStore]:
            async with pool_on(pooler.in_front_of(contract_url)) as pool:
                store = PostgresSnapshotStore(pool)
                yield store
                store.close()

        return lambda: emptied_at_first(contract_url, open_snapshots)


@asynccontextmanager
async def backends(url: str, count: int = POOLS) -> AsyncIterator[list[Backend]]:
    """Open the same database several times, as so many processes do."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(open_backend(url, pooler=True, poll_interval=0.05))
            for _ in range(count)
        ]


def event(n: int, owner: int = 0) -> Event[dict[str, int]]:
    return Event("Opened", {"n": n, "owner": owner})


async def test_each_of_many_clients_gets_what_it_asked_for(pooled_url: str) -> None:
    async def use(backend: Backend, owner: int) -> None:
        store, snapshots, stream_id = backend.event_store, backend.snapshot_store, f"s-{owner}"
        for n in range(1, ROUNDS + 1):
            await store.append(stream_id, [event(n, owner)], expected_version=n - 1)
            versions = range(1, n + 1)
            expected = [(stream_id, v, {"n": v, "owner": owner}) for v in versions]
            found = [(e.stream_id, e.version, e.data) async for e in store.read(stream_id)]
            assert found == expected
            back = store.read(stream_id, backward=True)
            assert [(e.stream_id, e.version, e.data) async for e in back] == expected[::-1]
            state = f"{owner} at {n}".encode()
            await snapshots.save(
                Snapshot(stream_id, n, state, "json", "1", datetime(2026, 1, 1, tzinfo=UTC))
            )
            snapshot = await snapshots.load(stream_id)
            assert snapshot is not None
            assert (snapshot.aggregate_id, snapshot.state) == (stream_id, state)

    async with backends(pooled_url) as opened, asyncio.timeout(60), asyncio.TaskGroup() as group:
        for owner in range(CLIENTS):
            group.create_task(use(opened[owner % POOLS], owner))


async def test_who_follows_all_streams_meanwhile_gets_every_event_in_order(
    pooled_url: str,
) -> None:
    async def write(backend: Backend, owner: int) -> None:
        for n in range(ROUNDS):
            await backend.event_store.append(
                f"s-{owner}", [event(n)], expected_version=ExpectedVersion.ANY
            )

    async def follow(backend: Backend) -> list[int]:
        positions: list[int] = []
        while len(positions) < CLIENTS * ROUNDS:
            after = positions[-1] if positions else 0
            await backend.event_store.wait(after_position=after, timeout=10)
            positions += [
                e.position async for e in backend.event_store.read_all(after_position=after)
            ]
        return positions

    async with backends(pooled_url) as opened, asyncio.timeout(60), asyncio.TaskGroup() as group:
        following = [group.create_task(follow(backend)) for backend in opened]
        for owner in range(CLIENTS):
            group.create_task(write(opened[owner % POOLS], owner))
    for done in following:
        positions = done.result()
        assert positions == sorted(set(positions))
        assert len(positions) == CLIENTS * ROUNDS


async def test_no_statement_is_left_prepared_in_the_servers_session(
    make_pooler: Callable[[int], Pooler], url: str
) -> None:
    pooler = make_pooler(1)  # one session: what any client leaves in it is seen
    try:
        pooler.start()
        through = pooler.in_front_of(url)
        async with open_backend(through, pooler=True) as backend:
            store = backend.event_store
            await store.append("a", [event(1)], expected_version=0)
            assert [e.version async for e in store.read("a")] == [1]
            assert [e.version async for e in store.read_all(event_types=["Opened"])] == [1]
        async with pool_on(through, 1) as pool:
            assert await pool.fetch("select statement from pg_prepared_statements") == []
    finally:
        pooler.stop()


async def test_a_waiting_reader_is_woken_by_looking(pooled_url: str) -> None:
    async with backends(pooled_url, 2) as (reader, writer):
        waiting = asyncio.create_task(reader.event_store.wait(after_position=0, timeout=60))
        await writer.event_store.append("a", [event(1)], expected_version=0)
        async with asyncio.timeout(10):
            assert await waiting


async def test_a_waiting_reader_does_not_listen_in_a_session_that_is_not_its_own(
    make_pooler: Callable[[int], Pooler], url: str
) -> None:
    pooler = make_pooler(1)
    try:
        pooler.start()
        through = pooler.in_front_of(url)
        async with open_backend(through, pooler=True, poll_interval=0.01) as backend:
            assert not await backend.event_store.wait(after_position=0, timeout=0.1)
            async with pool_on(through, 1) as pool:
                assert await pool.fetch("select pg_listening_channels()") == []
    finally:
        pooler.stop()


async def test_an_append_in_the_callers_transaction_is_stored_or_gone_with_it(
    pooled_url: str,
) -> None:
    async def order(pool: Pool, store: PostgresEventStore, number: int) -> None:
        async with pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute("insert into orders values ($1)", number)
            await store.append(
                f"order-{number}", [event(number)], expected_version=0, connection=connection
            )
            await (transaction.rollback() if number % 3 else transaction.commit())

    async with pool_on(pooled_url) as pool, PostgresEventStore(pool, listen=False) as store:
        await pool.execute("create table orders (id integer)")
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(order(pool, store, number))
        rows = await pool.fetch("select id from orders order by id")
        kept = [row[0] for row in rows]
        assert kept == list(range(0, CLIENTS, 3))
        assert {e.stream_id async for e in store.read_all()} == {f"order-{n}" for n in kept}


async def test_after_the_pooler_was_killed_and_started_again_the_store_goes_on(
    make_pooler: Callable[[int], Pooler], url: str
) -> None:
    pooler = make_pooler(2)
    try:
        pooler.start()
        async with open_backend(pooler.in_front_of(url), pooler=True) as backend:
            store = backend.event_store
            await store.append("a", [event(1)], expected_version=0)
            pooler.kill()
            lost = [event(2)]
            with pytest.raises(StorageError) as caught:
                await store.append("a", lost, expected_version=1)
            assert caught.value.__cause__ is not None
            pooler.start()
            await store.append("a", lost, expected_version=1)
            assert [e.version async for e in store.read("a")] == [1, 2]
    finally:
        pooler.stop()


async def test_the_schema_is_migrated_through_it(pooled_url: str) -> None:
    async with pool_on(pooled_url) as pool:
        done = await asyncio.gather(*(migrate(pool, schema="other") for _ in range(5)))
    assert {status.applied for status in done} == {done[0].latest}


def test_the_command_works_through_it_again_and_again(pooled_url: str) -> None:
    for command in ("migrate", "status", "status"):
        finished = subprocess.run(  # noqa: S603 - a program of ours
            [sys.executable, "-m", "eventsourcing_postgres", command, pooled_url],
            capture_output=True,
            check=False,
            encoding="utf-8",
        )
        assert finished.stdout.startswith("schema eventsourcing: migration "), finished.stderr


async def test_batches_of_projections_write_where_they_belong(pooled_url: str) -> None:
    builds = [Build(name, 1) for name in ("one", "other", "third")]
    count = "insert into counts values ($1) returning (select count(*) from counts)"

    async def create(connection: asyncpg.Connection[asyncpg.Record]) -> None:
        await connection.execute("create table counts (number int)")

    async with open_postgres(pooled_url) as parts:
        store = parts.projection_store
        assert store is not None

        async def work(build: Build) -> list[int]:
            spec = BuildSpec(build, ProjectionKind.PROJECTION, "Counts")
            await store.register(spec, segments=1, start=Progress(0, None), create=create)
            seen: list[int] = []
            for position in range(ROUNDS):
                move = Move((await store.arrangement(build)).segments, Progress(position, None))
                async with store.batch(build, move, lease=60) as batch:
                    seen.append(await batch.connection.fetchval(count, position))
            return seen

        assert await asyncio.gather(*map(work, builds)) == [[*range(ROUNDS)]] * 3
