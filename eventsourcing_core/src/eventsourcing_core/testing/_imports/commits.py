"""Imports in commits of some dozens of events, as the command makes them, and resumed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import ConcurrencyError
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._imports.samples import at_place, facts
from eventsourcing_core.testing._samples import collected

if TYPE_CHECKING:
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.stores._event_store import EventStore


def _events(count: int, streams: int) -> list[RecordedEvent[object]]:
    return [at_place(f"s-{n % streams}", n // streams + 1, number=n) for n in range(count)]


class ImportCommitContract(Chapter, needs=(Guarantee.IMPORTS,)):
    """Many commits, of few streams and of many."""

    @pytest.mark.parametrize("streams", [1, 7, 110])
    @pytest.mark.parametrize("size", [30, 64, 100])
    async def test_an_import_in_commits_is_whole_and_can_be_repeated_in_others(
        self, store: EventStore, size: int, streams: int
    ) -> None:
        events = _events(330, streams)
        assert await _imported(store, events[:-50], size) == 280
        assert await _imported(store, events, size - 1) == 50
        assert await _imported(store, events, 130) == 0
        stored = await collected(store.read_all())
        assert [facts(event) for event in stored] == [facts(event) for event in events]
        for number in (0, streams - 1):
            stream = await collected(store.read(f"s-{number}"))
            assert [facts(e) for e in stream] == [facts(e) for e in events[number::streams]]

    async def test_a_hole_late_in_a_commit_is_found(self, store: EventStore) -> None:
        events = _events(200, 4)
        await store.import_events(events[:100])
        for missing in (101, 150, 170):
            with pytest.raises(ConcurrencyError):
                await store.import_events([*events[:missing], *events[missing + 1 :]])
            assert len(await collected(store.read_all())) == 100
        assert await store.import_events(events) == 100


async def _imported(store: EventStore, events: list[RecordedEvent[object]], size: int) -> int:
    """Import events in commits of a size; count those that were written."""
    commits = range(0, len(events), size)
    return sum([await store.import_events(events[first : first + size]) for first in commits])
