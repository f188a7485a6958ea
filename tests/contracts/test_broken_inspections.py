"""What is wrong with looking into these stores, the contract sees."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.stores import Appender, Parts, StorageError, StreamInfo
from eventsourcing_core.testing._store.inspection import InspectionContract
from eventsourcing_inmemory._inspection import InMemoryInspection
from eventsourcing_inmemory._log import EventLog
from tests.contracts._broken import BrokenStorage, opening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from eventsourcing_core.stores import Append, StoreStatistics, Verdict
    from eventsourcing_core.testing import OpenParts

    Streams = AsyncIterator[StreamInfo]

MEANS_ITSELF = "test_every_character_of_a_prefix_of_streams_means_itself"
IMPOSSIBLE = "test_a_prefix_that_no_stream_id_can_have_finds_no_stream"


class BrokenInspection(InMemoryInspection):
    """What a fault has, besides a way to look."""

    caught_by: tuple[str, ...] = ()

    @classmethod
    def parts(cls) -> Parts:
        """Give the parts of a backend with this fault."""
        log = EventLog()
        return Parts(storage=BrokenStorage(log), inspection=cls(log))


class Broken(BrokenInspection):
    """A fault changes the streams, or which of them have the prefix."""

    async def streams(self, prefix: str) -> Streams:
        everything = [stream async for stream in super().streams("")]
        wanted = [stream for stream in everything if self.has(stream.stream_id, prefix)]
        for stream in self.change(wanted):
            yield stream

    def has(self, stream_id: str, prefix: str) -> bool:
        return stream_id.startswith(prefix)

    def change(self, streams: list[StreamInfo]) -> Iterable[StreamInfo]:
        return streams


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

    def has(self, stream_id: str, prefix: str) -> bool:
        return bool(prefix) and super().has(stream_id, prefix)


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


class StreamsLockTheStore(Broken):
    caught_by = ("test_who_goes_through_the_streams_may_append_meanwhile",)
    goes_through = False

    @classmethod
    def parts(cls) -> Parts:
        log = EventLog()
        inspection = cls(log)
        return Parts(storage=Locked(log, inspection), inspection=inspection)

    async def streams(self, prefix: str) -> Streams:
        self.goes_through = True
        async for stream in super().streams(prefix):
            yield stream
        self.goes_through = False


class Locked(BrokenStorage):
    """Writes while nobody goes through the streams."""

    def __init__(self, log: EventLog, inspection: StreamsLockTheStore) -> None:
        super().__init__(log)
        self.inspection = inspection

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        if self.inspection.goes_through:
            message = "the store is locked: somebody goes through its streams"
            raise StorageError(message)
        return await super().write(appends)


class Counts(BrokenInspection):
    """A fault changes the statistics."""

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
        return replace(statistics, data_bytes=sum(len(row.data) for row in self._log.rows))


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


class TestBrokenInspections(InspectionContract):
    faults = (*Broken.__subclasses__(), *Counts.__subclasses__())
    deadline = 0.3

    @pytest.fixture
    def open_parts(self, fault: type[BrokenInspection]) -> OpenParts:
        return opening(fault)
