"""What an import keeps, what it passes over, and how it is ordered."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._events.event import RecordedEvent
from eventsourcing_core.stores._event_store import ImportingEventStore
from eventsourcing_core.testing._contract import OpenedEventStore
from eventsourcing_core.testing._import_samples import (
    INTERLEAVED,
    LONG_AGO,
    at_place,
    facts,
    importing,
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
from eventsourcing_core.testing._value_contract import Marked

if TYPE_CHECKING:
    from eventsourcing_core._payloads.serializer import Serializer
    from eventsourcing_core.stores._event_store import EventStore
    from eventsourcing_core.testing._contract import OpenEventStore


_MANY = 3000


class ImportContract(OpenedEventStore):
    """Imports, one after the other."""

    async def test_a_store_that_imports_is_one_of_the_port(self, store: EventStore) -> None:
        assert isinstance(store, ImportingEventStore)

    async def test_an_import_keeps_everything_but_the_position(self, store: EventStore) -> None:
        events = recorded(*INTERLEAVED)
        await importing(store).import_events(events)
        imported = await collected(store.read_all())
        assert [facts(event) for event in imported] == [facts(event) for event in events]

    async def test_an_imported_event_without_metadata_stays_without(
        self, store: EventStore
    ) -> None:
        event: RecordedEvent[object] = RecordedEvent(
            COUNTED, {}, stream_id="a", version=1, position=1
        )
        await importing(store).import_events([event])
        (imported,) = await collected(store.read("a"))
        assert dict(imported.metadata) == {}

    async def test_an_imported_typed_payload_comes_back_as_its_class(
        self, store: EventStore
    ) -> None:
        payload = Opened("Zoë", Decimal("10.10"), UUID(int=5), LONG_AGO, ("x", "y"))
        event: RecordedEvent[object] = RecordedEvent(
            "contract.opened", payload, stream_id="a", version=1, position=7
        )
        await importing(store).import_events([event])
        (imported,) = await collected(store.read("a"))
        assert type(imported.data) is Opened
        assert imported.data == payload

    async def test_imported_events_are_encoded_by_the_store_that_takes_them(
        self, open_store: OpenEventStore, serializer: Serializer
    ) -> None:
        other = Marked()
        async with open_store(EventCodec(serializer)) as source:
            await source.append("a", counted(1, 2), expected_version=0)
            events = await collected(source.read_all())
        async with open_store(EventCodec(other)) as target:
            await importing(target).import_events(events)
            assert numbers_of(await collected(target.read("a"))) == [1, 2]
        assert other.written >= 2

    async def test_each_imported_stream_is_read_as_it_was(self, store: EventStore) -> None:
        events = recorded(*INTERLEAVED)
        await importing(store).import_events(events)
        for stream_id in ("a", "b", "c"):
            imported = await collected(store.read(stream_id))
            expected = [facts(event) for event in events if event.stream_id == stream_id]
            assert [facts(event) for event in imported] == expected

    async def test_imported_positions_follow_the_order_that_is_given(
        self, store: EventStore
    ) -> None:
        events = recorded("b-1", "a-1", "c-1", "b-2", "a-2", "b-3")
        events = [at_place(e.stream_id, e.version, position=99 - n) for n, e in enumerate(events)]
        await importing(store).import_events(events)
        imported = await collected(store.read_all())
        assert places_of(imported) == ["b-1", "a-1", "c-1", "b-2", "a-2", "b-3"]
        positions = [event.position for event in imported]
        assert positions == sorted(set(positions))

    async def test_imported_positions_come_after_those_that_are_there(
        self, store: EventStore
    ) -> None:
        await store.append("own", counted(1, 2, 3), expected_version=0)
        await importing(store).import_events([at_place("a", 1, position=1)])
        result = await store.append("own", counted(4), expected_version=3)
        imported = await collected(store.read_all())
        assert places_of(imported) == ["own-1", "own-2", "own-3", "a-1", "own-4"]
        assert imported[-2].position < result.position

    async def test_many_events_of_many_streams_are_imported_at_once(
        self, store: EventStore
    ) -> None:
        events = [at_place(f"s-{n % 300}", n // 300 + 1, number=n) for n in range(_MANY)]
        assert await importing(store).import_events(events) == _MANY
        assert numbers_of(await collected(store.read_all())) == [*range(_MANY)]
        assert versions_of(await collected(store.read("s-299"))) == [*range(1, 11)]

    async def test_the_result_of_an_import_is_how_many_were_written(
        self, store: EventStore
    ) -> None:
        assert await importing(store).import_events(recorded(*INTERLEAVED)) == len(INTERLEAVED)

    async def test_nothing_to_import_is_no_error(self, store: EventStore) -> None:
        assert await importing(store).import_events([]) == 0
        assert await collected(store.read_all()) == []

    @pytest.mark.parametrize("cut", range(len(INTERLEAVED) + 1))
    async def test_an_interrupted_import_is_repeated(self, store: EventStore, cut: int) -> None:
        events = recorded(*INTERLEAVED)
        await importing(store).import_events(events[:cut])
        assert await importing(store).import_events(events) == len(events) - cut
        imported = await collected(store.read_all())
        assert [facts(event) for event in imported] == [facts(event) for event in events]

    async def test_an_imported_stream_may_have_gone_on(self, store: EventStore) -> None:
        await importing(store).import_events(recorded("a-1", "a-2"))
        await store.append("a", counted(3), expected_version=2)
        assert await importing(store).import_events(recorded("a-1", "b-1", "a-2")) == 1
        assert places_of(await collected(store.read_all())) == ["a-1", "a-2", "a-3", "b-1"]

    async def test_an_import_passes_over_what_was_appended_here(self, store: EventStore) -> None:
        await store.append("a", counted(1, 2), expected_version=0)
        own = await collected(store.read("a"))
        assert await importing(store).import_events([*own, at_place("a", 3)]) == 1
        assert versions_of(await collected(store.read("a"))) == [1, 2, 3]
