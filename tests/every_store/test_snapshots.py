"""Aggregates loaded with and without snapshots are equal, on every store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventsourcing_core import Event, Repository, StorageEventStore, open_backend
from tests.core._storages import Watched
from tests.every_store._ledger import Booked, Ledger, changes, state, types

_ids = count(1)

SHARED = settings(
    max_examples=25,
    deadline=None,
    # The file and the database are shared by the examples: each has an aggregate of its own.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


# A step is one save, or several at once; each by one of three repositories.
saves = st.tuples(st.integers(0, 2), st.lists(changes, min_size=1, max_size=7))
histories = st.lists(st.lists(saves, min_size=1, max_size=3), min_size=1, max_size=8)


async def record(ledgers: Repository[Ledger], id: str, changes: list[object]) -> None:  # noqa: A002 - the word of the domain
    await ledgers.update(id, lambda ledger: ledger.record(changes), attempts=100)


@SHARED
@given(
    history=histories,
    frequencies=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    keep=st.integers(1, 3),
    serializer=st.sampled_from(["json", "msgpack"]),
    data=st.data(),
)
async def test_with_and_without_snapshots_an_aggregate_is_the_same(  # noqa: PLR0913 - what varies
    store_url: str,
    history: list[list[tuple[int, list[object]]]],
    frequencies: tuple[int, int],
    keep: int,
    serializer: str,
    data: st.DataObject,
) -> None:
    name = str(next(_ids))
    async with open_backend(store_url, serializer=serializer, event_types=types) as backend:
        plain = backend.repository(Ledger, snapshot_frequency=None)
        cached = [
            backend.repository(Ledger, snapshot_frequency=frequency, keep_snapshots=keep)
            for frequency in frequencies
        ]
        writers = [*cached, plain]
        for step in history:
            await asyncio.gather(*(record(writers[who], name, new) for who, new in step))
            expected = state(await plain.load(name))
            for repository in cached:
                assert state(await repository.load(name)) == expected
        version = data.draw(st.integers(1, (await plain.load(name)).version))
        past = state(await plain.load(name, at_version=version))
        for repository in cached:
            assert state(await repository.load(name, at_version=version)) == past
            report = await repository.verify(name)
            assert report.is_right or report.reason == "there is no snapshot"


MANY = 20_000


async def test_a_long_stream_is_read_from_its_snapshot_on(store_url: str) -> None:
    async with open_backend(store_url, event_types=types) as backend:
        events = [
            Event.of(Booked("a", Decimal(number)), event_types=types) for number in range(MANY)
        ]
        for first in range(0, MANY, 2000):
            batch = events[first : first + 2000]
            await backend.event_store.append("Ledger-1", batch, expected_version=first)
        parts = backend.event_store._parts
        assert parts.storage is not None
        watched = Watched(parts.storage)
        store = StorageEventStore(replace(parts, storage=watched), backend.codec)
        ledgers = Repository(store, Ledger, snapshot_store=backend.snapshot_store)
        await ledgers.load("unknown")  # a storage that does not tell of snapshots is asked once
        watched.reads, watched.given = [], 0
        await record(ledgers, "1", [Booked("b", Decimal(1))] * 3)
        assert (watched.reads, watched.given) == ([1], MANY)
        await ledgers.take_snapshot(await ledgers.load("1", at_version=MANY))
        expected = await backend.repository(Ledger, snapshot_frequency=None).load("1")
        watched.reads, watched.given = [], 0
        loaded = await ledgers.load("1")
        trip = MANY if backend.name == "memory" else 1  # with the snapshot, but in memory
        assert (watched.reads, watched.given) == ([trip], 4)
        assert state(loaded) == state(expected)
        assert loaded.version == MANY + 3
        assert (await ledgers.verify("1")).is_right


async def test_saves_that_take_a_snapshot_at_once_leave_the_newest(store_url: str) -> None:
    async with open_backend(store_url, event_types=types) as backend:
        ledgers = backend.repository(Ledger, snapshot_frequency=1, keep_snapshots=2)

        one: list[object] = [Booked("a", Decimal(1))]
        await asyncio.gather(*(record(ledgers, "1", one) for _ in range(20)))
        await record(ledgers, "1", one)
        newest = await backend.snapshot_store.load("Ledger-1")
        assert newest is not None
        assert newest.version == 21
        second = await backend.snapshot_store.load("Ledger-1", max_version=20)
        assert second is not None
        assert await backend.snapshot_store.load("Ledger-1", max_version=second.version - 1) is None
        assert (await ledgers.load("1")).total == 21
