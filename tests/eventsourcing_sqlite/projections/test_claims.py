"""Claims and workers are in the store's file, so that no batch is in their way."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import Event
from eventsourcing_core.stores import Arrangement, OutageError, Plan, Wish, Worker
from eventsourcing_sqlite import SqliteDatabase, SqliteEventStore
from eventsourcing_sqlite._projections.store import SqliteProjectionStore
from tests.eventsourcing_sqlite._files import query
from tests.eventsourcing_sqlite.projections._builds import (
    NEXT,
    ORDERS,
    VIEW,
    batch_to,
    execute,
    nothing,
    opened,
    register,
    segments_of,
    take,
    take_free,
)

if TYPE_CHECKING:
    from pathlib import Path

A_DAY = 86_400.0


async def test_a_batch_that_is_open_is_in_no_renewals_way(path: Path) -> None:
    async with opened(path, busy_timeout=0) as first, opened(path, busy_timeout=0) as second:
        await register(first)
        mine = await take(first, "a")
        async with batch_to(first, mine, 5):
            for store, owner in ((first, "a"), (second, "b")):
                arrangement = await store.beat(ORDERS, Worker(owner, None, "late"), 600, nothing)
                assert arrangement.owners == {segment.low: "a" for segment in mine}
        assert [worker.owner for worker in arrangement.workers] == ["a", "b"]


async def test_a_batch_that_is_open_is_in_no_appends_way(path: Path) -> None:
    async with SqliteDatabase.open(path, busy_timeout=0) as database:
        projections = SqliteProjectionStore(database)
        await register(projections)
        async with batch_to(projections, await segments_of(projections), 5):
            result = await SqliteEventStore(database).append(
                "doc-1", [Event("Opened", {})], expected_version=0
            )
            assert result.position == 1


async def test_while_a_batch_is_open_nothing_of_a_plan_is_carried_out(path: Path) -> None:
    async with opened(path) as first, opened(path) as second:
        await register(first)
        mine = await take(first, "a")
        await first.leave(ORDERS, "a")
        async with batch_to(first, mine, 5):
            for store, owner in ((first, "b"), (second, "c")):
                arrangement = await store.beat(ORDERS, Worker(owner, None, None), 600, take_free)
                assert (arrangement.segments, arrangement.owners) == (mine, {})
        assert len(await take(second, "c")) == 2


@pytest.mark.parametrize("shift", [-A_DAY, A_DAY])
async def test_a_lease_is_by_the_clock_of_sqlite(
    path: Path, monkeypatch: pytest.MonkeyPatch, shift: float
) -> None:
    now = time.time
    async with opened(path) as store:
        await register(store)
        mine = await take(store, "a")
        monkeypatch.setattr(time, "time", lambda: now() + shift)
        assert await take(store, "b") == ()
        assert (await store.arrangement(ORDERS)).owners == {segment.low: "a" for segment in mine}
        # Seconds since 1970, as people read them.
        assert query(path, "select until - unixepoch() between 590 and 601 from projection_workers")


async def test_who_comes_back_after_his_lease_has_nothing(path: Path) -> None:
    async with opened(path) as store:
        await register(store)
        await store.beat(ORDERS, Worker("a", None, None), -1, take_free)
        arrangement = await store.beat(ORDERS, Worker("a", None, None), 600, nothing)
        assert (arrangement.owners, [each.owner for each in arrangement.workers]) == ({}, ["a"])


async def test_plans_of_two_handles_never_take_the_same(path: Path) -> None:
    async with opened(path) as first, opened(path) as second:
        for round_ in range(10):
            await register(first, VIEW._replace(build=ORDERS._replace(version=1 + round_)))
            build = ORDERS._replace(version=1 + round_)
            async with asyncio.timeout(20):
                taken = await asyncio.gather(take(first, "a", build), take(second, "b", build))
            arrangement = await first.arrangement(build)
            assert [segment.epoch for segment in arrangement.segments] == [1, 1]
            assert sorted(len(each) for each in taken) == [0, 2]


async def test_a_plan_that_comes_too_late_is_made_anew(path: Path) -> None:
    asked: list[dict[int, str]] = []

    def take_all_that_is_free(arrangement: Arrangement) -> Plan:
        if not asked:
            # As if another process had been faster, between the look and the lock.
            execute(path, "insert into projection_claims values ('orders', 1, 0, 'b')")
        asked.append({**arrangement.owners})
        return take_free(arrangement)

    async with opened(path) as store:
        await register(store)
        lows = [segment.low for segment in await segments_of(store)]
        await store.beat(ORDERS, Worker("b", None, None), 600, nothing)
        arrangement = await store.beat(ORDERS, Worker("a", None, None), 600, take_all_that_is_free)
    assert asked == [{}, {lows[0]: "b"}]
    assert arrangement.owners == {lows[0]: "b", lows[1]: "a"}
    assert [segment.epoch for segment in arrangement.segments] == [0, 1]


async def test_a_pause_takes_claims_off_and_fences(path: Path) -> None:
    async with opened(path) as store:
        await register(store)
        mine = await take(store, "a")
        await store.set_paused(ORDERS, paused=True)
        arrangement = await store.arrangement(ORDERS)
        assert (arrangement.record.is_paused, arrangement.owners) == (True, {})
        assert [s.epoch for s in arrangement.segments] == [s.epoch + 1 for s in mine]
        assert await store.calls() == frozenset()
        await store.set_paused(ORDERS, paused=False)
        assert await store.calls() == {ORDERS}


async def test_a_pause_that_meets_an_open_batch_says_so_and_can_be_repeated(path: Path) -> None:
    async with opened(path, busy_timeout=0.05) as store:
        await register(store)
        mine = await take(store, "a")
        async with batch_to(store, mine, 5):
            with pytest.raises(OutageError, match="held by a transaction of this process"):
                await store.set_paused(ORDERS, paused=True)
            assert (await store.arrangement(ORDERS)).record.is_paused
        await store.set_paused(ORDERS, paused=True)
        assert [s.epoch for s in await segments_of(store)] == [s.epoch + 1 for s in mine]


async def test_what_calls_is_free_due_or_wished_for(path: Path) -> None:
    async with opened(path) as store:
        await register(store)
        await register(store, VIEW._replace(build=NEXT))
        assert await store.calls() == {ORDERS, NEXT}
        await take(store, build=NEXT)
        mine = await take(store)
        assert await store.calls() == frozenset()
        async with batch_to(store, mine, 1) as batch:
            await batch.park("key", [1], "broken", 600)
        assert await store.calls() == frozenset()
        await store.wish(ORDERS, Wish.RETRY)
        assert await store.calls() == {ORDERS}


async def test_calls_write_nothing(path: Path) -> None:
    async with opened(path) as store:
        await register(store)
        await store.calls()
        log = path.with_name(f"{path.name}-wal")
        before = log.stat().st_mtime_ns
        for _ in range(3):
            await store.calls()
        assert log.stat().st_mtime_ns == before


async def test_a_build_whose_file_is_missing_keeps_no_other_from_calling(path: Path) -> None:
    async with opened(path) as store:
        await register(store)
        await register(store, VIEW._replace(build=NEXT))
    path.with_name(f"{path.name}.orders-v1").unlink()
    async with opened(path) as store:
        assert await store.calls() == {NEXT}
