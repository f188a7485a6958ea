"""Why a snapshot is not taken: that no save fails for it, and what is said."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core import (
    OnDemand,
    Repository,
    Saved,
    SnapshotError,
    SnapshotOccasion,
    StorageError,
    TransformError,
)
from tests.core._tills import Events, Shelf, Slow, Till, repository, said, state

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from eventsourcing_core import Event


pytestmark = pytest.mark.usefixtures("log")


@pytest.mark.parametrize("error", [StorageError("down"), OSError("gone"), TypeError("keep")])
async def test_a_snapshot_store_that_is_down_fails_no_save(
    tills: Repository[Till], shelf: Shelf, log: pytest.LogCaptureFixture, error: Exception
) -> None:
    till = await tills.load("1")
    till.sell(1, 2, 3, 4, 5)
    shelf.error = error
    assert await tills.save(till) == Saved(5, 5)
    assert till.pending_events == ()
    (line,) = said(log, logging.WARNING)
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
    assert await tills.save(till) == Saved(1, 1)
    assert "ZeroDivisionError" in said(log, logging.WARNING)[0]


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
    assert await tills.save(till) == Saved(5, 5)
    assert (
        "no snapshot was taken at version 5, since CancelledError" in said(log, logging.WARNING)[0]
    )


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
    (line,) = said(log, logging.WARNING)
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
    assert [("key 1" in line, "key 0" in line) for line in said(log, logging.WARNING)] == [
        (True, False),
        (False, True),
    ]
    for _ in range(50):
        till.sell(1)
        await tills.save(till)
    assert len(said(log, logging.WARNING)) == 20


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
    assert len(said(log, logging.WARNING)) == 2
    assert "the transformer 'down' failed: OSError" in said(log, logging.WARNING)[0]
    with pytest.raises(TransformError, match="down"):
        await tills.take_snapshot(till)


async def test_a_class_without_snapshots_is_not_looked_for_in_the_snapshot_store(
    events: Events, shelf: Shelf
) -> None:
    await repository(events, shelf, Unsupported).load("1")
    assert shelf.calls == []


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


async def half_applied(tills: Repository[Till]) -> Till:
    """Give a till whose ``apply`` failed half way."""
    till = await tills.load("1")
    unhashable: Any = []
    with pytest.raises(TypeError):
        till.sell(100, article=unhashable)
    assert till.total == 100
    assert till.version == 0
    return till


@pytest.mark.parametrize("make", [given_up, counted_by_hand, half_applied])
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
        assert "'Till-1' is not known to be" in said(log, logging.WARNING)[-1]
        with pytest.raises(ValueError, match="load it first"):
            await tills.take_snapshot(till)
    assert shelf.versions() == []
    assert state(await tills.load("1")) == state(await Repository(events, Till).load("1"))


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


class Lax:
    """A serializer that takes what it does not give back, as msgpack does with int keys."""

    name = "lax"

    def serialize(self, tree: object) -> bytes:
        return repr(tree).encode()

    def deserialize(self, data: bytes) -> object:
        raise ValueError(data)


async def test_a_state_of_ones_own_is_checked_whatever_the_serializer_takes(
    events: Events, shelf: Shelf
) -> None:
    tills = Repository(events, Odd, snapshot_store=shelf, serializer=Lax())
    till = await tills.update("1", lambda till: till.sell(1))
    with pytest.raises(SnapshotError, match=r"what Odd.snapshot_state\(\) gives.* is a tuple"):
        await tills.take_snapshot(till)
    assert shelf.versions() == []
