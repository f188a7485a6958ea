"""Making views inline, and letting them follow again, while the store's file is locked.

What is inline is in the store's file, and what follows in a file of its own. Values are copied from
one to the other. No commit spans both, and none has to: what counts is the store's file. On the way
there the view's own file is only fenced. On the way back that one is complete before the commit;
after a crash in between the view is inline as before, and the next change writes the file anew.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from eventsourcing_core import Checkpoint
from eventsourcing_core.stores import (
    Progress,
    ProjectionKind,
    RowQuery,
    inline_text,
    not_registered,
)
from eventsourcing_sqlite._all_pages import pages_of_all
from eventsourcing_sqlite._connection import in_thread
from eventsourcing_sqlite._inline import SqliteInlineBatch, inline_set, put_values
from eventsourcing_sqlite._inside import Inside
from eventsourcing_sqlite._projections import parked, registry, views
from eventsourcing_sqlite._projections.segments import raise_epochs, rewind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Mapping, Sequence

    from eventsourcing_core.stores import Build, BuildRecord, InlineHandlers, Row, Segment
    from eventsourcing_sqlite._inline import SqliteInline
    from eventsourcing_sqlite._projections.builds import Builds
    from eventsourcing_sqlite._projections.registry import Entry

_ALL = 'SELECT key, value FROM "view"'
_ALL_INLINE = "SELECT key, value FROM inline_values WHERE name = :name AND version = :version"
_CLEAR_INLINE = "DELETE FROM inline_values WHERE name = :name AND version = :version"
_LAST = "SELECT position, event_id FROM events ORDER BY position DESC LIMIT 1"


class SqliteInlining:
    """Applies views inside appends; see ``Inlining``.

    Args:
        builds: The builds.
        inline: What appends apply.
    """

    kinds: frozenset[ProjectionKind] = frozenset({ProjectionKind.VIEW})
    """Tables of the user's are in a file of their own, which no commit shares with the events."""

    def __init__(self, builds: Builds, inline: SqliteInline) -> None:
        self._builds = builds
        self._inline = inline

    def install(self, handlers: InlineHandlers) -> None:
        """Take what is to be applied; see ``Inlining.install``."""
        self._inline.install(handlers)

    @asynccontextmanager
    async def change(self, build: Build, *, to_inline: bool) -> AsyncIterator[SqliteInlineChange]:
        """Change what is inline; see ``Inlining.change``."""
        builds = self._builds
        await builds.write(build, raise_epochs)  # it waits for its batch, and appends do not
        async with builds.database.transaction() as connection:
            inside = Inside(builds.database, connection)
            entries = await builds.entries_inside(connection, build.name)
            entry = next((each for each in entries if each.build == build), None)
            if entry is None:
                raise not_registered(build)
            segments = await builds.write(build, raise_epochs)
            await in_thread(connection, partial(registry.set_owners, build=build, owners={}))
            if entry.record.inline_from is None:
                values = dict(await builds.fetch_from(entry, _ALL, {}))
                await inside.write(partial(_fill, build=build, values=values))

            change = SqliteInlineChange(entry, segments, inside)
            change.has_parked = bool(await builds.fetch_from(entry, parked.COUNT_PARKED, {}))
            yield change
            progress = await _last_progress(inside)
            if not to_inline:
                values = dict(await inside.fetch(_ALL_INLINE, build._asdict()))
                await builds.write(build, partial(_refill, values=values, progress=progress))
            inline_from = progress.position if to_inline else None
            await inside.write(partial(_note, build=build, inline_from=inline_from))


class SqliteInlineChange:
    """The moment of a change; see ``InlineChange``."""

    def __init__(self, entry: Entry, segments: Sequence[Segment], inside: Inside) -> None:
        self.record: BuildRecord = entry.record
        """What is stored of the build."""
        self.segments: Sequence[Segment] = segments
        """How far it is."""
        self.has_parked: bool = False
        """Whether keys are parked."""
        self.batch: SqliteInlineBatch = SqliteInlineBatch(inside, entry.build)
        """What it is written with."""
        self._inside = inside

    async def rows(self, after: int) -> AsyncIterator[Sequence[Row]]:
        """Give what is left to be applied; see ``InlineChange.rows``."""
        pages = pages_of_all(self._inside.fetch, after, RowQuery(), backward=False, limit=None)
        async for page in pages:
            yield page.rows


async def _last_progress(inside: Inside) -> Progress:
    for position, event_id in await inside.fetch(_LAST, {}):
        return Progress(position, Checkpoint(position, UUID(bytes=event_id)))
    return Progress(0, None)


def _fill(connection: sqlite3.Connection, build: Build, values: Mapping[str, str]) -> None:
    connection.execute(_CLEAR_INLINE, build._asdict())
    put_values(connection, build, values)


def _refill(connection: sqlite3.Connection, values: Mapping[str, str], progress: Progress) -> None:
    """Write the file of a view anew; run in its thread."""
    connection.execute('DELETE FROM "view"')
    views.put(connection, values)
    rewind(connection, progress)


def _note(connection: sqlite3.Connection, build: Build, inline_from: int | None) -> None:
    """Let a view be inline or not, and the trigger ask for what is; run in the thread."""
    registry.change(connection, build, inline_from=inline_from)
    if inline_from is None:
        connection.execute(_CLEAR_INLINE, build._asdict())
    connection.execute("DROP TRIGGER IF EXISTS events_inline")
    wanted = inline_text(inline_set(connection))
    if wanted:
        # The function is ours: another program does not have it, and so is refused, too.
        connection.execute(
            "CREATE TRIGGER events_inline BEFORE INSERT ON events "
            f"WHEN eventsourcing_inline() <> '{wanted}' "
            f"BEGIN SELECT raise(ABORT, 'eventsourcing inline: {wanted}'); END"
        )
