"""Run with nothing but the core's wheel installed: record, save, load and test, on a list.

The session ``core_alone`` of the noxfile runs this; it is not a test of pytest, which is not there.
"""

from __future__ import annotations

import asyncio
from importlib.metadata import distributions
from typing import TYPE_CHECKING

from eventsourcing_core import (
    Aggregate,
    ConcurrencyError,
    Decider,
    DeciderRepository,
    Event,
    Repository,
    StorageEventStore,
    UnknownPluginError,
    event,
    open_backend,
)
from eventsourcing_core.stores import Judge, Parts, Place, Row, RowPage, RowQuery, Span
from eventsourcing_core.testing import given

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import Append, Matched, QueryItem, Verdict


@event
class Raised:
    """The counter went up."""

    by: int


class Counter(Aggregate):
    """Counts."""

    total: int = 0

    def increase(self, by: int) -> None:
        """Go up."""
        self._record(Raised(by))

    def apply(self, event: Event[Raised]) -> None:
        """Add."""
        self.total += event.data.by


def decide(by: int, total: int) -> list[Raised]:
    """Count up to 10."""
    if total + by > 10:
        message = f"{total} and {by} are too many"
        raise ValueError(message)
    return [Raised(by)]


def evolve(total: int, event: Raised) -> int:
    """Add."""
    return total + event.by


limited = Decider(decide, evolve, 0, category="limited")


class ListStorage:
    """The smallest storage there is: one list."""

    def __init__(self) -> None:
        self.all: list[Row] = []

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write, by the rules of the core."""
        versions = {row.stream_id: row.version for row in self.all}
        places = {row.event_id: Place(*row[:3]) for row in self.all}
        judge = Judge(versions, places, len(self.all))
        verdicts = [judge.judge(append) for append in appends]
        self.all += judge.rows
        return verdicts

    async def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Read a stream, in one page."""
        found = [
            row
            for row in self.all
            if row.stream_id == stream_id
            and span.from_version <= row.version <= (span.to_version or row.version)
        ]
        yield (found[::-1] if span.backward else found)[: span.limit]

    async def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> AsyncIterator[RowPage]:
        """Read all streams forward; nothing else is needed here."""
        assert not backward
        matching = [row for row in self.all[after:] if query.matches(row)]
        yield RowPage(matching[:limit], max(after, len(self.all)))

    async def matching(self, items: Sequence[QueryItem]) -> Matched:
        """Not needed here."""
        raise NotImplementedError

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        """Not needed here."""
        raise NotImplementedError


async def main() -> None:
    """Record, save, load, conflict."""
    async with StorageEventStore(Parts(ListStorage())) as store:
        counters = Repository(store, Counter)
        counter = await counters.load("1")
        counter.increase(2)
        counter.increase(3)
        assert await counters.save(counter) == (2, 2)
        late = await counters.load("1")
        await counters.update("1", lambda counter: counter.increase(10))
        late.increase(1)
        try:
            await counters.save(late)
        except ConcurrencyError as error:
            assert (error.expected, error.actual) == (2, 3)
        else:
            message = "the conflict went unnoticed"
            raise AssertionError(message)
        assert (await counters.get("1")).total == 15
        recorded = [recorded async for recorded in store.read_all(after_position=1)]
        assert [(each.version, each.data) for each in recorded] == [(2, Raised(3)), (3, Raised(10))]

        totals = DeciderRepository(store, limited.aggregate_class)
        await totals.decide("1", 4)
        assert (await totals.decide("1", 5)).state == 9


def check_rules() -> None:
    """Test without pytest."""
    given(Counter, Raised(2)).when(lambda counter: counter.increase(3)).then(Raised(3))
    given(limited, Raised(2)).when(3).then(Raised(3)).then_state(5)
    given(limited, Raised(2)).when(9).then_raises(ValueError, match="2 and 9 are too many")
    try:
        given(limited).when(3).then(Raised(4))
    except AssertionError as error:
        assert "- Raised(by=4)" in str(error)
        assert "+ Raised(by=3)" in str(error)
    else:
        message = "other events went unnoticed"
        raise AssertionError(message)


def check_alone() -> None:
    """See that the core is alone, and that it says what to install."""
    names = sorted({distribution.name for distribution in distributions()})
    assert names == ["eventsourcing-core"], names
    try:
        open_backend("memory://")
    except UnknownPluginError as error:
        assert 'pip install "eventsourcing-core[inmemory]"' in str(error)
    else:
        message = "a backend out of nowhere"
        raise AssertionError(message)


if __name__ == "__main__":
    check_alone()
    check_rules()
    asyncio.run(main())
    print("the core alone records, saves and loads an aggregate and a decider, and tests both")
