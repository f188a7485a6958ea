"""Looking into a store as a whole: its streams, its sizes, and who appends to it."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._encoding.codec import EventCodec
from eventsourcing_core._events.event import Event
from eventsourcing_core.stores._inspection import StoreStatistics
from eventsourcing_core.testing._appends.append import ANY
from eventsourcing_core.testing._contract import Chapter
from eventsourcing_core.testing._reads.read_all import IMPOSSIBLE, NEXT, OTHERS
from eventsourcing_core.testing._samples import (
    EVENT_TYPES,
    collected,
    counted,
    let_others_run,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core._payloads.serializer import Serializer
    from eventsourcing_core.testing._contract import OpenStore

IN_ORDER = ("!", "-b", "A-1", "B", "a", "a 1", "a-1", "a1", "aa", "b", "doc-10", "doc-9", "z")
BEYOND_ASCII = ("\u00e9", "\u0416", "\u6f22", "\ufb00", "\uffff", "\U0001f389", "\U0010ffff")
MANY = 2_500


class InspectionContract(Chapter, needs=("inspection",)):
    """Every rule of ``Inspection``."""

    async def test_an_empty_store_has_no_streams(self, store: StorageEventStore) -> None:
        assert await found(store) == {}
        assert await found(store, "doc") == {}

    async def test_streams_come_by_id_in_the_order_of_code_points(
        self, store: StorageEventStore
    ) -> None:
        stream_ids = (*IN_ORDER, *BEYOND_ASCII)
        for stream_id in reversed(stream_ids):
            await store.append(stream_id, counted(1), expected_version=0)
        assert [*await found(store)] == [*stream_ids]

    async def test_a_stream_has_the_version_of_its_last_event(
        self, store: StorageEventStore
    ) -> None:
        await store.append("a", counted(1, 2), expected_version=0)
        await store.append("b", counted(1), expected_version=0)
        await store.append("a", counted(*range(3, 12)), expected_version=2)
        assert await found(store) == {"a": 11, "b": 1}

    async def test_the_longest_stream_ids_are_found(self, store: StorageEventStore) -> None:
        longest = "\U0010ffff" * 255
        for stream_id in (longest, longest[:254] + "a", longest[:254]):
            await store.append(stream_id, counted(1), expected_version=0)
        assert [*await found(store)] == [longest[:254], longest[:254] + "a", longest]
        assert [*await found(store, longest)] == [longest]
        assert [*await found(store, longest + "\U0010ffff")] == []

    async def test_many_streams_are_all_given_once(self, store: StorageEventStore) -> None:
        stream_ids = [f"doc-{number:04}" for number in range(MANY)]
        await begin(store, ["doc", *stream_ids, "doc.", "e"])
        assert [*await found(store)] == ["doc", *stream_ids, "doc.", "e"]
        assert [*await found(store, "doc-")] == stream_ids
        assert [*await found(store, "doc-1")] == stream_ids[1000:2000]

    async def test_an_empty_prefix_is_that_of_every_stream(self, store: StorageEventStore) -> None:
        await begin(store, IN_ORDER)
        assert [*await found(store, "")] == [*IN_ORDER]

    @pytest.mark.parametrize(("prefix", "other"), OTHERS)
    async def test_every_character_of_a_prefix_of_streams_means_itself(
        self, store: StorageEventStore, prefix: str, other: str
    ) -> None:
        await begin(store, [f"{other}-1", f"{prefix}-1", prefix])
        assert [*await found(store, prefix)] == [prefix, f"{prefix}-1"]

    @pytest.mark.parametrize("character", NEXT)
    async def test_a_prefix_finds_streams_whatever_character_comes_next(
        self, store: StorageEventStore, character: str
    ) -> None:
        await begin(store, ["doc" + character, "dob", "dod"])
        assert [*await found(store, "doc")] == ["doc" + character]

    @pytest.mark.parametrize("prefix", IMPOSSIBLE)
    async def test_a_prefix_that_no_stream_id_can_have_finds_no_stream(
        self, store: StorageEventStore, prefix: str
    ) -> None:
        await begin(store, [*IN_ORDER, *BEYOND_ASCII])
        assert await found(store, prefix) == {}

    async def test_who_goes_through_the_streams_may_append_meanwhile(
        self, store: StorageEventStore
    ) -> None:
        await begin(store, [f"doc-{number:04}" for number in range(MANY)])
        seen: list[str] = []
        async with asyncio.timeout(self.deadline):
            async for stream in store.streams():
                seen.append(stream.stream_id)
                if len(seen) % 500 == 0:
                    await store.append(stream.stream_id, counted(2), expected_version=1)
        assert len(seen) == len(set(seen)) == MANY
        changed = await found(store)
        assert [changed[stream_id] for stream_id in seen[499::500]] == [2] * (MANY // 500)

    async def test_an_empty_store_has_statistics(self, store: StorageEventStore) -> None:
        statistics = await store.statistics()
        assert statistics == StoreStatistics(
            events=0,
            streams=0,
            last_position=0,
            data_bytes=0,
            stored_bytes=statistics.stored_bytes,
            event_types={},
        )

    async def test_statistics_count_events_and_streams(self, store: StorageEventStore) -> None:
        await store.append("a", counted(1, 2, 3), expected_version=0)
        await store.append("b", counted(4), expected_version=0)
        await store.append("a", counted(5), expected_version=3)
        statistics = await store.statistics()
        assert (statistics.events, statistics.streams) == (5, 2)
        assert statistics.last_position == (await collected(store.read_all()))[-1].position

    async def test_statistics_count_each_event_type_by_its_name(
        self, store: StorageEventStore
    ) -> None:
        numbers = {name: number for number, name in enumerate(IN_ORDER, start=1)}
        for name, number in reversed(numbers.items()):
            for _ in range(number):
                await store.append(name, counted(1, event_type=name), expected_version=ANY)
        statistics = await store.statistics()
        assert [*statistics.event_types.items()] == [*numbers.items()]

    async def test_statistics_add_up_the_bytes_of_data_and_metadata(
        self, open_store: OpenStore, serializer: Serializer
    ) -> None:
        codec = EventCodec(serializer, event_types=EVENT_TYPES)
        events: list[Event[object]] = [
            Event("Noted", {"text": "x" * 100_000}),
            Event("Noted", {"text": "é"}, metadata={"user": "someone"}),
            *counted(1, 2),
        ]
        expected = codec.encode_append("doc-1", events, ANY).size
        async with open_store(codec) as store:
            await store.append("doc-1", events, expected_version=0)
            statistics = await store.statistics()
        assert statistics.data_bytes == expected

    async def test_a_store_on_a_disk_takes_some_of_it(self, store: StorageEventStore) -> None:
        await store.append("doc-1", counted(*range(100)), expected_version=0)
        stored_bytes = (await store.statistics()).stored_bytes
        assert stored_bytes is None or stored_bytes > 0

    async def test_statistics_are_of_one_moment(self, store: StorageEventStore) -> None:
        async def write() -> None:
            for number in range(100):
                await store.append(f"doc-{number}", counted(1, 2), expected_version=0)

        writing = asyncio.create_task(write())
        try:
            async with asyncio.timeout(self.deadline):
                turns = count()
                while not writing.done():
                    await let_others_run(next(turns))
                    seen = await store.statistics()
                    assert seen.events == 2 * seen.streams == sum(seen.event_types.values())
        finally:
            writing.cancel()
            await asyncio.wait({writing})
        assert (await store.statistics()).events == 200

    async def test_nobody_appends_to_a_store_at_rest(self, store: StorageEventStore) -> None:
        await store.append("doc-1", counted(1), expected_version=0)
        assert [*await store.appenders()] == []


async def begin(store: StorageEventStore, stream_ids: Iterable[str]) -> None:
    """Append an event to each of some streams, at the same time."""
    await asyncio.gather(*(store.append(s, counted(1), expected_version=0) for s in stream_ids))


async def found(store: StorageEventStore, prefix: str | None = None) -> dict[str, int]:
    """Give the versions of the streams with a prefix, in the order in which they came."""
    streams = [stream async for stream in store.streams(prefix=prefix)]
    versions = {stream.stream_id: stream.version for stream in streams}
    assert len(versions) == len(streams)
    return versions
