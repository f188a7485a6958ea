"""Snapshots of states that are no aggregates."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from eventsourcing_core import (
    EveryEvents,
    Folded,
    Repository,
    SnapshotError,
    StateDifference,
    fold,
)
from eventsourcing_core._aggregates.notebook import StoredAs
from eventsourcing_core._encoding.pipeline import Pipeline
from eventsourcing_core._snapshots.snapshots import Snapshots
from eventsourcing_core._snapshots.source import Source
from tests.core._tills import Events, Shelf, Sold, Till, said, sell

if TYPE_CHECKING:
    from eventsourcing_core import RecordedEvent
    from eventsourcing_core._aggregates.fold import Pages
    from eventsourcing_core._snapshots.kind import Kind

pytestmark = pytest.mark.usefixtures("log")
S = TypeVar("S")


def evolve(state: dict[str, int], event: RecordedEvent[Any]) -> dict[str, int]:
    sold: Sold = event.data
    return {**state, sold.article: state.get(sold.article, 0) + sold.count}


class Counts:
    """How many of each article were sold: a dict."""

    name = "counts"
    version = "1"

    async def fold(
        self, pages: Pages, state: dict[str, int], version: int
    ) -> Folded[dict[str, int]]:
        return await fold(pages, evolve, state, version=version)

    def state_version(self, state: dict[str, int] | None = None) -> str:  # noqa: ARG002 - the same for all
        return self.version

    def knows(self, event_type: str) -> bool:  # noqa: ARG002 - it has no classes
        return False

    def encode(self, state: dict[str, int]) -> object:
        return [[article, count] for article, count in state.items()]

    def decode(self, tree: Any, state: dict[str, int]) -> dict[str, int]:
        return state | dict(tree)


class Total:
    """How many were sold: an int."""

    name = "total"

    async def fold(self, pages: Pages, state: int, version: int) -> Folded[int]:
        def add(state: int, event: RecordedEvent[Any]) -> int:
            return int(state + event.data.count)

        return await fold(pages, add, state, version=version)

    def state_version(self, state: int | None = None) -> str:  # noqa: ARG002 - as above
        return "1"

    def knows(self, event_type: str) -> bool:  # noqa: ARG002 - it has no classes
        return False

    def encode(self, state: int) -> object:
        return state

    def decode(self, tree: Any, state: int) -> int:
        return int(state + tree)


def kept(kind: Kind[S], shelf: Shelf, frequency: int = 5) -> Snapshots[S]:
    policy = EveryEvents(frequency)
    return Snapshots(kind, shelf, policy=policy, keep=2, pipeline=Pipeline.of("json"))


def place(folded: Folded[Any]) -> StoredAs:
    return StoredAs(folded.version, folded.position, folded.event_id, folded.snapshot_version)


async def load(counts: Snapshots[dict[str, int]], events: Events) -> Folded[dict[str, int]]:
    source = Source(events, counts.store)
    return await counts.load(source, "Till-1", {}, dict, None)


@pytest.fixture
async def counts(events: Events, shelf: Shelf) -> Snapshots[dict[str, int]]:
    """Give the snapshots of dicts, with one of them taken at version 3."""
    await sell(Repository(events, Till), 1, 2, 3)
    counts = kept(Counts(), shelf)
    folded = await load(counts, events)
    await counts.take(folded.state, place(folded), "Till-1", version=3)
    till = await Repository(events, Till).load("1")
    till.sell(4, article="milk")
    await Repository(events, Till).save(till)
    return counts


async def test_a_dict_comes_back_from_its_snapshot(
    counts: Snapshots[dict[str, int]], events: Events, shelf: Shelf, log: pytest.LogCaptureFixture
) -> None:
    assert shelf.versions() == [3]
    events.storage.reads = []
    folded = await load(counts, events)
    assert events.storage.reads == [3]
    empty: dict[str, int] = {}
    replayed = await fold(events.read_pages("Till-1"), evolve, empty)
    assert folded == replace(replayed, snapshot_version=3)
    assert folded.state == {"tea": 6, "milk": 4}
    assert said(log) == []


async def test_an_int_comes_back_from_its_snapshot(events: Events, shelf: Shelf) -> None:
    await sell(Repository(events, Till), 1, 2, 3)
    totals, source = kept(Total(), shelf), Source(events, shelf)
    first = await totals.load(source, "Till-1", 0, int, None)
    await totals.take(first.state, place(first), "Till-1", version=3)
    folded = await totals.load(source, "Till-1", 0, int, None)
    assert folded == Folded(6, 3, 3, first.event_id, snapshot_version=3)


async def test_without_a_snapshot_store_a_state_is_replayed(
    counts: Snapshots[dict[str, int]], events: Events, shelf: Shelf
) -> None:
    shelf.calls = []
    folded = await counts.load(Source(events, None), "Till-1", {}, dict, None)
    assert (folded.state, folded.snapshot_version) == ({"tea": 6, "milk": 4}, None)
    assert shelf.calls == []


async def test_the_past_of_a_dict_comes_without_a_later_snapshot(
    counts: Snapshots[dict[str, int]], events: Events, shelf: Shelf
) -> None:
    folded = await counts.load(Source(events, shelf), "Till-1", {}, dict, 2)
    assert (folded.state, folded.version, folded.snapshot_version) == ({"tea": 3}, 2, None)


async def test_a_snapshot_of_another_version_of_the_kind_is_not_used(
    counts: Snapshots[dict[str, int]],
    events: Events,
    log: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Counts, "version", "2")
    folded = await load(counts, events)
    assert (folded.state, folded.snapshot_version) == ({"tea": 6, "milk": 4}, None)
    assert "has the state version 1, counts has 2" in said(log)[0]


async def test_a_snapshot_that_is_damaged_is_not_used_and_the_state_is_made_again(
    counts: Snapshots[dict[str, int]],
    events: Events,
    shelf: Shelf,
    log: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def half(_: Counts, tree: object, state: dict[str, int]) -> dict[str, int]:
        state["tea"] = 1000
        raise ValueError(tree)

    monkeypatch.setattr(Counts, "decode", half)
    folded = await load(counts, events)
    assert (folded.state, folded.snapshot_version) == ({"tea": 6, "milk": 4}, None)
    assert "cannot be read: ValueError" in said(log)[0]
    assert shelf.versions() == [3]


async def test_a_snapshot_of_a_dict_is_taken_when_the_policy_says_so(
    counts: Snapshots[dict[str, int]], events: Events, shelf: Shelf
) -> None:
    await sell(Repository(events, Till), 5, 6)
    folded = await load(counts, events)
    for before, version, is_more, expected in (
        (3, 4, False, [3]),
        (4, 6, True, [3]),
        (4, 6, False, [3, 6]),
    ):
        await counts.after_save(
            folded.state, place(folded), "Till-1", before=before, version=version, is_more=is_more
        )
        assert shelf.versions() == expected


async def test_a_state_that_cannot_be_stored_is_warned_of(
    counts: Snapshots[dict[str, int]], events: Events, shelf: Shelf, log: pytest.LogCaptureFixture
) -> None:
    class Odd(dict[str, Any]):
        """Of this class nobody was warned before."""

    folded = await load(counts, events)
    odd, stored = Odd(tea=object()), place(folded)
    with pytest.raises(SnapshotError, match="the state of Odd cannot be stored in a snapshot"):
        await counts.take(odd, stored, "Till-1", version=4)
    for _ in range(2):
        often = kept(Counts(), shelf, frequency=1)
        await often.after_save(odd, stored, "Till-1", before=3, version=4, is_more=False)
    (line,) = said(log, logging.WARNING)
    assert "no snapshot was taken at version 4, since the state of Odd cannot be stored" in line
    assert shelf.versions() == [3]


async def test_a_state_of_another_version_than_said_gives_no_snapshot(
    counts: Snapshots[dict[str, int]], events: Events, shelf: Shelf
) -> None:
    folded = await load(counts, events)
    for stored in (StoredAs(), StoredAs(3, 3, folded.event_id)):
        with pytest.raises(ValueError, match="is not known to be what its events up to version 4"):
            await counts.take(folded.state, stored, "Till-1", version=4)
    assert shelf.versions() == [3]


async def test_a_snapshot_of_a_dict_is_verified(
    counts: Snapshots[dict[str, int]], events: Events
) -> None:
    report = await counts.verify(events, "Till-1", dict)
    assert (report.version, report.is_right) == (3, True)


async def test_a_wrong_snapshot_of_a_dict_is_found(
    counts: Snapshots[dict[str, int]], events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Counts, "decode", lambda *_: {"tea": 7})
    report = await counts.verify(events, "Till-1", dict)
    assert (report.version, report.is_wrong) == (3, True)
    assert report.differences == (StateDifference("", {"tea": 6}, {"tea": 7}),)
