"""Switching: readers see the old or the new version, and nobody writes into the wrong one."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import asyncpg
import pytest

from eventsourcing_core.stores import (
    Build,
    BuildSpec,
    BuildState,
    FencedError,
    Plan,
    ProjectionError,
    ProjectionKind,
    StorageError,
    Worker,
)
from eventsourcing_postgres._projections import _session
from tests.eventsourcing_postgres.projections._builds import (
    BALANCES,
    LEASE,
    NOBODY,
    ORDERS,
    START,
    at,
    make_tables,
    make_view,
    move_all,
    positions,
    put,
    take_all,
    until_waiting,
)

if TYPE_CHECKING:
    from eventsourcing_core.stores import Move, ProjectionStore

    Pool = asyncpg.Pool[asyncpg.Record]

SECOND = ORDERS._replace(version=2)
WORKER = Worker("a", None, None)
READ = "select value::text from customer_orders.view where key = $1"


async def switch(store: ProjectionStore, old: Build, new: Build) -> bool:
    await store.begin_switch(old, seconds=LEASE)
    return await store.finish_switch(new, copy_progress=False)


async def two_versions(store: ProjectionStore) -> None:
    """Make two versions of a view that are equally far."""
    for build in (ORDERS, SECOND):
        await make_view(store, build, segments=build.version)
        await put(store, build, 5, a=f"{build.version}")


async def test_the_versions_change_their_names(store: ProjectionStore, pool: Pool) -> None:
    await two_versions(store)
    assert await switch(store, ORDERS, SECOND)
    assert [each.state for each in await store.builds()] == [BuildState.RETIRED, BuildState.LIVE]
    assert await store.live_values(ORDERS.name, ["a"]) == {"a": "2"}
    assert await pool.fetchval("select value from customer_orders_v1.view") == "1"
    assert await switch(store, SECOND, ORDERS)
    assert await store.live_values(ORDERS.name, ["a"]) == {"a": "1"}
    assert await pool.fetchval("select value from customer_orders_v2.view") == "2"


async def test_both_go_on_after_it(store: ProjectionStore) -> None:
    await two_versions(store)
    await switch(store, ORDERS, SECOND)
    for build in (ORDERS, SECOND):
        await take_all(store, build)
        await put(store, build, 6, a=f"{10 * build.version}")
    assert await store.live_values(ORDERS.name, ["a"]) == {"a": "20"}


class Readers:
    """Read in loops until they are stopped, and keep what they have seen."""

    def __init__(self, store: ProjectionStore) -> None:
        self._store = store
        self.seen: list[str] = []
        self.are_stopped = False

    async def read_plainly(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        prepared = await connection.prepare(READ)
        while not self.are_stopped:
            self.seen.append(await prepared.fetchval("a"))

    async def read_live(self) -> None:
        while not self.are_stopped:
            self.seen.extend((await self._store.live_values(ORDERS.name, ["a"])).values())

    async def read_pages(self) -> None:
        while not self.are_stopped:
            async for page in self._store.live_pages(ORDERS.name, {}):
                self.seen.extend(value for _, value in page)


async def test_readers_in_a_loop_see_the_old_or_the_new_one(
    store: ProjectionStore, url: str
) -> None:
    await two_versions(store)
    readers = Readers(store)
    async with AsyncExitStack() as stack:
        connections = [await asyncpg.connect(url) for _ in range(3)]
        for connection in connections:
            stack.push_async_callback(connection.close)
        tasks = [
            *(asyncio.create_task(readers.read_plainly(each)) for each in connections),
            asyncio.create_task(readers.read_live()),
            asyncio.create_task(readers.read_pages()),
        ]
        for old, new in [(ORDERS, SECOND), (SECOND, ORDERS)] * 10:
            count = len(readers.seen)
            assert await switch(store, old, new)
            while len(readers.seen) < count + 20 and not any(task.done() for task in tasks):  # noqa: ASYNC110 - the readers tell nobody
                await asyncio.sleep(0)
        readers.are_stopped = True
        await asyncio.gather(*tasks)
    assert set(readers.seen) == {"1", "2"}


async def test_a_long_reader_keeps_no_switch_waiting(store: ProjectionStore, url: str) -> None:
    await two_versions(store)
    reader = await asyncpg.connect(url)
    try:
        async with reader.transaction():
            assert await reader.fetchval(READ, "a") == "1"
            assert await switch(store, ORDERS, SECOND)
            assert await reader.fetchval(READ, "a") == "1"  # what it has looked up stays
        assert await reader.fetchval(READ, "a") == "2"
    finally:
        await reader.close()


async def test_a_reader_is_not_kept_waiting(store: ProjectionStore, pool: Pool) -> None:
    await two_versions(store)
    await store.begin_switch(ORDERS, seconds=LEASE)
    move = move_all(await store.arrangement(SECOND), at(6))
    async with store.batch(SECOND, move, lease=LEASE):
        finishing = asyncio.create_task(store.finish_switch(SECOND, copy_progress=False))
        await until_waiting(pool)
        assert await store.live_values(ORDERS.name, ["a"]) == {"a": "1"}
        await store.beat(SECOND, WORKER, LEASE, lambda _: NOBODY)  # nor is a beat
    assert await finishing
    assert await store.live_values(ORDERS.name, ["a"]) == {"a": "2"}


async def test_a_batch_of_the_new_version_writes_where_it_is(
    store: ProjectionStore, pool: Pool
) -> None:
    second = BALANCES._replace(version=2)
    for build in (BALANCES, second):
        await make_tables(store, build)
    known = await take_all(store, second)
    await store.begin_switch(BALANCES, seconds=LEASE)
    deposit = "insert into balance values ($1, 1)"
    async with store.batch(second, move_all(known, at(1)), lease=LEASE) as batch:
        await batch.connection.execute(deposit, "a")
        finishing = asyncio.create_task(store.finish_switch(second, copy_progress=False))
        await until_waiting(pool)
        await batch.connection.execute(deposit, "b")
    assert await finishing
    accounts = "select array_agg(account) from balances.balance"
    assert await pool.fetchval(accounts) == ["a", "b"]
    found = await store.arrangement(second)
    assert found.owners == known.owners
    async with store.batch(second, move_all(found, at(2)), lease=LEASE) as batch:
        await batch.connection.execute(deposit, "c")
    assert await pool.fetchval(accounts) == ["a", "b", "c"]


async def test_a_batch_that_waits_for_a_switch_writes_where_it_is_then(
    store: ProjectionStore, pool: Pool
) -> None:
    second = BALANCES._replace(version=2)
    for build in (BALANCES, second):
        await make_tables(store, build)
    move = move_all(await take_all(store, second), at(1))
    await store.begin_switch(BALANCES, seconds=LEASE)
    async with pool.acquire() as other:
        async with other.transaction():  # the switch has the segments, and waits for the registry
            await other.execute("select from eventsourcing.projections for update")
            finishing = asyncio.create_task(store.finish_switch(second, copy_progress=False))
            await until_waiting(other)
            writing = asyncio.create_task(deposit(store, second, move))
            await until_waiting(other, 2)
        await writing
    assert await finishing
    assert await pool.fetchval("select account from balances.balance") == "a"
    assert await pool.fetchval("select account from balances_v1.balance") is None


async def deposit(store: ProjectionStore, build: Build, move: Move) -> None:
    async with store.batch(build, move, lease=LEASE) as batch:
        await batch.connection.execute("insert into balance values ('a', 1)")


async def write_nothing(store: ProjectionStore, build: Build, move: Move) -> None:
    async with store.batch(build, move, lease=LEASE):
        pass


async def test_a_version_that_is_behind_is_not_made_live(store: ProjectionStore) -> None:
    await two_versions(store)
    await put(store, ORDERS, 7)
    found = await store.begin_switch(ORDERS, seconds=LEASE)
    assert (found.record.is_switching, found.segments[0].progress) == (True, at(7))
    assert not await store.finish_switch(SECOND, copy_progress=False)
    assert await positions(store, SECOND) == [5, 5]
    await put(store, SECOND, 7)
    assert await store.finish_switch(SECOND, copy_progress=False)


async def test_the_live_version_stands_still_until_it_is_cancelled(store: ProjectionStore) -> None:
    await two_versions(store)
    known = await take_all(store, ORDERS)
    found = await store.begin_switch(ORDERS, seconds=LEASE)
    assert (found.owners, found.segments[0].epoch) == ({}, known.segments[0].epoch + 1)
    assert await store.calls() == {SECOND}
    with pytest.raises(FencedError):
        await write_nothing(store, ORDERS, move_all(known, at(9)))
    await store.cancel_switch(ORDERS.name)
    assert await store.calls() == {ORDERS, SECOND}
    with pytest.raises(ProjectionError, match="is live and is not being switched from"):
        await store.finish_switch(SECOND, copy_progress=False)


async def test_a_switch_that_takes_too_long_is_over(store: ProjectionStore) -> None:
    await two_versions(store)
    await store.begin_switch(ORDERS, seconds=0)
    assert not (await store.arrangement(ORDERS)).record.is_switching
    with pytest.raises(ProjectionError, match="or not any more"):
        await store.finish_switch(SECOND, copy_progress=False)


async def test_what_cannot_be_switched_says_so(store: ProjectionStore) -> None:
    await two_versions(store)
    with pytest.raises(ProjectionError, match="version 2, is not live"):
        await store.begin_switch(SECOND, seconds=LEASE)
    await store.begin_switch(ORDERS, seconds=LEASE)
    with pytest.raises(ProjectionError, match="not registered"):
        await store.finish_switch(ORDERS._replace(version=3), copy_progress=False)
    await store.set_paused(ORDERS, paused=True)
    with pytest.raises(ProjectionError, match="or it is paused"):
        await store.finish_switch(SECOND, copy_progress=False)


async def test_a_reactor_takes_over_segments_and_progress(store: ProjectionStore) -> None:
    mailers = Build("mailer", 1), Build("mailer", 2)
    for build in mailers:
        spec = BuildSpec(build, ProjectionKind.REACTOR, "Mailer")
        await store.register(spec, segments=2 * build.version, start=START, create=None)
        await take_all(store, build)
    await write_nothing(store, mailers[0], move_all(await store.arrangement(mailers[0]), at(9)))
    old = await store.begin_switch(mailers[0], seconds=LEASE)
    assert await store.finish_switch(mailers[1], copy_progress=True)
    found = await store.arrangement(mailers[1])
    assert found.owners == {}
    assert [each._replace(epoch=0) for each in found.segments] == [
        each._replace(epoch=0) for each in old.segments
    ]
    assert {each.epoch for each in found.segments} == {3}


async def test_pausing_fences_and_resuming_lets_go_on(store: ProjectionStore) -> None:
    await make_view(store)
    known = await take_all(store, ORDERS)
    await store.set_paused(ORDERS, paused=True)
    with pytest.raises(FencedError):
        await write_nothing(store, ORDERS, move_all(known, at(1)))
    found = await store.arrangement(ORDERS)
    assert (found.owners, found.record.is_paused) == ({}, True)
    assert await store.calls() == set()
    await store.set_paused(ORDERS, paused=False)
    assert await store.calls() == {ORDERS}
    assert (await store.arrangement(ORDERS)).segments == found.segments


async def test_pausing_waits_for_a_batch_and_keeps_no_beat_waiting(
    store: ProjectionStore, pool: Pool
) -> None:
    await make_view(store, segments=2)
    known = await take_all(store, ORDERS)
    async with store.batch(ORDERS, move_all(known, at(1)), lease=LEASE):
        pausing = asyncio.create_task(store.set_paused(ORDERS, paused=True))
        await until_waiting(pool)
        found = await store.beat(ORDERS, WORKER, LEASE, lambda _: Plan(split=frozenset({32768})))
        assert (found.record.is_paused, found.owners) == (False, known.owners)
    await pausing
    assert {each.progress for each in (await store.arrangement(ORDERS)).segments} == {at(1)}


async def test_a_batch_that_does_not_end_is_not_waited_for_for_ever(
    store: ProjectionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_session, "PATIENCE", 10)
    await make_view(store)
    known = await take_all(store, ORDERS)
    async with store.batch(ORDERS, move_all(known, at(1)), lease=LEASE):
        with pytest.raises(StorageError, match="somebody's batch has not ended for 0.01 seconds"):
            await store.set_paused(ORDERS, paused=True)
    assert not (await store.arrangement(ORDERS)).record.is_paused


async def test_rewinding_begins_anew(store: ProjectionStore) -> None:
    await make_view(store)
    known = await take_all(store, ORDERS)
    async with store.batch(ORDERS, move_all(known, at(5)), lease=LEASE) as batch:
        await batch.park("a", [4, 5], "oh", 60)
    await store.rewind(ORDERS, at(2))
    found = await store.arrangement(ORDERS)
    assert (found.segments[0].progress, found.segments[0].epoch, found.owners) == (at(2), 2, {})
    assert await store.parked(ORDERS) == []


async def test_a_version_is_dropped_with_what_it_made(store: ProjectionStore, pool: Pool) -> None:
    await two_versions(store)
    with pytest.raises(ProjectionError, match="is live: switch"):
        await store.drop(ORDERS)
    await store.drop(SECOND)
    assert await pool.fetchval("select to_regclass('customer_orders_v2.view')") is None
    await store.drop(ORDERS)
    assert await store.builds() == []
    with pytest.raises(ProjectionError, match="not registered"):
        await store.drop(ORDERS)
    await make_view(store)


async def test_a_number_of_segments_is_noted(store: ProjectionStore) -> None:
    await make_view(store)
    await store.set_segments(ORDERS, 16)
    assert (await store.arrangement(ORDERS)).record.wanted_segments == 16
