"""Taking snapshots: when, how often, and that no save fails for one."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from eventsourcing_core import (
    Backend,
    EventCodec,
    OnDemand,
    Repository,
    Saved,
    SlowLoad,
    SnapshotOccasion,
    StorageError,
)
from eventsourcing_core.stores import Parts
from tests.core._tills import Events, Shelf, Slow, Till, repository, said, state, types

pytestmark = pytest.mark.usefixtures("log")


async def test_a_save_that_crosses_a_multiple_takes_one_at_its_version(
    tills: Repository[Till], shelf: Shelf
) -> None:
    till = await tills.load("1")
    for counts, expected in (
        ((1, 1, 1), []),
        ((1,), []),
        ((1, 1), [6]),
        ((1, 1, 1), [6]),
        ((1,), [6, 10]),
        ((1,) * 12, [10, 22]),
    ):
        till.sell(*counts)
        await tills.save(till)
        assert shelf.versions() == expected


async def test_a_save_that_takes_one_calls_the_snapshot_store_once_and_others_never(
    tills: Repository[Till], shelf: Shelf
) -> None:
    till = await tills.load("1")
    calls: list[int] = []
    for _ in range(20):
        shelf.calls = []
        till.sell(1)
        await tills.save(till)
        await tills.save(till)  # nothing to save
        assert {*shelf.calls} <= {"save"}
        calls.append(len(shelf.calls))
    assert calls == [0, 0, 0, 0, 1] * 4


@pytest.mark.parametrize(("keep", "expected"), [(1, [20]), (2, [15, 20]), (9, [5, 10, 15, 20])])
async def test_only_the_newest_stay(
    events: Events, shelf: Shelf, keep: int, expected: list[int]
) -> None:
    tills = Repository(
        events, Till, snapshot_store=shelf, snapshot_frequency=5, keep_snapshots=keep
    )
    till = await tills.load("1")
    for _ in range(20):
        till.sell(1)
        await tills.save(till)
    assert shelf.versions() == expected


async def test_a_save_repeated_after_a_lost_answer_takes_one(
    events: Events, shelf: Shelf, tills: Repository[Till]
) -> None:
    class AnswerLost(Events):
        async def append(self, *arguments: Any, **options: Any) -> Any:
            await events.append(*arguments, **options)
            raise StorageError

    till = await tills.load("1")
    till.sell(1, 2, 3, 4)
    with pytest.raises(StorageError):
        await repository(AnswerLost(), shelf).save(till)
    assert shelf.calls == ["load"]
    till.sell(5)
    assert await tills.save(till) == Saved(5, 5)
    assert shelf.versions() == [5]
    assert state(await tills.load("1")) == state(till)


async def test_what_was_recorded_during_the_save_is_in_no_snapshot(
    tills: Repository[Till], shelf: Shelf, log: pytest.LogCaptureFixture
) -> None:
    till = await tills.load("1")
    till.sell(1, 2, 3, 4, 5)
    saving = asyncio.create_task(tills.save(till))
    await asyncio.sleep(0)  # the store lets others run before it writes
    till.sell(6)
    assert await saving == Saved(5, 5)
    assert shelf.versions() == []
    assert "no snapshot at version 5, more was recorded" in said(log, logging.DEBUG)[-1]


@pytest.mark.parametrize("keep", [1, 2, 3])
async def test_a_slow_writer_never_replaces_a_newer_snapshot(events: Events, keep: int) -> None:
    slow, fast = Slow(), Shelf()
    fast._snapshots = slow._snapshots
    late, early = (
        Repository(events, Till, snapshot_store=s, snapshot_frequency=5, keep_snapshots=keep)
        for s in (slow, fast)
    )
    till = await late.load("1")
    till.sell(1, 2, 3, 4, 5)
    saving = asyncio.create_task(late.save(till))
    await slow.asked.wait()
    for _ in range(2):
        await early.update("1", lambda till: till.sell(1, 1, 1, 1, 1))
    slow.go.set()
    await saving
    assert fast.versions() == [5, 10, 15][-keep:]
    events.storage.reads = []
    assert (await early.load("1")).total == 25
    assert events.storage.reads == [15]


async def test_a_slow_load_is_followed_by_one_snapshot(events: Events, shelf: Shelf) -> None:
    tills = repository(events, shelf, frequency=SlowLoad(0))
    new = Till("1")
    new.sell(1)
    await tills.save(new)
    assert shelf.versions() == []  # it was not loaded
    till = await tills.load("1")
    for _ in range(3):
        till.sell(1)
        await tills.save(till)
    assert shelf.versions() == [2]


async def test_a_policy_is_given_the_facts(events: Events, shelf: Shelf) -> None:
    occasions: list[SnapshotOccasion] = []

    class Asking:
        def is_due(self, occasion: SnapshotOccasion) -> bool:
            occasions.append(occasion)
            return occasion.version >= 3

    tills = repository(events, shelf, frequency=Asking())
    till = await tills.load("1")
    for counts in ((1, 1), (1,), (1,)):
        till.sell(*counts)
        await tills.save(till)
    await tills.save(till)  # nothing
    await tills.update("1", lambda till: till.sell(1))
    facts = [(o.version_before, o.version, o.snapshot_version) for o in occasions]
    assert facts == [(0, 2, None), (2, 3, None), (3, 4, 3), (4, 5, 4)]
    assert [o.load_seconds is None for o in occasions] == [False, False, True, False]


async def test_a_snapshot_is_taken_on_demand(events: Events, shelf: Shelf) -> None:
    tills = repository(events, shelf, frequency=OnDemand())
    till = await tills.update("1", lambda till: till.sell(*[1] * 100))
    assert shelf.versions() == []
    await tills.take_snapshot(till)
    await tills.take_snapshot(await tills.load("1", at_version=7))
    assert shelf.versions() == [7, 100]
    assert (await tills.load("1")).total == 100
    assert (await tills.load("1", at_version=50)).total == 50
    rebuilt = Till.from_events("1", [e async for e in events.read("Till-1", to_version=9)])
    await tills.take_snapshot(rebuilt)
    assert shelf.versions() == [9, 100]


async def test_a_snapshot_is_taken_of_what_a_snapshot_gave(
    tills: Repository[Till], shelf: Shelf, log: pytest.LogCaptureFixture
) -> None:
    await tills.update("1", lambda till: till.sell(1, 2, 3, 4, 5))
    till = await tills.load("1")
    await shelf.prune("Till-1", keep=0)
    log.clear()
    await tills.take_snapshot(till)
    assert shelf.versions() == [5]
    size = len(shelf.the(5).state)
    assert said(log, logging.DEBUG) == [
        f"Till-1: a snapshot was taken at version 5, of {size} bytes"
    ]


@pytest.mark.parametrize("options", [{}, {"snapshot_frequency": None, "snapshot_store": Shelf()}])
async def test_a_repository_without_snapshots_takes_and_verifies_none(
    events: Events, options: dict[str, Any]
) -> None:
    tills = Repository(events, Till, **options)
    till = await tills.update("1", lambda till: till.sell(1))
    with pytest.raises(ValueError, match="this repository of Till has no snapshots"):
        await tills.take_snapshot(till)
    with pytest.raises(ValueError, match="this repository of Till has no snapshots"):
        await tills.verify("1")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"snapshot_frequency": 0}, ValueError),
        ({"snapshot_frequency": "often"}, TypeError),
        ({"snapshot_frequency": OnDemand}, TypeError),
        ({"keep_snapshots": 0}, ValueError),
        ({"keep_snapshots": 2.5}, TypeError),
        ({"serializer": "zebra"}, LookupError),
    ],
)
def test_options_that_make_no_sense_are_refused(
    events: Events, shelf: Shelf, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        Repository(events, Till, snapshot_store=shelf, **options)
    if "serializer" not in options:  # which only snapshots need
        with pytest.raises(error):
            Repository(events, Till, **options)


class Reversed:
    """A cipher for children."""

    name = "reversed"

    def transform(self, data: bytes) -> bytes:
        return data[::-1]

    def restore(self, data: bytes) -> bytes:
        return data[::-1]


async def test_a_backend_encodes_snapshots_as_it_encodes_events(
    events: Events, shelf: Shelf
) -> None:
    codec = EventCodec(transformers=[Reversed()], event_types=types)
    backend = Backend("test", codec, Parts(events.storage, shelf))
    tills = backend.repository(Till, snapshot_frequency=2, keep_snapshots=1)
    for _ in range(5):
        await tills.update("1", lambda till: till.sell(1, article="tea"))
    assert shelf.versions() == [4]
    snapshot = shelf.the(4)
    assert snapshot.encoding == "json+reversed" == codec.encoding
    assert b'"tea"' not in snapshot.state
    assert b'"tea"' in snapshot.state[::-1]
    events.storage.reads = []
    assert (await tills.load("1")).total == 5
    assert events.storage.reads == [4]


async def test_a_backend_takes_snapshots_unless_they_are_switched_off(
    events: Events, shelf: Shelf
) -> None:
    backend = Backend("test", EventCodec(event_types=types), Parts(events.storage, shelf))
    await backend.repository(Till).update("1", lambda till: till.sell(*[1] * 100))
    assert shelf.versions() == [100]
    shelf.calls = []
    off = backend.repository(Till, snapshot_frequency=None)
    await off.update("1", lambda till: till.sell(*[1] * 100))
    assert shelf.calls == []
    other = Shelf()
    elsewhere = backend.repository(Till, snapshot_store=other)
    await elsewhere.update("1", lambda till: till.sell(*[1] * 100))
    assert (shelf.versions(), other.versions()) == ([100], [300])


async def test_a_backend_without_a_snapshot_store_has_repositories(events: Events) -> None:
    backend = Backend("test", EventCodec(event_types=types), Parts(events.storage))
    tills = backend.repository(Till)
    await tills.update("1", lambda till: till.sell(*[1] * 200))
    assert (await tills.load("1")).total == 200
