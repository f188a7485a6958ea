"""Imported event ids occur once in a store, like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import DuplicateEventError
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._imports.samples import at_place, places_of, recorded
from eventsourcing_core.testing._samples import collected, counted, versions_of

if TYPE_CHECKING:
    from eventsourcing_core.stores._event_store import EventStore


class ImportedIdContract(Chapter, needs=(Guarantee.IMPORTS, Guarantee.UNIQUE_EVENT_IDS)):
    """Imports of ids that stand elsewhere, and appends of ids that were imported."""

    async def test_an_imported_id_is_a_duplicate_to_an_append_elsewhere(
        self, store: EventStore
    ) -> None:
        events = recorded("a-1", "a-2")
        await store.import_events(events)
        with pytest.raises(DuplicateEventError):
            await store.append("c", [*counted(9), events[1]], expected_version=0)
        assert places_of(await collected(store.read_all())) == ["a-1", "a-2"]

    @pytest.mark.parametrize(("stream_id", "version"), [("b", 2), ("b", 1), ("a", 3), ("a", 1)])
    async def test_an_imported_id_that_stands_elsewhere_is_a_duplicate(
        self, store: EventStore, stream_id: str, version: int
    ) -> None:
        taken = at_place("a", 2)
        await store.import_events([at_place("a", 1), taken, at_place("c", 1)])
        event = at_place(stream_id, version, event_id=taken.event_id)
        with pytest.raises(DuplicateEventError) as caught:
            await store.import_events([at_place("d", 1), event])
        error = caught.value
        assert (error.event_id, error.stream_id, error.version) == (taken.event_id, "a", 2)
        assert places_of(await collected(store.read_all())) == ["a-1", "a-2", "c-1"]

    @pytest.mark.parametrize("there", [0, 1, 2])
    async def test_an_id_twice_in_one_import_is_a_duplicate(
        self, store: EventStore, there: int
    ) -> None:
        first, second = recorded("a-1", "a-2")
        await store.import_events([first, second][:there])
        for again in (first, at_place("a", 3, event_id=first.event_id)):
            with pytest.raises(DuplicateEventError) as caught:
                await store.import_events([first, second, again])
            error = caught.value
            assert (error.event_id, error.stream_id, error.version) == (first.event_id, "a", 1)
        assert versions_of(await collected(store.read_all())) == [1, 2][:there]
