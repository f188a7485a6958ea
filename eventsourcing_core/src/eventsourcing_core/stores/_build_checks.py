"""What every projection store decides in the same way, and says in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

from eventsourcing_core._errors import ProjectionError, shown
from eventsourcing_core.stores._builds import (
    HASHES,
    Arrangement,
    Build,
    BuildRecord,
    BuildSpec,
    BuildState,
    Plan,
    Progress,
    Segment,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def hash_of(key: str) -> int:
    """Give the hash of a key, which tells the segment that it is in."""
    return crc32(key.encode()) & (HASHES - 1)


def new_segments(count: int, start: Progress) -> list[Segment]:
    """Give the segments of a new build: of the same width, the last one maybe wider."""
    width = HASHES // count
    ends = [width * number for number in range(1, count)] + [HASHES]
    return [Segment(width * number, end - 1, start, epoch=0) for number, end in enumerate(ends)]


def not_registered(what: Build | str) -> ProjectionError:
    """Make the error for a build, or the live build of a name, that a store does not know."""
    name = f"projection {shown(what)}" if isinstance(what, str) else f"{what},"
    return ProjectionError(
        f"{name} is not registered in this store: it was dropped, or no projector was opened with "
        "it yet, or its name and version are others"
    )


def not_live(build: Build) -> ProjectionError:
    """Make the error for a switch from a build that is not live."""
    return ProjectionError(f"{build}, is not live, so nothing can take its place: begin anew")


def not_switching(build: Build) -> ProjectionError:
    """Make the error for a switch from a live build that goes on, or is paused."""
    return ProjectionError(
        f"{build}, is live and is not being switched from, or not any more, or it is paused: "
        "resume it, and switch again"
    )


def still_live(build: Build) -> ProjectionError:
    """Make the error for dropping the live build while there are others."""
    return ProjectionError(
        f"{build}, is live: switch to another version, or drop the other ones first"
    )


def registered(spec: BuildSpec, records: Iterable[BuildRecord]) -> BuildRecord | None:
    """Find what a store has of a build among the builds of its name; None if it is new.

    Raises:
        ProjectionError: It is registered as something else, or for other events; or it is new, and
            its version is below the live one, or the name belongs to another class.
    """
    same_name = {record.spec.build: record for record in records}
    found = same_name.get(spec.build)
    if found is not None:
        stored = found.spec
        if stored._replace(event_types=()) != spec._replace(event_types=()):
            raise _is_something_else(spec, stored)
        if stored.event_types != spec.event_types and () not in {
            stored.event_types,
            spec.event_types,
        }:
            raise _is_given_others(spec, stored)
        return found

    for record in same_name.values():
        if record.state is not BuildState.LIVE:
            continue
        live = record.spec
        if spec.build.version < live.build.version:
            message = (
                f"{spec.build}, is new to this store, but version {live.build.version} is "
                f"live: raise the version above {live.build.version}, or deploy the code of it"
            )
            raise ProjectionError(message)
        if spec.class_name != live.class_name:
            raise _is_something_else(spec, live)
    return None


def new_record(spec: BuildSpec, records: Sequence[BuildRecord], segments: int) -> BuildRecord:
    """Give the record of a new build: live if it is the first of its name, else building."""
    state = BuildState.BUILDING if records else BuildState.LIVE
    return BuildRecord(spec, state, is_paused=False, is_switching=False, wanted_segments=segments)


def has_caught_up(segments: Sequence[Segment], others: Sequence[Segment]) -> bool:
    """Tell whether each hash is as far in segments as it is in others."""
    return all(
        one.progress.position >= other.progress.position
        for one in segments
        for other in others
        if one.low <= other.high and other.low <= one.high
    )


def rearranged(arrangement: Arrangement, owner: str, plan: Plan) -> Arrangement:
    """Carry out a plan of a process: take, then give, split, and merge from the highest.

    Raises:
        ValueError: The plan does not fit the arrangement.
    """
    segments = {segment.low: segment for segment in arrangement.segments}
    owners = dict(arrangement.owners)
    for low in sorted(plan.take):
        _check_plan(low in segments and owners.get(low, owner) == owner, "take", low)
        segments[low] = _raised(segments[low])
        owners[low] = owner

    for low in sorted(plan.give):
        _check_plan(owners.pop(low, None) == owner, "give", low)

    for low in sorted(plan.split):
        _check_plan(low in segments and low < segments[low].high, "split", low)
        whole = _raised(segments[low])
        middle = (whole.low + whole.high + 1) // 2
        segments[low] = whole._replace(high=middle - 1)
        segments[middle] = whole._replace(low=middle)
        if low in owners:
            owners[middle] = owners[low]

    for low in sorted(plan.merge, reverse=True):
        _check_plan(low in segments, "merge", low)
        _merge(segments, owners, low)
    return arrangement._replace(
        segments=tuple(segments[low] for low in sorted(segments)), owners=owners
    )


def _merge(segments: dict[int, Segment], owners: dict[int, str], low: int) -> None:
    one = segments[low]
    other = segments.get(one.high + 1)
    fits = (
        other is not None
        and one.progress == other.progress
        and owners.get(low) == owners.get(other.low)
    )
    _check_plan(fits, "merge", low)
    if other is not None:
        segments[low] = one._replace(high=other.high, epoch=max(one.epoch, other.epoch) + 1)
        del segments[other.low]
        owners.pop(other.low, None)


def _raised(segment: Segment) -> Segment:
    return segment._replace(epoch=segment.epoch + 1)


def _check_plan(fits: bool, step: str, low: int) -> None:  # noqa: FBT001 - private
    if not fits:
        message = f"the plan does not fit the arrangement: it cannot {step} the segment at {low}"
        raise ValueError(message)


def _is_something_else(spec: BuildSpec, stored: BuildSpec) -> ProjectionError:
    return ProjectionError(
        f"{stored.build}, is registered as {_described(stored)}, and not as "
        f"{_described(spec)}: give the other projection another name; or raise the version, if it "
        f"has changed; or set class_name = {stored.class_name!r}, if only the class was renamed"
    )


def _is_given_others(spec: BuildSpec, stored: BuildSpec) -> ProjectionError:
    return ProjectionError(
        f"{stored.build}, is registered for {_given(stored)}, and not for {_given(spec)}: "
        "processes of one version that are given other events would leave some out: raise the "
        "version, or run the code that has registered this one"
    )


def _given(spec: BuildSpec) -> str:
    return "all events" if spec.event_types is None else f"events {', '.join(spec.event_types)}"


def _described(spec: BuildSpec) -> str:
    indexes = f" with indexes {', '.join(spec.indexes)}" if spec.indexes else ""
    return f"{spec.kind.value} {spec.class_name}{indexes}"
