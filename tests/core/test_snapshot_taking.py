"""Taking snapshots: when, how often, and that no save fails for one."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    Backend,
    EventCodec,
    OnDemand,
    Repository,
    SlowLoad,
    SnapshotError,
    SnapshotOccasion,
    StorageError,
    TransformError,
)
from tests.core._tills import Events, Shelf, Till, state, types

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from eventsourcing_core import Event, Snapshot, SnapshotPolicy


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def tills(events: Events, shelf: Shelf) -> Repository[Till]:
    return repository(events, shelf)


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, logger="eventsourcing_core.snapshots")
    return caplog


def repository(
    events: Events, shelf: Shelf, cls: type[Till] = Till, frequency: int | SnapshotPolicy = 5
) -> Repository[Till]:
    return Repository(events, cls, snapshot_store=shelf, snapshot_frequency=frequency)


def said(log: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    return [record.getMessage() for record in log.records if record.levelno >= level]


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
    assert await tills.save(till) == 5
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
    assert await saving == 5
    assert shelf.versions() == []
    assert "no snapshot at version 5, more was recorded" in said(log, logging.DEBUG)[-1]


@pytest.mark.parametrize("error", [StorageError("down"), OSError("gone"), TypeError("keep")])
async def test_a_snapshot_store_that_is_down_fails_no_save(
    tills: Repository[Till], shelf: Shelf, log: pytest.LogCaptureFixture, error: Exception
) -> None:
    till = await tills.load("1")
    till.sell(1, 2, 3, 4, 5)
    shelf.error = error
    assert await tills.save(till) == 5
    assert till.pending_events == ()
    (line,) = said(log)
    assert line.startswith("Till-1: no snapshot was taken at version 5, since ")
    assert str(error) in line


class Failing:
    """A policy with a mistake."""

    def is_due(self, occasion: SnapshotOccasion) -> bool:
        raise ZeroDivisionError(str(occasion))


async def test_a_policy_that_raises_fails_no_save(
    events: Events, shelf: Shelf, log: pytest.LogCaptureFixture
) -> None:
    tills = repository(events, shelf, frequency=Failing())
    till = await tills.load("1")
    till.sell(1)
    assert await tills.save(till) == 1
    assert "ZeroDivisionError" in said(log)[0]


async def test_a_cancelled_save_stays_cancelled_and_its_events_are_stored(events: Events) -> None:
    slow = Slow()
    till = Till("1")
    till.sell(1, 2, 3, 4, 5)
    saving = asyncio.create_task(repository(events, slow).save(till))
    await slow.asked.wait()
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving
    assert till.pending_events == ()
    assert (await Repository(events, Till).load("1")).version == 5


async def test_a_snapshot_store_that_cancels_itself_cancels_no_save(
    tills: Repository[Till], shelf: Shelf, log: pytest.LogCaptureFixture
) -> None:
    till = await tills.load("1")
    till.sell(1, 2, 3, 4, 5)
    shelf.error = asyncio.CancelledError()
    assert await tills.save(till) == 5
    assert "no snapshot was taken at version 5, since CancelledError" in said(log)[0]


class Undeclared(Till):
    category = "Till"

    def apply(self, event: Event[Any]) -> None:
        super().apply(event)
        self.extra = 1


class Unsupported(Till):
    category = "Till"
    ratio: complex = 0j


@pytest.mark.parametrize("cls", [Undeclared, Unsupported])
async def test_a_class_whose_state_cannot_be_stored_works_and_is_warned_of_once(
    events: Events, shelf: Shelf, log: pytest.LogCaptureFixture, cls: type[Till]
) -> None:
    for id in ("1", "2"):  # noqa: A001 - the word of the domain
        tills = repository(events, shelf, cls)  # a new one, as in each request of a web application
        for _ in range(12):
            await tills.update(id, lambda till: till.sell(1))
    assert (await tills.load("1")).total == 12
    (line,) = said(log)
    assert f"{cls.__name__}." in line
    assert shelf.versions() == []


class Choosy(Till):
    """Cannot be stored for another reason each time."""

    category = "Till"

    def snapshot_state(self) -> object:
        return {self.total: object()}


async def test_each_reason_is_warned_of_but_not_without_end(
    events: Events, shelf: Shelf, log: pytest.LogCaptureFixture
) -> None:
    tills = repository(events, shelf, Choosy, 1)
    till = await tills.load("1")
    for _ in range(3):
        till.sell(1)
        await tills.save(till)
        till.sell(-1)
        await tills.save(till)
    assert [("key 1" in line, "key 0" in line) for line in said(log)] == [
        (True, False),
        (False, True),
    ]
    for _ in range(50):
        till.sell(1)
        await tills.save(till)
    assert len(said(log)) == 20


class Down:
    """A transformer whose keys are elsewhere."""

    name = "down"

    def transform(self, data: bytes) -> bytes:
        raise OSError(str(len(data)))

    def restore(self, data: bytes) -> bytes:
        return data


async def test_a_transformer_that_fails_is_warned_of_each_time(
    events: Events, shelf: Shelf, log: pytest.LogCaptureFixture
) -> None:
    tills = Repository(
        events, Till, snapshot_store=shelf, snapshot_frequency=1, transformers=[Down()]
    )
    for id in ("1", "2"):  # noqa: A001 - the word of the domain
        till = await tills.update(id, lambda till: till.sell(1))
    assert len(said(log)) == 2
    assert "the transformer 'down' failed: OSError" in said(log)[0]
    with pytest.raises(TransformError, match="down"):
        await tills.take_snapshot(till)


async def test_a_class_without_snapshots_is_not_looked_for_in_the_snapshot_store(
    events: Events, shelf: Shelf
) -> None:
    await repository(events, shelf, Unsupported).load("1")
    assert shelf.calls == []


class Slow(Shelf):
    """Saves when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        self.asked.set()
        await self.go.wait()
        await super().save(snapshot, keep=keep)


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
    events.reads = []
    assert (await early.load("1")).total == 25
    assert events.reads == [15]


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


