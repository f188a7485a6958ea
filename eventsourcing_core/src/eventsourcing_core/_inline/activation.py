"""Making projections inline: follow to the head, and then hold appends for a moment.

What is near the head is brought up to it while nobody appends. Whatever is further away, and a new
one may have the whole log before it, is brought near by a projector first, which holds up nobody.
"""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING

from eventsourcing_core._errors import InlineError, ProjectionError, said_of
from eventsourcing_core._inline.applying import apply_events
from eventsourcing_core._projections.projector import Projector
from eventsourcing_core._projections.sharing import Hashes
from eventsourcing_core._projections.status import position_of
from eventsourcing_core.stores._builds import HASHES, BuildState, Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core._encoding.front import StorageEventStore
    from eventsourcing_core._inline.inline_set import InlineSet
    from eventsourcing_core._projections.definition import Definition
    from eventsourcing_core.stores._builds import Arrangement, BuildRecord, Segment
    from eventsourcing_core.stores._inline import InlineChange
    from eventsourcing_core.stores._projection_store import ProjectionStore

_NEAR = 200
"""So many positions behind the head, a build is brought up to it while appends are held."""
_SEGMENTS = 8
"""How many segments a build has that is inline from its beginning."""
_LOOK = 0.05  # seconds between two looks at how far a build is
_PATIENCE = 30.0  # seconds for which a build may come no nearer


async def activate(inline: InlineSet, events: StorageEventStore, store: ProjectionStore) -> None:
    """Register what a process applies inline, and make it inline where it is not.

    Raises:
        ProjectionError: Something is registered as something else, is not the live version, is
            paused, or has parked keys; or its events cannot be applied.
        StorageError: The store failed, or this user may not change it.
    """
    inlining = events.inlining(store)
    for definition in inline.definitions:
        kind = definition.spec.kind
        if kind not in inlining.kinds:
            message = (
                f"{definition.build}, is a {kind.value}, and this backend has no inline ones: run "
                "it with backend.projector(…), or make a view of it"
            )
            raise ProjectionError(message)

    inlining.install(inline)
    for definition in inline.definitions:
        record = await store.register(
            definition.spec,
            segments=_SEGMENTS,
            start=Progress(0, None),
            create=getattr(definition.follower, "create", None),
        )
        if record.inline_from is None:
            _check(record, has_parked=await _has_parked(record, store))
            try:
                await _come_near(definition, events, store)
            except ProjectionError:
                if (await store.arrangement(definition.build)).record.inline_from is None:
                    raise  # else another process was faster
            await _make_inline(definition, events, store)


async def _make_inline(
    definition: Definition, events: StorageEventStore, store: ProjectionStore
) -> None:
    async with events.inlining(store).change(definition.build, to_inline=True) as change:
        if change.record.inline_from is not None:
            return  # another process was faster
        _check(change.record, has_parked=change.has_parked)
        await _come_up(definition, events, change)


async def _come_near(
    definition: Definition, events: StorageEventStore, store: ProjectionStore
) -> None:
    """Let a projector run a build until it is near the head, or inline already."""
    build = definition.build
    if _is_near(await store.arrangement(build), await events.last_position()):
        return
    loop = asyncio.get_running_loop()
    async with Projector([definition.follower], events, store):
        best, until = -1, loop.time() + _PATIENCE
        while True:
            arrangement = await store.arrangement(build)
            if _is_near(arrangement, await events.last_position()):
                return
            record = arrangement.record
            _check(record, has_parked=await _has_parked(record, store))
            position = position_of(arrangement)
            if position > best:
                best, until = position, loop.time() + _PATIENCE
            elif loop.time() >= until:
                said = next((each.last_error for each in arrangement.workers), None)
                message = (
                    f"{build}, cannot be made inline: it has stood at position {position} for "
                    f"{_PATIENCE:g} s (last error: {said or 'none'})"
                )
                raise ProjectionError(message)
            await asyncio.sleep(_LOOK)


async def _come_up(definition: Definition, events: StorageEventStore, change: InlineChange) -> None:
    """Apply the last events, of each segment those that it has not seen, while nobody appends."""

    def position(segment: Segment) -> int:
        return segment.progress.position

    for after, group in groupby(sorted(change.segments, key=position), position):
        hashes = _hashes_of(list(group))
        async for rows in change.rows(after):
            try:
                await apply_events(definition, rows, events.codec, change.batch, hashes)
            except Exception as error:
                cause = error.__cause__ if isinstance(error, InlineError) else None
                message = (
                    f"{definition.build}, cannot be made inline, since it cannot apply the last "
                    f"events ({said_of(cause or error)}): mend the cause, and open the backend "
                    "again"
                )
                raise ProjectionError(message) from error


def _hashes_of(segments: Sequence[Segment]) -> Hashes | None:
    covered = sum(segment.high - segment.low + 1 for segment in segments)
    return None if covered == HASHES else Hashes(segments)


def _is_near(arrangement: Arrangement, head: int) -> bool:
    is_inline = arrangement.record.inline_from is not None
    return is_inline or head - position_of(arrangement) <= _NEAR


async def _has_parked(record: BuildRecord, store: ProjectionStore) -> bool:
    return bool(await store.parked(record.spec.build, first=1))


def _check(record: BuildRecord, *, has_parked: bool) -> None:
    """Refuse to make inline what nobody reads, or what would lose events.

    Raises:
        ProjectionError: It says why, and the cure.
    """
    build = record.spec.build
    if record.state is not BuildState.LIVE:
        fault = (
            "another version is live: run this one with a projector beside it, switch to it, and "
            "open the backend with inline= then; if the live one is inline, let it follow before "
            "that, with backend.projections.make_async(…)"
        )
    elif record.is_paused or record.is_switching:
        fault = "it is paused, or being switched from: resume it"
    elif has_parked:
        fault = (
            "keys are parked: retry them, or skip their events (projections.parked(…) lists them)"
        )
    else:
        return
    message = f"{build}, cannot be inline: {fault}"
    raise ProjectionError(message)
