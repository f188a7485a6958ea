"""Why a snapshot is not used: that all events are replayed then, and what is said."""

from __future__ import annotations

import asyncio
import inspect
import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import Event, EventCodec, JsonSerializer, Repository, Saved, StorageError
from eventsourcing_inmemory import InMemoryEventStore
from tests.core._storages import Holed
from tests.core._tills import Events, Shelf, Sold, Till, replayed, said, sell, state, types
from tests.core._tills import repository as new_repository

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventsourcing_core.stores import Snapshot


pytestmark = pytest.mark.usefixtures("log")
repository = partial(new_repository, keep=9)


@pytest.fixture
def tills(events: Events, shelf: Shelf) -> Repository[Till]:
    return repository(events, shelf)


def tampered(tree: object) -> Callable[[Snapshot], Snapshot]:
    data = JsonSerializer().serialize(tree)
    return lambda snapshot: replace(snapshot, state=data)


def cut_off(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, state=snapshot.state[:-9])


def lacks_its_state(snapshot: Snapshot) -> Snapshot:
    tree: Any = JsonSerializer().deserialize(snapshot.state)
    del tree["state"]
    return tampered(tree)(snapshot)


def has_another_state(snapshot: Snapshot) -> Snapshot:
    tree: Any = JsonSerializer().deserialize(snapshot.state)
    tree["state"]["total"] = "many"
    return tampered(tree)(snapshot)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: replace(s, state=b""), "the snapshot at version 5 cannot be read: JSONDecode"),
        (cut_off, "cannot be read: JSONDecodeError"),
        (lambda s: replace(s, state=b"\xff\xfe"), "cannot be read: UnicodeDecodeError"),
        (lambda s: replace(s, encoding="zebra"), "cannot be read: no serializer for 'zebra'"),
        (lambda s: replace(s, encoding="json+zz"), "cannot be read: no transformer for 'zz'"),
        (tampered(None), "cannot be read: TypeError"),
        (tampered({}), "cannot be read: KeyError"),
        (tampered({"event_id": "x", "state": {}}), "cannot be read: AttributeError"),
        (lacks_its_state, "cannot be read: KeyError: 'state'"),
        (has_another_state, r"Till.total cannot be restored: Till.total must be int, got str"),
        (lambda s: replace(s, aggregate_id="Till-2"), "cannot be read: it is one of 'Till-2'"),
        (lambda s: replace(s, version=4), "the event at version 4 is another one"),
        (lambda s: replace(s, version=9), "the stream ends before version 9"),
        (
            lambda s: replace(s, state_version="1:other"),
            "has the state version 1:other, Till has 1",
        ),
    ],
)
async def test_a_snapshot_that_cannot_be_used_leads_to_a_replay_and_a_line_that_says_why(  # noqa: PLR0913 - four fixtures
    tills: Repository[Till],
    events: Events,
    shelf: Shelf,
    log: pytest.LogCaptureFixture,
    change: Callable[[Snapshot], Snapshot],
    reason: str,
) -> None:
    await sell(tills, 1, 2, 3, 4, 5)
    await sell(tills, 6)
    snapshot = shelf.the(5)
    await shelf.prune("Till-1", keep=0)
    shelf.put(change(snapshot))
    till = await tills.load("1")
    assert state(till) == await replayed(events)
    (line,) = said(log)
    assert line.startswith("Till-1: all events are replayed, since ")
    assert reason in line
    till.sell(7)  # and one goes on
    assert await tills.save(till) == Saved(7, 7)


class Newer(Till):
    category = "Till"
    state_version = 2


class Doubling(Till):
    """Makes another state of the same events, with the same attributes."""

    category = "Till"

    def apply(self, event: Event[Sold]) -> None:
        super().apply(event)
        self.total += event.data.count


@pytest.mark.parametrize("cls", [Newer, Doubling])
async def test_a_snapshot_of_another_class_is_not_used(
    tills: Repository[Till],
    events: Events,
    shelf: Shelf,
    log: pytest.LogCaptureFixture,
    cls: type[Till],
) -> None:
    await sell(tills, 1, 2, 3, 4, 5)
    till = await repository(events, shelf, cls).load("1")
    assert till.total == (30 if cls is Doubling else 15)
    assert log.records[-1].levelname == "INFO"
    assert "state version 1:" in said(log)[0]


