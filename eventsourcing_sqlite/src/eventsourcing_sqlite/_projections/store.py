"""The projection store in an SQLite file, and in the files of builds beside it."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from eventsourcing_core.stores import ProjectionError, ProjectionKind, StorageError, still_live
from eventsourcing_sqlite._projections import parked, registry, switching, views
from eventsourcing_sqlite._projections.batch import opened_batch
from eventsourcing_sqlite._projections.builds import Builds
from eventsourcing_sqlite._projections.making import remove_file
from eventsourcing_sqlite._projections.registration import register
from eventsourcing_sqlite._projections.segments import raise_epochs, rewind
from eventsourcing_sqlite._statements import statement

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from eventsourcing_core.stores import (
        Arrangement,
        Batch,
        Build,
        BuildRecord,
        BuildSpec,
        Move,
        ParkedKey,
        Plan,
        Progress,
        Segment,
        Wish,
        Worker,
    )
    from eventsourcing_sqlite._database import SqliteDatabase
    from eventsourcing_sqlite._projections.registry import Entry

_HAS_WORK = statement("projections/has_work")


class SqliteProjectionStore:
    """Keeps builds: what is known of them in a file, and each in a file of its own beside it.

    See ``ProjectionStore`` for its methods. Version 2 of ``balances`` in ``events.db`` is in
    ``events.db.balances-v2``; the folder may be moved as a whole, while nobody has it open. A file
    has one writer at a time, so processes that work on the same build take turns: a batch waits for
    another process's for the ``busy_timeout`` of the database. SQLite cannot end a transaction of a
    process that is stopped: end that process.

    Args:
        database: The store's file.
        builds: The builds in it, if they are used elsewhere, too.
    """

    def __init__(self, database: SqliteDatabase, builds: Builds | None = None) -> None:
        self._database = database
        self._builds = builds or Builds(database)

    async def register(
        self,
        spec: BuildSpec,
        *,
        segments: int,
        start: Progress,
        create: Callable[[Any], Awaitable[None]] | None,
    ) -> BuildRecord:
        """Make a build or find it; see ``ProjectionStore.register``.

        ``create`` is given an ``aiosqlite.Connection``.
        """
        return await register(self._builds, spec, segments=segments, start=start, create=create)

    async def builds(self) -> Sequence[BuildRecord]:
        """Give all builds; see ``ProjectionStore.builds``."""
        return [entry.record for entry in await self._builds.registry.entries()]

    async def arrangement(self, build: Build) -> Arrangement:
        """Give who works on what; see ``ProjectionStore.arrangement``."""
        return await self._builds.arrangement(build)

    async def beat(
        self,
        build: Build,
        worker: Worker,
        lease: float,
        plan: Callable[[Arrangement], Plan],
    ) -> Arrangement:
        """Say that a process is alive; see ``ProjectionStore.beat``."""
        return await self._builds.beat(build, worker, lease, plan)

    async def leave(self, build: Build, owner: str) -> None:
        """Take a worker off; see ``ProjectionStore.leave``."""
        await self._builds.registry.entry(build)
        await self._database.write(partial(registry.leave, build=build, owner=owner))

    async def calls(self) -> frozenset[Build]:
        """Tell which builds have something to do; see ``ProjectionStore.calls``."""
        return frozenset(
            [
                entry.build
                for entry in await self._builds.registry.entries()
                if _may_be_worked_on(entry) and await self._has_work(entry)
            ]
        )

    def batch(
        self,
        build: Build,
        move: Move,
        *,
        lease: float,  # noqa: ARG002 - SQLite cannot end the transaction of another process
    ) -> AbstractAsyncContextManager[Batch]:
        """Open a transaction on the file of a build; see ``ProjectionStore.batch``."""
        return opened_batch(self._builds, build, move)

    async def parked(self, build: Build, *, first: int | None = None) -> Sequence[ParkedKey]:
        """Give parked keys; see ``ProjectionStore.parked``."""
        return await self._parked(build, position=None, rows=-1 if first is None else first)

    async def due(
        self, build: Build, segments: Sequence[Segment], *, first: int
    ) -> Sequence[ParkedKey]:
        """Give the keys to try now; see ``ProjectionStore.due``."""
        bounds = [[segment.low, segment.high] for segment in segments]
        parameters = {"segments": json.dumps(bounds), "rows": first}
        return parked.parked_keys(await self._builds.fetch(build, parked.DUE, parameters))

    async def count_parked(self, build: Build) -> Mapping[int, int]:
        """Count parked keys; see ``ProjectionStore.count_parked``."""
        rows = await self._builds.fetch(build, parked.COUNT_PARKED, {})
        return dict(rows)

    async def parked_at(self, build: Build, position: int) -> Sequence[ParkedKey]:
        """Give the parked keys of an event; see ``ProjectionStore.parked_at``."""
        return await self._parked(build, position=position, rows=-1)

    async def wish(self, build: Build, wish: Wish, key: str | None = None) -> int:
        """Wish something for parked keys; see ``ProjectionStore.wish``."""
        return await self._builds.write(build, partial(parked.set_wish, wish=wish, key=key))

    async def set_paused(self, build: Build, *, paused: bool) -> None:
        """Pause or resume; see ``ProjectionStore.set_paused``."""

        def work(connection: sqlite3.Connection) -> None:
            registry.change(connection, build, is_paused=paused)
            if paused:
                registry.set_owners(connection, build, {})

        await self._database.write(work)
        if paused:
            await self._builds.write(build, raise_epochs)

    async def set_segments(self, build: Build, segments: int) -> None:
        """Say how many segments there are to be; see ``ProjectionStore.set_segments``."""
        await self._database.write(partial(registry.change, build=build, wanted_segments=segments))

    async def rewind(self, build: Build, to: Progress) -> None:
        """Set a build to a progress; see ``ProjectionStore.rewind``."""
        await self._builds.write(build, partial(rewind, to=to))
        await self._database.write(partial(registry.set_owners, build=build, owners={}))

    async def begin_switch(self, build: Build, *, seconds: float) -> Arrangement:
        """Hold the live build; see ``ProjectionStore.begin_switch``."""
        return await switching.begin_switch(self._builds, build, seconds)

    async def finish_switch(self, build: Build, *, copy_progress: bool) -> bool:
        """Make a build live; see ``ProjectionStore.finish_switch``."""
        return await switching.finish_switch(self._builds, build, copy_progress=copy_progress)

    async def cancel_switch(self, name: str) -> None:
        """Let the live build go on; see ``ProjectionStore.cancel_switch``."""
        await switching.cancel_switch(self._builds, name)

    async def drop(self, build: Build) -> None:
        """Forget a build and delete its file; see ``ProjectionStore.drop``.

        A process that has it open meets a ``ProjectionError`` when it next uses it.
        """
        entry = await self._database.write(partial(_forget, build=build))
        await self._builds.files.close(build)
        remove_file(self._builds.files.path_of(entry))

    async def live_values(self, name: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Give values of the live build; see ``ProjectionStore.live_values``."""
        parameters = views.keys_parameter(keys)
        while True:
            live = await self._builds.registry.live(name)
            if live.record.inline_from is not None:
                rows = await self._database.fetch(views.INLINE, {"name": name, **parameters})
                if rows:
                    return {key: value for key, value in rows if key is not None}
                continue  # it has just ceased to be inline
            try:
                return dict(await self._builds.fetch_from(live, views.VALUES, parameters))
            except ProjectionError:
                # Another one may have taken its place since, and it may be dropped already.
                if not await self._builds.is_gone(live):
                    raise

    async def live_pages(
        self, name: str, where: Mapping[str, str]
    ) -> AsyncIterator[Sequence[tuple[str, str]]]:
        """Give keys and values of the live build; see ``ProjectionStore.live_pages``."""
        live = await self._builds.registry.live(name)
        is_inline = live.record.inline_from is not None
        after = ""
        while True:
            page: list[tuple[str, str]] | None = None
            if is_inline:
                page = await self._inline_page(live, where, after)
                is_inline = page is not None
            if page is None:
                sql, parameters = views.page_statement(where, after)
                rows = await self._builds.fetch_from(live, sql, parameters)
                page = [(key, value) for key, value in rows]
            if page:
                yield page
            if len(page) < views.PAGE:
                return
            after = page[-1][0]

    async def _inline_page(
        self, live: Entry, where: Mapping[str, str], after: str
    ) -> list[tuple[str, str]] | None:
        """Give a page of a view that is inline; None if it has just ceased to be."""
        sql, parameters = views.page_statement(where, after, views.INLINE_PAGE)
        rows = await self._database.fetch(sql, {**live.build._asdict(), **parameters})
        return [(key, value) for key, value in rows if key is not None] if rows else None

    async def _parked(self, build: Build, **parameters: int | None) -> list[ParkedKey]:
        rows = await self._builds.fetch(build, parked.PARKED, parameters)
        return parked.parked_keys(rows)

    async def _has_work(self, entry: Entry) -> bool:
        # One that cannot be opened is no reason to keep the others waiting; who uses it is told.
        with suppress(ProjectionError, StorageError):
            file = await self._builds.files.file_of(entry)
            rows = await file.fetch(_HAS_WORK, {"claimed": json.dumps([*entry.owners])})
            return rows == [(1,)]
        return False


def _may_be_worked_on(entry: Entry) -> bool:
    record = entry.record
    is_mute = record.spec.kind is ProjectionKind.REACTOR and not registry.is_live(entry)
    is_inline = record.inline_from is not None
    return not (record.is_paused or record.is_switching or is_mute or is_inline)


def _forget(connection: sqlite3.Connection, build: Build) -> Entry:
    rows = connection.execute(registry.ENTRIES, {"name": build.name, "version": None})
    entries = [registry.entry_of(row) for row in rows.fetchall()]
    entry = registry.only([each for each in entries if each.build == build], build)
    if registry.is_live(entry) and len(entries) > 1:
        raise still_live(build)
    registry.forget(connection, build)
    return entry
