"""An aggregate with nested state, and stores that write down what they are asked for."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eventsourcing_core import (
    Aggregate,
    Event,
    EventCodec,
    EventTypes,
    Repository,
    StorageEventStore,
    Transient,
    event,
)
from eventsourcing_core.stores import Parts, Snapshot
from eventsourcing_inmemory import InMemorySnapshotStore
from eventsourcing_inmemory._storage import InMemoryStorage
from tests.core._storages import Watched

if TYPE_CHECKING:
    import pytest

    from eventsourcing_core import SnapshotPolicy
    from eventsourcing_core.stores import Storage

types = EventTypes()


@event(event_types=types)
class Sold:
    """Some of an article were sold."""

    article: str
    count: int


@dataclass
class Sales:
    """The sales of one article."""

    counts: list[int] = field(default_factory=list[int])


class Till(Aggregate):
    """Counts what is sold."""

    event_types = types
    total: int = 0
    sales: dict[str, Sales]
    shown: Transient[list[str]]

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id)
        self.sales = {}
        self.shown = []

    def sell(self, *counts: int, article: str = "tea") -> None:
        """Sell some, in as many events as there are counts."""
        for count in counts:
            self._record(Sold(article, count))

    def apply(self, event: Event[Sold]) -> None:
        """Add."""
        self.total += event.data.count
        self.sales.setdefault(event.data.article, Sales()).counts.append(event.data.count)


class Loud(Till):
    """Has ids in capital letters, however they are given."""

    category = "Till"

    def __init__(self, id: str) -> None:  # noqa: A002 - as in the base
        super().__init__(id.upper())


def state(till: Till) -> tuple[object, ...]:
    """Give all that matters of a till."""
    return till.id, till.version, till.total, till.sales, till.shown


class Events(StorageEventStore):
    """An event store over a storage that is watched; one in memory unless given."""

    def __init__(self, storage: Storage | None = None) -> None:
        self.storage = Watched(storage or InMemoryStorage())
        super().__init__(Parts(self.storage), EventCodec(event_types=types))


class Shelf(InMemorySnapshotStore):
    """Writes down its calls, and can be told to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.error: BaseException | None = None

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        """Save."""
        self._called("save")
        await super().save(snapshot, keep=keep)

    async def load(self, aggregate_id: str, *, max_version: int | None = None) -> Snapshot | None:
        """Load."""
        self._called("load")
        return await super().load(aggregate_id, max_version=max_version)

    async def prune(self, aggregate_id: str, *, keep: int) -> None:
        """Prune."""
        self._called("prune")
        await super().prune(aggregate_id, keep=keep)

    def versions(self, stream_id: str = "Till-1") -> list[int]:
        """List the versions there are."""
        return sorted(self._snapshots.get(stream_id, {}))

    def the(self, version: int) -> Snapshot:
        """Give one of them."""
        return self._snapshots["Till-1"][version]

    def put(self, snapshot: Snapshot) -> None:
        """Put one there."""
        self._snapshots.setdefault("Till-1", {})[snapshot.version] = snapshot

    def _called(self, method: str) -> None:
        self.calls.append(method)
        if self.error is not None:
            raise self.error


class Slow(Shelf):
    """Saves when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def save(self, snapshot: Snapshot, *, keep: int | None = None) -> None:
        """Save, once it may."""
        self.asked.set()
        await self.go.wait()
        await super().save(snapshot, keep=keep)


def repository(
    events: Events,
    shelf: Shelf,
    cls: type[Till] = Till,
    frequency: int | SnapshotPolicy = 5,
    keep: int = 2,
) -> Repository[Till]:
    """Give the repository of tills, with snapshots on a shelf."""
    return Repository(
        events, cls, snapshot_store=shelf, snapshot_frequency=frequency, keep_snapshots=keep
    )


async def sell(tills: Repository[Till], *counts: int) -> Till:
    """Sell some at the till 1."""
    return await tills.update("1", lambda till: till.sell(*counts))


async def replayed(events: Events, at_version: int | None = None) -> tuple[object, ...]:
    """Give the state of the till 1 by its events alone."""
    return state(await Repository(events, Till).load("1", at_version=at_version))


def said(log: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """Give the log lines of a level or above."""
    return [record.getMessage() for record in log.records if record.levelno >= level]
