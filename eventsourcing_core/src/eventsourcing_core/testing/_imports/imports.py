"""What an import keeps, what it passes over, and how it is ordered."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from eventsourcing_core._events.event import RecordedEvent
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._imports.samples import (
    INTERLEAVED,
    LONG_AGO,
    at_place,
    facts,
    places_of,
    recorded,
)
from eventsourcing_core.testing._samples import (
    COUNTED,
    Opened,
    collected,
    counted,
    numbers_of,
    versions_of,
)

if TYPE_CHECKING:
    from eventsourcing_core.stores._event_store import EventStore


_MANY = 3000


class ImportContract(Chapter, needs=(Guarantee.IMPORTS,)):
    """Imports, one after the other."""

    async def test_an_import_keeps_everything_but_the_position(self, store: EventStore) -> None:
        events = recorded(*INTERLEAVED)
        await store.import_events(events)
        imported = await collected(store.read_all())
        assert [facts(event) for event in imported] == [facts(event) for event in events]

    async def test_an_imported_event_without_metadata_stays_without(
        self, store: EventStore
    ) -> None:
        event: RecordedEvent[object] = RecordedEvent(
            COUNTED, {}, stream_id="a", version=1, position=1
        )
        await store.import_events([event])
        (imported,) = await collected(store.read("a"))
        assert dict(imported.metadata) == {}

    async def test_an_imported_typed_payload_comes_back_as_its_class(
        self, store: EventStore
    ) -> None:
        payload = Opened("Zoë", Decimal("10.10"), UUID(int=5), LONG_AGO, ("x", "y"))
        event: RecordedEvent[object] = RecordedEvent(
            "contract.opened", payload, stream_id="a", version=1, position=7
        )
        await store.import_events([event])
        (imported,) = await collected(store.read("a"))
        assert type(imported.data) is Opened
        assert imported.data == payload

    async def test_each_imported_stream_is_read_as_it_was(self, store: EventStore) -> None:
        events = recorded(*INTERLEAVED)
        await store.import_events(events)
        for stream_id in ("a", "b", "c"):
            imported = await collected(store.read(stream_id))
            expected = [facts(event) for event in events if event.stream_id == stream_id]
            assert [facts(event) for event in imported] == expected

    async def test_imported_positions_follow_the_order_that_is_given(
        self, store: EventStore
    ) -> None:
        events = recorded("b-1", "a-1", "c-1", "b-2", "a-2", "b-3")
        events = [at_place(e.stream_id, e.version, position=99 - n) for n, e in enumerate(events)]
        await store.import_events(events)
        imported = await collected(store.read_all())
        assert places_of(imported) == ["b-1", "a-1", "c-1", "b-2", "a-2", "b-3"]
        positions = [event.position for event in imported]
        assert positions == sorted(set(positions))

    async def test_imported_positions_come_after_those_that_are_there(
        self, store: EventStore
    ) -> None:
        await store.append("own", counted(1, 2, 3), expected_version=0)
        await store.import_events([at_place("a", 1, position=1)])
        result = await store.append("own", counted(4), expected_version=3)
        imported = await collected(store.read_all())
        assert places_of(imported) == ["own-1", "own-2", "own-3", "a-1", "own-4"]
        assert imported[-2].position < result.position

    async def test_many_events_of_many_streams_are_imported_at_once(
        self, store: EventStore
    ) -> None:
        events = [at_place(f"s-{n % 300}", n // 300 + 1, number=n) for n in range(_MANY)]
        assert await store.import_events(events) == _MANY
        assert numbers_of(await collected(store.read_all())) == [*range(_MANY)]
        assert versions_of(await collected(store.read("s-299"))) == [*range(1, 11)]

    async def test_the_result_of_an_import_is_how_many_were_written(
        self, store: EventStore
    ) -> None:
        assert await store.import_events(recorded(*INTERLEAVED)) == len(INTERLEAVED)

    @pytest.mark.parametrize("cut", range(len(INTERLEAVED) + 1))
    async def test_an_interrupted_import_is_repeated(self, store: EventStore, cut: int) -> None:
        events = recorded(*INTERLEAVED)
        await store.import_events(events[:cut])
        assert await store.import_events(events) == len(events) - cut
        imported = await collected(store.read_all())
        assert [facts(event) for event in imported] == [facts(event) for event in events]

    async def test_an_imported_stream_may_have_gone_on(self, store: EventStore) -> None:
        await store.import_events(recorded("a-1", "a-2"))
        await store.append("a", counted(3), expected_version=2)
        assert await store.import_events(recorded("a-1", "b-1", "a-2")) == 1
        assert places_of(await collected(store.read_all())) == ["a-1", "a-2", "a-3", "b-1"]

    async def test_an_import_passes_over_what_was_appended_here(self, store: EventStore) -> None:
        await store.append("a", counted(1, 2), expected_version=0)
        own = await collected(store.read("a"))
        assert await store.import_events([*own, at_place("a", 3)]) == 1
        assert versions_of(await collected(store.read("a"))) == [1, 2, 3]
