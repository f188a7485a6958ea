"""Folding: any value is a state, without an aggregate."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from eventsourcing_core import Folded, RecordedEvent, Repository, StorageError, fold
from eventsourcing_core._aggregates.fold import fold_after
from eventsourcing_inmemory._storage import InMemoryStorage
from tests.core._storages import Holed, Paged
from tests.core._tills import Events, Sold, Till, sell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from eventsourcing_core._aggregates.fold import Pages

Recorded = RecordedEvent[Sold]


async def folding(pages: Pages, state: int, version: int) -> Folded[int]:
    return await fold(pages, add, state, version=version)


class Tally(NamedTuple):
    """A state that never changes."""

    total: int = 0
    articles: tuple[str, ...] = ()


def add(total: int, event: Recorded) -> int:
    return total + event.data.count


def collect(counts: dict[str, int], event: Recorded) -> dict[str, int]:
    counts[event.data.article] = counts.get(event.data.article, 0) + event.data.count
    return counts


def tally(state: Tally, event: Recorded) -> Tally:
    return Tally(state.total + event.data.count, (*state.articles, event.data.article))


@pytest.fixture
def events() -> Events:
    """Give an event store whose streams come in pages of three."""
    return Events(Paged(InMemoryStorage()))


@pytest.fixture
async def last(events: Events) -> RecordedEvent[Any]:
    """Fill the till 1, after another one; give its last event."""
    tills = Repository(events, Till)
    await tills.update("other", lambda till: till.sell(1, 1))
    await sell(tills, 1, 2, 3, 4, 5)
    till = await tills.load("1")
    till.sell(6, article="milk")
    await tills.save(till)
    return [event async for event in events.read("Till-1")][-1]


async def test_a_number_is_a_state(events: Events, last: Recorded) -> None:
    folded = await fold(events.read_pages("Till-1"), add, 0)
    assert folded == Folded(21, version=6, position=8, event_id=last.event_id.bytes)
    assert folded.snapshot_version is None


@pytest.mark.usefixtures("last")
async def test_a_dict_is_a_state_and_may_be_changed(events: Events) -> None:
    mine: dict[str, int] = {}
    folded = await fold(events.read_pages("Till-1"), collect, mine)
    assert folded.state is mine
    assert mine == {"tea": 15, "milk": 6}


@pytest.mark.usefixtures("last")
async def test_a_tuple_is_a_state_and_takes_its_type_along(events: Events) -> None:
    folded: Folded[Tally] = await fold(events.read_pages("Till-1"), tally, Tally())
    assert folded.state == Tally(21, ("tea",) * 5 + ("milk",))


@pytest.mark.usefixtures("last")
async def test_a_state_of_the_past_is_folded_of_fewer_events(events: Events) -> None:
    folded = await fold(events.read_pages("Till-1", to_version=4), add, 0)
    assert (folded.state, folded.version, folded.position) == (10, 4, 6)


async def test_without_events_the_state_is_as_it_was(events: Events) -> None:
    assert await fold(events.read_pages("Till-1"), add, 7) == Folded(7, 0, 0, b"", None)
    assert await fold(events.read_pages("Till-1"), add, 7, version=3) == Folded(7, 3, 0, b"", None)


async def test_a_state_goes_on_after_a_version(events: Events, last: Recorded) -> None:
    half = await fold(events.read_pages("Till-1", to_version=2), add, 0)
    rest = events.read_pages("Till-1", from_version=3)
    whole = await fold(rest, add, half.state, version=half.version)
    assert whole == Folded(21, 6, last.position, last.event_id.bytes)


@pytest.mark.parametrize("hole", [1, 2, 4, 5])
@pytest.mark.usefixtures("last")
async def test_a_hole_is_an_error(events: Events, hole: int) -> None:
    holed = Events(Holed(events.storage, hole))
    message = f"stream 'Till-1' has no version {hole}: events are missing"
    with pytest.raises(StorageError, match=message):
        await fold(holed.read_pages("Till-1"), add, 0)


@pytest.mark.usefixtures("last")
async def test_events_from_another_version_on_are_an_error(events: Events) -> None:
    with pytest.raises(StorageError, match="'Till-1' has no version 1"):
        await fold(events.read_pages("Till-1", from_version=2), add, 0)
    with pytest.raises(StorageError, match="'Till-1' has no version 4"):
        await fold(events.read_pages("Till-1", from_version=3), add, 0, version=3)


@pytest.mark.usefixtures("last")
async def test_what_the_state_raises_is_raised(events: Events) -> None:
    def refuse(_: int, event: Recorded) -> int:
        raise LookupError(event.version)

    with pytest.raises(LookupError, match="1"):
        await fold(events.read_pages("Till-1"), refuse, 0)


async def test_pages_may_be_of_ones_own_making_and_empty(events: Events, last: Recorded) -> None:
    async def pages() -> AsyncIterator[Iterable[Recorded]]:
        yield []
        async for event in events.read("Till-1"):
            yield iter([event])
            yield ()

    assert await fold(pages(), add, 0) == Folded(21, 6, last.position, last.event_id.bytes)


@pytest.mark.parametrize("version", [1, 3, 5, 6])
async def test_a_state_goes_on_after_an_event_that_is_there(
    events: Events, last: Recorded, version: int
) -> None:
    before = await fold(events.read_pages("Till-1", to_version=version), add, 0)
    folded = await fold_after(
        events,
        "Till-1",
        folding,
        before.state,
        version=version,
        event_id=before.event_id,
        to_version=None,
    )
    assert folded == Folded(21, 6, last.position, last.event_id.bytes, snapshot_version=version)


@pytest.mark.parametrize(
    ("version", "fault"), [(2, "at version 2 is another one"), (7, "ends before version 7")]
)
async def test_a_state_does_not_go_on_after_an_event_that_is_not_there(
    events: Events, last: Recorded, version: int, fault: str
) -> None:
    async def never(_: object, state: int, version: int) -> Folded[int]:
        raise AssertionError(state, version)

    said = await fold_after(
        events,
        "Till-1",
        never,
        0,
        version=version,
        event_id=last.event_id.bytes,
        to_version=None,
    )
    assert isinstance(said, str)
    assert fault in said


def test_what_was_folded_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Folded(1, 2).version = 3  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue] - the mistake
