from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    Aggregate,
    ConcurrencyError,
    Event,
    EventCodec,
    EventTypes,
    Repository,
    Saved,
    StorageError,
    StorageEventStore,
    event,
)
from eventsourcing_core.stores import Parts
from eventsourcing_inmemory import InMemoryEventStore
from eventsourcing_inmemory._storage import InMemoryStorage
from tests.core._storages import Forgetful, Holed, Paged

if TYPE_CHECKING:
    from eventsourcing_core.stores import Storage

types = EventTypes()


@event(event_types=types)
class Raised:
    by: int


class Counter(Aggregate):
    event_types = types
    total: int = 0

    def increase(self, by: int) -> None:
        self._record(Raised(by))

    def apply(self, event: Event[Raised]) -> None:
        self.total += event.data.by


@pytest.fixture
def store() -> InMemoryEventStore:
    return InMemoryEventStore(EventCodec(event_types=types))


@pytest.fixture
def counters(store: InMemoryEventStore) -> Repository[Counter]:
    return Repository(store, Counter)


async def saved(counters: Repository[Counter], *steps: int) -> Counter:
    counter = await counters.load("1")
    for step in steps:
        counter.increase(step)
    await counters.save(counter)
    return counter


async def test_an_unknown_aggregate_is_a_new_one(counters: Repository[Counter]) -> None:
    counter = await counters.load("1")
    assert (counter.id, counter.version, counter.total) == ("1", 0, 0)


async def test_what_was_saved_is_loaded(counters: Repository[Counter]) -> None:
    await saved(counters, 1, 2)
    await saved(counters, 3)
    counter = await counters.load("1")
    assert (counter.version, counter.total, counter.pending_events) == (3, 6, ())


async def test_save_gives_the_version_and_clears_what_is_pending(
    counters: Repository[Counter],
) -> None:
    counter = await counters.load("1")
    counter.increase(1)
    counter.increase(2)
    assert await counters.save(counter) == Saved(2, 2)
    assert (counter.version, counter.pending_events) == (2, ())


async def test_saving_nothing_writes_nothing(
    counters: Repository[Counter], store: InMemoryEventStore
) -> None:
    assert await counters.save(await counters.load("1")) == Saved(0, 0)
    assert [event async for event in store.read_all()] == []


async def test_load_at_a_version_gives_the_past(counters: Repository[Counter]) -> None:
    await saved(counters, 1, 2, 3)
    counter = await counters.load("1", at_version=2)
    assert (counter.version, counter.total) == (2, 3)


async def test_load_at_a_version_that_was_not_reached_is_refused(
    counters: Repository[Counter],
) -> None:
    await saved(counters, 1)
    with pytest.raises(ValueError, match="'Counter-1' is at version 1, 2 was not reached yet"):
        await counters.load("1", at_version=2)
    with pytest.raises(ValueError, match="must be 1 or more"):
        await counters.load("1", at_version=0)


async def test_the_second_of_two_saves_conflicts_and_keeps_its_events(
    counters: Repository[Counter],
) -> None:
    first, second = await counters.load("1"), await counters.load("1")
    first.increase(1)
    second.increase(2)
    await counters.save(first)
    with pytest.raises(ConcurrencyError) as caught:
        await counters.save(second)
    assert (caught.value.expected, caught.value.actual) == (0, 1)
    assert [event.data.by for event in second.pending_events] == [2]
    assert (await counters.load("1")).total == 1


async def test_a_save_whose_answer_was_lost_can_be_repeated(
    store: InMemoryEventStore, counters: Repository[Counter]
) -> None:
    class AnswerLost(InMemoryEventStore):
        async def append(self, *arguments: Any, **options: Any) -> Any:
            await store.append(*arguments, **options)
            message = "connection lost during commit"
            raise StorageError(message)

    counter = await counters.load("1")
    counter.increase(1)
    with pytest.raises(StorageError):
        await Repository(AnswerLost(), Counter).save(counter)
    assert len(counter.pending_events) == 1
    assert await counters.save(counter) == Saved(1, 1)
    assert (await counters.load("1")).version == 1


async def test_an_event_recorded_during_the_save_is_still_pending_after_it(
    counters: Repository[Counter],
) -> None:
    counter = await counters.load("1")
    counter.increase(1)
    saving = asyncio.create_task(counters.save(counter))
    await asyncio.sleep(0)  # the store lets others run before it writes
    counter.increase(2)
    assert await saving == Saved(1, 1)
    assert [event.data.by for event in counter.pending_events] == [2]
    assert await counters.save(counter) == Saved(2, 2)
    assert (await counters.load("1")).total == 3