async def test_what_is_no_stored_version_gives_no_snapshot(tills: Repository[Till]) -> None:
    with pytest.raises(ValueError, match="'Till-1' has no events yet"):
        await tills.take_snapshot(Till("1"))
    till = await tills.load("1")
    till.sell(1)
    with pytest.raises(ValueError, match="'Till-1' has events that are not saved"):
        await tills.take_snapshot(till)
    till.clear_pending()
    with pytest.raises(ValueError, match="'Till-1' is not known to be .* version 1 make of it"):
        await tills.take_snapshot(till)


async def given_up(tills: Repository[Till]) -> Till:
    """Give a till whose state holds an event that its stream lacks, and lacks one that it has."""
    till = await tills.update("1", lambda till: till.sell(1))
    till.sell(100)
    till.clear_pending()
    await tills.update("1", lambda till: till.sell(2))
    return till


async def counted_by_hand(tills: Repository[Till]) -> Till:
    """Give a till that was told its version, and never its events."""
    await tills.update("1", lambda till: till.sell(1, 1, 1))
    till = Till("1")
    till.version = 3
    return till


@pytest.mark.parametrize("make", [given_up, counted_by_hand])
async def test_what_its_events_did_not_make_gives_no_snapshot(
    events: Events,
    tills: Repository[Till],
    shelf: Shelf,
    log: pytest.LogCaptureFixture,
    make: Callable[[Repository[Till]], Awaitable[Till]],
) -> None:
    till = await make(tills)
    for _ in range(2):  # once it is not known, it stays so
        till.sell(1, 1, 1, 1, 1)
        await tills.save(till)
        assert "'Till-1' is not known to be" in said(log)[-1]
        with pytest.raises(ValueError, match="load it first"):
            await tills.take_snapshot(till)
    assert shelf.versions() == []
    assert state(await tills.load("1")) == state(await Repository(events, Till).load("1"))


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


async def test_a_snapshot_that_was_asked_for_says_why_it_cannot_be_taken(
    events: Events, shelf: Shelf
) -> None:
    for cls in (Undeclared, Unsupported, Odd):
        tills = repository(events, shelf, cls, OnDemand())
        till = await tills.update("1", lambda till: till.sell(1))
        with pytest.raises(SnapshotError, match=cls.__name__):
            await tills.take_snapshot(till)
    tills = repository(events, shelf)
    shelf.error = StorageError("down")
    with pytest.raises(StorageError, match="down"):
        await tills.take_snapshot(await tills.load("1"))


class Odd(Till):
    """Gives a state that is no tree."""

    category = "Till"

    def snapshot_state(self) -> object:
        return {"sales": (1, 2)}


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"snapshot_frequency": 0}, ValueError),
        ({"snapshot_frequency": "often"}, TypeError),
        ({"keep_snapshots": 0}, ValueError),
        ({"serializer": "zebra"}, LookupError),
    ],
)
def test_options_that_make_no_sense_are_refused(
    events: Events, shelf: Shelf, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        Repository(events, Till, snapshot_store=shelf, **options)


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
    backend = Backend("test", codec, event_store=events, snapshot_store=shelf)
    tills = backend.repository(Till, snapshot_frequency=2, keep_snapshots=1)
    for _ in range(5):
        await tills.update("1", lambda till: till.sell(1, article="tea"))
    assert shelf.versions() == [4]
    snapshot = shelf.the(4)
    assert snapshot.encoding == "json+reversed" == codec.encoding
    assert b'"tea"' not in snapshot.state
    assert b'"tea"' in snapshot.state[::-1]
    events.reads = []
    assert (await tills.load("1")).total == 5
    assert events.reads == [4]


async def test_a_backend_takes_snapshots_unless_they_are_switched_off(
    events: Events, shelf: Shelf
) -> None:
    backend = Backend("test", EventCodec(), event_store=events, snapshot_store=shelf)
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
    tills = Backend("test", EventCodec(), event_store=events).repository(Till)
    await tills.update("1", lambda till: till.sell(*[1] * 200))
    assert (await tills.load("1")).total == 200
