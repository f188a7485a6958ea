"""Ids and names that are nearly the same are different all the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from eventsourcing_core._errors import DuplicateEventError
from eventsourcing_core._events.event import Event
from eventsourcing_core.stores._storage import Guarantee
from eventsourcing_core.testing._appends.append import ANY
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._samples import ALIKE, COUNTED, collected, counted, numbers_of

if TYPE_CHECKING:
    from eventsourcing_core.stores._event_store import EventStore

_FIRST = UUID(int=0x0123_4567_89AB_7DEF_8123_4567_89AB_CDEF)
_IDS = tuple(UUID(int=_FIRST.int ^ (1 << bit)) for bit in range(128))
"""Ids that differ from another one by one bit each."""


class LikenessContract(Chapter):
    """Stream ids, event types, event ids."""

    async def test_streams_with_ids_that_are_alike_are_kept_apart(self, store: EventStore) -> None:
        for number, stream_id in enumerate(ALIKE):
            await store.append(stream_id, counted(number), expected_version=0)
        for number, stream_id in enumerate(ALIKE):
            assert await store.stream_version(stream_id) == 1
            await store.append(stream_id, counted(-number), expected_version=1)
            (first, second) = await collected(store.read(stream_id))
            assert numbers_of([first, second]) == [number, -number]
            assert (first.stream_id, second.stream_id) == (stream_id, stream_id)

    async def test_prefixes_that_are_alike_select_their_own_streams(
        self, store: EventStore
    ) -> None:
        for number, stream_id in enumerate(ALIKE):
            await store.append(stream_id, counted(number), expected_version=0)
        for prefix in ALIKE:
            found = numbers_of(await collected(store.read_all(stream_prefix=prefix)))
            assert found == [n for n, each in enumerate(ALIKE) if each.startswith(prefix)]

    async def test_event_types_that_are_alike_are_kept_apart(self, store: EventStore) -> None:
        events = [Event(name, {"number": number}) for number, name in enumerate(ALIKE)]
        await store.append("doc-1", events, expected_version=0)
        assert [event.event_type for event in await collected(store.read("doc-1"))] == [*ALIKE]
        for number, name in enumerate(ALIKE):
            (found,) = await collected(store.read_all(event_types={name}))
            assert (found.event_type, numbers_of([found])) == (name, [number])

    async def test_event_ids_that_are_alike_are_kept_apart(self, store: EventStore) -> None:
        for number, event_id in enumerate((_FIRST, *_IDS)):
            event = Event(COUNTED, {"number": number}, event_id=event_id)
            result = await store.append("doc-1", [event], expected_version=ANY)
            assert result.version == number + 1
        assert [e.event_id for e in await collected(store.read_all())] == [_FIRST, *_IDS]

    async def test_each_of_many_events_keeps_what_is_its_own(self, store: EventStore) -> None:
        latest = datetime(2026, 11, 23, 12, 30, 15, 123_457, tzinfo=UTC)
        events = [
            Event(
                f"contract.type-{n % 7}",
                {"number": n},
                metadata={"user": n} if n % 3 else {},
                # The younger, the smaller: the order is that of appends.
                event_id=UUID(int=_FIRST.int - n),
                timestamp=latest - timedelta(microseconds=n),
            )
            for n in range(120)
        ]
        await store.append("doc-1", events[:60], expected_version=0)
        for event in events[60:]:
            await store.append("doc-1", [event], expected_version=ANY)
        for stored in (await collected(store.read("doc-1")), await collected(store.read_all())):
            assert [_own(event) for event in stored] == [_own(event) for event in events]


class LikeIdContract(Chapter, needs=(Guarantee.UNIQUE_EVENT_IDS,)):
    """An id is looked for among many, as a whole."""

    async def test_each_of_many_ids_is_found(self, store: EventStore) -> None:
        events = [Event(COUNTED, {"number": n}, event_id=each) for n, each in enumerate(_IDS)]
        written = await store.append("doc-1", events, expected_version=0)
        assert await store.append("doc-1", events, expected_version=ANY) == written
        others = counted(*range(1100))
        for taken in (events[0], events[77], events[-1]):
            with pytest.raises(DuplicateEventError) as caught:
                await store.append("other", [*others, taken], expected_version=0)
            assert caught.value.event_id == taken.event_id
        result = await store.append("other", others, expected_version=0)
        assert await store.append("other", others, expected_version=ANY) == result
        await store.append(
            "doc-2", [Event(COUNTED, {"number": 0}, event_id=_FIRST)], expected_version=0
        )


def _own(event: Event[object]) -> tuple[object, ...]:
    return (event.event_type, event.data, event.event_id, event.timestamp, dict(event.metadata))
