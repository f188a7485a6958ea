"""What is kept of builds in memory, and the locks that stand for those of rows."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from eventsourcing_core.stores import ParkedKey, Worker, hash_of
from eventsourcing_inmemory._log import Home

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Build, BuildRecord, Progress, Segment, Wish

MOST_POSITIONS = 1000
"""How many positions of a parked key are shown."""


class KeptKey(NamedTuple):
    """A key that is parked."""

    positions: tuple[int, ...]
    attempts: int
    error: str
    due: float | None
    """When it is to be tried again; None: it is given up."""
    wish: Wish | None = None


@dataclass(slots=True)
class KeptBuild:
    """A build, with all that is kept of it."""

    record: BuildRecord
    segments: dict[int, Segment]
    """By their lowest hash."""
    switching_until: float = 0.0
    claims: dict[int, str] = field(default_factory=dict[int, str])
    """Who has claimed a segment; it counts for as long as the worker is alive."""
    workers: dict[str, tuple[float, Worker]] = field(
        default_factory=dict[str, tuple[float, Worker]]
    )
    """Until when a worker is alive."""
    values: dict[str, str] = field(default_factory=dict[str, str])
    parked: dict[str, KeptKey] = field(default_factory=dict[str, KeptKey])

    def fence(self) -> None:
        """Take all claims off, and raise all epochs."""
        self.claims.clear()
        self.segments = {
            low: segment._replace(epoch=segment.epoch + 1) for low, segment in self.segments.items()
        }

    def move_to(self, progress: Progress) -> None:
        """Set all segments to a progress."""
        self.segments = {
            low: segment._replace(progress=progress) for low, segment in self.segments.items()
        }

    def owners(self, now: float) -> dict[int, str]:
        """Give who has claimed a segment and is alive."""
        alive = {owner for owner, (until, _) in self.workers.items() if until > now}
        return {low: owner for low, owner in self.claims.items() if owner in alive}

    def parked_keys(self, now: float) -> list[ParkedKey]:
        """Give the keys that are parked, by hash and key."""
        return [
            ParkedKey(
                key,
                hash_of(key),
                kept.positions[:MOST_POSITIONS],
                waiting=len(kept.positions),
                attempts=kept.attempts,
                error=kept.error,
                is_due=kept.due is not None and kept.due <= now,
                wish=kept.wish,
                is_given_up=kept.due is None,
            )
            for key, kept in sorted(
                self.parked.items(), key=lambda item: (hash_of(item[0]), item[0])
            )
        ]

    def due(self, segments: Sequence[Segment], now: float) -> list[ParkedKey]:
        """Give the keys of segments that are due or wished for, those that wait longest first."""
        found = [
            key
            for key in self.parked_keys(now)
            if (key.is_due or key.wish is not None)
            and any(segment.low <= key.hash <= segment.high for segment in segments)
        ]
        return sorted(found, key=lambda key: (self.parked[key.key].due or 0, key.positions))


class ProjectionShelf:
    """All builds. Stores can share it."""

    def __init__(self) -> None:
        self.builds: dict[Build, KeptBuild] = {}
        self._home = Home()
        self._locks = defaultdict[object, asyncio.Lock](asyncio.Lock)

    def lock(self, *what: object) -> asyncio.Lock:
        """Give the lock of a build's segment, or of something else."""
        if self._home.is_new():
            self._locks.clear()
        return self._locks[what]
