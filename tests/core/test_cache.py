"""Aggregates that a repository keeps: what is read, what is kept, and what is not believed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    AggregateNotFoundError,
    ConcurrencyError,
    Event,
    EventCodec,
    EventTypes,
    Repository,
    SlowLoad,
    StorageError,
    StorageEventStore,
)
from eventsourcing_core._aggregates.notebook import stored_as
from eventsourcing_core._repositories import cache
from eventsourcing_core.stores import Parts
from eventsourcing_inmemory._storage import InMemoryStorage
from tests.core._hot import Gated, Hot, Refused, sell_one
from tests.core._storages import Holed, Through
from tests.core._tills import Events, Loud, Shelf, Sold, Till, replayed, sell, state, types

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import Row, Storage
    from tests.core._banks import Bank


@pytest.fixture
def gated() -> Gated:
    return Gated(InMemoryStorage())


@pytest.fixture
def hot(gated: Gated) -> Hot:
    return Hot(Events(gated))


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (0, ValueError, "cache must be 1 or more, got 0"),
        (-1, ValueError, "cache must be 1 or more, got -1"),
        (True, TypeError, "cache must be an int, got True"),
        (1.5, TypeError, "cache must be an int, got 1.5"),
        ("10", TypeError, "cache must be an int, got '10'"),
    ],
)
async def test_a_cache_keeps_one_aggregate_or_more(
    bank: Bank, given: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        bank.backend.repository(Till, cache=given)


async def test_a_load_reads_only_what_came_after_the_last(hot: Hot, gated: Gated) -> None:
    others = Repository(Events(gated.storage), Till)
    await sell(others, *[1] * 20)
    for expected in ([1], [20]):
        gated.reads.clear()
        assert state(await hot.load("1")) == await replayed(Events(gated.storage))
        assert gated.reads == expected
    await sell(others, 2, 3)
    gated.reads.clear()
    gated.given = 0
    till = await hot.get("1")
    assert (gated.reads, gated.given) == ([20], 3)
    assert state(till) == await replayed(Events(gated.storage))
    assert hot.saved(till) == (22, 22)
    await hot.load("1")
    assert gated.reads == [20, 22]


async def test_what_a_load_gives_goes_on_as_any_other(hot: Hot, gated: Gated) -> None:
    await hot.sell(1)
    till, other = await hot.load("1"), await hot.load("1")
    for each in (till, other):
        each.sell(2)
    await hot.save(till)
    with pytest.raises(ConcurrencyError):
        await hot.save(other)
    assert state(await hot.load("1")) == state(till) == await replayed(Events(gated.storage))


async def test_an_earlier_version_comes_from_the_events(hot: Hot) -> None:
    await hot.sell(1, 2, 3)
    assert (await hot.load("1", at_version=2)).total == 3
    assert (await hot.get("1", at_version=1)).total == 1
    assert (await hot.load("1")).total == 6


async def test_an_aggregate_without_events_is_not_kept(hot: Hot) -> None:
    assert (await hot.load("1")).version == 0
    with pytest.raises(AggregateNotFoundError):
        await hot.get("1")

    def refuse(_: Till) -> None:
        raise Refused

    with pytest.raises(Refused):
        await hot.update("1", refuse)
    assert hot.kept == []
    await hot.sell(1)
    assert (await hot.get("1")).total == 1


async def test_those_used_last_are_kept(gated: Gated) -> None:
    hot = Hot(Events(gated), cache=2)
    for number in range(1, 4):
        await hot.sell(1, id=str(number))
    assert hot.kept == ["Till-2", "Till-3"]
    await hot.load("2")
    await hot.load("1")
    assert hot.kept == ["Till-2", "Till-1"]
    await hot.sell(1, id="2")
    await hot.sell(1, id="3")
    assert hot.kept == ["Till-2", "Till-3"]
    assert [(await hot.load(str(number))).total for number in range(1, 4)] == [1, 2, 2]


async def test_more_at_once_than_are_kept_harm_nobody(gated: Gated) -> None:
    hot = Hot(Events(gated), cache=1)
    await asyncio.gather(*(hot.sell(1, id=str(number % 7)) for number in range(70)))
    assert [(await hot.load(str(number))).total for number in range(7)] == [10] * 7
    assert len(hot.kept) == 1


async def test_ids_that_a_class_takes_for_one_are_one(gated: Gated) -> None:
    hot = Hot(Events(gated), cls=Loud)
    await asyncio.gather(*(hot.sell(1, id=id_) for id_ in ("abc", "ABC", "aBc")))
    assert gated.sizes == [3]
    assert hot.kept == ["Till-ABC"]
    assert (await hot.load("abc")).total == 3


class Swapped(Through):
    """Becomes another store from one call to the next, as after a restore or a failover."""

    def become(self, storage: Storage) -> None:
        self.storage = storage


@pytest.mark.parametrize("length", [1, 3, 5])
@pytest.mark.parametrize("trusted", [0.0, 60.0])
async def test_a_history_that_is_another_one_is_not_gone_on_from(
    monkeypatch: pytest.MonkeyPatch, length: int, trusted: float
) -> None:
    monkeypatch.setattr(cache, "TRUSTED", trusted)
    swapped, other = Swapped(InMemoryStorage()), InMemoryStorage()
    hot = Hot(Events(swapped))
    await hot.sell(1, 1, 1)
    await sell(Repository(Events(other), Till), *[10] * length)
    swapped.become(other)
    if not trusted or length != 3:  # else an append is not refused: it is as if it were under way
        assert (await hot.sell(5)).total == 10 * length + 5
    assert (await hot.load("1")).total == (await replayed(Events(other)))[2]
    assert (await hot.sell(7)).total == (await replayed(Events(other)))[2]


async def test_a_history_that_is_another_one_is_not_believed_after_an_error(
    gated: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    swapped, other = Swapped(gated), InMemoryStorage()
    hot = Hot(Events(swapped))
    await hot.sell(1, 1, 1)
    await sell(Repository(Events(other), Till), 10, 10, 10)

    async def fail(_: object) -> None:
        message = "the server is away"
        raise StorageError(message)

    monkeypatch.setattr(gated, "write", fail)
    with pytest.raises(StorageError, match="away"):
        await hot.sell(1)
    swapped.become(other)
    assert (await hot.sell(5)).total == 35


@pytest.mark.parametrize("trusted", [0.0, 60.0])
async def test_events_that_are_missing_are_told_of(
    gated: Gated, monkeypatch: pytest.MonkeyPatch, trusted: float
) -> None:
    monkeypatch.setattr(cache, "TRUSTED", trusted)
    swapped = Swapped(gated)
    hot = Hot(Events(swapped))
    await hot.sell(1, 1, 1)
    await sell(Repository(Events(gated.storage), Till), 1, 1)
    swapped.become(Holed(gated, 5))
    for attempts in (1, 3):
        with pytest.raises(StorageError, match="events are missing"):
            await hot.sell(1, attempts=attempts)


async def test_a_load_that_fails_leaves_what_is_kept(
    hot: Hot, gated: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hot.sell(1)
    with monkeypatch.context() as away:

        async def fail(*_: object) -> AsyncIterator[Sequence[Row]]:
            message = "the server is away"
            raise StorageError(message)
            yield []  # pragma: no cover - it makes a generator of it

        away.setattr(gated, "rows", fail)
        with pytest.raises(StorageError, match="away"):
            await hot.load("1")
    gated.reads.clear()
    assert (await hot.load("1")).total == 1
    assert gated.reads == [1]


def refuse_if(fails: bool) -> None:  # noqa: FBT001 - the only argument
    if fails:
        raise Refused


@pytest.mark.parametrize("fails", [False, True])
async def test_a_transaction_passes_by_what_is_kept(bank: Bank, *, fails: bool) -> None:
    hot = bank.backend.repository(Till, cache=10)
    await hot.update("1", sell_one)
    with suppress(Refused):
        async with bank.backend.transaction() as transaction:
            till = await hot.load("1", transaction=transaction)
            till.sell(10)
            await hot.save(till, transaction=transaction)
            assert (await hot.get("1", transaction=transaction)).total == 11
            refuse_if(fails)
    expected = 1 if fails else 11
    assert (await hot.load("1")).total == expected
    assert (await hot.update("1", sell_one)).total == expected + 1
    assert state(await hot.load("1")) == state(await bank.plain.load("1"))


async def test_a_slow_load_leads_to_one_snapshot(gated: Gated, shelf: Shelf) -> None:
    await sell(Repository(Events(gated), Till), 1, 2)
    hot = Hot(Events(gated), shelf, frequency=SlowLoad(0))
    for _ in range(3):
        await hot.sell(1)
    assert shelf.versions() == [3]


async def test_loads_at_once_are_each_right(gated: Gated) -> None:
    hot = Hot(Events(gated))
    await hot.sell(1)
    tills = await asyncio.gather(
        *(hot.load("1") for _ in range(5)), hot.sell(2), *(hot.load("1") for _ in range(5))
    )
    assert len({id(till) for till in tills}) == 11
    assert {till.total for till in tills} <= {1, 3}
    assert (await hot.load("1")).total == 3


late = EventTypes()


async def test_what_was_kept_without_a_class_is_made_again_with_it(gated: Gated) -> None:
    class Lenient(Till):
        category = "Till"
        event_types = late

        def apply(self, event: Event[Any]) -> None:
            if isinstance(event.data, Sold):
                super().apply(event)

    await sell(Repository(Events(gated), Till), 1, 2)
    lenient = Repository(
        StorageEventStore(Parts(gated), EventCodec(event_types=late)), Lenient, cache=3
    )
    assert (await lenient.load("1")).total == 0
    late.register(Sold, types.name_of(Sold))
    assert (await lenient.load("1")).total == 3


def test_the_page_of_what_is_kept_is_no_callers() -> None:
    async def pages() -> tuple[object, object]:
        hot = Hot(Events(Gated(InMemoryStorage())))
        return stored_as(await hot.sell(1)), stored_as(await hot.load("1"))

    one, other = asyncio.run(pages())
    assert one is not other
