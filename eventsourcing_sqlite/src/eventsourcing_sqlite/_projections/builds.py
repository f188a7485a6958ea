"""Builds by their two halves: what the store's file knows, and what their own files hold.

Why the halves are parted as they are. How far a build is commits with what it makes, so segments
are in its own file. An open batch holds that file's only write lock for as long as the user's
handlers take, and a renewal must not wait for them: so workers and claims are in the store's file.
There a renewal is one row, however many segments a process has.

No commit spans both files, and none has to. That every event is applied once hangs on the segments
alone: a batch compares position and epoch, and commits with them. Claims only say who should try.
So where both are changed, a crash in between must leave one of these, and does:

- epochs are raised, claims are as before (a plan, a rewind): whoever has a segment is fenced, and
  asks anew, or his lease runs out and the next one raises them again;
- claims are off, epochs are as before (a pause, a switch that begins): whoever has a segment learns
  it when he next says that he is alive, and the call has not returned, so nothing was promised. The
  order is this one, since after the other somebody might take a segment in between.

Whoever changes both holds the store's lock first, then that of a build's file; a batch holds the
latter and never waits for the former.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from eventsourcing_core.stores import OutageError, Plan, StorageError, not_registered, rearranged
from eventsourcing_sqlite._connection import fetch_tuples, in_thread
from eventsourcing_sqlite._projections import registry
from eventsourcing_sqlite._projections.files import BuildFiles
from eventsourcing_sqlite._projections.registry import (
    ENTRIES,
    Entry,
    Registry,
    entry_of,
    only,
)
from eventsourcing_sqlite._projections.segments import SEGMENTS, replace_segments, segments_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    import aiosqlite

    from eventsourcing_core.stores import Arrangement, Build, Segment, Worker
    from eventsourcing_sqlite._database import SqliteDatabase

T = TypeVar("T")

_MOMENT = 0.05  # seconds that a plan waits for an open batch; appends wait meanwhile


class Builds:
    """Finds builds and their files, and changes who works on them.

    Args:
        database: The store's file.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database
        """The store's file."""
        self.registry = Registry(database)
        """What it knows."""
        self.files = BuildFiles(database)
        """The files beside it."""

    async def fetch(
        self, build: Build, sql: str, parameters: Mapping[str, object]
    ) -> list[tuple[Any, ...]]:
        """Read from the file of a build with one statement.

        Raises:
            ProjectionError: The build is not registered, or is dropped meanwhile.
            StorageError: See ``SqliteDatabase.fetch``.
        """
        return await self.fetch_from(await self.registry.entry(build), sql, parameters)

    async def fetch_from(
        self, entry: Entry, sql: str, parameters: Mapping[str, object]
    ) -> list[tuple[Any, ...]]:
        """Read from the file of a build, and of no later one of the same name and version."""
        return await self._on_file(entry, lambda file: file.fetch(sql, parameters))

    async def write(
        self,
        build: Build,
        work: Callable[[sqlite3.Connection], T],
        *,
        patience: float | None = None,
    ) -> T:
        """Write to the file of a build.

        Raises:
            ProjectionError: As for ``fetch``.
            StorageError: See ``SqliteDatabase.write``.
        """
        entry = await self.registry.entry(build)
        return await self._on_file(entry, lambda file: file.write(work, patience=patience))

    async def file_of(self, build: Build) -> SqliteDatabase:
        """Give the file of a build, open."""
        return await self.files.file_of(await self.registry.entry(build))

    async def is_gone(self, entry: Entry) -> bool:
        """Tell whether a build was dropped since; then its file is closed here."""
        if any(each.file_id == entry.file_id for each in await self.registry.entries(*entry.build)):
            return False
        await self.files.close(entry.build)
        return True

    async def segments(self, build: Build) -> Sequence[Segment]:
        """Give the segments of a build."""
        return (await self.arrangement(build)).segments

    async def arrangement(self, build: Build) -> Arrangement:
        """See ``ProjectionStore.arrangement``."""
        return await self._arrangement_of(await self.registry.entry(build))

    async def beat(
        self,
        build: Build,
        worker: Worker,
        lease: float,
        plan: Callable[[Arrangement], Plan],
    ) -> Arrangement:
        """See ``ProjectionStore.beat``: renew at once, and hold the lock only to carry a plan out.

        Most plans are empty. One that is not is made anew under the lock, if somebody has changed
        the arrangement in between.
        """
        entry = await self.database.write(
            partial(registry.renew, build=build, worker=worker, lease=lease)
        )
        there = await self._arrangement_of(entry)
        answer = plan(there)
        if answer == Plan():
            return there
        rearranged(there, worker.owner, answer)  # refuses what fits nothing

        async with self.database.transaction() as connection:
            entries = await self.entries_inside(connection, build.name)
            entry = only([each for each in entries if each.build == build], build)
            now = await self._arrangement_of(entry)
            if _who(now) != _who(there):
                answer = plan(now)
            if not await self._carried_out(connection, worker.owner, now, answer):
                return now
        return await self.arrangement(build)

    async def entries_inside(self, connection: aiosqlite.Connection, name: str) -> list[Entry]:
        """Give the builds of a name as a transaction of the store's file sees them."""
        rows = await fetch_tuples(connection, ENTRIES, {"name": name, "version": None})
        return [*map(entry_of, rows)]

    async def _arrangement_of(self, entry: Entry) -> Arrangement:
        return entry.arrangement(segments_of(await self.fetch_from(entry, SEGMENTS, {})))

    async def _on_file(self, entry: Entry, use: Callable[[SqliteDatabase], Awaitable[T]]) -> T:
        try:
            return await use(await self.files.file_of(entry))
        except StorageError as error:
            if await self.is_gone(entry):
                raise not_registered(entry.build) from error
            raise

    async def _carried_out(
        self, connection: aiosqlite.Connection, owner: str, now: Arrangement, plan: Plan
    ) -> bool:
        build = now.record.spec.build

        def changed(there: Sequence[Segment]) -> Sequence[Segment] | None:
            current = now._replace(segments=tuple(there))
            after = _fitting(current, owner, plan) if _who(current) == _who(now) else None
            return None if after is None else after.segments

        after = _fitting(now, owner, plan)
        if after is None:
            return False
        if plan.take or plan.split or plan.merge:
            try:
                done = await self.write(
                    build, partial(replace_segments, change=changed), patience=_MOMENT
                )
            except OutageError:  # a batch is in the way
                return False
            if not done:
                return False
        await in_thread(connection, partial(registry.set_owners, build=build, owners=after.owners))
        return True


def _fitting(there: Arrangement, owner: str, plan: Plan) -> Arrangement | None:
    """Carry a plan out, unless a batch has moved since what it would merge."""
    with suppress(ValueError):
        return rearranged(there, owner, plan)
    return None


def _who(there: Arrangement) -> tuple[object, ...]:
    """Give an arrangement without how far it is."""
    segments = [(segment.low, segment.high, segment.epoch) for segment in there.segments]
    return there.record, segments, there.owners, there.workers