async def test_an_aggregate_of_a_class_below_leaves_no_snapshot_for_the_class_above(
    tills: Repository[Till], events: Events
) -> None:
    below = Doubling("1")
    below.sell(1, 2, 3, 4, 5)
    await tills.save(below)
    assert state(await tills.load("1")) == await replayed(events)


async def test_a_load_from_stores_that_are_closed_only_fails(
    tills: Repository[Till], events: Events, shelf: Shelf, log: pytest.LogCaptureFixture
) -> None:
    await sell(tills, 1, 2, 3, 4, 5)
    await events.close()
    shelf.close()
    with pytest.raises(StorageError, match="closed"):
        await tills.load("1")
    assert said(log, logging.WARNING) == []


async def test_a_load_from_another_event_loop_only_fails(
    shelf: Shelf, log: pytest.LogCaptureFixture
) -> None:
    store = InMemoryEventStore(EventCodec(event_types=types))
    tills = Repository(store, Till, snapshot_store=shelf, snapshot_frequency=5)
    await sell(tills, 1, 2, 3, 4, 5)
    with pytest.raises(RuntimeError, match="another event loop"):
        await asyncio.to_thread(asyncio.run, tills.load("1"))
    assert said(log, logging.WARNING) == []


@pytest.mark.parametrize(
    "error",
    [
        StorageError("down"),
        OSError("gone"),
        RuntimeError("loop"),
        asyncio.CancelledError("its own"),
    ],
)
async def test_a_snapshot_store_that_is_down_leads_to_a_replay(
    tills: Repository[Till],
    events: Events,
    shelf: Shelf,
    log: pytest.LogCaptureFixture,
    error: BaseException,
) -> None:
    await sell(tills, 1, 2, 3, 4, 5)
    shelf.error = error
    assert state(await tills.load("1")) == await replayed(events)
    (line,) = said(log, logging.WARNING)
    assert str(error) in line


async def test_a_load_can_be_cancelled_while_it_waits_for_the_snapshot(events: Events) -> None:
    asked = asyncio.Event()

    class Hanging(Shelf):
        async def load(self, *arguments: Any, **options: Any) -> Snapshot | None:
            asked.set()
            await asyncio.sleep(3600)
            return await super().load(*arguments, **options)

    loading = asyncio.create_task(repository(events, Hanging()).load("1"))
    await asked.wait()
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading


async def test_a_snapshot_beyond_the_end_of_a_restored_stream_is_not_used(
    tills: Repository[Till], shelf: Shelf, log: pytest.LogCaptureFixture
) -> None:
    await sell(tills, 1, 2, 3, 4, 5)
    restored = Events()
    await sell(Repository(restored, Till), 1, 2, 3)
    log.clear()
    assert state(await repository(restored, shelf).load("1")) == await replayed(restored)
    assert "the stream ends before version 5" in said(log)[0]


async def test_a_snapshot_of_a_stream_that_went_on_differently_is_not_used(
    tills: Repository[Till], shelf: Shelf, log: pytest.LogCaptureFixture
) -> None:
    await sell(tills, 1, 2, 3, 4, 5)
    restored = Events()
    await sell(Repository(restored, Till), 1, 2, 3, 40, 50, 60)
    log.clear()
    till = await repository(restored, shelf).load("1")
    assert state(till) == await replayed(restored)
    assert till.total == 156
    assert "the event at version 5 is another one" in said(log)[0]


async def test_a_hole_after_the_snapshot_is_found(
    tills: Repository[Till], events: Events, shelf: Shelf, log: pytest.LogCaptureFixture
) -> None:
    await sell(tills, 1, 2, 3, 4, 5)
    await sell(tills, 6)
    await sell(tills, 7)
    with pytest.raises(StorageError, match="'Till-1' has no version 6: events are missing"):
        await repository(Events(Holed(events.storage, 6)), shelf).load("1")
    assert said(log) == []  # all events would not be better


