"""Sharing: which segments each process takes, which move together, and when they are split.

Every process plans for itself, by rules that give all of them the same answer: they see the same
arrangement. A build with so many segments as it is to have is shared fairly: nobody has two more
than another one who may take more. One with too many belongs to one process until they are joined,
since only segments at one progress can be.
"""

from __future__ import annotations

import asyncio
import logging
from contextvars import Context
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

from eventsourcing_core._errors import ProjectionError, StorageError, said_of
from eventsourcing_core.stores._build_checks import hash_of
from eventsourcing_core.stores._builds import (
    HASHES,
    Arrangement,
    BuildState,
    Plan,
    Progress,
    ProjectionKind,
    Segment,
    Worker,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from eventsourcing_core.stores._builds import Build, BuildRecord
    from eventsourcing_core.stores._projection_store import ProjectionStore

logger = logging.getLogger("eventsourcing_core.projections")

_MOST_PLANS = 20
"""So many are made at once: each halves or doubles the segments, and there are 1,024 at most."""


class Terms(NamedTuple):
    """How a worker works."""

    owner: str
    """What it is called in the store."""
    lease: float
    """For how many seconds its claims hold."""
    limit: int | None
    """How many segments it takes at most."""
    attempts: int
    """How often an event is tried before its key is given up."""
    retry_pause: float
    """Seconds until the second try; each further pause is four times as long."""

    @property
    def first_pause(self) -> float | None:
        """Seconds until the second try; None: there is none."""
        return self.retry_pause if self.attempts > 1 else None


class Group(NamedTuple):
    """Segments of one process that are at one progress, and so move together."""

    segments: tuple[Segment, ...]
    """By ``low``, as the store has them."""
    until: Progress | None
    """Where the next segments are, which these join; None: there are none."""

    @property
    def progress(self) -> Progress:
        """Where they are."""
        return self.segments[0].progress

    def moved(self, to: Progress) -> Group:
        """Give the group as it is once the store has moved it."""
        segments = tuple(segment._replace(progress=to) for segment in self.segments)
        return self._replace(segments=segments)


def first_group(segments: Iterable[Segment]) -> Group | None:
    """Give the segments that are farthest behind; None if there are none."""
    ordered = sorted(segments, key=lambda segment: (segment.progress.position, segment.low))
    if not ordered:
        return None
    groups = [tuple(group) for _, group in groupby(ordered, lambda segment: segment.progress)]
    return Group(groups[0], groups[1][0].progress if len(groups) > 1 else None)


class Hashes:
    """The hashes of some segments.

    Args:
        segments: The segments.
    """

    def __init__(self, segments: Iterable[Segment]) -> None:
        self._is_in = bytearray(0x10000)
        for segment in segments:
            width = segment.high - segment.low + 1
            self._is_in[segment.low : segment.high + 1] = b"\1" * width

    def has(self, key: str) -> bool:
        """Tell whether a key belongs to one of the segments."""
        return bool(self._is_in[hash_of(key)])


def covers_all(segments: Iterable[Segment]) -> bool:
    """Tell whether segments are all hashes together."""
    return sum(segment.high - segment.low + 1 for segment in segments) == HASHES


def may_work(record: BuildRecord) -> bool:
    """Tell whether anybody may work on a build."""
    is_muted = record.spec.kind is ProjectionKind.REACTOR and record.state is not BuildState.LIVE
    is_inline = record.inline_from is not None
    return not (record.is_paused or record.is_switching or is_muted or is_inline)


def plan_for(owner: str, arrangement: Arrangement) -> Plan:
    """Say what a worker changes in an arrangement; it must be at work on none of its segments."""
    record, segments, owners, workers = arrangement
    if all(worker.owner != owner for worker in workers):
        return Plan()  # it stood still for longer than its lease: it is to renew that first
    owned = [segment.low for segment in segments if owners.get(segment.low) == owner]
    if not may_work(record):
        return Plan(give=frozenset(owned))
    if len(segments) > record.wanted_segments:
        return _joining(owner, arrangement, owned)
    if len(segments) < record.wanted_segments:
        return _splitting(owner, arrangement)

    counts = dict.fromkeys((worker.owner for worker in workers), 0)
    for low_owner in owners.values():
        if low_owner in counts:
            counts[low_owner] += 1
    target = fair_shares(len(segments), workers, counts)[owner]
    if len(owned) > target:
        return Plan(give=frozenset(owned[target:]))
    free = [segment.low for segment in segments if segment.low not in owners]
    return Plan(take=frozenset(free[: target - len(owned)]))


def fair_shares(
    count: int, workers: Sequence[Worker], counts: Mapping[str, int]
) -> Mapping[str, int]:
    """Say how many segments each worker is to have.

    Whatever cannot be divided goes to those who have most already, so that little moves.
    """
    shares = dict.fromkeys((worker.owner for worker in workers), 0)
    order = sorted(workers, key=lambda worker: (-counts[worker.owner], worker.owner))
    left = count
    while left:
        open_to_more = [
            worker
            for worker in order
            if worker.limit is None or shares[worker.owner] < worker.limit
        ]
        if not open_to_more:
            break
        for worker in open_to_more:
            if left:
                shares[worker.owner] += 1
                left -= 1
    return shares


def _splitting(owner: str, arrangement: Arrangement) -> Plan:
    """Halve the widest segments; each is halved by its owner, or by anybody if nobody has it."""
    record, segments, owners, _ = arrangement
    missing = record.wanted_segments - len(segments)
    widest = sorted(segments, key=lambda segment: (segment.low - segment.high, segment.low))
    chosen = [segment for segment in widest if segment.high > segment.low][:missing]
    return Plan(
        split=frozenset(
            segment.low for segment in chosen if owners.get(segment.low) in {owner, None}
        )
    )


def _joining(owner: str, arrangement: Arrangement, owned: Sequence[int]) -> Plan:
    """Let one process take all segments, and join those that are next to each other."""
    record, segments, owners, workers = arrangement
    if owner != workers[0].owner:
        return Plan(give=frozenset(owned))
    surplus = len(segments) - record.wanted_segments
    joined: list[int] = []
    taken: set[int] = set()
    for first, second in sorted(
        pairwise(segments), key=lambda pair: (pair[1].high - pair[0].low, pair[0].low)
    ):
        if len(joined) < surplus and _can_be_joined(first, second, owned, taken):
            joined.append(first.low)
            taken |= {first.low, second.low}
    free = frozenset(segment.low for segment in segments if segment.low not in owners)
    return Plan(take=free, merge=frozenset(joined))


def _can_be_joined(first: Segment, second: Segment, owned: Sequence[int], taken: set[int]) -> bool:
    both = {first.low, second.low}
    return both <= {*owned} and not both & taken and first.progress == second.progress


_MOST_LEASES = 2
"""So many leases may somebody's batch be in the way until that is said."""


class Claims:
    """What one process has claimed of a build: renewed all the time, changed between batches.

    Args:
        build: The build.
        store: Where it is.
        terms: How the process works.
        on_change: Called when something is to be changed: then ``arrange`` does it.
        on_expiry: Called when the claims could not be renewed in time, by the clock of this
            process.
    """

    def __init__(
        self,
        build: Build,
        store: ProjectionStore,
        terms: Terms,
        on_change: Callable[[], None],
        on_expiry: Callable[[], None],
    ) -> None:
        self._build = build
        self._store = store
        self._terms = terms
        self._on_change = on_change
        self._on_expiry = on_expiry
        self._held: list[tuple[int, int, int]] = []
        self._timer: asyncio.TimerHandle | None = None  # fires when the lease runs out
        self._blocked_since: float | None = None  # by the clock of the loop
        self.last_error: str | None = None
        """What the process last failed with, for others to see."""
        self.has_ended: bool = False
        """Whether it claims nothing any more."""
        self.is_live: bool = False
        """Whether the build was live when it was arranged."""
        self.has_changed: bool = False
        """Whether something was to be changed then."""

    async def arrange(self) -> list[Segment]:
        """Change who owns what, as long as something can be; give what this process owns."""
        self.has_changed = False
        is_planned = False

        def plan(arrangement: Arrangement) -> Plan:
            nonlocal is_planned
            found = self._plan(arrangement)
            is_planned = any(found)
            self.has_changed = self.has_changed or is_planned
            return found

        before: list[Segment] = []
        owned: list[Segment] = []
        for _ in range(_MOST_PLANS):
            before = owned
            arrangement = await self._beat(plan)
            self.is_live = arrangement.record.state is BuildState.LIVE
            owned = self._owned(arrangement)
            self._held = _identities(owned)
            if not is_planned or owned == before:  # or somebody's batch is in the way
                break
        self._note_blocked(is_blocked=is_planned and owned == before)
        return owned

    async def renew(self) -> None:
        """Renew the claims again and again, and tell when something is to be changed."""
        while True:
            await asyncio.sleep(self._terms.lease / 3)
            try:
                await self._beat(self._look)
            except (StorageError, ProjectionError) as error:  # a dropped one may be made anew
                raise_if_cancelled(error)
                logger.debug("%s: no heartbeat: %s", self._build, said_of(error))

    def forget(self) -> None:
        """Look at the clock no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _note_blocked(self, *, is_blocked: bool) -> None:
        """Say so if somebody's batch has been in the way for longer than any should take."""
        now = asyncio.get_running_loop().time()
        if not is_blocked:
            if self._blocked_since is not None:
                self.last_error = None
            self._blocked_since = None
            return
        self._blocked_since = now if self._blocked_since is None else self._blocked_since
        if self.last_error is None and now - self._blocked_since > _MOST_LEASES * self._terms.lease:
            self.last_error = (
                "somebody's batch is in the way of taking segments over, for more than two leases: "
                "a process that stands still in it holds them until it goes on, or is ended"
            )
            logger.warning("%s waits: %s", self._build, self.last_error)

    def _plan(self, arrangement: Arrangement) -> Plan:
        if self.has_ended:
            return Plan(give=frozenset(segment.low for segment in self._owned(arrangement)))
        return plan_for(self._terms.owner, arrangement)

    def _look(self, arrangement: Arrangement) -> Plan:
        """Change nothing: a batch may be under way."""
        if self._held != _identities(self._owned(arrangement)) or any(self._plan(arrangement)):
            self._on_change()
        return Plan()

    async def _beat(self, plan: Callable[[Arrangement], Plan]) -> Arrangement:
        owner, lease, limit, _, _ = self._terms
        loop = asyncio.get_running_loop()
        until = loop.time() + lease
        worker = Worker(owner, limit, self.last_error)
        arrangement = await self._store.beat(self._build, worker, lease, plan)
        self.forget()
        self._timer = Context().run(loop.call_at, until, self._on_expiry)
        return arrangement

    def _owned(self, arrangement: Arrangement) -> list[Segment]:
        owners, owner = arrangement.owners, self._terms.owner
        return [segment for segment in arrangement.segments if owners.get(segment.low) == owner]


def raise_if_cancelled(error: StorageError | ProjectionError) -> None:
    """Raise the cancellation of this task where an error has come in its place.

    What a store does when it is cancelled may fail, too, as leaving a transaction on a connection
    that is lost: whoever goes on after errors would never end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError from error


def _identities(segments: Sequence[Segment]) -> list[tuple[int, int, int]]:
    """Give what tells whether other segments are owned than before."""
    return [(segment.low, segment.high, segment.epoch) for segment in segments]
