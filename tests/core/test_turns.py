"""Updates of an aggregate that is kept: they take turns, and none harms another."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from eventsourcing_core import (
    Aggregate,
    AppendResult,
    ConcurrencyError,
    Event,
    EventCodec,
    EventTypes,
    JsonSerializer,
    Repository,
    SerializationError,
    StorageError,
    StorageEventStore,
    StoreBusyError,
    caused_by,
    event,
    open_backend,
    recording_metadata,
)
from eventsourcing_core._repositories import deciding, turns
from eventsourcing_core.stores import Parts
from eventsourcing_inmemory._storage import InMemoryStorage
from tests.core._hot import Gated, Hot, Overtaken, Refused, sell_one
from tests.core._storages import Forgetful
from tests.core._tills import Events, Shelf, Sold, Till, replayed, sell, state, types

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core._banks import Bank


@pytest.fixture
def gated() -> Gated:
    return Gated(InMemoryStorage())


@pytest.fixture
def hot(gated: Gated) -> Hot:
    return Hot(Events(gated))


async def counts(events: Events) -> list[int]:
    return [recorded.data.count async for recorded in events.read("Till-1")]


def refuse(_: Till) -> None:
    raise Refused


async def test_those_who_wait_are_appended_as_one(hot: Hot, gated: Gated) -> None:
    gated.go.clear()
    first = asyncio.create_task(hot.sell(1))
    await gated.asked.wait()
    others = asyncio.gather(*(hot.sell(number) for number in range(2, 9)))
    await asyncio.sleep(0)
    gated.go.set()
    tills = [await first, *await others]
    assert gated.sizes == [1, 7]
    assert [till.version for till in tills] == [*range(1, 9)]
    assert [till.total for till in tills] == [1, 3, 6, 10, 15, 21, 28, 36]
    assert await counts(Events(gated.storage)) == [*range(1, 9)]


async def test_what_is_recorded_is_encoded_once() -> None:
    texts: list[bytes] = []

    class Noting(JsonSerializer):
        def serialize(self, tree: object) -> bytes:
            texts.append(super().serialize(tree))
            return texts[-1]

    gated = Gated(InMemoryStorage())
    store = StorageEventStore(Parts(storage=gated), EventCodec(Noting(), event_types=types))
    tills = Repository(store, Till, cache=10)
    await asyncio.gather(*(sell(tills, number) for number in range(5)))
    assert gated.sizes == [5]
    assert len(texts) == 5
    assert [event.data.count async for event in store.read("Till-1")] == [*range(5)]


async def test_a_store_takes_what_stands_before_it_gives_it() -> None:
    class Doubling(StorageEventStore):
        async def append(self, stream_id: str, events: Any, **rest: Any) -> AppendResult:
            events[:] = [
                Event.of(Sold("tea", 2 * each.data.count), event_types=types) for each in events
            ]
            return await super().append(stream_id, events, **rest)

    store = Doubling(Parts(storage=InMemoryStorage()), EventCodec(event_types=types))
    await sell(Repository(store, Till, cache=10), 4)
    assert [event.data.count async for event in store.read("Till-1")] == [8]


async def test_nothing_is_read_while_updates_follow_each_other(hot: Hot, gated: Gated) -> None:
    await hot.sell(1)
    reads = len(gated.reads)
    for _ in range(5):
        await hot.sell(1)
    assert len(gated.reads) == reads


async def test_a_command_that_refuses_takes_back_its_own_and_nobody_elses(
    hot: Hot, gated: Gated
) -> None:
    def sell_and_refuse(till: Till) -> None:
        till.sell(100)
        till.sales["tea"].counts.append(1000)  # not by an event
        raise Refused

    outcomes = await asyncio.gather(
        hot.sell(1),
        hot.update("1", sell_and_refuse),
        hot.sell(2),
        hot.update("1", sell_and_refuse),
        hot.sell(3),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [Till, Refused, Till, Refused, Till]
    assert gated.sizes == [3]
    last = outcomes[-1]
    assert isinstance(last, Till)
    assert state(last) == await replayed(Events(gated.storage))
    assert state(await hot.load("1")) == await replayed(Events(gated.storage))


async def test_an_error_of_a_callers_own_kind_reaches_that_caller(hot: Hot) -> None:
    class Stop(BaseException):
        pass

    def stop(_: Till) -> None:
        raise Stop

    def cancel(_: Till) -> None:
        raise asyncio.CancelledError

    outcomes = await asyncio.gather(
        hot.sell(1), hot.update("1", cancel), hot.sell(1), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [Till, asyncio.CancelledError, Till]
    with pytest.raises(Stop):
        await hot.update("1", stop)
    assert (await hot.sell(1)).total == 3


async def test_a_change_outside_of_events_is_seen_by_nobody_else(hot: Hot, gated: Gated) -> None:
    def tamper(till: Till) -> None:
        till.sell(1)
        till.total = 1000
        till.sales.clear()

    await asyncio.gather(hot.update("1", tamper), hot.sell(2))
    assert state(await hot.load("1")) == await replayed(Events(gated.storage))


async def test_an_aggregate_that_a_command_keeps_is_nobody_elses(hot: Hot, gated: Gated) -> None:
    kept: list[Till] = []

    def keep(till: Till) -> None:
        till.sell(1)
        kept.append(till)

    await asyncio.gather(hot.update("1", keep), hot.sell(2))
    gated.go.clear()
    gated.asked.clear()
    selling = asyncio.create_task(hot.update("1", keep))
    await gated.asked.wait()
    for till in kept:
        till.sell(1000)
        till.sales.clear()
    gated.go.set()
    await selling
    await hot.sell(3)
    assert await counts(Events(gated.storage)) == [1, 2, 1, 3]
    assert state(await hot.load("1")) == await replayed(Events(gated.storage))


async def test_each_event_has_the_metadata_of_its_caller(hot: Hot, gated: Gated) -> None:
    causes: list[Event[object]] = [Event("Clicked", {}) for _ in range(5)]

    async def sell_as(number: int) -> None:
        with recording_metadata(user=number, **caused_by(causes[number])):
            await hot.sell(number)

    await asyncio.gather(*map(sell_as, range(5)))
    assert gated.sizes == [5]
    stored = [recorded async for recorded in Events(gated.storage).read("Till-1")]
    assert [each.metadata["user"] for each in stored] == [each.data.count for each in stored]
    assert [each.metadata["causation_id"] for each in stored] == [
        str(cause.event_id) for cause in causes
    ]


async def sell_late(till: Till) -> None:
    till.sell(100)


def sell_and_wait(till: Till) -> Any:
    till.sell(100)
    return sell_late(till)


@pytest.mark.parametrize(
    "change", [sell_late, partial(sell_late), sell_and_wait, lambda _: asyncio.sleep(0)]
)
@pytest.mark.parametrize("command_id", [None, "c-1"])
async def test_a_command_that_would_wait_is_refused(
    hot: Hot, gated: Gated, change: Callable[[Till], object], command_id: str | None
) -> None:
    outcomes = await asyncio.gather(
        hot.sell(1),
        hot.update("1", change, command_id=command_id),
        hot.sell(2),
        return_exceptions=True,
    )
    refused = outcomes[1]
    assert isinstance(refused, TypeError)
    assert "none may wait" in str(refused)
    assert await counts(Events(gated.storage)) == [1, 2]


async def test_a_conflict_brings_what_is_missing_and_only_that(gated: Gated) -> None:
    watched = Overtaken(gated, 0)
    hot = Hot(Events(watched))
    await hot.sell(*[1] * 20)
    watched.times = 1
    watched.reads.clear()
    watched.given = 0
    tills = await asyncio.gather(*(hot.sell(2) for _ in range(3)))
    assert (watched.reads, watched.given) == ([20], 2)
    assert [till.version for till in tills] == [22, 23, 24]
    assert state(await hot.load("1")) == await replayed(Events(gated))


@pytest.mark.parametrize("attempts", [1, 2, 4])
async def test_each_caller_has_its_own_number_of_attempts(gated: Gated, attempts: int) -> None:
    watched = Overtaken(gated, attempts)
    hot = Hot(Events(watched))
    outcomes = await asyncio.gather(
        hot.sell(5, attempts=attempts), hot.sell(7, attempts=attempts + 1), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [ConcurrencyError, Till]
    assert (await counts(Events(gated)))[-1] == 7
    assert 5 not in await counts(Events(gated))


async def test_what_is_only_out_of_date_costs_no_attempt(hot: Hot, gated: Gated) -> None:
    till = await hot.sell(1)
    till.sell(2)
    await hot.save(till)
    await hot.sell(3, attempts=1)
    await sell(Repository(Events(gated.storage), Till), 4)
    await hot.sell(5, attempts=1)
    assert await counts(Events(gated.storage)) == [1, 2, 3, 4, 5]


async def test_a_refusal_is_decided_by_what_others_have_done(hot: Hot, gated: Gated) -> None:
    await hot.sell(1)
    await sell(Repository(Events(gated.storage), Till), 10)  # by another process, just now

    def refuse_if_little(till: Till) -> None:
        if till.total < 10:
            raise Refused

    assert (await hot.update("1", refuse_if_little)).total == 11


async def test_one_caller_that_is_cancelled_harms_no_other(hot: Hot, gated: Gated) -> None:
    gated.go.clear()
    sent = [asyncio.create_task(hot.sell(number)) for number in (1, 2)]
    await gated.asked.wait()
    waiting = [asyncio.create_task(hot.sell(number)) for number in (3, 4, 5)]
    await asyncio.sleep(0)
    for task in (sent[0], waiting[1]):
        task.cancel()
    gated.go.set()
    outcomes = await asyncio.gather(*sent, *waiting, return_exceptions=True)
    assert [type(o) for o in outcomes] == [
        asyncio.CancelledError,
        Till,
        Till,
        asyncio.CancelledError,
        Till,
    ]
    # What was sent is written, and what has waited is not.
    assert await counts(Events(gated.storage)) == [1, 2, 3, 5]


async def test_an_event_that_cannot_be_stored_is_its_callers_alone(hot: Hot, gated: Gated) -> None:
    def sell_nonsense(till: Till) -> None:
        till.sell(1, article="x" * 20_000_000)

    outcomes = await asyncio.gather(
        hot.sell(1),
        hot.update("1", sell_nonsense),
        hot.update("1", refuse),
        hot.sell(2),
        return_exceptions=True,
    )
    assert [type(o) for o in outcomes] == [Till, SerializationError, Refused, Till]
    assert await counts(Events(gated.storage)) == [1, 2]


async def test_a_command_that_two_bring_at_once_is_stored_once(hot: Hot, gated: Gated) -> None:
    tills = await asyncio.gather(
        *(
            hot.update("1", lambda till: till.sell(1, 2), command_id=command_id)
            for command_id in ("a", "b", "a", "b", "c")
        ),
        hot.sell(7),
    )
    assert sorted(await counts(Events(gated.storage))) == [1, 1, 1, 2, 2, 2, 7]
    assert all(not till.pending_events for till in tills)
    again = await hot.update("1", lambda till: till.sell(1, 2), command_id="b")
    assert state(again) == await replayed(Events(gated.storage))


async def test_a_command_that_refuses_its_repetition_has_succeeded(hot: Hot) -> None:
    def begin(till: Till) -> None:
        if till.version:
            raise Refused
        till.sell(1)

    await hot.update("1", begin, command_id="a")
    assert (await hot.update("1", begin, command_id="a")).total == 1
    with pytest.raises(Refused):
        await hot.update("1", begin, command_id="b")


def sell_at(count: int, till: Till) -> None:
    till.sell(count)


async def test_deliveries_that_meet_in_two_processes_give_what_is_stored(
    gated: Gated, shelf: Shelf
) -> None:
    one, two = (Hot(Events(gated), shelf, frequency=1) for _ in range(2))
    await one.sell(1)
    await two.load("1")
    gated.go.clear()
    both = [
        asyncio.create_task(hot.update("1", partial(sell_at, number), command_id="c"))
        for hot, number in ((one, 10), (two, 20))
    ]
    await gated.asked.wait()
    await asyncio.sleep(0)
    gated.go.set()
    tills = await asyncio.gather(*both)
    stored = await replayed(Events(gated.storage))
    assert stored[1] == 2
    assert [state(till) for till in tills] == [stored, stored]
    assert [state(await hot.load("1")) for hot in (one, two)] == [stored, stored]
    assert (await one.verify("1")).differences == ()


async def test_an_append_whose_answer_was_lost_fails_those_that_it_brought(gated: Gated) -> None:
    forgetful = Forgetful(gated)
    hot = Hot(Events(forgetful))
    outcomes = await asyncio.gather(
        hot.sell(1), hot.update("1", refuse), hot.sell(2), return_exceptions=True
    )
    assert [type(o).__name__ for o in outcomes] == ["OutageError", "Refused", "OutageError"]
    await hot.sell(3)  # it goes on from what is there
    assert await counts(Events(gated.storage)) == [1, 2, 3]
    assert state(await hot.load("1")) == await replayed(Events(gated.storage))


async def test_a_command_with_an_id_whose_answer_was_lost_has_succeeded(gated: Gated) -> None:
    hot = Hot(Events(Forgetful(gated)))
    till = await hot.update("1", lambda till: till.sell(1), command_id="c")
    assert state(till) == await replayed(Events(gated.storage))


async def test_events_that_a_command_gives_up_are_a_conflict_of_its_own(
    hot: Hot, gated: Gated
) -> None:
    def give_up(till: Till) -> None:
        till.sell(1, 2)
        till.clear_pending(till.pending_events[:1])

    outcomes = await asyncio.gather(
        hot.sell(1), hot.update("1", give_up), hot.sell(2), return_exceptions=True
    )
    assert [type(o) for o in outcomes] == [Till, ConcurrencyError, Till]
    assert await counts(Events(gated.storage)) == [1, 2]


class Choosy(Till):
    """Chokes on what it has recorded when it is applied again."""

    category = "Till"
    count = 0

    def apply(self, event: Event[Sold]) -> None:
        super().apply(event)
        if event.data.count == 13:
            Choosy.count += 1
            if Choosy.count % 2 == 0:
                raise Refused


async def test_an_event_that_is_not_applied_twice_alike_is_its_callers_alone(gated: Gated) -> None:
    hot = Hot(Events(gated), cls=Choosy)
    outcomes = await asyncio.gather(hot.sell(1), hot.sell(13), hot.sell(2), return_exceptions=True)
    assert [type(o) for o in outcomes] == [Choosy, Refused, Choosy]
    assert await counts(Events(gated.storage)) == [1, 2]
    assert (await hot.load("1")).total == 3


async def test_the_place_of_an_update_is_at_or_after_its_last_event(hot: Hot) -> None:
    tills = await asyncio.gather(*(hot.sell(1) for _ in range(3)), hot.update("1", lambda _: None))
    assert [hot.saved(till) for till in tills] == [(1, 3), (2, 3), (3, 3), (3, 3)]
    tills[2].sell(5)
    await hot.save(tills[2])
    assert hot.saved(await hot.load("1")) == (4, 4)


async def test_a_group_takes_one_snapshot_of_what_its_events_make(
    gated: Gated, shelf: Shelf
) -> None:
    hot = Hot(Events(gated), shelf, frequency=2)
    tills = await asyncio.gather(*(hot.sell(1) for _ in range(5)))
    assert shelf.versions() == [5]
    assert shelf.calls.count("save") == 1
    assert (await hot.verify("1")).differences == ()
    assert state(await Hot(Events(gated), shelf).load("1")) == state(tills[-1])


async def test_what_waits_is_refused_where_there_is_too_much(
    hot: Hot, gated: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "MAX_WAITING", 2)
    gated.go.clear()
    first = asyncio.create_task(hot.sell(1))
    await gated.asked.wait()
    others = [asyncio.create_task(hot.sell(1)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(StoreBusyError):
        await hot.sell(1)
    gated.go.set()
    await asyncio.gather(first, *others)
    assert (await hot.sell(1)).total == 4


async def test_who_has_a_transaction_open_is_told_at_once(bank: Bank) -> None:
    hot = bank.backend.repository(Till, cache=10)
    await hot.update("1", sell_one)
    async with bank.backend.transaction():
        with pytest.raises(RuntimeError, match="transaction open"):
            await hot.update("1", sell_one)
    assert (await hot.update("1", sell_one)).total == 2


async def test_a_store_that_is_closed_says_so_and_leaves_nobody_waiting(
    hot: Hot, gated: Gated
) -> None:
    gated.go.clear()
    first = asyncio.create_task(hot.sell(1))
    await gated.asked.wait()
    waiting = asyncio.create_task(hot.sell(2))
    await asyncio.sleep(0)
    closing = asyncio.create_task(hot._store.close())  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType, reportUnknownArgumentType] - it is our own store
    await asyncio.sleep(0)
    gated.go.set()
    await closing
    assert (await first).total == 1
    with pytest.raises(StorageError, match="closed"):
        await waiting
    with pytest.raises(StorageError, match="closed"):
        await hot.sell(3)


def test_a_loop_that_ends_cancels_who_waits() -> None:
    cancelled: list[int] = []

    async def sell_and_see(hot: Hot, number: int) -> None:
        try:
            await hot.sell(number)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise

    async def leave() -> None:
        gated = Gated(InMemoryStorage())
        gated.go.clear()
        hot = Hot(Events(gated))
        tasks = [asyncio.create_task(sell_and_see(hot, number)) for number in range(3)]
        await gated.asked.wait()
        (group,) = hot._turns._tasks
        group.cancel()
        await asyncio.wait(tasks)
        assert not hot._turns._lines

    asyncio.run(leave())
    assert sorted(cancelled) == [0, 1, 2]


boxes = EventTypes()


@event(event_types=boxes)
class Packed:
    """Some things were put into a box."""

    things: list[str]


class Box(Aggregate):
    """Holds the lists that its events brought, and what came beside them."""

    event_types = boxes
    lists: list[list[str]]
    notes: list[Any]

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.lists = []
        self.notes = []

    def pack(self, *things: str) -> None:
        """Put some into it."""
        self._record(Packed([*things]), notes=["a"])

    def apply(self, event: Event[Packed]) -> None:
        """Keep the list itself."""
        self.lists.append(event.data.things)
        self.notes.append(event.metadata["notes"])


async def test_a_payload_that_a_caller_can_change_is_not_what_is_kept(gated: Gated) -> None:
    store = StorageEventStore(Parts(gated), EventCodec(event_types=boxes))
    hot = Repository(store, Box, cache=3)
    given = await asyncio.gather(*(hot.update("1", lambda box: box.pack("a")) for _ in range(3)))
    for box in given:
        for values in (*box.lists, *box.notes):
            values.append("b")
    for box in (await hot.load("1"), await hot.update("1", lambda box: box.pack("a"))):
        assert {*map(tuple, [*box.lists, *box.notes])} == {("a",)}


@pytest.mark.parametrize("name", ["_LONGEST", "_MOST_BYTES"])
async def test_a_group_ends_when_it_takes_long_or_grows_large(
    hot: Hot, gated: Gated, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(deciding, name, -1)
    await asyncio.gather(*(hot.sell(number) for number in range(5)))
    assert gated.sizes == [1] * 5
    assert await counts(Events(gated.storage)) == [*range(5)]


timed = EventTypes()


@event("ended", event_types=timed)
class Ended:
    """Something has ended."""

    at: datetime


class Contract(Aggregate):
    """Ends."""

    event_types = timed
    ends: datetime | None = None

    def end(self, at: datetime) -> None:
        """End."""
        self._record(Ended(at))

    def apply(self, event: Event[Ended]) -> None:
        """Note it."""
        self.ends = event.data.at


async def test_what_is_kept_is_what_a_load_would_give() -> None:
    at = datetime(2026, 7, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    async with open_backend("memory://", event_types=timed) as backend:
        contracts = backend.repository(Contract, cache=1)
        await contracts.update("1", lambda contract: contract.end(at))
        for repository in (contracts, backend.repository(Contract)):
            ends = (await repository.load("1")).ends
            assert ends == at
            assert ends is not None
            assert isinstance(ends.tzinfo, timezone)  # half a year later it is the same
