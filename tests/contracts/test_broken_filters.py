"""What is wrong with the order and the filters of these stores, the contract sees."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import StorageError
from eventsourcing_core.testing._machine.machine import MachineContract
from eventsourcing_core.testing._reads.read_all import ReadAllContract
from tests.contracts._broken import BrokenStorage, changed_pages, opening

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eventsourcing_core.stores import Row, RowQuery
    from eventsourcing_core.testing import OpenParts
    from tests.contracts._broken import Pages

MODEL = "test_a_store_does_what_the_model_does"


class Broken(BrokenStorage):
    """A fault asks for something else, or changes the rows that come of it."""

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        pages = super().rows_of_all(
            self.after(after), self.query(query), backward=backward, limit=limit
        )
        return changed_pages(pages, lambda rows: self.change(rows, query))

    def after(self, after: int) -> int:
        return after

    def query(self, query: RowQuery) -> RowQuery:
        return query

    def change(self, rows: list[Row], query: RowQuery) -> Iterable[Row]:  # noqa: ARG002 - for faults
        return rows


class OrderedByStream(Broken):
    caught_by = (
        "test_all_events_are_read_in_the_order_of_appends",
        "test_reading_begins_after_the_position",
        "test_pages_by_position_show_every_event_once_in_order[3",
        "test_pages_by_position_show_every_event_once_in_order[7",
        "test_a_long_log_is_read_whole",
        MODEL,
    )

    def change(self, rows: list[Row], query: RowQuery) -> Iterable[Row]:  # noqa: ARG002 - the fault
        return sorted(rows, key=lambda row: row.stream_id)


class PositionInclusive(Broken):
    caught_by = (
        "test_reading_begins_after_the_position",
        "test_backward_begins_at_the_end_and_stops_before_the_position",
        "test_pages_by_position_show_every_event_once_in_order",
        "test_filters_work_together_and_before_the_limit",
        MODEL,
    )

    def after(self, after: int) -> int:
        return max(0, after - 1)


class PositionSkipped(Broken):
    caught_by = (
        "test_reading_begins_after_the_position",
        "test_pages_by_position_show_every_event_once_in_order[1",
        "test_pages_by_position_show_every_event_once_in_order[2",
        MODEL,
    )

    def after(self, after: int) -> int:
        return after + (after > 0)


class TypesIgnored(Broken):
    caught_by = (
        "test_event_types_are_matched_exactly[event_types0",
        "test_event_types_are_matched_exactly[event_types3",
        "test_event_types_may_be_classes",
        "test_an_empty_collection_of_event_types_matches_nothing",
        "test_filters_work_together_and_before_the_limit",
        MODEL,
    )

    def query(self, query: RowQuery) -> RowQuery:
        return query._replace(event_types=None)


class NoTypesIsFalsy(Broken):
    caught_by = (
        "test_an_empty_collection_of_event_types_matches_nothing",
        "test_event_types_are_matched_exactly[event_types6",
        "test_a_prefix_that_no_stream_id_can_have_selects_nothing",
        MODEL,
    )

    def query(self, query: RowQuery) -> RowQuery:
        return query._replace(event_types=query.event_types or None)


class OneParameterPerType(Broken):
    caught_by = ("test_thousands_of_event_types_can_be_asked_for",)

    def query(self, query: RowQuery) -> RowQuery:
        if query.event_types is not None and len(query.event_types) > 32_766:
            raise StorageError
        return query


class PrefixIgnored(Broken):
    caught_by = (
        "test_a_prefix_selects_streams",
        "test_every_character_of_a_prefix_means_itself",
        MODEL,
    )

    def query(self, query: RowQuery) -> RowQuery:
        return query._replace(stream_prefix="")


class EmptyPrefixSelectsNothing(Broken):
    caught_by = ("test_an_empty_prefix_selects_every_stream", MODEL)

    def change(self, rows: list[Row], query: RowQuery) -> Iterable[Row]:
        return rows if query.stream_prefix else []


class PrefixIsAnywhere(Broken):
    caught_by = ("test_a_prefix_selects_streams", MODEL)

    def query(self, query: RowQuery) -> RowQuery:
        return query._replace(stream_prefix="")

    def change(self, rows: list[Row], query: RowQuery) -> Iterable[Row]:
        return [row for row in rows if query.stream_prefix in row.stream_id]


class PrefixIsAPattern(Broken):
    """As LIKE without escapes, or GLOB, would have it."""

    caught_by = (
        *(
            f"test_every_character_of_a_prefix_means_itself[{case}-"
            for case in ("a%", "a_", "%", "_", "a*", "a?", "[a-c]")
        ),
        MODEL,
    )

    def query(self, query: RowQuery) -> RowQuery:
        return query._replace(stream_prefix="")

    def change(self, rows: list[Row], query: RowQuery) -> Iterable[Row]:
        pattern = query.stream_prefix.replace("%", "*").replace("_", "?") + "*"
        return [row for row in rows if fnmatchcase(row.stream_id, pattern)]


class PrefixIsARange(Broken):
    caught_by = ("test_a_prefix_selects_whatever_character_comes_next[\\U0010ffff",)

    def change(self, rows: list[Row], query: RowQuery) -> Iterable[Row]:
        end = query.stream_prefix + "\U0010ffff"
        return [row for row in rows if row.stream_id < end]


class PrefixEndsAtAWord(Broken):
    caught_by = ("test_a_prefix_selects_whatever_character_comes_next",)

    def change(self, rows: list[Row], query: RowQuery) -> Iterable[Row]:
        word = query.stream_prefix
        return [row for row in rows if row.stream_id in {word, f"{word}-1"}]


class PrefixIsTrimmed(Broken):
    caught_by = (
        "test_every_character_of_a_prefix_means_itself[a -",
        "test_every_character_of_a_prefix_means_itself[a\\\\-",
    )

    def query(self, query: RowQuery) -> RowQuery:
        return query._replace(stream_prefix=query.stream_prefix.rstrip(" \\"))


class TestBrokenFilters(ReadAllContract, MachineContract):
    faults = tuple(Broken.__subclasses__())

    @pytest.fixture
    def open_parts(self, fault: type[Broken]) -> OpenParts:
        return opening(fault)
