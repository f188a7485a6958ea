"""What is asked of SQLite while a test runs."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiosqlite
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from eventsourcing_sqlite import SqliteDatabase


class Trace:
    """What is asked of SQLite while the block runs."""

    def __init__(self) -> None:
        self.errands = 0
        """Calls to the threads of the connections."""
        self.statements: list[str] = []
        """The statements of the writing connection, in capital letters."""

    def commits(self) -> int:
        return self.statements.count("COMMIT")


@asynccontextmanager
async def traced(database: SqliteDatabase) -> AsyncIterator[Trace]:
    trace = Trace()
    connection_class: Any = aiosqlite.Connection  # some of its hints are incomplete
    writer: Any = database._writer
    execute = connection_class._execute

    async def counting(self: object, *args: object, **kwargs: object) -> object:
        trace.errands += 1
        return await execute(self, *args, **kwargs)

    def note(sql: str) -> None:
        trace.statements.append(sql.upper())

    await writer.set_trace_callback(note)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aiosqlite.Connection, "_execute", counting)
        yield trace
    await writer.set_trace_callback(None)
