"""A batch in memory: a journal that is applied when its block is left."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from eventsourcing_core.stores import Wish
from eventsourcing_inmemory._builds import KeptBuild, KeptKey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from eventsourcing_core.stores import Move

Kept = TypeVar("Kept")


class InMemoryBatch:
    """A batch that is open; see ``Batch``.

    Args:
        kept: The build, of which this batch has the locks of its segments.
        move: The segments, and how far they go.
        clock: Tells the seconds.
    """

    def __init__(self, kept: KeptBuild, move: Move, clock: Callable[[], float]) -> None:
        self._kept = kept
        self._move = move
        self._clock = clock
        self._values: dict[str, str | None] = {}
        self._parked: dict[str, KeptKey | None] = {}
        self.connection: None = None
        """There is no driver."""

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what an error leaves half done; see ``Batch.savepoint``."""
        before = dict(self._values), dict(self._parked)
        try:
            yield
        except BaseException:
            self._values, self._parked = before
            raise

    async def values(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Give values, those of the journal first; see ``Batch.values``."""
        await asyncio.sleep(0)
        found = {key: self._values.get(key, self._kept.values.get(key)) for key in keys}
        return {key: value for key, value in found.items() if value is not None}

    async def put(self, values: Mapping[str, str | None]) -> None:
        """Set values in the journal; see ``Batch.put``."""
        await asyncio.sleep(0)
        self._values.update(values)

    async def park(
        self, key: str, positions: Sequence[int], error: str, retry_in: float | None
    ) -> None:
        """Let events of a key wait; see ``Batch.park``."""
        await asyncio.sleep(0)
        due = None if retry_in is None else self._clock() + retry_in
        kept = self._find(key) or KeptKey((), 1, error, due)
        self._parked[key] = kept._replace(positions=(*kept.positions, *positions))

    async def fail_again(self, key: str, error: str, retry_in: float | None) -> None:
        """Note another failure; see ``Batch.fail_again``."""
        await asyncio.sleep(0)
        if kept := self._find(key):
            due = None if retry_in is None else self._clock() + retry_in
            wish = Wish.SKIP if kept.wish is Wish.SKIP else None  # it was made meanwhile
            self._parked[key] = KeptKey(kept.positions, kept.attempts + 1, error, due, wish)

    async def unpark(self, key: str, to_position: int) -> None:
        """Take events off; see ``Batch.unpark``."""
        await asyncio.sleep(0)
        if kept := self._find(key):
            left = tuple(position for position in kept.positions if position > to_position)
            self._parked[key] = KeptKey(left, 0, "", self._clock()) if left else None

    def commit(self) -> None:
        """Move the segments, and apply the journal."""
        kept, move = self._kept, self._move
        for segment in move.segments:
            kept.segments[segment.low] = kept.segments[segment.low]._replace(progress=move.to)
        _apply(self._values, kept.values)
        _apply(self._parked, kept.parked)

    def _find(self, key: str) -> KeptKey | None:
        return self._parked[key] if key in self._parked else self._kept.parked.get(key)


def _apply(changes: Mapping[str, Kept | None], to: dict[str, Kept]) -> None:
    for key, value in changes.items():
        if value is None:
            to.pop(key, None)
        else:
            to[key] = value
