"""What the stores in a file need of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

T = TypeVar("T")


class Access(Protocol):
    """Reads and writes: a ``SqliteDatabase``, or a transaction in one."""

    async def fetch(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Read with one statement.

        Raises:
            StorageError: The database is closed, or SQLite failed.
        """
        ...

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Write, in the thread of the connection: all that is done is kept, or nothing.

        Raises:
            StorageError: As for ``fetch``.
        """
        ...
