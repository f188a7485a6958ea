"""Storages for aggregates that are kept in memory: one that can be held up, and one that loses."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from eventsourcing_core import Repository
from tests.core._storages import Watched
from tests.core._tills import Events, Shelf, Till

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core import SnapshotPolicy
    from eventsourcing_core.stores import Append, Storage, Verdict


class Gated(Watched):
    """Writes when it may, and writes down how many events each append brings."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self.sizes: list[int] = []
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        self.go.set()

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write, once it may."""
        self.sizes += [len(write.events) for append in appends for write in append.writes]
        self.asked.set()
        await self.go.wait()
        return await self.storage.write(appends)


class Overtaken(Watched):
    """Lets somebody else be faster, as often as it is told."""

    def __init__(self, storage: Storage, times: int) -> None:
        super().__init__(storage)
        self.times = times

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write, perhaps too late."""
        if self.times:
            self.times -= 1
            await Repository(Events(self.storage), Till).update("1", sell_one)
        return await self.storage.write(appends)


def sell_one(till: Till) -> None:
    """Sell 1, as somebody else does."""
    till.sell(1, article="other")


class Refused(Exception):  # noqa: N818 - a domain's own word
    """A till that does not sell."""


class Hot(Repository[Till]):
    """A repository of tills that keeps some."""

    def __init__(
        self,
        events: Events,
        shelf: Shelf | None = None,
        *,
        cache: int = 10,
        cls: type[Till] = Till,
        frequency: int | SnapshotPolicy = 5,
    ) -> None:
        super().__init__(
            events, cls, snapshot_store=shelf, snapshot_frequency=frequency, cache=cache
        )

    async def sell(self, *counts: int, id: str = "1", attempts: int = 3) -> Till:  # noqa: A002 - the word of the domain
        """Sell some."""
        return await self.update(id, lambda till: till.sell(*counts), attempts=attempts)

    @property
    def kept(self) -> list[str]:
        """List the streams of what is kept, those used last at the end."""
        assert self._cache is not None
        return list(self._cache._kept)
