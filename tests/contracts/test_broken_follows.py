"""What is wrong with these stores for whoever follows them, the contract sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eventsourcing_core import StorageError
from eventsourcing_core.stores import RowPage, RowQuery
from eventsourcing_core.testing._reads.follow import FollowContract
from tests.contracts._broken import BrokenStorage, changed_pages, opening

if TYPE_CHECKING:
    from eventsourcing_core.testing import OpenParts
    from eventsourcing_inmemory._log import EventLog
    from tests.contracts._broken import Pages

STRETCH = "test_a_follower_sleeps_behind_a_stretch_that_its_filter_passes_over"


class Broken(BrokenStorage):
    """A fault gives other pages, or waits in another way."""


class NothingNew(Broken):
    """Knows only what was there when it was first asked."""

    caught_by = (
        "test_a_follower_gets_what_is_there_and_what_comes",
        "test_a_follower_gets_an_event_that_comes_after_a_stretch",
        "test_followers_miss_nothing_while_others_append",
    )

    end: int | None = None

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        self.end = len(self.log.rows) if self.end is None else self.end
        async for rows, seen_to in super().rows_of_all(
            after, query, backward=backward, limit=limit
        ):
            there = [row for row in rows if row.position <= self.end]
            yield RowPage(there, max(after, min(seen_to, self.end)))


class BeginsAtTheBeginning(Broken):
    caught_by = (
        "test_a_follower_begins_after_the_position",
        "test_a_follower_goes_on_from_a_checkpoint",
    )

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        del after
        return super().rows_of_all(0, query, backward=backward, limit=limit)


class FilterIgnored(Broken):
    caught_by = ("test_a_follower_with_a_filter_gets_what_matches", STRETCH)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        del query
        return super().rows_of_all(after, RowQuery(), backward=backward, limit=limit)


class NeverSleeps(Broken):
    """Waits for the events that were written, and its pages say how far those go that match."""

    caught_by = (STRETCH,)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        seen_to = after
        async for rows, _ in super().rows_of_all(after, query, backward=backward, limit=limit):
            seen_to = rows[-1].position if rows else seen_to
            yield RowPage(rows, seen_to)


class WaitsInVain(Broken):
    caught_by = (STRETCH,)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ARG002, ASYNC109 - the fault, and the port's word
        return True


class HoldsTheLoop(Broken):
    """Looks at everything in one go, and lets nobody else run."""

    caught_by = (STRETCH,)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        if backward or limit is not None:
            async for page in super().rows_of_all(after, query, backward=backward, limit=limit):
                yield page
            return
        rows = [row for row in self.log.rows[after:] if query.matches(row)]
        yield RowPage(rows, max(after, len(self.log.rows)))


class PassesOverTheStretchAndMore(Broken):
    """Says that it has seen a page more than it has."""

    caught_by = ("test_a_follower_gets_an_event_that_comes_after_a_stretch",)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        async for rows, seen_to in super().rows_of_all(
            after, query, backward=backward, limit=limit
        ):
            yield RowPage(rows, seen_to if rows else seen_to + 1)


class ConnectionsAreLost(Broken):
    """A reader that is cancelled never gives its connection back, and there are three."""

    caught_by = ("test_a_follower_that_is_cancelled_does_no_harm",)

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.connections = 3

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        self.take()
        is_there = await super().wait(after_position=after_position, timeout=timeout)
        self.connections += 1
        return is_there

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        self.take()
        async for page in super().rows_of_all(after, query, backward=backward, limit=limit):
            yield page
        self.connections += 1

    def take(self) -> None:
        if not self.connections:
            message = "no connection is left"
            raise StorageError(message)
        self.connections -= 1


class IdsMadeAnew(Broken):
    caught_by = (
        "test_a_checkpoint_of_another_event_is_a_changed_history",
        "test_a_follower_goes_on_from_a_checkpoint",
    )

    made = 0

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        self.made += 1
        made = self.made.to_bytes(16)
        return changed_pages(
            super().rows_of_all(after, query, backward=backward, limit=limit),
            lambda rows: [row._replace(event_id=made) for row in rows],
        )


class LastPositionIsFurther(Broken):
    caught_by = ("test_a_checkpoint_beyond_the_end_is_a_changed_history",)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        async for rows, seen_to in super().rows_of_all(
            after, query, backward=backward, limit=limit
        ):
            yield RowPage(rows, seen_to + 1 if backward else seen_to)


class AheadIsTheEnd(Broken):
    """Whoever is ahead of the store finds nothing, and waits for what is passed over."""

    caught_by = ("test_a_follower_ahead_of_the_store_is_told",)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        if not backward and after > len(self.log.rows):
            yield RowPage([], after)
            return
        async for page in super().rows_of_all(after, query, backward=backward, limit=limit):
            yield page

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        there = min(after_position, len(self.log.rows))
        return await super().wait(after_position=there, timeout=timeout)


class TestBrokenFollows(FollowContract):
    faults = tuple(fault for fault in Broken.__subclasses__() if STRETCH not in fault.caught_by)
    deadline = 0.3

    @pytest.fixture
    def open_parts(self, fault: type[Broken]) -> OpenParts:
        return opening(fault)


class TestBrokenStretches(TestBrokenFollows):
    faults = tuple(fault for fault in Broken.__subclasses__() if STRETCH in fault.caught_by)
    deadline = 1.0
    stretch = 5000
