"""What goes wrong in these stores when somebody reads half way, the contract sees."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core.testing._reads.read import ReadContract
from eventsourcing_core.testing._reads.read_all import ReadAllContract
from tests.contracts._broken import BrokenStorage, opening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Append, RowQuery, Span, Verdict
    from eventsourcing_core.testing import OpenParts
    from eventsourcing_inmemory._log import EventLog
    from tests.contracts._broken import Pages, Rows


class Broken(BrokenStorage):
    """A fault lets readers stand in the way of others, or others in theirs."""


class ReadersHoldALock(Broken):
    caught_by = (
        "test_many_readers_half_way_do_not_block_an_append",
        "test_a_reader_may_append_to_what_it_reads",
        "test_a_reader_of_all_may_append_meanwhile",
    )

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.readers = 0
        self.free = asyncio.Event()
        self.free.set()

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        await self.free.wait()
        return await super().write(appends)

    async def rows(self, stream_id: str, span: Span) -> Rows:
        self.lock()
        try:
            async for page in super().rows(stream_id, span):
                yield page
        finally:
            self.unlock()

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        self.lock()
        try:
            async for page in super().rows_of_all(after, query, backward=backward, limit=limit):
                yield page
        finally:
            self.unlock()

    def lock(self) -> None:
        self.readers += 1
        self.free.clear()

    def unlock(self) -> None:
        self.readers -= 1
        if not self.readers:
            self.free.set()


class ConnectionsAreLost(Broken):
    """Only a reader that comes to its end gives its connection back, and there is only one."""

    caught_by = (
        "test_a_reader_that_stops_half_way_does_no_harm",
        "test_a_cancelled_reader_does_no_harm",
    )

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.free = asyncio.Event()
        self.free.set()

    async def rows(self, stream_id: str, span: Span) -> Rows:
        await self.free.wait()
        self.free.clear()
        async for page in super().rows(stream_id, span):
            yield page
        self.free.set()


class AppendsDisturbReaders(Broken):
    caught_by = (
        "test_a_reader_may_append_to_what_it_reads",
        "test_a_reader_of_all_may_append_meanwhile",
    )

    async def rows(self, stream_id: str, span: Span) -> Rows:
        count = len(self.log.rows)
        async for page in super().rows(stream_id, span):
            yield page
            self.check(count)

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> Pages:
        count = len(self.log.rows)
        async for page in super().rows_of_all(after, query, backward=backward, limit=limit):
            yield page
            self.check(count)

    def check(self, count: int) -> None:
        if len(self.log.rows) != count:
            message = "the log changed during iteration"
            raise RuntimeError(message)


class TestBrokenReaders(ReadContract, ReadAllContract):
    faults = tuple(Broken.__subclasses__())
    deadline = 0.3

    @pytest.fixture
    def open_parts(self, fault: type[Broken]) -> OpenParts:
        return opening(fault)