class Fragile(Till):
    """Its restored state lacks what apply needs."""

    category = "Till"
    broken = False

    def restore_state(self, state: Any) -> None:
        super().restore_state(state)
        if self.broken:
            del self.sales


async def test_a_restored_state_that_apply_chokes_on_leads_to_a_replay(
    events: Events, shelf: Shelf, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tills = repository(events, shelf, Fragile)
    await sell(tills, 1, 2, 3, 4, 5)
    await sell(tills, 6)
    monkeypatch.setattr(Fragile, "broken", True)
    assert state(await tills.load("1")) == await replayed(events)
    assert "AttributeError" in said(log)[0]


async def test_snapshots_that_are_ahead_of_a_restored_stream_give_way_to_new_ones(
    shelf: Shelf,
) -> None:
    lost = Events()
    for _ in range(4):
        await sell(repository(lost, shelf), 1, 2, 3, 4, 5)
    assert shelf.versions() == [5, 10, 15, 20]
    events = Events()  # restored from a backup, with other events since
    tills = Repository(events, Till, snapshot_store=shelf, snapshot_frequency=5, keep_snapshots=2)
    await sell(tills, 6, 7, 8)
    await sell(tills, 9, 10, 11)
    assert shelf.versions() == [6]
    events.storage.reads = []
    assert state(await tills.load("1")) == await replayed(events)
    assert events.storage.reads == [6, 1]


async def test_snapshots_that_cannot_be_dropped_are_no_error(
    log: pytest.LogCaptureFixture,
) -> None:
    class Guarded(Shelf):
        async def prune(self, aggregate_id: str, *, keep: int) -> None:
            message = f"{aggregate_id}: {keep}"
            raise StorageError(message)

    guarded = Guarded()
    await sell(repository(Events(), guarded), 1, 2, 3, 4, 5)
    events = Events()
    assert (await repository(events, guarded).load("1")).version == 0
    assert "its snapshots were not dropped" in said(log, logging.DEBUG)[-1]


@dataclass
class Odd:
    """Has a hint of a module that lacks it at run time."""

    node: logging.Missing  # type: ignore[name-defined]  # pyright: ignore - the mistake


class HoldsOdd(Till):
    category = "Till"
    odd: Odd | None = None


class Homeless(Till):
    category = "Till"
    __module__ = "not.imported"


class Raising(Till):
    """A class whose annotations cannot even be asked for, as on Python 3.14."""

    category = "Till"


@pytest.mark.parametrize("cls", [HoldsOdd, Homeless, Raising])
async def test_a_class_whose_annotations_are_broken_is_replayed(
    events: Events,
    shelf: Shelf,
    log: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    cls: type[Till],
) -> None:
    evaluate = inspect.get_annotations

    def get_annotations(base: type) -> dict[str, Any]:
        if base is Raising:
            message = "name 'Missing' is not defined"
            raise NameError(message)
        return evaluate(base)

    monkeypatch.setattr(inspect, "get_annotations", get_annotations)
    tills = repository(events, shelf, cls)
    for _ in range(2):
        await sell(tills, 1, 2, 3, 4, 5)
    assert state(await tills.load("1")) == await replayed(events)
    assert shelf.calls == []
    (line,) = said(log, logging.WARNING)
    assert cls.__name__ in line
    report = await tills.verify("1")
    assert cls.__name__ in report.reason


async def test_a_snapshot_store_that_is_away_is_said_once_and_so_is_its_return(
    events: Events, shelf: Shelf, tills: Repository[Till], caplog: pytest.LogCaptureFixture
) -> None:
    await sell(tills, *[1] * 5)
    for outage in (1, 2):
        shelf.error = StorageError("it is away")
        for _ in range(3):
            assert state(await tills.load("1")) == await replayed(events)
        await sell(tills, *[1] * 5)
        assert len(said(caplog, logging.WARNING)) == outage
        shelf.error = None
        for _ in range(3):
            await tills.load("1")
        assert said(caplog).count("the snapshot store answers again") == outage
    assert "it is away" in said(caplog, logging.WARNING)[0]
