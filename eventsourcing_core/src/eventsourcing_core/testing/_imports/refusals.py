"""What an import refuses, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import (
    ConcurrencyError,
)
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._imports.samples import at_place, places_of, recorded
from eventsourcing_core.testing._samples import collected, counted

if TYPE_CHECKING:
    from eventsourcing_core.stores._event_store import EventStore


class ImportRefusalContract(Chapter, needs=(Guarantee.IMPORTS,)):
    """Holes and conflicts: nothing is written."""

    @pytest.mark.parametrize(
        ("there", "places", "expected", "actual"),
        [
            ((), ["b-1", "a-2"], 1, 0),
            ((), ["a-1", "b-1", "a-3"], 2, 1),
            ((), ["a-1", "a-3", "a-2"], 2, 1),
            ((), ["b-1", "a-2", "a-1"], 1, 0),
            (("a-1",), ["b-1", "a-3"], 2, 1),
            (("a-1", "a-2"), ["a-1", "b-1", "a-4"], 3, 2),
        ],
    )
    async def test_an_import_refuses_an_event_that_is_not_the_next_one_of_its_stream(
        self,
        store: EventStore,
        there: tuple[str, ...],
        places: list[str],
        expected: int,
        actual: int,
    ) -> None:
        await store.import_events(recorded(*there))
        with pytest.raises(ConcurrencyError) as caught:
            await store.import_events(recorded(*places))
        error = caught.value
        assert (error.stream_id, error.expected, error.actual) == ("a", expected, actual)

    @pytest.mark.parametrize("version", [1, 2])
    async def test_an_import_conflicts_with_other_events_in_the_stream(
        self, store: EventStore, version: int
    ) -> None:
        await store.append("a", counted(1, 2), expected_version=0)
        own = await collected(store.read("a", to_version=version - 1 or None, limit=version - 1))
        with pytest.raises(ConcurrencyError) as caught:
            await store.import_events([*own, at_place("a", version)])
        error = caught.value
        assert (error.stream_id, error.expected, error.actual) == ("a", version - 1, 2)

    async def test_an_import_with_a_conflict_writes_nothing(self, store: EventStore) -> None:
        await store.append("own", counted(1), expected_version=0)
        with pytest.raises(ConcurrencyError):
            await store.import_events(recorded("a-1", "b-1", "a-2", "b-3"))
        assert places_of(await collected(store.read_all())) == ["own-1"]
        assert await store.import_events(recorded("a-1", "b-1", "a-2", "b-2")) == 4
