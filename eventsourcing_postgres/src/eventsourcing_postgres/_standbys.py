"""Commits that wait for a synchronous standby, and what would be confirmed without one.

PostgreSQL commits where the event was written, and then waits for the standby. So while no standby
is there, an event can be stored that a failover would lose:

- A statement that finds it, such as the repetition of an append, waits for nobody. What is found is
  confirmed only after a commit of our own, which waits as the first one did.
- Who ends the wait in the server gets an answer as if all were well, and a warning before it.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVarTuple

import asyncpg

from eventsourcing_core.stores import Written
from eventsourcing_postgres._errors import unconfirmed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from eventsourcing_core.stores import Verdict
    from eventsourcing_postgres._pool import Connection

Args = TypeVarTuple("Args")

_SOURCE = "syncrep.c"
"""Where the server warns that it waits no longer; a user's triggers may warn, too."""
_COMMIT = "select pg_logical_emit_message(true, 'eventsourcing', '')"
"""Makes a transaction wait when it commits: it writes to the log, and nothing else."""


class Standbys:
    """Knows whether commits wait for a standby, and sees to it that what is confirmed did.

    The server says so with each append. It is no setting of ours, and may change at any time.
    """

    def __init__(self) -> None:
        self.are_awaited = False
        """Whether commits waited when the server was last asked."""

    async def confirmed(
        self,
        connection: Connection,
        work: Callable[[Connection, *Args], Awaitable[Sequence[Verdict]]],
        *args: *Args,
    ) -> Sequence[Verdict]:
        """Write on a connection; whatever is confirmed has reached a standby, if one is awaited.

        Raises:
            OutageError: The server gave up waiting for a standby.
        """
        was_heeded = self.are_awaited
        if was_heeded:
            with heeding_warnings(connection, "append"):
                verdicts = await work(connection, *args)
        else:
            verdicts = await work(connection, *args)

        if self.are_awaited and any(
            isinstance(verdict, Written) and not (was_heeded and verdict.count)
            for verdict in verdicts
        ):
            with heeding_warnings(connection, "append"):
                await connection.execute(_COMMIT)
        return verdicts

    async def make_commit_wait(self, connection: Connection, verdict: Verdict) -> None:
        """Make the commit of an open transaction wait, which may have found events only."""
        if self.are_awaited and isinstance(verdict, Written) and not verdict.count:
            await connection.execute(_COMMIT)


@contextmanager
def heeding_warnings(connection: Connection, doing: str) -> Iterator[None]:
    """Raise an ``OutageError`` where a commit in the block was not waited for."""
    unheeded: list[object] = []

    def note(_: object, message: asyncpg.PostgresLogMessage) -> None:
        if getattr(message, "server_source_filename", None) == _SOURCE:
            unheeded.append(message)

    connection.add_log_listener(note)  # it hears before the statement's own caller does
    try:
        yield
    finally:
        with suppress(asyncpg.InterfaceError):  # it is lost: what was first is to be told
            connection.remove_log_listener(note)
    if unheeded:
        raise unconfirmed(doing)