async def test_update_repeats_the_change_on_what_others_saved(
    counters: Repository[Counter],
) -> None:
    await asyncio.gather(
        *(counters.update("1", lambda counter: counter.increase(1), attempts=10) for _ in range(10))
    )
    counter = await counters.load("1")
    assert (counter.total, counter.version) == (10, 10)


async def test_update_gives_up_after_its_attempts(counters: Repository[Counter]) -> None:
    calls = 0

    async def lose(counter: Counter) -> None:
        nonlocal calls
        calls += 1
        await saved(counters, 1)
        counter.increase(1)

    with pytest.raises(ConcurrencyError):
        await counters.update("1", lose, attempts=3)
    assert calls == 3


async def test_update_gives_the_aggregate_as_saved(counters: Repository[Counter]) -> None:
    counter = await counters.update("1", lambda counter: counter.increase(5))
    assert (counter.total, counter.version, counter.pending_events) == (5, 1, ())


async def test_update_needs_at_least_one_attempt(counters: Repository[Counter]) -> None:
    with pytest.raises(ValueError, match="attempts must be 1 or more, got 0"):
        await counters.update("1", lambda counter: counter.increase(5), attempts=0)


def over(storage: Storage) -> Repository[Counter]:
    """Give a repository whose events are in a storage."""
    return Repository(StorageEventStore(Parts(storage), EventCodec(event_types=types)), Counter)


async def test_a_stream_with_a_hole_is_not_loaded() -> None:
    storage = InMemoryStorage()
    await saved(over(storage), 1, 2, 3)
    with pytest.raises(StorageError, match="'Counter-1' has no version 2: events are missing"):
        await over(Holed(storage, 2)).load("1")


@pytest.mark.parametrize("version", [1, 2])
async def test_a_version_that_is_missing_is_not_one_that_was_never_reached(version: int) -> None:
    storage = InMemoryStorage()
    await saved(over(storage), 1, 2, 3)
    holed = over(Holed(storage, version))
    for load in (holed.load, holed.get):
        with pytest.raises(StorageError, match=f"has no version {version}: events are missing"):
            await load("1", at_version=version)
        with pytest.raises(StorageError, match=f"has no version {version}: events are missing"):
            await load("1", at_version=4)
    with pytest.raises(ValueError, match="is at version 3, 4 was not reached yet"):
        await over(storage).load("1", at_version=4)


async def test_a_save_in_doubt_followed_by_another_command_succeeds() -> None:
    counters = over(Forgetful(InMemoryStorage()))
    counter = await counters.load("1")
    counter.increase(1)
    with pytest.raises(StorageError):
        await counters.save(counter)
    counter.increase(2)
    assert await counters.save(counter) == Saved(2, 2)
    assert counter.pending_events == ()
    assert (await counters.load("1")).total == 3


async def test_saving_many_events_takes_linear_time(counters: Repository[Counter]) -> None:
    compared = 0

    class Comparing(int):
        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return super().__eq__(other)

        __hash__ = int.__hash__

    counter = await counters.load("1")
    for _ in range(100):
        counter.increase(Comparing(1))
    await counters.save(counter)
    assert compared <= 200


async def test_an_aggregate_of_another_class_is_not_saved(counters: Repository[Counter]) -> None:
    class Other(Counter):
        pass

    class Stranger(Aggregate):
        def apply(self, event: Event[Any]) -> None: ...

    assert await counters.save(Other("1")) == Saved(0, 0)
    with pytest.raises(TypeError, match="this repository keeps Counter, got"):
        await counters.save(Stranger("1"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the mistake


@pytest.mark.parametrize("other", [Counter("1"), str, None], ids=["instance", "str", "None"])
def test_a_repository_of_something_else_than_aggregates_is_refused(
    store: InMemoryEventStore, other: Any
) -> None:
    with pytest.raises(TypeError, match="a repository takes a class of aggregates, got"):
        Repository(store, other)


async def test_a_stream_is_read_by_the_page() -> None:
    class Bulk(StorageEventStore):
        def read(self, stream_id: str, **_: Any) -> Any:
            raise AssertionError(stream_id)

    store = Bulk(Parts(Paged(InMemoryStorage())), EventCodec(event_types=types))
    counters = Repository(store, Counter)
    await saved(counters, 1, 2, 3, 4, 5)
    assert (await counters.load("1")).total == 15
    assert (await counters.load("1", at_version=3)).total == 6
