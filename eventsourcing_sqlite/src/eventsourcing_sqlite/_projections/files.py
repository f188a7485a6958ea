"""The files of builds that are open: each when it is first needed, all closed in the end."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, NamedTuple

from eventsourcing_core.stores import ProjectionError, StorageError
from eventsourcing_sqlite._database import SqliteDatabase
from eventsourcing_sqlite._projections.making import check_file, is_missing

if TYPE_CHECKING:
    from pathlib import Path

    from eventsourcing_core.stores import Build
    from eventsourcing_sqlite._projections.registry import Entry


class _Opened(NamedTuple):
    file_id: bytes
    file: SqliteDatabase
    closing: AsyncExitStack


class BuildFiles:
    """Opens files of builds, two connections for each, and closes them before the store's.

    Args:
        database: The store's file. The others are in its folder.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        # SQLite follows a link, too, and keeps its own files there.
        self.store: Path = database.path.resolve()
        """The store's file, without links."""
        self._opened: dict[Build, _Opened] = {}
        self._turn = asyncio.Lock()
        self._is_closed = False
        database.before_closing(self._close)

    def path_of(self, entry: Entry) -> Path:
        """Give the path of the file of a build."""
        return self.store.parent / entry.file

    async def file_of(self, entry: Entry) -> SqliteDatabase:
        """Give the file of a build, open.

        Raises:
            ProjectionError: It is not there, or is another one.
            StorageError: It cannot be opened.
        """
        there = self._opened.get(entry.build)
        if there is not None and there.file_id == entry.file_id:
            return there.file
        async with self._turn:
            there = self._opened.get(entry.build)
            if there is None or there.file_id != entry.file_id:
                await self._forget(entry.build)  # it was dropped, and made anew since
                self._opened[entry.build] = there = await self._open(entry)
            return there.file

    async def close(self, build: Build) -> None:
        """Close the file of a build, if it is open."""
        async with self._turn:
            await self._forget(build)

    async def _open(self, entry: Entry) -> _Opened:
        if self._is_closed:
            message = f"the store is closed: {str(self.store)!r}"
            raise StorageError(message)
        path = self.path_of(entry)
        if is_missing(path):
            message = (
                f"the file {str(path)!r} of {entry.build}, is missing: put it back, or drop "
                "that version and let it be built again"
            )
            raise ProjectionError(message)
        async with AsyncExitStack() as opening:
            file = await opening.enter_async_context(
                SqliteDatabase.open_prepared(
                    path,
                    lambda writer: check_file(writer, path, entry),
                    may_make=False,
                    busy_timeout=self._database.busy_timeout,
                    poll_interval=self._database.poll_interval,
                )
            )
            return _Opened(entry.file_id, file, opening.pop_all())

    async def _forget(self, build: Build) -> None:
        there = self._opened.pop(build, None)
        if there is not None:
            await there.closing.aclose()

    async def _close(self) -> None:
        async with self._turn, AsyncExitStack() as all_of_them:
            self._is_closed = True
            for there in self._opened.values():
                all_of_them.push_async_callback(there.closing.aclose)
            self._opened.clear()
