"""What is wrong with these stores' reads, the contract sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import StorageError
from eventsourcing_core.stores import RowPage, RowQuery, Span
from eventsourcing_core.testing._machine.machine import MachineContract
from eventsourcing_core.testing._reads.pages import PageContract
from eventsourcing_core.testing._reads.questions import QuestionContract
from eventsourcing_core.testing._reads.read import ReadContract
from eventsourcing_core.testing._reads.read_all import ReadAllContract
from tests.contracts._broken import BrokenStorage, changed_pages, changed_rows, opening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Row
    from eventsourcing_core.testing import OpenParts
    from tests.contracts._broken import Pages, Rows

INT32 = 2**31
MODEL = "test_a_store_does_what_the_model_does"


class Broken(BrokenStorage):
    """A fault changes what is asked for, or the rows that come of it."""

    def rows(self, stream_id: str, span: Span) -> Rows:
        return super().rows(stream_id, self.span(span))

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        return super().rows_of_all(after, query, backward=backward, limit=limit)

    def span(self, span: Span) -> Span:
        return span


class UpperBoundExclusive(Broken):
    caught_by = (
        "test_bounds_are_inclusive[1-4",
        "test_bounds_are_inclusive[3-3",
        "test_a_limit_counts_within_the_bounds",
        MODEL,
    )

    def span(self, span: Span) -> Span:
        highest = span.to_version
        return span._replace(to_version=highest - 1 if highest and highest > 1 else highest)


class LowerBoundExclusive(Broken):
    caught_by = ("test_bounds_are_inclusive[2-", "test_a_limit_counts_within_the_bounds", MODEL)

    def span(self, span: Span) -> Span:
        return span._replace(from_version=span.from_version + (span.from_version > 1))


class LowerBoundForgotten(Broken):
    caught_by = ("test_pages_keep_the_bounds[4-None", "test_bounds_are_inclusive[5-None")

    def span(self, span: Span) -> Span:
        return span._replace(from_version=1)


class UpperBoundForgotten(Broken):
    caught_by = ("test_pages_keep_the_bounds[1-2-", "test_pages_keep_the_bounds[2-4-")

    def span(self, span: Span) -> Span:
        return span._replace(to_version=None)


class BoundsSwapped(Broken):
    caught_by = ("test_bounds_are_inclusive[4-2", "test_pages_keep_the_bounds[4-2")

    def span(self, span: Span) -> Span:
        if span.to_version is None:
            return span
        first, last = sorted((span.from_version, span.to_version))
        return span._replace(from_version=first, to_version=last)


class LimitIgnored(Broken):
    caught_by = (
        "test_a_limit_counts_from_the_lowest_version[1",
        "test_a_limit_counts_from_the_lowest_version[3",
        "test_a_limit_counts_from_the_highest_version_backward[1",
        "test_a_limit_counts_from_the_highest_version_backward[3",
        "test_a_limit_counts_within_the_bounds",
        "test_all_events_up_to_a_limit[1",
        "test_all_events_up_to_a_limit[4",
        "test_all_events_backward_up_to_a_limit[1",
        "test_all_events_backward_up_to_a_limit[4",
        "test_filters_work_together_and_before_the_limit",
        MODEL,
    )

    def span(self, span: Span) -> Span:
        return span._replace(limit=None)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        del limit
        return super().rows_of_all(after, query, backward=backward, limit=None)


class LimitBeforeFilters(Broken):
    caught_by = (
        "test_a_limit_counts_within_the_bounds",
        "test_filters_work_together_and_before_the_limit",
        MODEL,
    )

    def rows(self, stream_id: str, span: Span) -> Rows:
        return changed_rows(
            super().rows(stream_id, span._replace(from_version=1)),
            lambda rows: [row for row in rows if row.version >= span.from_version],
        )

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        everything = RowQuery(None, query.stream_prefix)
        return changed_pages(
            super().rows_of_all(after, everything, backward=backward, limit=limit),
            lambda rows: filter(query.matches, rows),
        )


class NaiveBackward(Broken):
    caught_by = (
        "test_a_limit_counts_from_the_highest_version_backward[1",
        "test_a_limit_counts_from_the_highest_version_backward[3",
        "test_a_limit_counts_within_the_bounds",
        "test_all_events_backward_up_to_a_limit[1",
        "test_all_events_backward_up_to_a_limit[4",
        "test_a_stream_has_the_version_of_its_last_append",
        MODEL,
    )

    def rows(self, stream_id: str, span: Span) -> Rows:
        forward = super().rows(stream_id, span._replace(backward=False))
        return changed_rows(forward, lambda rows: rows[::-1] if span.backward else rows)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        forward = super().rows_of_all(after, query, backward=False, limit=limit)
        return changed_pages(forward, lambda rows: rows[::-1] if backward else rows)


class BackwardIgnored(Broken):
    caught_by = (
        "test_bounds_are_inclusive[1-4",
        "test_a_limit_counts_from_the_highest_version_backward[3",
        "test_a_long_stream_is_read_whole",
        "test_backward_begins_at_the_end_and_stops_before_the_position",
        "test_all_events_backward_up_to_a_limit[4",
        "test_a_long_log_is_read_whole",
        MODEL,
    )

    def span(self, span: Span) -> Span:
        return span._replace(backward=False)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        del backward
        return super().rows_of_all(after, query, backward=False, limit=limit)


class NothingIsAnError(Broken):
    caught_by = (
        "test_an_unknown_stream_reads_as_empty",
        "test_an_unknown_stream_has_no_events_in_its_pages",
        "test_an_unknown_stream_has_version_0",
        "test_an_empty_store_reads_as_empty",
        "test_an_empty_store_is_at_position_0",
        MODEL,
    )

    def rows(self, stream_id: str, span: Span) -> Rows:
        if stream_id not in self.log.streams:
            raise StorageError
        return super().rows(stream_id, span)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        if not self.log.rows:
            raise StorageError
        return super().rows_of_all(after, query, backward=backward, limit=limit)


class StreamIdIsAPrefix(Broken):
    caught_by = (
        "test_a_stream_is_read_by_version_without_its_neighbours",
        "test_an_unknown_stream_has_version_0",
        MODEL,
    )

    async def rows(self, stream_id: str, span: Span) -> Rows:
        pages = super().rows_of_all(
            0, RowQuery(None, stream_id), backward=span.backward, limit=span.limit
        )
        async for page in pages:
            yield page.rows


class UnknownStreamIsTheStore(Broken):
    caught_by = (
        "test_an_unknown_stream_has_no_events_in_its_pages",
        "test_an_unknown_stream_has_version_0",
    )

    async def rows(self, stream_id: str, span: Span) -> Rows:
        if stream_id not in self.log.streams:
            yield [row._replace(version=row.position) for row in self.log.rows]
            return
        async for page in super().rows(stream_id, span):
            yield page


class CaseIgnored(Broken):
    caught_by = (
        "test_a_stream_is_read_by_version_without_its_neighbours",
        "test_event_types_are_matched_exactly[event_types5",
        "test_every_character_of_a_prefix_means_itself[Doc",
        "test_every_character_of_a_prefix_means_itself[doc",
        MODEL,
    )

    async def rows(self, stream_id: str, span: Span) -> Rows:
        for name in sorted(self.log.streams):
            if name.lower() == stream_id.lower():
                async for page in super().rows(name, span):
                    yield page

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        types = None if query.event_types is None else {name.lower() for name in query.event_types}
        return changed_pages(
            super().rows_of_all(after, RowQuery(), backward=backward, limit=limit),
            lambda rows: [
                row
                for row in rows
                if row.stream_id.lower().startswith(query.stream_prefix.lower())
                and (types is None or row.event_type.lower() in types)
            ],
        )


class OnePageOnly(Broken):
    caught_by = (
        "test_a_long_stream_is_read_whole",
        "test_pages_hold_a_long_stream_whole",
        "test_a_long_log_is_read_whole",
    )

    async def rows(self, stream_id: str, span: Span) -> Rows:
        async for page in super().rows(stream_id, span):
            yield page
            return

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        async for page in super().rows_of_all(after, query, backward=backward, limit=limit):
            yield page
            return


class PagesOverlap(Broken):
    caught_by = ("test_pages_hold_a_long_stream_whole", "test_a_long_stream_is_read_whole")

    async def rows(self, stream_id: str, span: Span) -> Rows:
        last: Sequence[Row] = ()
        async for page in super().rows(stream_id, span):
            yield [*last, *page]
            last = page[-1:]


class NumbersAreSmall(Broken):
    caught_by = ("test_bounds_far_away_are_bounds", "test_a_limit_far_away_is_a_bound")

    def span(self, span: Span) -> Span:
        numbers = [n and n % INT32 % 5 for n in (span.from_version, span.to_version, span.limit)]
        first, last, limit = numbers
        return Span(first or 1, last, span.backward, limit)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        limit = limit and limit % INT32 % 5
        return super().rows_of_all(after % INT32 % 5, query, backward=backward, limit=limit)


class Numbers63BitsOnly(Broken):
    """Adds one to what it is asked for, and has no room for it."""

    caught_by = (
        "test_bounds_far_away_are_bounds[9223372036854775807",
        "test_bounds_far_away_are_bounds[1180591620717411303424",
        "test_a_limit_far_away_is_a_bound[9223372036854775808",
        "test_a_limit_far_away_is_a_bound[1180591620717411303424",
    )

    def span(self, span: Span) -> Span:
        self.check(span.from_version, span.to_version, span.limit)
        return span

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        self.check(after, limit)
        return super().rows_of_all(after, query, backward=backward, limit=limit)

    def check(self, *numbers: int | None) -> None:
        if any(number and number + 2 > 2**63 - 1 for number in numbers):
            raise OverflowError


class LastPositionIsACount(Broken):
    """Positions have holes, and the end is where they would be without."""

    caught_by = ("test_the_last_position_is_that_of_the_last_event", MODEL)

    def add(self, rows: Sequence[Row]) -> None:
        before = len(self.log.rows)
        self.log.add(
            [row._replace(position=2 * number) for number, row in enumerate(rows, before + 1)]
        )


class AheadIsTheEnd(Broken):
    """Whoever is ahead of the store finds nothing, for ever."""

    caught_by = ("test_a_reader_ahead_of_the_store_is_told",)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        if not backward and after > len(self.log.rows):
            yield RowPage([], after)
            return
        async for page in super().rows_of_all(after, query, backward=backward, limit=limit):
            yield page


class PingIsAnOutage(Broken):
    caught_by = ("test_a_store_that_is_there_answers_a_ping",)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        if not timeout:
            raise StorageError
        return await super().wait(after_position=after_position, timeout=timeout)


class TestBrokenReads(
    ReadContract, PageContract, ReadAllContract, QuestionContract, MachineContract
):
    faults = tuple(Broken.__subclasses__())
    deadline = 0.3

    @pytest.fixture
    def open_parts(self, fault: type[Broken]) -> OpenParts:
        return opening(fault)
