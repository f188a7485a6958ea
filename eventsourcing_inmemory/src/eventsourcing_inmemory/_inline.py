"""Builds that are inline in memory: a journal of values for each, applied with the rows.

Whoever writes has the turn of the log, so nobody else writes to these builds meanwhile.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from eventsourcing_core.stores import (
    Move,
    Progress,
    ProjectionKind,
    Row,
    StorageError,
    check_inline,
)
from eventsourcing_inmemory._batch import InMemoryBatch
from eventsourcing_inmemory._log import EventLog, progress_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import Build, BuildRecord, InlineHandlers, Segment
    from eventsourcing_inmemory._builds import KeptBuild, ProjectionShelf
    from eventsourcing_inmemory._projection_store import InMemoryProjectionStore

_STAYS = Move((), Progress(0, None))
"""What is inline has no segments that move."""


class InMemoryInlining:
    """Applies builds inside appends; see ``Inlining``.

    Args:
        log: Where the rows are, and what is inline.
        shelf: Where the builds are.
        store: What fences them.
        max_wait: For how many seconds a change waits for a transaction to end.
    """

    kinds: frozenset[ProjectionKind] = frozenset({ProjectionKind.VIEW, ProjectionKind.PROJECTION})
    """What can be inline; see ``Inlining.kinds``."""

    def __init__(
        self,
        log: EventLog,
        shelf: ProjectionShelf,
        store: InMemoryProjectionStore,
        *,
        max_wait: float,
    ) -> None:
        self._log = log
        self._shelf = shelf
        self._store = store
        self._max_wait = max_wait
        self._handlers: InlineHandlers | None = None

    def install(self, handlers: InlineHandlers) -> None:
        """Take what is to be applied; see ``Inlining.install``."""
        self._handlers = handlers

    async def apply(self, rows: Sequence[Row], journal: InlineJournal) -> None:
        """Apply rows to all that is inline, in a journal: to all, or to none.

        Raises:
            InlineMismatchError: This process does not have all of it.
        """
        builds = self._log.inline
        if not builds or not rows:
            return
        check_inline(builds, self._handlers)
        if self._handlers is None:  # pragma: no cover - the check has raised
            return
        async with AsyncExitStack() as savepoints:
            for build in builds:
                batch = journal.batch(build, self._shelf.builds[build])
                await savepoints.enter_async_context(batch.savepoint())
            await self._handlers.apply(builds, rows, journal.opened)

    @asynccontextmanager
    async def change(self, build: Build, *, to_inline: bool) -> AsyncIterator[InMemoryChange]:
        """Change what is inline; see ``Inlining.change``."""
        log = self._log
        async with self._store.alone(build) as kept:
            turn = await log.turns.take(self._max_wait)
            if turn is None:
                message = f"a transaction has held the store for {self._max_wait:g} s: let it end"
                raise StorageError(message)
            try:
                change = InMemoryChange(log, kept)
                yield change
                change.batch.commit()
                kept.fence()
                kept.move_to(progress_of(log.rows))
                inline_from = len(log.rows) if to_inline else None
                kept.record = kept.record._replace(inline_from=inline_from)
                log.inline = log.inline | {build} if to_inline else log.inline - {build}
            finally:
                turn.release()


class InMemoryChange:
    """The moment of a change; see ``InlineChange``."""

    def __init__(self, log: EventLog, kept: KeptBuild) -> None:
        self._log = log
        self.record: BuildRecord = kept.record
        """What is kept of the build."""
        self.segments: Sequence[Segment] = [*kept.segments.values()]
        """How far it is."""
        self.has_parked: bool = bool(kept.parked)
        """Whether keys are parked."""
        self.batch: InMemoryBatch = InMemoryBatch(kept, _STAYS, asyncio.get_running_loop().time)
        """What it is written with."""

    async def rows(self, after: int) -> AsyncIterator[Sequence[Row]]:
        """Give what is left to be applied; see ``InlineChange.rows``."""
        await asyncio.sleep(0)
        yield self._log.rows[after:]


class InlineJournal:
    """What appends change in inline builds, until it is committed with their rows."""

    def __init__(self) -> None:
        self._batches: dict[Build, InMemoryBatch] = {}

    def batch(self, build: Build, kept: KeptBuild) -> InMemoryBatch:
        """Give the batch of a build."""
        made = InMemoryBatch(kept, _STAYS, asyncio.get_running_loop().time)
        return self._batches.setdefault(build, made)

    @asynccontextmanager
    async def opened(self, build: Build) -> AsyncIterator[InMemoryBatch]:
        """Give the batch of a build that has one."""
        yield self._batches[build]

    def commit(self) -> None:
        """Apply it."""
        for batch in self._batches.values():
            batch.commit()
