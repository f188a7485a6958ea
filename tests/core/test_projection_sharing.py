"""How processes share the segments of a build: each plans alone, and all plans fit."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from eventsourcing_core import open_backend
from eventsourcing_core._projections.projector import Projector
from eventsourcing_core._projections.sharing import Claims, Terms, fair_shares, plan_for
from eventsourcing_core.stores import (
    Arrangement,
    Build,
    BuildRecord,
    BuildSpec,
    BuildState,
    OutageError,
    Plan,
    Progress,
    ProjectionKind,
    Worker,
    new_segments,
    rearranged,
)
from eventsourcing_inmemory._projection_store import InMemoryProjectionStore


def record(wanted: int, **changes: object) -> BuildRecord:
    spec = BuildSpec(Build("x", 1), ProjectionKind.VIEW, "X")
    made = BuildRecord(
        spec, BuildState.LIVE, is_paused=False, is_switching=False, wanted_segments=wanted
    )
    return made._replace(**changes)  # type: ignore[arg-type]  # fields by name


def arranged(count: int, wanted: int, *workers: Worker) -> Arrangement:
    return Arrangement(record(wanted), tuple(new_segments(count, Progress(0, None))), {}, workers)


def settled(arrangement: Arrangement) -> Arrangement:
    """Let all workers plan in turns, until nobody changes anything."""
    for _ in range(200):
        before = arrangement
        for worker in arrangement.workers:
            plan = plan_for(worker.owner, arrangement)
            arrangement = rearranged(arrangement, worker.owner, plan)
        if arrangement == before:
            return arrangement
    raise AssertionError


def shares(arrangement: Arrangement) -> dict[str, int]:
    owners = [*arrangement.owners.values()]
    return {each.owner: owners.count(each.owner) for each in arrangement.workers}


@pytest.mark.parametrize("count", [1, 2, 7, 8, 16, 100])
@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_shares_differ_by_one_at_most_and_stay(count: int, workers: int) -> None:
    some = [Worker(f"w{number}", None, None) for number in range(workers)]
    found = settled(arranged(count, count, *some))
    assert sum(shares(found).values()) == count
    assert max(shares(found).values()) - min(shares(found).values()) <= 1
    assert all(plan_for(worker.owner, found) == Plan() for worker in some)


def test_one_who_comes_takes_from_those_who_have_most() -> None:
    found = settled(arranged(8, 8, Worker("a", None, None)))
    found = settled(found._replace(workers=(*found.workers, Worker("b", None, None))))
    assert shares(found) == {"a": 4, "b": 4}
    kept = found.owners
    found = settled(found._replace(workers=(*found.workers, Worker("c", None, None))))
    assert sorted(shares(found).values()) == [2, 3, 3]
    assert sum(kept[low] == owner for low, owner in found.owners.items()) == 6


def test_limits_are_kept_and_what_is_left_goes_to_the_others() -> None:
    found = settled(arranged(8, 8, Worker("a", 1, None), Worker("b", None, None)))
    assert shares(found) == {"a": 1, "b": 7}
    found = settled(arranged(8, 8, Worker("a", 1, None), Worker("b", 2, None)))
    assert shares(found) == {"a": 1, "b": 2}


def test_shares_are_never_more_than_there_is() -> None:
    random = Random("shares")  # noqa: S311 - no secret
    for _ in range(200):
        workers = [
            Worker(f"w{number}", random.choice([None, 1, 2, 5]), None)
            for number in range(random.randrange(1, 6))
        ]
        counts = {worker.owner: random.randrange(4) for worker in workers}
        count = random.randrange(1, 20)
        found = fair_shares(count, workers, counts)
        most = sum(count if worker.limit is None else worker.limit for worker in workers)
        assert sum(found.values()) == min(count, most)
        assert all(
            worker.limit is None or found[worker.owner] <= worker.limit for worker in workers
        )


@pytest.mark.parametrize("wanted", [2, 4, 8])
def test_who_stood_still_until_its_lease_ran_out_plans_nothing(wanted: int) -> None:
    for others in ([], [Worker("b", None, None)]):
        assert not any(plan_for("a", arranged(4, wanted, *others)))


@pytest.mark.parametrize(
    "changes",
    [
        {"is_paused": True},
        {"is_switching": True},
        {
            "state": BuildState.RETIRED,
            "spec": BuildSpec(Build("x", 1), ProjectionKind.REACTOR, "X"),
        },
    ],
    ids=["paused", "switching", "muted"],
)
def test_what_nobody_may_work_on_is_given_back(changes: dict[str, object]) -> None:
    found = settled(arranged(4, 4, Worker("a", None, None)))
    found = settled(found._replace(record=record(4, **changes)))
    assert found.owners == {}


@pytest.mark.parametrize(("count", "wanted"), [(8, 3), (3, 8), (1, 64), (64, 1), (7, 5)])
def test_segments_become_as_many_as_are_wanted(count: int, wanted: int) -> None:
    workers = [Worker(f"w{number}", None, None) for number in range(3)]
    found = settled(settled(arranged(count, count, *workers))._replace(record=record(wanted)))
    assert len(found.segments) == wanted
    assert sum(shares(found).values()) == wanted
    lows = [segment.low for segment in found.segments]
    highs = [segment.high + 1 for segment in found.segments]
    assert [0, *highs] == [*lows, 65_536]


def test_segments_that_are_not_at_one_progress_are_not_joined() -> None:
    found = settled(arranged(2, 2, Worker("a", None, None)))
    first, second = found.segments
    apart = (first._replace(progress=Progress(5, None)), second)
    found = found._replace(record=record(1), segments=apart)
    assert plan_for("a", found) == Plan()


@pytest.mark.parametrize(("first", "then"), [(64, 1), (1, 64), (7, 1_024)])
async def test_one_turn_is_enough_for_any_number_of_segments(first: int, then: int) -> None:
    store = InMemoryProjectionStore()
    spec = BuildSpec(Build("a", 1), ProjectionKind.VIEW, "A")
    await store.register(spec, segments=first, start=Progress(0, None), create=None)
    terms = Terms("me", 60.0, None, 1, 1.0)
    claims = Claims(spec.build, store, terms, lambda: None, lambda: None)
    assert len(await claims.arrange()) == first
    await store.set_segments(spec.build, then)
    assert len(await claims.arrange()) == then
    assert claims.has_changed
    assert len(await claims.arrange()) == then
    assert not claims.has_changed
    claims.forget()


class Lossy(InMemoryProjectionStore):
    """Fails when it is cancelled, as a driver that leaves a transaction on a lost connection."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked = asyncio.Event()

    async def beat(self, *_: object, **__: object) -> Arrangement:
        await self._fail()
        raise AssertionError

    async def calls(self) -> frozenset[Build]:
        await self._fail()
        raise AssertionError

    async def _fail(self) -> None:
        self.is_asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            message = "the connection is closed"
            raise OutageError(message) from None


async def test_who_renews_ends_also_where_the_store_fails_when_it_is_cancelled() -> None:
    store = Lossy()
    terms = Terms("me", 0.01, None, 1, 1.0)
    claims = Claims(Build("a", 1), store, terms, lambda: None, lambda: None)
    renewing = asyncio.create_task(claims.renew())
    await store.is_asked.wait()
    renewing.cancel()
    await asyncio.wait({renewing}, timeout=10)
    assert renewing.cancelled()


async def test_who_looks_for_calls_ends_also_where_the_store_fails_when_it_is_cancelled() -> None:
    store = Lossy()
    async with open_backend("memory://") as backend:
        projector = Projector([], backend.event_store, store)
        await projector.__aenter__()
        (calling,) = [task for task in asyncio.all_tasks() if "_call_on" in repr(task)]
        await store.is_asked.wait()
        await projector.__aexit__()
        await asyncio.wait({calling}, timeout=10)
        assert calling.cancelled()
