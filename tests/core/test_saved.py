"""Aggregates that must be there, and the places of what was saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import (
    AggregateNotFoundError,
    ConcurrencyError,
    InvalidStreamIdError,
    Repository,
    Saved,
)
from tests.core._tills import Events, Loud, Shelf, Till, repository, sell, state

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(autouse=True)
async def _others(events: Events) -> AsyncIterator[None]:
    """Let positions differ from versions: there are ten events of somebody else."""
    others = await Repository(events, Till).load("other")
    others.sell(*range(10))
    await Repository(events, Till).save(others)
    yield
    await events.close()


async def test_get_gives_what_load_gives(tills: Repository[Till]) -> None:
    await sell(tills, 1, 2, 3, 4, 5)
    await sell(tills, 6)
    assert state(await tills.get("1")) == state(await tills.load("1"))
    past = await tills.get("1", at_version=3)
    assert state(past) == state(await tills.load("1", at_version=3))


@pytest.mark.parametrize("at_version", [None, 3])
async def test_get_refuses_an_unknown_aggregate(
    tills: Repository[Till], at_version: int | None
) -> None:
    with pytest.raises(AggregateNotFoundError, match="there is no aggregate 'Till-1'") as caught:
        await tills.get("1", at_version=at_version)
    assert caught.value.stream_id == "Till-1"


async def test_get_of_a_version_that_is_not_there_says_how_far_the_aggregate_is(
    tills: Repository[Till],
) -> None:
    await sell(tills, 1)
    with pytest.raises(ValueError, match="'Till-1' is at version 1, 2 was not reached yet"):
        await tills.get("1", at_version=2)
    with pytest.raises(ValueError, match="must be 1 or more"):
        await tills.get("1", at_version=0)


async def test_exists_tells_whether_there_are_events_and_reads_one(
    tills: Repository[Till], events: Events, shelf: Shelf
) -> None:
    assert not await tills.exists("1")
    await sell(tills, *range(20))
    shelf.calls, events.storage.given = [], 0
    assert await tills.exists("1")
    assert (events.storage.given, shelf.calls) == (1, [])


async def test_exists_refuses_what_is_no_id(tills: Repository[Till]) -> None:
    for id in ("", "a\n", "x" * 300):  # noqa: A001 - the word of the domain
        with pytest.raises(InvalidStreamIdError):
            await tills.exists(id)


async def test_an_id_that_the_class_changes_is_found_as_it_was_saved(events: Events) -> None:
    tills = Repository(events, Loud)
    await tills.update("abc", lambda till: till.sell(1))
    assert await tills.exists("abc")
    assert (await tills.get("abc")).stream_id == "Till-ABC"


async def test_a_save_gives_the_place_of_the_last_event(tills: Repository[Till]) -> None:
    till = await tills.load("1")
    till.sell(1, 2)
    assert await tills.save(till) == Saved(version=2, position=12)
    till.sell(3)
    assert await tills.save(till) == Saved(3, 13)
    assert await tills.save(till) == Saved(3, 13)  # nothing
    assert tills.saved(till) == Saved(3, 13)


async def test_nothing_is_saved_of_a_new_aggregate(tills: Repository[Till]) -> None:
    till = await tills.load("1")
    assert await tills.save(till) == Saved(0, 0)
    till.sell(1)
    assert tills.saved(till) == Saved(0, 0)
    made = Till("2")
    made.sell(1)
    assert tills.saved(made) == Saved(0, 0)
    await tills.save(made)
    assert tills.saved(made) == Saved(1, 11)


async def test_what_was_updated_has_its_place(tills: Repository[Till]) -> None:
    assert tills.saved(await sell(tills, 1, 2)) == Saved(2, 12)
    assert tills.saved(await sell(tills)) == Saved(2, 12)  # which recorded nothing


@pytest.mark.parametrize("frequency", [1, 3, 5, 100])
async def test_what_was_loaded_has_its_place_with_and_without_a_snapshot(
    events: Events, shelf: Shelf, frequency: int
) -> None:
    tills = repository(events, shelf, frequency=frequency)
    for count in range(1, 6):
        await sell(tills, count)
        await tills.update("other", lambda till: till.sell(1))
    loaded = await tills.load("1")
    assert tills.saved(loaded) == Saved(5, 19)
    loaded.sell(6)
    assert tills.saved(loaded) == Saved(5, 19)
    past = await tills.load("1", at_version=3)
    assert tills.saved(past) == Saved(3, 15)


async def test_the_place_is_right_where_the_snapshot_is_at_the_end_of_the_stream(
    tills: Repository[Till], events: Events, shelf: Shelf
) -> None:
    await sell(tills, 1, 2, 3, 4, 5)
    assert shelf.versions() == [5]
    events.storage.given = 0
    loaded = await tills.load("1")
    assert (tills.saved(loaded), events.storage.given) == (Saved(5, 15), 1)
    assert await tills.save(loaded) == Saved(5, 15)


async def test_a_place_is_kept_where_a_save_failed(tills: Repository[Till]) -> None:
    await sell(tills, 1)
    till = await tills.load("1")
    await sell(tills, 2)
    till.sell(3)
    with pytest.raises(ConcurrencyError):
        await tills.save(till)
    assert tills.saved(till) == Saved(1, 11)


async def test_readers_at_the_place_have_seen_the_save(
    tills: Repository[Till], events: Events
) -> None:
    saved = tills.saved(await sell(tills, 1, 2))
    (last,) = [event async for event in events.read_all(after_position=saved.position - 1)]
    assert (last.stream_id, last.version) == ("Till-1", saved.version)
