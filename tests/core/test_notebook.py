"""What is known of a state's place, beside the state: it goes with its object, and only with it."""

from __future__ import annotations

import copy
import gc
import logging
import pickle
from typing import TYPE_CHECKING, Any
from weakref import ref

import pytest

from eventsourcing_core import Repository, Saved
from eventsourcing_core._aggregates.notebook import UNKNOWN, StoredAs, _pages, note, stored_as
from tests.core._tills import Events, Shelf, Till, repository, said, sell, state

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

pytestmark = pytest.mark.usefixtures("log")


class Thing:
    """Any object; without a ``__dict__`` it has a page, too."""

    __slots__ = ("__weakref__",)


def test_an_object_has_one_page_and_it_is_empty_at_first() -> None:
    thing = Thing()
    page = stored_as(thing)
    assert page == StoredAs()
    page.version = 7
    assert stored_as(thing) is page


def test_a_page_that_is_noted_replaces_the_one_before() -> None:
    thing = Thing()
    stored_as(thing).version = 7
    page = StoredAs(3, 30)
    note(thing, page)
    assert stored_as(thing) is page


def test_no_page_is_left_behind_when_objects_are_gone() -> None:
    gc.collect()
    before = len(_pages)
    things: list[object] = [Thing() for _ in range(200)]
    assert [stored_as(thing) for thing in things[:100]] == [StoredAs()] * 100
    while len(things) > 100:
        note(things.pop(), StoredAs(1))  # each goes at once
    assert len(_pages) == before + 100
    things.clear()
    gc.collect()
    assert len(_pages) == before


async def test_no_page_is_left_behind_when_aggregates_are_gone(tills: Repository[Till]) -> None:
    gc.collect()
    before = len(_pages)
    for _ in range(10):
        till: Till | None = await sell(tills, 1)
        till = await tills.load("1")
        assert len(_pages) > before
    till = None
    gc.collect()
    assert till is None
    assert len(_pages) == before


def test_no_page_is_left_behind_by_objects_that_hold_themselves() -> None:
    gc.collect()
    before = len(_pages)
    till = Till("1")
    setattr(till, "itself", till)  # noqa: B010 - it is no attribute of its class
    stored_as(till)
    del till
    gc.collect()
    assert len(_pages) == before


def test_an_object_that_gets_the_identity_of_another_one_has_an_empty_page() -> None:
    gone, here = Thing(), Thing()
    was: ref[object] = ref(gone)
    del gone
    gc.collect()
    # As when the one is collected, and the other one made, before the page was forgotten.
    _pages[id(here)] = (was, StoredAs(7, 70, b"id"))
    assert stored_as(here) == StoredAs()
    assert stored_as(here) is stored_as(here)


def test_an_object_that_goes_takes_no_page_of_another_one_along() -> None:
    gone, here = Thing(), Thing()
    note(gone, StoredAs(1))
    page, key = StoredAs(2), id(gone)
    looking = _pages[key][0]  # what looks out for its end
    _pages[key] = (ref(here), page)  # as if the other one had the identity already
    del gone
    assert looking() is None
    gc.collect()
    assert _pages.pop(key)[1] is page


class Equal(Till):
    """Is equal to every other one, and so cannot be hashed."""

    category = "Till"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Equal)

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType] - as Python sets it


async def test_aggregates_that_are_equal_and_have_no_hash_have_a_place_each(
    events: Events, shelf: Shelf
) -> None:
    tills = repository(events, shelf, Equal)
    first, second = await tills.load("1"), await tills.load("2")
    first.sell(1, 2, 3, 4, 5)
    second.sell(6)
    assert await tills.save(first) == Saved(5, 5)
    assert await tills.save(second) == Saved(1, 6)
    assert (tills.saved(first), tills.saved(second)) == (Saved(5, 5), Saved(1, 6))
    assert shelf.versions() == [5]
    assert shelf.versions("Till-2") == []
    first.sell(1, 2, 3, 4, 5)
    await tills.save(first)
    assert shelf.versions() == [5, 10]


def copied(till: Till) -> Till:
    return copy.deepcopy(till)


def shallow(till: Till) -> Till:
    return copy.copy(till)


def pickled(till: Till) -> Till:
    same: Till = pickle.loads(pickle.dumps(till))  # noqa: S301 - our own bytes
    return same


@pytest.mark.parametrize("copy_of", [copied, shallow, pickled])
@pytest.mark.parametrize("from_snapshot", [False, True])
async def test_a_copy_can_be_saved_and_no_snapshot_is_taken_of_it(  # noqa: PLR0913 - four fixtures
    tills: Repository[Till],
    events: Events,
    shelf: Shelf,
    log: pytest.LogCaptureFixture,
    copy_of: Callable[[Till], Till],
    *,
    from_snapshot: bool,
) -> None:
    await sell(tills, *range(5 if from_snapshot else 4))
    loaded = await tills.load("1")
    before = shelf.versions()
    twin = copy_of(loaded)
    assert stored_as(twin) == StoredAs()
    twin.sell(1, 1, 1, 1, 1, 1)
    saved = await tills.save(twin)
    assert saved == Saved(loaded.version + 6, loaded.version + 6)
    assert twin.pending_events == ()
    assert tills.saved(twin) == saved
    assert shelf.versions() == before
    assert "is not known to be" in said(log, logging.WARNING)[-1]
    with pytest.raises(ValueError, match="load it first"):
        await tills.take_snapshot(twin)
    assert state(await tills.load("1")) == state(await Repository(events, Till).load("1"))


@pytest.mark.parametrize("copy_of", [copied, shallow, pickled])
async def test_a_copy_says_nothing_of_the_place_of_the_original(
    tills: Repository[Till], shelf: Shelf, copy_of: Callable[[Till], Till]
) -> None:
    await sell(tills, 1, 2, 3, 4)
    loaded = await tills.load("1")
    twin = copy_of(loaded)
    stored_as(twin).version = UNKNOWN
    loaded.sell(5)
    assert await tills.save(loaded) == Saved(5, 5)
    assert shelf.versions() == [5]


def test_the_attributes_of_an_aggregate_are_its_own_and_few() -> None:
    till = Till("1")
    till.sell(1)
    stored_as(till).version = 3
    known: set[Hashable] = {"id", "version", "_pending_events", "_event_ids"}
    assert {*vars(till)} - known == {"total", "sales", "shown"}


@pytest.mark.parametrize("value", [7, (1, 2), {"a": 1}], ids=repr)
def test_a_plain_value_has_no_page(value: Any) -> None:
    before = len(_pages)
    with pytest.raises(TypeError, match="cannot create weak reference"):
        stored_as(value)
    assert len(_pages) == before
