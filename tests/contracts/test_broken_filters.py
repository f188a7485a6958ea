"""What is wrong with the order and the filters of these stores, the contract sees."""

from __future__ import annotations

from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from eventsourcing_core import EventCodec, RecordedEvent, StorageError
from eventsourcing_core.testing._event_store_machine import EventStoreMachineContract
from eventsourcing_core.testing._read_all_contract import ReadAllContract
from eventsourcing_inmemory import InMemoryEventStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from eventsourcing_core.testing import OpenEventStore

    Events = AsyncIterator[RecordedEvent[Any]]

INT64 = 2**63
MODEL = "test_a_store_does_what_the_model_does"


class Broken(InMemoryEventStore):
    """A fault changes the arguments of ``read_all``, or the events that come of it."""

    caught_by: ClassVar[tuple[str, ...]] = ()

    def read_all(self, **options: Any) -> Events:
        return super().read_all(**options)

    async def changed(
        self, events: Events, change: Callable[[list[RecordedEvent[Any]]], Iterable[Any]]
    ) -> Events:
        for event in change([event async for event in events]):
            yield event


class OrderedByStream(Broken):
    caught_by = (
        "test_all_events_are_read_in_the_order_of_appends",
        "test_reading_begins_after_the_position",
        "test_pages_by_position_show_every_event_once_in_order[3",
        "test_pages_by_position_show_every_event_once_in_order[7",
        "test_a_long_log_is_read_whole",
        MODEL,
    )

    def read_all(self, **options: Any) -> Events:
        return self.changed(
            super().read_all(**options), lambda read: sorted(read, key=lambda e: e.stream_id)
        )


class PositionInclusive(Broken):
    caught_by = (
        "test_reading_begins_after_the_position",
        "test_backward_begins_at_the_end_and_stops_before_the_position",
        "test_pages_by_position_show_every_event_once_in_order",
        "test_filters_work_together_and_before_the_limit",
        MODEL,
    )

    def read_all(self, *, after_position: int = 0, **options: Any) -> Events:
        return super().read_all(after_position=max(0, after_position - 1), **options)


class PositionSkipped(Broken):
    caught_by = (
        "test_reading_begins_after_the_position",
        "test_pages_by_position_show_every_event_once_in_order[1",
        "test_pages_by_position_show_every_event_once_in_order[2",
        MODEL,
    )

    def read_all(self, *, after_position: int = 0, **options: Any) -> Events:
        return super().read_all(after_position=after_position + (after_position > 0), **options)


class TypesIgnored(Broken):
    caught_by = (
        "test_event_types_are_matched_exactly[event_types0",
        "test_event_types_are_matched_exactly[event_types3",
        "test_an_empty_collection_of_event_types_matches_nothing",
        "test_filters_work_together_and_before_the_limit",
        MODEL,
    )

    def read_all(self, **options: Any) -> Events:
        return super().read_all(**options | {"event_types": None})


class NoTypesIsFalsy(Broken):
    caught_by = ("test_an_empty_collection_of_event_types_matches_nothing", MODEL)

    def read_all(self, **options: Any) -> Events:
        return super().read_all(**options | {"event_types": options.get("event_types") or None})


class TypesAreJoined(Broken):
    caught_by = ("test_event_types_are_matched_exactly[event_types2",)

    def read_all(self, *, event_types: Any = None, **options: Any) -> Events:
        types = None if event_types is None else list(event_types)
        return self.changed(
            super().read_all(**options),
            lambda events: [
                event
                for event in events
                for _ in range(1 if types is None else types.count(event.event_type))
            ],
        )


class OneParameterPerType(Broken):
    caught_by = ("test_thousands_of_event_types_can_be_asked_for",)

    def read_all(self, *, event_types: Any = None, **options: Any) -> Events:
        if event_types is not None and len(event_types) > 32_766:
            raise StorageError
        return super().read_all(event_types=event_types, **options)


