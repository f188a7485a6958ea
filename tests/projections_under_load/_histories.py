"""What must be so, whatever happened: each function gives what is wrong, as sentences."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

V = TypeVar("V")


class Applied(NamedTuple):
    """An event as something has applied it, or must apply it."""

    event_id: str
    key: str
    position: int


class Held(NamedTuple):
    """A segment at some moment."""

    low: int
    high: int
    position: int
    epoch: int
    owner: str | None = None


class Reading(NamedTuple):
    """What a reader saw at once."""

    builds: frozenset[int]
    """The versions that made the values."""
    counts: Mapping[str, int]
    """How many events each value has seen."""


def wrong_counts(expected: Iterable[Applied], counts: Mapping[str, int]) -> list[str]:
    """Find events that were not applied exactly once.

    Args:
        expected: What must have been applied.
        counts: How often each event was applied, by its id.
    """
    wanted = {each.event_id: each for each in expected}
    lost = [f"never applied: {wanted[id_]}" for id_ in wanted if counts.get(id_, 0) == 0]
    more = [
        f"applied {count} times: {wanted[id_]}"
        for id_, count in counts.items()
        if id_ in wanted and count > 1
    ]
    strange = [f"applied, but never written: {id_}" for id_ in counts if id_ not in wanted]
    return [*lost, *more, *strange]


def wrong_order(log: Sequence[Applied]) -> list[str]:
    """Find keys whose events were not applied by position.

    Args:
        log: In the order in which they were applied.
    """
    last: dict[str, Applied] = {}
    found: list[str] = []
    for each in log:
        before = last.get(each.key)
        if before is not None and each.position <= before.position:
            found.append(f"{each} after {before}")
        last[each.key] = each
    return found


def wrong_repetitions(expected: Sequence[Applied], log: Sequence[Applied]) -> list[str]:
    """Find events that came never, or before an earlier one of their key.

    That an event comes again, and those after it once more, is right.

    Args:
        expected: What must have come, by position.
        log: In the order in which they came.
    """
    count: Counter[str] = Counter()
    places: dict[str, int] = {}
    for each in expected:
        places[each.event_id] = count[each.key]
        count[each.key] += 1
    seen: Counter[str] = Counter()
    found: list[str] = []
    for each in log:
        if places[each.event_id] == seen[each.key]:
            seen[each.key] += 1
        elif places[each.event_id] > seen[each.key]:
            found.append(f"before an earlier one: {each}")
    lost = [each for each in expected if places[each.event_id] >= seen[each.key]]
    return [*found, *(f"never came: {each}" for each in lost)]


def gone_back(samples: Sequence[Sequence[Held]]) -> list[str]:
    """Find segments whose position or epoch fell, whatever they were split and joined into.

    Args:
        samples: The segments of a build at one moment after the other.
    """
    found: list[str] = []
    for before, after in pairwise(samples):
        found += [
            f"{old} became {new}"
            for old in before
            for new in after
            if old.low <= new.high
            and new.low <= old.high
            and (new.position < old.position or new.epoch < old.epoch)
        ]
    return found


def quiet_takeovers(samples: Iterable[Sequence[Held]]) -> list[str]:
    """Find segments that somebody else had afterwards, and whose epoch was not raised."""
    last: dict[tuple[int, int], Held] = {}
    found: list[str] = []
    for sample in samples:
        for new in sample:
            if new.owner is None:
                continue
            old = last.get((new.low, new.high), new)
            if old.owner != new.owner and new.epoch <= old.epoch:
                found.append(f"{old} became {new}")
            last[new.low, new.high] = new
    return found


def not_whole(samples: Iterable[Sequence[Held]], hashes: int) -> list[str]:
    """Find samples whose segments are not all hashes, each once."""
    found: list[str] = []
    for sample in samples:
        ends = [-1, *(held.high for held in sample)]
        begins = [*(held.low for held in sample), hashes]
        if any(begin != end + 1 for end, begin in zip(ends, begins, strict=True)):
            found.append(f"holes or overlaps: {sample}")
    return found


def wrong_readings(readings: Sequence[Reading]) -> list[str]:
    """Find what a reader may not see: nothing, two builds at once, or less than before.

    Args:
        readings: What one reader saw, in that order.
    """
    found: list[str] = []
    last: dict[str, int] = {}
    for number, reading in enumerate(readings):
        if last and not reading.counts:
            found.append(f"reading {number} is empty")
        if len(reading.builds) > 1:
            found.append(f"reading {number} is of builds {sorted(reading.builds)}")
        found += [
            f"reading {number} has {count} events of {key!r}, and {last[key]} were seen before"
            for key, count in reading.counts.items()
            if count < last.get(key, 0)
        ]
        last |= reading.counts
    return found


def differences(expected: Mapping[str, V], found: Mapping[str, V]) -> list[str]:
    """Find keys whose values are not the expected ones."""
    return [
        f"{key!r}: {found.get(key)}, not {expected.get(key)}"
        for key in sorted({*expected, *found})
        if expected.get(key) != found.get(key)
    ]
