"""What the contract of ``Inlining`` applies, and short ways to change and to write."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from eventsourcing_core._errors import EventSourcingError, InlineError, StreamHeldError
from eventsourcing_core.stores._builds import Build, Progress, ProjectionKind
from eventsourcing_core.testing._projections.samples import ORDERS, spec_of
from eventsourcing_core.testing._storage.samples import append_to, encoded, storage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core.stores._append import Append
    from eventsourcing_core.stores._inline import InlineBatch, Inlining
    from eventsourcing_core.stores._projection_store import ProjectionStore
    from eventsourcing_core.stores._rows import Row
    from eventsourcing_core.stores._storage import Parts

OTHERS = Build("others", 1)
BAD = "bad"
"""A type of events that cannot be applied."""
TOTAL = "the total"
"""A key that all events have."""


class Counting:
    """Counts events by stream, and all of them; see ``InlineHandlers``."""

    def __init__(self, *builds: Build) -> None:
        self.builds: Mapping[Build, ProjectionKind] = dict.fromkeys(builds, ProjectionKind.VIEW)
        self.seen: dict[Build, list[Row]] = {build: [] for build in builds}
        """The rows that each build was given, also of what was taken back."""

    def early_keys(self, build: Build, events: Iterable[tuple[str, str]]) -> Collection[str]:
        """Give some of the keys."""
        del build
        return {stream_id for stream_id, _ in events}

    async def apply(
        self,
        builds: Collection[Build],
        rows: Sequence[Row],
        batch_of: Callable[[Build], AbstractAsyncContextManager[InlineBatch]],
    ) -> None:
        """Count rows."""
        for build in sorted(builds):
            self.seen[build] += rows
            async with batch_of(build) as batch:
                await self.count(batch, rows)

    async def count(self, batch: InlineBatch, rows: Sequence[Row]) -> None:
        """Count rows in a batch."""
        counts = Counter(row.stream_id for row in rows)
        counts[TOTAL] = len(rows)
        found = await batch.values(sorted(counts))
        await batch.put({key: str(int(found.get(key, "0")) + n) for key, n in counts.items()})
        if any(row.event_type == BAD for row in rows):
            message = "an event cannot be applied"
            raise InlineError(message)


def inline_of(parts: Parts) -> Inlining:
    """Give what applies builds inside appends."""
    if parts.inline is None:
        pytest.fail("the backend applies nothing inside appends: give Parts.inline")
    return parts.inline


def projections_of(parts: Parts) -> ProjectionStore:
    """Give the projection store of a backend."""
    if parts.projection_store is None:
        pytest.fail("the backend has no projection store: give one in its Parts")
    return parts.projection_store


async def register(parts: Parts, build: Build = ORDERS) -> None:
    """Register a view."""
    start = Progress(0, None)
    await projections_of(parts).register(spec_of(build), segments=2, start=start, create=None)


async def make_inline(parts: Parts, build: Build = ORDERS, *, to_inline: bool = True) -> None:
    """Let a build be inline, or follow."""
    async with inline_of(parts).change(build, to_inline=to_inline):
        pass


async def counting(parts: Parts, *builds: Build) -> Counting:
    """Install handlers for views, and let these be inline."""
    handlers = Counting(*builds)
    for build in builds:
        await register(parts, build)
    inline_of(parts).install(handlers)
    for build in builds:
        await make_inline(parts, build)
    return handlers


async def write(parts: Parts, *stream_ids: str, event_type: str = "counted") -> Exception | None:
    """Append an event to each of some streams, in one call; give the error, if there is one."""
    appends = [append_to(each, encoded(n, event_type)) for n, each in enumerate(stream_ids)]
    return await write_all(parts, appends)


async def write_at_last(parts: Parts, stream_id: str) -> Exception | None:
    """Append an event, again while the storage says that it is held up, as the front does."""
    while isinstance(error := await write(parts, stream_id), StreamHeldError):
        pass
    return error


async def write_all(parts: Parts, appends: Sequence[Append]) -> Exception | None:
    """Write appends in one call; give the first error."""
    try:
        verdicts = await storage_of(parts).write(appends)
    except EventSourcingError as error:
        return error
    return next((each for each in verdicts if isinstance(each, Exception)), None)


async def counts(parts: Parts, build: Build = ORDERS) -> dict[str, int]:
    """Give what a view has."""
    pages = projections_of(parts).live_pages(build.name, {})
    return {key: int(value) async for page in pages for key, value in page}