class TextIsSentUnchecked(Broken):
    caught_by = (
        "test_event_types_are_matched_exactly[event_types6",
        "test_a_prefix_that_no_stream_id_can_have_selects_nothing[\\x00",
        "test_a_prefix_that_no_stream_id_can_have_selects_nothing[b\\x00",
        "test_a_prefix_that_no_stream_id_can_have_selects_nothing[\\ud800",
    )

    def read_all(self, **options: Any) -> Events:
        for text in [options.get("stream_prefix"), *(options.get("event_types") or ())]:
            if text is not None and b"\0" in text.encode():
                raise StorageError
        return super().read_all(**options)


class PrefixIgnored(Broken):
    caught_by = (
        "test_a_prefix_selects_streams",
        "test_every_character_of_a_prefix_means_itself",
        "test_a_prefix_that_no_stream_id_can_have_selects_nothing",
        MODEL,
    )

    def read_all(self, **options: Any) -> Events:
        return super().read_all(**options | {"stream_prefix": None})


class EmptyPrefixSelectsNothing(Broken):
    caught_by = ("test_an_empty_prefix_selects_every_stream", MODEL)

    def read_all(self, **options: Any) -> Events:
        if options.get("stream_prefix") == "":
            options["limit"] = 0
        return super().read_all(**options)


class PrefixIsAnywhere(Broken):
    caught_by = ("test_a_prefix_selects_streams", MODEL)

    def read_all(self, *, stream_prefix: str | None = None, **options: Any) -> Events:
        return self.changed(
            super().read_all(**options),
            lambda events: [event for event in events if (stream_prefix or "") in event.stream_id],
        )


class PrefixIsAPattern(Broken):
    """As LIKE without escapes, or GLOB, would have it."""

    caught_by = (
        *(
            f"test_every_character_of_a_prefix_means_itself[{case}-"
            for case in ("a%", "a_", "%", "_", "a*", "a?", "[a-c]")
        ),
        MODEL,
    )

    def read_all(self, *, stream_prefix: str | None = None, **options: Any) -> Events:
        pattern = (stream_prefix or "").replace("%", "*").replace("_", "?") + "*"
        return self.changed(
            super().read_all(**options),
            lambda events: [event for event in events if fnmatchcase(event.stream_id, pattern)],
        )


class PrefixIsARange(Broken):
    caught_by = ("test_a_prefix_selects_whatever_character_comes_next[\\U0010ffff",)

    def read_all(self, *, stream_prefix: str | None = None, **options: Any) -> Events:
        first = stream_prefix or ""
        return self.changed(
            super().read_all(**options),
            lambda events: [e for e in events if first <= e.stream_id < first + "\U0010ffff"],
        )


class PrefixEndsAtAWord(Broken):
    caught_by = ("test_a_prefix_selects_whatever_character_comes_next",)

    def read_all(self, *, stream_prefix: str | None = None, **options: Any) -> Events:
        word = stream_prefix or ""
        return self.changed(
            super().read_all(**options),
            lambda events: [e for e in events if e.stream_id in {word, f"{word}-1"}],
        )


class PrefixIsTrimmed(Broken):
    caught_by = (
        "test_every_character_of_a_prefix_means_itself[a -",
        "test_every_character_of_a_prefix_means_itself[a\\\\-",
    )

    def read_all(self, *, stream_prefix: str | None = None, **options: Any) -> Events:
        return super().read_all(stream_prefix=(stream_prefix or "").rstrip(" \\"), **options)


class TestBrokenFilters(ReadAllContract, EventStoreMachineContract):
    faults = tuple(Broken.__subclasses__())

    @pytest.fixture
    def open_store(self, fault: type[Broken]) -> OpenEventStore:
        @asynccontextmanager
        async def opened(codec: EventCodec) -> AsyncIterator[Broken]:
            yield fault(codec)

        return opened
