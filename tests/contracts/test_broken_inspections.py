"""What is wrong with looking into these stores, the contract sees."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from eventsourcing_core import Appender, AppendResult, StorageError, StreamInfo
from eventsourcing_core.testing import InspectableEventStoreContract
from eventsourcing_inmemory import InMemoryEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from eventsourcing_core import EventCodec, StoreStatistics
    from eventsourcing_core.testing import OpenEventStore

    Streams = AsyncIterator[StreamInfo]

MEANS_ITSELF = "test_every_character_of_a_prefix_of_streams_means_itself"
IMPOSSIBLE = "test_a_prefix_that_no_stream_id_can_have_finds_no_stream"


class Broken(InMemoryEventStore):
    """A fault changes the streams, or which of them have the prefix."""

    caught_by: ClassVar[tuple[str, ...]] = ()

    def streams(self, *, prefix: str | None = None) -> Streams:
        super().streams(prefix=prefix)  # checks it
        return self.changed(prefix or "")

    async def changed(self, prefix: str) -> Streams:
        everything = [stream async for stream in super().streams()]
        wanted = [stream for stream in everything if self.has(stream.stream_id, prefix)]
        for stream in self.change(wanted):
            yield stream

    def has(self, stream_id: str, prefix: str) -> bool:
        return stream_id.startswith(prefix)

    def change(self, streams: list[StreamInfo]) -> Iterable[StreamInfo]:
        return streams


class WithoutAppenders(InMemoryEventStore):
    caught_by = ("test_a_store_that_can_be_looked_into_is_one_of_the_port",)
    appenders: Any = None


class AStreamWithoutEvents(Broken):
    caught_by = ("test_an_empty_store_has_no_streams",)

    def change(self, streams: list[StreamInfo]) -> Iterable[StreamInfo]:
        return streams or [StreamInfo("doc", 0)]


class OrderOfAppends(Broken):
    caught_by = ("test_streams_come_by_id_in_the_order_of_code_points",)

    def change(self, streams: list[StreamInfo]) -> Iterable[StreamInfo]:
        return sorted(streams, key=lambda s: [*self._log.streams].index(s.stream_id))


class OrderOfUtf16(Broken):
    caught_by = ("test_streams_come_by_id_in_the_order_of_code_points",)

    def change(self, streams: list[StreamInfo]) -> Iterable[StreamInfo]:
        return sorted(streams, key=lambda s: s.stream_id.encode("utf-16-be"))


class OrderOfALanguage(Broken):
    caught_by = ("test_streams_come_by_id_in_the_order_of_code_points",)

    def change(self, streams: list[StreamInfo]) -> Iterable[StreamInfo]:
        return sorted(streams, key=lambda s: s.stream_id.casefold().strip("- "))


class TheFirstVersion(Broken):
    caught_by = ("test_a_stream_has_the_version_of_its_last_event",)

    def change(self, streams: list[StreamInfo]) -> Iterable[StreamInfo]:
        return [StreamInfo(stream.stream_id, 1) for stream in streams]


class LongIdsAreCut(Broken):
    caught_by = ("test_the_longest_stream_ids_are_found",)

    def change(self, streams: list[StreamInfo]) -> Iterable[StreamInfo]:
        return [StreamInfo(stream.stream_id[:254], stream.version) for stream in streams]


class OnlyTheFirstPage(Broken):
    caught_by = (
        "test_many_streams_are_all_given_once",
        "test_who_goes_through_the_streams_may_append_meanwhile",
    )

    def change(self, streams: list[StreamInfo]) -> Iterable[StreamInfo]:
        return streams[:1000]


class PagesOverlap(Broken):
    caught_by = (
        "test_many_streams_are_all_given_once",
        "test_who_goes_through_the_streams_may_append_meanwhile",
    )

    def change(self, streams: list[StreamInfo]) -> Iterable[StreamInfo]:
        return [*streams[:1000], *streams[999:]]


class EmptyPrefixFindsNothing(Broken):
    caught_by = ("test_an_empty_prefix_is_that_of_every_stream",)

    def streams(self, *, prefix: str | None = None) -> Streams:
        return super().streams(prefix="\0" if prefix == "" else prefix)


class PrefixIgnoresCase(Broken):
    caught_by = (
        *(f"{MEANS_ITSELF}[{case}" for case in ("Doc-doc", "doc-DOC", "\\xc9-\\xe9", "\\xdf-ss")),
    )

    def has(self, stream_id: str, prefix: str) -> bool:
        return stream_id.casefold().startswith(prefix.casefold())


class PrefixIsAPattern(Broken):
    caught_by = (*(f"{MEANS_ITSELF}[{case}" for case in ("a*-ab", "a?-ab", "[a-c]-b")),)

    def has(self, stream_id: str, prefix: str) -> bool:
        return fnmatchcase(stream_id, f"{prefix}*")


class PrefixIsARange(Broken):
    caught_by = ("test_a_prefix_finds_streams_whatever_character_comes_next[\\U0010ffff",)

    def has(self, stream_id: str, prefix: str) -> bool:
        return prefix <= stream_id < f"{prefix}\U0010ffff"


class PrefixIsSentUnchecked(Broken):
    caught_by = (*(f"{IMPOSSIBLE}[{case}" for case in ("\\x00", "b\\x00", "\\ud800")),)

    def has(self, stream_id: str, prefix: str) -> bool:
        if b"\0" in prefix.encode():
            raise StorageError
        return super().has(stream_id, prefix)


class PrefixIsCut(Broken):
    caught_by = (f"{IMPOSSIBLE}[\\x00", f"{IMPOSSIBLE}[b\\x00")

    def has(self, stream_id: str, prefix: str) -> bool:
        return super().has(stream_id, prefix.partition("\0")[0])


class PrefixIsCheckedLate(Broken):
    caught_by = ("test_a_prefix_that_is_no_text_is_refused_at_once",)

    async def streams(self, *, prefix: str | None = None) -> Streams:
        async for stream in super().streams(prefix=prefix):
            yield stream


class StreamsLockTheStore(Broken):
    caught_by = ("test_who_goes_through_the_streams_may_append_meanwhile",)
    goes_through = False

    async def changed(self, prefix: str) -> Streams:
        self.goes_through = True
        async for stream in super().changed(prefix):
            yield stream
        self.goes_through = False

    async def append(self, *arguments: Any, **options: Any) -> AppendResult:
        if self.goes_through:
            await asyncio.Event().wait()
        return await super().append(*arguments, **options)


class Counts(InMemoryEventStore):
    """A fault changes the statistics."""

    caught_by: ClassVar[tuple[str, ...]] = ()

    async def statistics(self) -> StoreStatistics:
        return self.changed(await super().statistics())

    def changed(self, statistics: StoreStatistics) -> StoreStatistics:
        return statistics


class NoEventIsMinusOne(Counts):
    caught_by = ("test_an_empty_store_has_statistics",)

    def changed(self, statistics: StoreStatistics) -> StoreStatistics:
        return replace(statistics, last_position=statistics.last_position or -1)


class CountsTheFirstStream(Counts):
    caught_by = ("test_statistics_count_events_and_streams",)

    def changed(self, statistics: StoreStatistics) -> StoreStatistics:
        return replace(statistics, events=len(next(iter(self._log.streams.values()), [])))


class StreamsAreEvents(Counts):
    caught_by = ("test_statistics_count_events_and_streams",)

    def changed(self, statistics: StoreStatistics) -> StoreStatistics:
        return replace(statistics, streams=statistics.events)


class LastPositionIsAVersion(Counts):
    caught_by = ("test_statistics_count_events_and_streams",)

    def changed(self, statistics: StoreStatistics) -> StoreStatistics:
        versions = [len(stream) for stream in self._log.streams.values()]
        return replace(statistics, last_position=max(versions, default=0))


class TypesInTheOrderOfAppends(Counts):
    caught_by = ("test_statistics_count_each_event_type_by_its_name",)

    def changed(self, statistics: StoreStatistics) -> StoreStatistics:
        return replace(statistics, event_types=dict(reversed([*statistics.event_types.items()])))


class TypesIgnoreCase(Counts):
    caught_by = ("test_statistics_count_each_event_type_by_its_name",)

    def changed(self, statistics: StoreStatistics) -> StoreStatistics:
        types = {name.lower(): number for name, number in statistics.event_types.items()}
        return replace(statistics, event_types=types)


class MetadataTakeNoBytes(Counts):
    caught_by = ("test_statistics_add_up_the_bytes_of_data_and_metadata",)

    def changed(self, statistics: StoreStatistics) -> StoreStatistics:
        return replace(statistics, data_bytes=sum(len(event.data) for event, _ in self._log.rows))


class TakesNothingOfTheDisk(Counts):
    caught_by = ("test_a_store_on_a_disk_takes_some_of_it",)

    def changed(self, statistics: StoreStatistics) -> StoreStatistics:
        return replace(statistics, stored_bytes=0)


class StatisticsOfTwoMoments(Counts):
    caught_by = ("test_statistics_are_of_one_moment",)

    async def statistics(self) -> StoreStatistics:
        before = await super().statistics()
        for _ in range(5):
            await asyncio.sleep(0)
        return replace(before, streams=(await super().statistics()).streams)


class AppendersStay(Counts):
    caught_by = ("test_nobody_appends_to_a_store_at_rest",)

    async def appenders(self) -> list[Appender]:
        return [*await super().appenders(), Appender(0)]


class StaysOpen(Counts):
    caught_by = ("test_a_closed_store_cannot_be_looked_into",)

    def close(self) -> None:
        pass


class AnyLoopWillDo(Counts):
    caught_by = ("test_looking_from_another_event_loop_is_refused",)

    def _check_usable(self) -> None:
        pass


class TestBrokenInspections(InspectableEventStoreContract):
    faults = (WithoutAppenders, *Broken.__subclasses__(), *Counts.__subclasses__())
    deadline = 0.3

    @pytest.fixture
    def open_store(self, fault: type[InMemoryEventStore]) -> OpenEventStore:
        @asynccontextmanager
        async def opened(codec: EventCodec) -> AsyncIterator[InMemoryEventStore]:
            store = fault(codec)
            yield store
            store.close()

        return opened
