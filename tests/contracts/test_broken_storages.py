"""What is wrong with the rows and pages of these storages, the contract sees."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import pytest

from eventsourcing_core.stores import RowPage, RowQuery, Written
from eventsourcing_core.testing._storage.reads import QUERIES, StorageReadContract
from eventsourcing_core.testing._storage.writes import StorageWriteContract
from eventsourcing_inmemory import InMemorySnapshotStore
from tests.contracts._broken import (
    BrokenStorage,
    changed,
    changed_pages,
    changed_rows,
    opening,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import (
        Append,
        Parts,
        Placed,
        Row,
        Snapshot,
        Span,
        Verdict,
    )
    from eventsourcing_core.testing import OpenParts
    from eventsourcing_inmemory._log import EventLog
    from tests.contracts._broken import Pages, Rows


FILTERED = [*QUERIES][1:]


class Broken(BrokenStorage):
    """A fault gives other verdicts, rows or pages."""


class OneVerdictTooFew(Broken):
    caught_by = (
        "test_each_append_of_a_batch_has_its_verdict",
        "test_appends_of_a_batch_are_judged_by_what_the_earlier_ones_leave",
        "test_a_repetition_is_told_by_its_count",
    )

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        return (await super().write(appends))[:-1]


class VerdictsTurnedRound(Broken):
    caught_by = (
        "test_each_append_of_a_batch_has_its_verdict",
        "test_appends_of_a_batch_are_judged_by_what_the_earlier_ones_leave",
    )

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        return (await super().write(appends))[::-1]


class CountsAppends(Broken):
    caught_by = (
        "test_each_append_of_a_batch_has_its_verdict",
        "test_a_repetition_is_told_by_its_count",
    )

    def decide(self, append: Append) -> Written:
        return super().decide(append)._replace(count=1)


class ResultOfTheFirstEvent(Broken):
    caught_by = (
        "test_each_append_of_a_batch_has_its_verdict",
        "test_rows_are_what_was_written",
    )

    def keep(self, append: Append, placed: Sequence[Placed]) -> Written:
        back = len(placed) - 1
        return changed(
            super().keep(append, placed), lambda result: result._replace(position=result[1] - back)
        )


class NoBytesAreNothing(Broken):
    caught_by = ("test_rows_are_what_was_written",)

    def add(self, rows: Sequence[Row]) -> None:
        super().add([row._replace(metadata=row.metadata or None) for row in rows])


class VersionsOfAThousandStreams(Broken):
    caught_by = ("test_a_batch_of_many_streams_knows_the_version_of_each",)

    def version(self, stream_id: str) -> int:
        return super().version(stream_id) if stream_id in [*self.log.streams][:1000] else 0


class BytesAreText(Broken):
    caught_by = ("test_rows_are_what_was_written",)

    def add(self, rows: Sequence[Row]) -> None:
        super().add([row._replace(data=row.data.decode(errors="replace").encode()) for row in rows])


class BytesAreViews(Broken):
    """Gives what its driver gives."""

    caught_by = ("test_a_row_has_its_fields_by_position_and_by_name",)

    def add(self, rows: Sequence[Row]) -> None:
        super().add([row._replace(data=memoryview(row.data)) for row in rows])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the fault


class RowsWithoutNames(Broken):
    caught_by = ("test_a_row_has_its_fields_by_position_and_by_name",)

    def rows(self, stream_id: str, span: Span) -> Rows:
        return changed_rows(super().rows(stream_id, span), lambda rows: map(without_names, rows))


class BatchWrittenBackward(Broken):
    caught_by = ("test_positions_of_a_batch_follow_its_order_in_each_stream",)

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        return (await super().write(appends[::-1]))[::-1]


class OnlyTheFirstPage(Broken):
    caught_by = ("test_the_pages_of_a_stream_hold_its_rows_in_order",)

    async def rows(self, stream_id: str, span: Span) -> Rows:
        async for page in super().rows(stream_id, span):
            yield page
            return


class UnknownStreamIsAnother(Broken):
    caught_by = ("test_a_stream_that_is_not_there_has_no_rows",)

    def rows(self, stream_id: str, span: Span) -> Rows:
        return super().rows(stream_id if stream_id in self.log.streams else "a", span)


class NoRowsNoPage(Broken):
    caught_by = (
        "test_of_an_empty_store_a_page_comes",
        "test_the_last_page_says_how_far_everything_is_decided",
        "test_pages_backward_say_where_they_began",
    )

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        async for page in super().rows_of_all(after, query, backward=backward, limit=limit):
            if page.rows:
                yield page


class SeenToTheLastRow(Broken):
    """Says how far it has looked by the last row that it gives: a filtered reader never sleeps."""

    caught_by = (
        *(f"test_the_last_page_says_how_far_everything_is_decided[{query}" for query in FILTERED),
        *(
            f"test_who_goes_on_after_seen_to_with_a_limit_sees_every_row_once[{query}"
            for query in FILTERED
        ),
    )

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        seen_to = after
        async for rows, seen in super().rows_of_all(after, query, backward=backward, limit=limit):
            seen_to = rows[-1].position if rows else seen_to
            yield RowPage(rows, seen if backward else seen_to)


class SeenToIsThePositionOfTheEnd(Broken):
    """Says that it has looked to the end where it stopped at the limit."""

    caught_by = (
        "test_nothing_that_matches_is_missing_up_to_where_a_page_has_looked[1-all",
        "test_nothing_that_matches_is_missing_up_to_where_a_page_has_looked[4-odd in a",
        "test_who_goes_on_after_seen_to_with_a_limit_sees_every_row_once[all",
        "test_who_goes_on_after_seen_to_with_a_limit_sees_every_row_once[odd",
    )

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        async for rows, _ in super().rows_of_all(after, query, backward=backward, limit=limit):
            yield RowPage(rows, max(after, len(self.log.rows)))


class SeenToGoesBack(Broken):
    caught_by = ("test_seen_to_never_goes_back",)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        async for rows, seen_to in super().rows_of_all(
            after, query, backward=backward, limit=limit
        ):
            yield RowPage(rows, seen_to)
            yield RowPage([], seen_to - 1)


class SeenToBelowWhereItBegan(Broken):
    caught_by = ("test_the_last_page_says_how_far_everything_is_decided",)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        async for rows, seen_to in super().rows_of_all(
            after, query, backward=backward, limit=limit
        ):
            yield RowPage(rows, seen_to if rows else 0)


class LimitBeforeTheFilter(Broken):
    caught_by = (
        "test_nothing_that_matches_is_missing_up_to_where_a_page_has_looked[1-b",
        "test_pages_backward_hold_the_rows_turned_round[4-odd",
    )

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        return changed_pages(
            super().rows_of_all(after, RowQuery(), backward=backward, limit=limit),
            lambda rows: [row for row in rows if query.matches(row)][1:],
        )


class BackwardSeenToTheFirstRow(Broken):
    caught_by = ("test_pages_backward_say_where_they_began",)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        async for rows, seen_to in super().rows_of_all(
            after, query, backward=backward, limit=limit
        ):
            yield RowPage(rows, rows[-1].position if backward and rows else seen_to)


class BackwardIsForward(Broken):
    caught_by = (
        "test_pages_backward_hold_the_rows_turned_round[None-all",
        "test_pages_backward_hold_the_rows_turned_round[4-b",
    )

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        pages = super().rows_of_all(after, query, backward=backward, limit=limit)
        return changed_pages(pages, lambda rows: sorted(rows, key=lambda row: row.position))


ONE_TRIP = "test_rows_that_come_with_a_snapshot_begin_with_its_version"


class WithSnapshots(Broken):
    """Keeps snapshots beside its rows, and answers each question for them."""

    caught_by: ClassVar[tuple[str, ...]] = ("test_a_snapshot_of_another_store_is_not_told",)

    @classmethod
    def parts_on(cls, log: EventLog) -> Parts:
        snapshots = InMemorySnapshotStore()
        storage = cls(log)
        storage.kept = snapshots
        return replace(super().parts_on(log), storage=storage, snapshot_store=snapshots)

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.kept = InMemorySnapshotStore()

    async def rows(self, stream_id: str, span: Span) -> Rows:
        if span.snapshot is not None:
            found = await self.kept.load(span.snapshot.aggregate_id, max_version=self.highest(span))
            span.snapshot.answer(found)
            span = self.begin(span, found)
        async for page in super().rows(stream_id, span):
            yield page

    def highest(self, span: Span) -> int | None:
        return span.to_version

    def begin(self, span: Span, found: Snapshot | None) -> Span:
        return span if found is None else span._replace(from_version=found.version)


class SnapshotAboveTheSpan(WithSnapshots):
    caught_by = (ONE_TRIP, *WithSnapshots.caught_by)

    def highest(self, span: Span) -> int | None:
        return None if span.snapshot else span.to_version


class RowsAfterTheSnapshot(WithSnapshots):
    """The event that the snapshot ends with does not come, so nobody can check it."""

    caught_by = (ONE_TRIP, *WithSnapshots.caught_by)

    def begin(self, span: Span, found: Snapshot | None) -> Span:
        return span if found is None else span._replace(from_version=found.version + 1)


class RowsFromTheFirst(WithSnapshots):
    caught_by = (ONE_TRIP, *WithSnapshots.caught_by)

    def begin(self, span: Span, found: Snapshot | None) -> Span:
        return span if found else super().begin(span, found)


class OtherNames(NamedTuple):
    """A row whose fields have names of its own."""

    a: str
    b: int
    c: int
    d: str
    e: bytes
    f: bytes | None
    g: str
    h: bytes
    i: int
    j: tuple[str, ...] | None = None


def without_names(row: Row) -> Row:
    other: object = OtherNames(*row)
    return other  # type: ignore[return-value]  # pyright: ignore[reportReturnType] - the fault


class TestBrokenStorages(StorageWriteContract, StorageReadContract):
    faults = (*Broken.__subclasses__(), *WithSnapshots.__subclasses__())

    @pytest.fixture
    def open_parts(self, fault: type[Broken]) -> OpenParts:
        return opening(fault)
