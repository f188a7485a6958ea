"""Short transactions on the registry, and the locks that they take.

Whoever fences a build locks its segments first, which waits for the batches that have them, and
then its row of the registry. Whoever beats locks the row first, and then does not wait long for
segments. So renewals wait for no batch, and of two that wait for each other the beat gives way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from eventsourcing_core.stores import not_registered
from eventsourcing_postgres._connections import fetch_on, transacted
from eventsourcing_postgres._projections._records import arrangement_of, record_of
from eventsourcing_postgres._statements import statement

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from eventsourcing_core.stores import Arrangement, Build, BuildRecord
    from eventsourcing_postgres._database import Database
    from eventsourcing_postgres._pool import Connection

T = TypeVar("T")

SILENCE = 5_000
"""Milliseconds that a process may be silent in such a transaction: then the server ends it."""
PATIENCE = 20_000
"""Milliseconds that it waits for what somebody's batch has locked."""


class Session:
    """A transaction that is open, at READ COMMITTED.

    Args:
        connection: Where it is open.
        schema: The store's schema.
    """

    def __init__(self, connection: Connection, schema: str) -> None:
        self.connection = connection
        """Where it is open."""
        self.schema = schema
        """The store's."""

    async def run(self, name: str, *arguments: Any) -> list[Any]:
        """Run a statement of a file in ``sql/projections``."""
        sql = statement(f"projections/{name}", self.schema)
        return await fetch_on(self.connection, sql, *arguments)

    async def arrangement(self, build: Build) -> Arrangement:
        """Give who works on what.

        Raises:
            ProjectionError: The build is not registered.
        """
        rows = await self.run("arrangement", *build)
        if not rows:
            raise not_registered(build)
        return arrangement_of(rows[0])

    async def lock(self, build: Build) -> BuildRecord:
        """Lock the row of a build in the registry.

        Raises:
            ProjectionError: The build is not registered.
        """
        rows = await self.run("lock_builds", *build)
        if not rows:
            raise not_registered(build)
        return record_of(rows[0])

    async def lock_all(self, build: Build) -> BuildRecord:
        """Lock a build with its segments: its batches have ended then, and no others begin.

        Raises:
            ProjectionError: The build is not registered.
        """
        await self.run("lock_segments", *build, None)
        return await self.lock(build)

    async def fence(self, build: Build) -> None:
        """Take all claims off a build that is locked with its segments, and raise all epochs."""
        await self.run("unclaim", *build, None)
        await self.run("raise_epochs", *build)


async def in_session(database: Database, doing: str, work: Callable[[Session], Awaitable[T]]) -> T:
    """Do some work in a transaction of its own."""

    async def transact(connection: Connection) -> T:
        async with transacted(connection, isolation="read_committed"):
            session = Session(connection, database.schema)
            await session.run("limits", SILENCE, PATIENCE)
            return await work(session)

    database.check_usable()
    return await database.use(doing, transact)
