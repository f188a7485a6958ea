"""Beats: who works on what, by the server's clock, and without waiting for anybody's batch."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.stores import Arrangement, Build, Plan, ProjectionError, Worker
from eventsourcing_postgres._projections import _session, _work
from eventsourcing_postgres._projections._projection_store import PostgresProjectionStore
from eventsourcing_postgres._projections._session import Session, in_session
from tests.eventsourcing_postgres.projections._builds import (
    LEASE,
    NOBODY,
    ORDERS,
    at,
    make_view,
    move_all,
    opened,
    put,
    take_all,
    until_waiting,
)

if TYPE_CHECKING:
    import asyncpg

    from eventsourcing_core.stores import ProjectionStore

    Pool = asyncpg.Pool[asyncpg.Record]


def planning(**steps: set[int]) -> Plan:
    return Plan(**{name: frozenset(lows) for name, lows in steps.items()})


async def beat(
    store: ProjectionStore, plan: Plan = NOBODY, owner: str = "a", error: str | None = None
) -> Arrangement:
    return await store.beat(ORDERS, Worker(owner, 7, error), LEASE, lambda _: plan)


async def test_whoever_takes_raises_the_epoch(store: ProjectionStore) -> None:
    await make_view(store, segments=2)
    found = await beat(store, planning(take={32768}))
    assert [each.epoch for each in found.segments] == [0, 1]
    assert found.owners == {32768: "a"}
    assert found == await store.arrangement(ORDERS)


async def test_a_worker_says_what_it_failed_with(store: ProjectionStore) -> None:
    await make_view(store)
    await beat(store, error="with \0 and \ud800")
    found = await beat(store, owner="b")
    assert found.workers == (Worker("a", 7, "with \\0 and \\ud800"), Worker("b", 7, None))
    assert (await beat(store)).workers == (Worker("a", 7, None), Worker("b", 7, None))


async def test_segments_are_halved_and_joined(store: ProjectionStore) -> None:
    await make_view(store)
    await take_all(store, ORDERS)
    await put(store, ORDERS, 5)
    found = await beat(store, planning(split={0}))
    assert [(each.low, each.high, each.epoch) for each in found.segments] == [
        (0, 32767, 2),
        (32768, 65535, 2),
    ]
    assert {each.progress for each in found.segments} == {at(5)}
    assert found.owners == {0: "a", 32768: "a"}
    found = await beat(store, planning(merge={0}))
    assert [(each.low, each.high, each.epoch) for each in found.segments] == [(0, 65535, 3)]
    assert (found.segments[0].progress, found.owners) == (at(5), {0: "a"})


async def test_what_is_given_is_free(store: ProjectionStore) -> None:
    await make_view(store, segments=2)
    await take_all(store, ORDERS)
    found = await beat(store, planning(give={0}))
    assert found.owners == {32768: "a"}
    assert await store.calls() == {ORDERS}
    assert (await beat(store, planning(take={0}), "b")).owners == {0: "b", 32768: "a"}
    assert await store.calls() == set()


async def test_a_plan_that_does_not_fit_is_refused(store: ProjectionStore) -> None:
    await make_view(store, segments=2)
    await take_all(store, ORDERS)
    with pytest.raises(ValueError, match="cannot take the segment at 0"):
        await beat(store, planning(take={0}), "b")
    assert [each.owner for each in (await store.arrangement(ORDERS)).workers] == ["a"]


async def test_a_beat_does_not_wait_for_a_batch(store: ProjectionStore, pool: Pool) -> None:
    await make_view(store, segments=2)
    known = await take_all(store, ORDERS)
    await pool.execute("update eventsourcing.projection_workers set until = now()")  # a is slow
    async with store.batch(ORDERS, move_all(known, at(1)), lease=LEASE) as batch:
        await batch.put({"a": "1"})
        found = await beat(store, planning(take={0, 32768}), "b")
        assert [each.owner for each in found.workers] == ["b"]  # it is alive, and has got nothing
        assert found.owners == {}
        assert [each.epoch for each in found.segments] == [1, 1]
        assert await beat(store, owner="b") == found
    found = await beat(store, planning(take={0, 32768}), "b")
    assert found.owners == {0: "b", 32768: "b"}
    assert {each.progress for each in found.segments} == {at(1)}


async def test_a_batch_that_ends_meanwhile_is_not_taken_back(
    store: ProjectionStore, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_work, "_PATIENCE", 10_000)  # else it may give up before the batch ends
    await make_view(store)
    known = await take_all(store, ORDERS)
    async with store.batch(ORDERS, move_all(known, at(1)), lease=LEASE):
        splitting = asyncio.create_task(beat(store, planning(split={0})))
        await until_waiting(pool)
    found = await splitting
    assert {each.progress for each in found.segments} == {at(1)}


async def test_only_what_is_at_the_same_progress_is_joined(
    store: ProjectionStore, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_work, "_PATIENCE", 10_000)  # as above
    await make_view(store, segments=2)
    known = await take_all(store, ORDERS)
    first = move_all(known, at(1))._replace(segments=known.segments[:1])
    async with store.batch(ORDERS, first, lease=LEASE):
        joining = asyncio.create_task(beat(store, planning(merge={0})))
        await until_waiting(pool)
    found = await joining
    assert [each.progress.position for each in found.segments] == [1, 0]


@pytest.mark.parametrize("shift", [-3600.0, 3600.0], ids=["behind", "ahead"])
async def test_a_clock_of_a_process_that_is_wrong_takes_nothing(
    store: ProjectionStore, monkeypatch: pytest.MonkeyPatch, shift: float
) -> None:
    await make_view(store, segments=2)
    await take_all(store, ORDERS)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + shift)
    found = await take_all(store, ORDERS, "b")
    assert set(found.owners.values()) == {"a"}
    assert [each.owner for each in found.workers] == ["a", "b"]


async def test_a_lease_that_is_over_leaves_segments_to_others(
    store: ProjectionStore, pool: Pool
) -> None:
    await make_view(store)
    await take_all(store, ORDERS)
    assert await store.calls() == set()
    await pool.execute("update eventsourcing.projection_workers set until = now()")
    assert (await store.arrangement(ORDERS)).owners == {}
    assert await store.calls() == {ORDERS}
    found = await take_all(store, ORDERS, "b")
    assert (found.owners, found.segments[0].epoch) == ({0: "b"}, 2)


async def test_what_a_crash_of_the_server_empties_is_made_anew(
    store: ProjectionStore, pool: Pool
) -> None:
    await make_view(store, segments=2)
    known = await take_all(store, ORDERS)
    await pool.execute("truncate eventsourcing.projection_claims, eventsourcing.projection_workers")
    found = await store.arrangement(ORDERS)
    assert (found.owners, found.workers, found.segments) == ({}, (), known.segments)
    assert await store.calls() == {ORDERS}
    assert [each.epoch for each in (await take_all(store, ORDERS)).segments] == [2, 2]


async def test_who_leaves_leaves_everything(store: ProjectionStore) -> None:
    await make_view(store, segments=2)
    await take_all(store, ORDERS)
    await store.leave(ORDERS, "a")
    found = await store.arrangement(ORDERS)
    assert (found.owners, found.workers) == ({}, ())


async def test_many_beats_at_once_share_what_there_is(store: ProjectionStore, url: str) -> None:
    await make_view(store, segments=16)

    def one_more(found: Arrangement) -> Plan:
        free = [each.low for each in found.segments if each.low not in found.owners]
        return planning(take=set(free[:4]))

    async with opened(url) as other:
        await asyncio.gather(
            *(
                where.beat(ORDERS, Worker(f"{number}", None, None), LEASE, one_more)
                for number in range(4)
                for where in [(store, other)[number % 2]]
            )
        )
    found = await store.arrangement(ORDERS)
    owners = list(found.owners.values())
    assert sorted(owners) == sorted("0123" * 4)
    assert {each.epoch for each in found.segments} == {1}


async def test_a_build_that_is_not_registered_says_so(store: ProjectionStore) -> None:
    unknown = Build("unknown", 1)
    for act in (
        store.arrangement(unknown),
        store.beat(unknown, Worker("a", None, None), LEASE, lambda _: NOBODY),
        store.leave(unknown, "a"),
    ):
        with pytest.raises(ProjectionError, match="unknown, version 1, is not registered"):
            await act


async def test_who_stands_still_in_a_beat_holds_nobody_up(
    store: ProjectionStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_session, "SILENCE", 200)
    await make_view(store)
    stands_still = asyncio.Event()

    async def work(session: Session) -> None:
        await session.lock(ORDERS)
        stands_still.set()
        await asyncio.Event().wait()

    async with opened(url) as other:
        assert isinstance(other, PostgresProjectionStore)
        database = other._database
        standing = asyncio.create_task(in_session(database, "standing still", work))
        await stands_still.wait()
        async with asyncio.timeout(10):
            assert (await beat(store)).owners == {}
        standing.cancel()
        await asyncio.wait({standing})
