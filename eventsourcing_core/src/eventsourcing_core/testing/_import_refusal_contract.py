"""What an import refuses, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._errors import (
    ConcurrencyError,
    DuplicateEventError,
    InvalidStreamIdError,
    SerializationError,
)
from eventsourcing_core._events.event import Event, new_recorded_event
from eventsourcing_core.testing._contract import OpenedEventStore
from eventsourcing_core.testing._import_samples import at_place, importing, places_of, recorded
from eventsourcing_core.testing._samples import COUNTED, collected, counted, versions_of

if TYPE_CHECKING:
    from eventsourcing_core._payloads.serializer import Serializer
    from eventsourcing_core.stores._event_store import EventStore
    from eventsourcing_core.testing._contract import OpenEventStore


class ImportRefusalContract(OpenedEventStore):
    """Holes, conflicts, duplicates and bad input: nothing is written."""

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
        await importing(store).import_events(recorded(*there))
        with pytest.raises(ConcurrencyError) as caught:
            await importing(store).import_events(recorded(*places))
        error = caught.value
        assert (error.stream_id, error.expected, error.actual) == ("a", expected, actual)

    @pytest.mark.parametrize("version", [1, 2])
    async def test_an_import_conflicts_with_other_events_in_the_stream(
        self, store: EventStore, version: int
    ) -> None:
        await store.append("a", counted(1, 2), expected_version=0)
        own = await collected(store.read("a", to_version=version - 1 or None, limit=version - 1))
        with pytest.raises(ConcurrencyError) as caught:
            await importing(store).import_events([*own, at_place("a", version)])
        error = caught.value
        assert (error.stream_id, error.expected, error.actual) == ("a", version - 1, 2)

    async def test_an_import_with_a_conflict_writes_nothing(self, store: EventStore) -> None:
        await store.append("own", counted(1), expected_version=0)
        with pytest.raises(ConcurrencyError):
            await importing(store).import_events(recorded("a-1", "b-1", "a-2", "b-3"))
        assert places_of(await collected(store.read_all())) == ["own-1"]
        assert await importing(store).import_events(recorded("a-1", "b-1", "a-2", "b-2")) == 4

    @pytest.mark.parametrize(("stream_id", "version"), [("b", 2), ("b", 1), ("a", 3), ("a", 1)])
    async def test_an_imported_id_that_stands_elsewhere_is_a_duplicate(
        self, store: EventStore, stream_id: str, version: int
    ) -> None:
        taken = at_place("a", 2)
        await importing(store).import_events([at_place("a", 1), taken, at_place("c", 1)])
        event = at_place(stream_id, version, event_id=taken.event_id)
        with pytest.raises(DuplicateEventError) as caught:
            await importing(store).import_events([at_place("d", 1), event])
        error = caught.value
        assert (error.event_id, error.stream_id, error.version) == (taken.event_id, "a", 2)
        assert places_of(await collected(store.read_all())) == ["a-1", "a-2", "c-1"]

    @pytest.mark.parametrize("there", [0, 1, 2])
    async def test_an_id_twice_in_one_import_is_a_duplicate(
        self, store: EventStore, there: int
    ) -> None:
        first, second = recorded("a-1", "a-2")
        await importing(store).import_events([first, second][:there])
        for again in (first, at_place("a", 3, event_id=first.event_id)):
            with pytest.raises(DuplicateEventError) as caught:
                await importing(store).import_events([first, second, again])
            error = caught.value
            assert (error.event_id, error.stream_id, error.version) == (first.event_id, "a", 1)
        assert versions_of(await collected(store.read_all())) == [1, 2][:there]

    @pytest.mark.parametrize("stream_id", ["", "x" * 256, "tab\there", "half a pair \ud800"])
    async def test_an_import_refuses_a_bad_stream_id(
        self, store: EventStore, stream_id: str
    ) -> None:
        bad = new_recorded_event(COUNTED, {"number": 1}, bytes(16), 0, {}, stream_id, 1, 1)
        with pytest.raises(InvalidStreamIdError):
            await importing(store).import_events([at_place("a", 1), bad])
        assert await collected(store.read_all()) == []

    @pytest.mark.parametrize("event_type", ["", "x" * 256, "tab\there", "half a pair \ud800"])
    async def test_an_import_refuses_a_bad_event_type(
        self, store: EventStore, event_type: str
    ) -> None:
        bad = new_recorded_event(event_type, {"number": 1}, bytes(16), 0, {}, "a", 2, 1)
        with pytest.raises(ValueError, match="event type"):
            await importing(store).import_events([at_place("a", 1), bad])
        assert await collected(store.read_all()) == []

    @pytest.mark.parametrize("version", [0, -1])
    async def test_an_import_refuses_a_version_below_1(
        self, store: EventStore, version: int
    ) -> None:
        bad = new_recorded_event(COUNTED, {"number": 1}, bytes(16), 0, {}, "b", version, 1)
        with pytest.raises(ValueError, match="version"):
            await importing(store).import_events([at_place("a", 1), bad])
        assert await collected(store.read_all()) == []

    @pytest.mark.parametrize("stranger", [Event(COUNTED, {"number": 1}), {"number": 1}, None])
    async def test_an_import_refuses_something_else_than_a_recorded_event(
        self, store: EventStore, stranger: Any
    ) -> None:
        with pytest.raises(TypeError):
            await importing(store).import_events([at_place("a", 1), stranger])
        assert await collected(store.read_all()) == []

    async def test_an_import_names_the_place_of_a_value_that_cannot_be_stored(
        self, store: EventStore
    ) -> None:
        bad = at_place("a", 2, data={"value": object()})
        with pytest.raises(SerializationError, match="version 2 of stream 'a'"):
            await importing(store).import_events([at_place("a", 1), bad])
        assert await collected(store.read_all()) == []

    async def test_an_import_refuses_a_larger_event_than_the_store_allows(
        self, open_store: OpenEventStore, serializer: Serializer
    ) -> None:
        event = at_place("a", 2, data={"text": "x" * 500})
        encoded = EventCodec(serializer).encode(event)
        size = len(encoded.data) + len(encoded.metadata or b"")
        async with open_store(EventCodec(serializer, max_event_bytes=size)) as store:
            assert await importing(store).import_events([at_place("a", 1), event]) == 2
        async with open_store(EventCodec(serializer, max_event_bytes=size - 1)) as store:
            with pytest.raises(SerializationError):
                await importing(store).import_events([at_place("a", 1), event])
            assert await collected(store.read_all()) == []
