"""What these stores lose beyond the first page, the contract sees."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.stores import RowPage
from eventsourcing_core.testing._reads.long_logs import LongLogContract
from tests.contracts._broken import BrokenStorage, changed_pages, changed_rows, opening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, Placed, Row, RowQuery, Span, Verdict, Written
    from eventsourcing_core.testing import OpenParts
    from eventsourcing_inmemory._log import EventLog
    from tests.contracts._broken import Pages, Rows

MEBIBYTE = 1024 * 1024


class Broken(BrokenStorage):
    """A fault that shows when there is much to read."""


class FiltersTheFirstHundreds(Broken):
    caught_by = ("test_a_filter_over_a_long_log_passes_over_nothing_that_matches",)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        pages = super().rows_of_all(after, query, backward=backward, limit=limit)
        async for rows, seen_to in pages:
            if query.is_filter and not backward and not rows:
                yield RowPage(rows, max(after, len(self.log.rows)))
                return
            yield RowPage(rows, seen_to)


class FiltersOnePageBackward(Broken):
    caught_by = ("test_a_filter_over_a_long_log_passes_over_nothing_that_matches",)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        pages = super().rows_of_all(after, query, backward=backward, limit=limit)
        async for page in pages:
            yield page
            if query.is_filter and backward:
                return


class LimitsEachPage(Broken):
    caught_by = ("test_a_limit_over_a_long_log_counts_what_matches",)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        pages = super().rows_of_all(after, query, backward=backward, limit=None)
        async for rows, seen_to in pages:
            yield RowPage(rows[:limit], seen_to)


class LooksPastAFullPage(Broken):
    caught_by = ("test_who_goes_on_over_a_long_log_sees_what_matches_once",)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        pages = super().rows_of_all(after, query, backward=backward, limit=limit)
        async for rows, seen_to in pages:
            yield RowPage(rows, seen_to + 1 if len(rows) == limit else seen_to)


class TenThousandVersions(Broken):
    caught_by = ("test_a_very_long_stream_is_read_whole",)

    def rows(self, stream_id: str, span: Span) -> Rows:
        return changed_rows(super().rows(stream_id, span), lambda rows: rows[:10_000])


class TwentyPages(Broken):
    caught_by = ("test_a_very_long_stream_is_read_whole",)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        left = 20
        async for page in super().rows_of_all(after, query, backward=backward, limit=limit):
            if left:
                yield page
            left -= 1


class NoLimitBeyondAPage(Broken):
    caught_by = ("test_bounds_in_the_middle_of_a_long_stream_are_kept",)

    def rows(self, stream_id: str, span: Span) -> Rows:
        limit = span.limit if (span.limit or 0) <= 1000 else None
        return super().rows(stream_id, span._replace(limit=limit))


class StreamsOfFourMebibytes(Broken):
    caught_by = ("test_pages_of_many_megabytes_are_read_whole",)

    def rows(self, stream_id: str, span: Span) -> Rows:
        return changed_rows(super().rows(stream_id, span), beginning)


class PagesOfFourMebibytes(Broken):
    caught_by = ("test_pages_of_many_megabytes_are_read_whole",)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        pages = super().rows_of_all(after, query, backward=backward, limit=limit)
        return changed_pages(pages, beginning)


class AppendsOfFourMebibytes(Broken):
    caught_by = ("test_one_append_of_many_megabytes_is_written_whole",)

    def keep(self, append: Append, placed: Sequence[Placed]) -> Written:
        return super().keep(append, placed[: 1 + 4 * MEBIBYTE // (len(placed[0][2].data) + 1)])


class DocumentsOfEightMebibytes(Broken):
    caught_by = ("test_the_largest_event_is_written_whole",)

    def add(self, rows: Sequence[Row]) -> None:
        super().add([row._replace(data=row.data[: 8 * MEBIBYTE]) for row in rows])


class ReadersKeepWritersOut(Broken):
    """Lets nobody write while a reader has not read to the end."""

    caught_by = (
        "test_readers_that_stop_half_way_hold_nobody_up",
        "test_who_reads_a_long_log_may_append_all_the_time",
    )

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.reading = 0
        self.over = asyncio.Event()

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        if self.reading:
            await self.over.wait()
        return await super().write(appends)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        self.reading += 1
        async for page in super().rows_of_all(after, query, backward=backward, limit=limit):
            yield page
        self.reading -= 1
        self.over.set()


class ReadsWhatWasThere(Broken):
    """Goes on by an index into what it has found at first, while the log is written anew."""

    caught_by = ("test_who_reads_a_long_log_may_append_all_the_time",)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        before = len(self.log.rows)
        async for page in super().rows_of_all(after, query, backward=backward, limit=limit):
            if len(self.log.rows) != before:
                message = "the cursor is not valid any more"
                raise OSError(message)
            yield page


def beginning(rows: list[Row]) -> list[Row]:
    """Give the first rows, up to four mebibytes."""
    size = 0
    for number, row in enumerate(rows):
        size += len(row.data)
        if size > 4 * MEBIBYTE:
            return rows[:number]
    return rows


class TestBrokenLongLogs(LongLogContract):
    faults = tuple(Broken.__subclasses__())
    deadline = 0.5

    @pytest.fixture
    def open_parts(self, fault: type[Broken]) -> OpenParts:
        return opening(fault)
