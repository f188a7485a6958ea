"""Sharing: which segments each process takes, and when they are split and joined.

Every process plans for itself, by rules that give all of them the same answer: they see the same
arrangement. A build with so many segments as it is to have is shared fairly: nobody has two more
than another one who may take more. One with too many belongs to one process until they are joined,
since only segments at one progress can be.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from eventsourcing_core.stores._builds import Arrangement, BuildState, Plan, ProjectionKind, Segment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from eventsourcing_core.stores._builds import BuildRecord, Worker


def may_work(record: BuildRecord) -> bool:
    """Tell whether anybody may work on a build."""
    is_muted = record.spec.kind is ProjectionKind.REACTOR and record.state is not BuildState.LIVE
    return not (record.is_paused or record.is_switching or is_muted)


def plan_for(owner: str, arrangement: Arrangement) -> Plan:
    """Say what a worker changes in an arrangement; it must be at work on none of its segments."""
    record, segments, owners, workers = arrangement
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
