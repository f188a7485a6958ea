"""Run with nothing but the core's wheel installed: record, save and load with a store of our own.

The session ``core_alone`` of the noxfile runs this; it is not a test of pytest, which is not there.
"""

from __future__ import annotations

import asyncio
from importlib.metadata import distributions
from typing import TYPE_CHECKING, Any

from eventsourcing_core import (
    Aggregate,
    AppendResult,
    ConcurrencyError,
    EncodedEvent,
    Event,
    EventCodec,
    ExpectedVersion,
    Place,
    RecordedEvent,
    Repository,
    UnknownPluginError,
    event,
    open_backend,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence


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


class ListStore:
    """The smallest store there is: one list."""

    def __init__(self) -> None:
        self.codec = EventCodec()
        self.rows: list[tuple[EncodedEvent, Place]] = []

    async def append(
        self,
        stream_id: str,
        events: Sequence[Event[object]],
        *,
        expected_version: int | ExpectedVersion,
    ) -> AppendResult:
        """Append, by the rules of the core."""
        append = self.codec.encode_append(stream_id, events, expected_version)
        version = sum(place.stream_id == stream_id for _, place in self.rows)
        settled = append.settle(version, {row.event_id: place for row, place in self.rows})
        if settled is not None:
            return settled
        for number, encoded in enumerate(append.events, start=version + 1):
            self.rows.append((encoded, Place(stream_id, number, len(self.rows) + 1)))
        return AppendResult(version + len(append.events), len(self.rows))

    async def read(
        self,
        stream_id: str,
        *,
        from_version: int = 1,
        to_version: int | None = None,
        backward: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent[Any]]:
        """Read forward; nothing else is needed here."""
        assert not backward
        assert limit is None
        for row, place in self.rows:
            if place.stream_id == stream_id and from_version <= place.version <= (
                to_version or place.version
            ):
                yield next(self.codec.decode([(*row, *place)]))

    def read_all(
        self,
        *,
        after_position: int = 0,
        limit: int | None = None,
        event_types: Collection[str] | None = None,
        stream_prefix: str | None = None,
        backward: bool = False,
    ) -> AsyncIterator[RecordedEvent[Any]]:
        """Not needed by a repository."""
        raise NotImplementedError

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        """Not needed by a repository."""
        raise NotImplementedError


async def main() -> None:
    """Record, save, load, conflict."""
    counters = Repository(ListStore(), Counter)
    counter = await counters.load("1")
    counter.increase(2)
    counter.increase(3)
    assert await counters.save(counter) == 2
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
    assert (await counters.load("1")).total == 15


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
    asyncio.run(main())
    print("the core alone records, saves and loads an aggregate")
