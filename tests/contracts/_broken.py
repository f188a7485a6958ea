"""The storage in memory, taken apart, so that a fault is one step of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, ClassVar, Protocol

from eventsourcing_core import (
    AppendResult,
    ConcurrencyError,
    DuplicateEventError,
    HistoryChangedError,
)
from eventsourcing_core.stores import Found, MissedError, Parts, Row, RowPage, Written
from eventsourcing_inmemory._inspection import InMemoryInspection
from eventsourcing_inmemory._log import EventLog
from eventsourcing_inmemory._storage import InMemoryStorage
from eventsourcing_inmemory._transactions import InMemoryTransactions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from eventsourcing_core import ExpectedVersion
    from eventsourcing_core.stores import Append, Placed, Verdict
    from eventsourcing_core.testing import NewLocation, OpenParts

    Rows = AsyncIterator[Sequence[Row]]
    Pages = AsyncIterator[RowPage]


class BrokenStorage(InMemoryStorage):
    """Writes append by append, and reads as it should; a fault does a step in another way."""

    caught_by: ClassVar[tuple[str, ...]] = ()

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.log = log

    @classmethod
    def parts(cls) -> Parts:
        """Give the parts of a new backend with this fault."""
        return cls.parts_on(EventLog())

    @classmethod
    def parts_on(cls, log: EventLog) -> Parts:
        """Give the parts of a handle on a log."""
        return Parts(
            storage=cls(log),
            transactions=InMemoryTransactions(log),
            inspection=InMemoryInspection(log),
            holding=log.holding,
        )

    @classmethod
    def closing(cls, log: EventLog) -> None:
        """Do what closing a handle does to the log: nothing."""

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        await asyncio.sleep(0)
        return [self.verdict(append) for append in appends]

    def verdict(self, append: Append) -> Verdict:
        try:
            return self.decide(append)
        except (ConcurrencyError, DuplicateEventError, HistoryChangedError, MissedError) as error:
            return error

    def decide(self, append: Append) -> Written:
        settled = append.settle(self.versions(append), self.places(append), self.found(append))
        return settled if isinstance(settled, Written) else self.keep(append, settled)

    def versions(self, append: Append) -> dict[str, int]:
        return {key: self.version(key) for key in append.keys if self.version(key)}

    def places(self, append: Append) -> dict[bytes, Row]:
        ids = append.event_ids
        return {key: self.log.places[key] for key in ids if key in self.log.places}

    def found(self, append: Append) -> Found | None:
        condition, log = append.condition, self.log
        if condition is None:
            return None
        rows = log.index.matching(condition.items, condition.horizon)
        at = condition.witness.position if condition.witness else 0
        there = log.rows[at - 1].event_id if 0 < at <= len(log.rows) else None
        return Found(rows, len(log.rows), there)

    def keep(self, append: Append, placed: Sequence[Placed]) -> Written:
        """Write what was decided."""
        begin = len(self.log.rows) + 1
        self.add(
            [
                Row(stream_id, version, position, *event)
                for position, (stream_id, version, event) in enumerate(placed, begin)
            ]
        )
        last = {row.stream_id: row for row in self.log.rows[begin - 1 :]}
        ends = [last.get(write.stream_id) for write in append.writes]  # an import may skip some
        results = [AppendResult(end.version, end.position) for end in ends if end]
        return Written(() if append.imported else tuple(results), len(placed))

    def add(self, rows: Sequence[Row]) -> None:
        self.log.add(rows)

    def version(self, stream_id: str) -> int:
        return len(self.log.streams.get(stream_id, ()))


def expecting(append: Append, expected: int | ExpectedVersion) -> Append:
    """Give an append to one stream with another expectation."""
    (write,) = append.writes
    return append._replace(writes=(write._replace(expected_version=expected),))


def changed(written: Written, change: Callable[[AppendResult], AppendResult]) -> Written:
    """Give what became of an append with other results."""
    return written._replace(results=tuple(map(change, written.results)))


async def changed_rows(pages: Rows, change: Callable[[list[Row]], Iterable[Row]]) -> Rows:
    """Change the rows of a stream."""
    yield [*change([row async for page in pages for row in page])]


async def changed_pages(pages: Pages, change: Callable[[list[Row]], Iterable[Row]]) -> Pages:
    """Change the rows of all streams."""
    everything = [page async for page in pages]
    rows = change([row for page in everything for row in page.rows])
    yield RowPage([*rows], everything[-1].seen_to)


def new_location_of(fault: type[BrokenStorage]) -> NewLocation:
    """Give what opens handles with a fault, again and again, on logs that outlive them."""

    def make() -> OpenParts:
        log = EventLog()

        @asynccontextmanager
        async def open_broken() -> AsyncIterator[Parts]:
            try:
                yield fault.parts_on(log)
            finally:
                fault.closing(log)

        return open_broken

    return make


class Fault(Protocol):
    """What a fault is, whichever part of a backend has it."""

    def parts(self) -> Parts:
        """Give the parts of a new backend with this fault."""
        ...


def opening(fault: Fault) -> OpenParts:
    """Give what opens a backend with a fault."""

    @asynccontextmanager
    async def open_broken() -> AsyncIterator[Parts]:
        yield fault.parts()

    return open_broken
