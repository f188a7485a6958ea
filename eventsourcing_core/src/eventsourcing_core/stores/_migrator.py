"""Migrators: bring the schema of a store up to date, or take it back, whatever the backend."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

from eventsourcing_core._errors import shown


class MigrationStatus(NamedTuple):
    """How far a schema is."""

    applied: int
    """The number of the last migration that was applied; 0: none."""
    latest: int
    """The number of the last one that this version of the library knows."""


@runtime_checkable
class Migrator(Protocol):
    """Moves the schema of one store: its tables, and what else the backend keeps there.

    ``open_migrator`` gives one by URL. Offered by the backends that have a schema;
    ``eventsourcing_core.testing.MigratorContract`` holds each of them to what is said here.
    """

    async def status(self) -> MigrationStatus:
        """Tell how far the schema is, and change nothing.

        Raises:
            StorageError: The storage cannot be asked.
        """
        ...

    async def migrate(self) -> MigrationStatus:
        """Apply the migrations that are missing, all or none.

        Several processes may do so at once: one does the work.

        Raises:
            SchemaError: The schema was made by a newer version of the library.
            StorageError: The storage refuses; nothing is changed then.
        """
        ...

    async def rollback(self, *, to: int) -> MigrationStatus:
        """Take migrations back, all or none, down to a number; 0 drops every event.

        Raises:
            ValueError: ``to`` is negative, or above what is applied.
            SchemaError: The schema was made by a newer version of the library.
            StorageError: The storage refuses; nothing is changed then.
        """
        ...


def check_rollback(*, to: int, applied: int) -> None:
    """Check the argument of ``Migrator.rollback``; for migrators.

    Args:
        to: What the caller gave.
        applied: The number of the last migration that was applied.

    Raises:
        ValueError: ``to`` is negative, or above what is applied.
        TypeError: It is no ``int``.
    """
    if type(to) is not int:
        message = f"to must be an int, got {shown(to)}"
        raise TypeError(message)
    if not 0 <= to <= applied:
        message = f"to must be 0 to {applied}, the last migration applied; got {shown(to)}"
        raise ValueError(message)
