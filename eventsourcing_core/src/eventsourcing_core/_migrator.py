"""Migrators: bring the schema of a store up to date, or take it back, whatever the backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from eventsourcing_core._opening import Opening, scheme_of
from eventsourcing_core._options import gathered_options
from eventsourcing_core._registry import backend_of, find_migrator

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager


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


def open_migrator(url: str, **options: object) -> AbstractAsyncContextManager[Migrator]:
    """Open the migrator of a URL; leaving the ``async with`` block closes it.

    It takes the URL of the application as it is: an option that only the backend of that scheme
    knows is passed over. ::

        async with open_migrator("postgresql://localhost/bank?schema=bank") as migrator:
            await migrator.migrate()

    Args:
        url: ``scheme://…``, as ``open_backend`` takes it; query parameters are options.
        options: The migrator's own options; they win over those of the URL.

    Raises:
        UnknownPluginError: Nothing installed offers the scheme, or its backend has no schema.
        PluginError: The plugin that does is broken, or two offer it.
        ValueError: The text is no URL, or an option does not exist or has no such value.
        TypeError: A keyword option is of another type.
        StorageError: On entering the block: the storage cannot be reached.
    """
    scheme = scheme_of(url)
    factory = find_migrator(scheme)
    given = gathered_options(factory, url, options, beside=backend_of(scheme))
    return Opening(factory(url.partition("?")[0], **given), "migrator")


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
        message = f"to must be an int, got {to!r}"
        raise TypeError(message)
    if not 0 <= to <= applied:
        message = f"to must be 0 to {applied}, the last migration applied; got {to}"
        raise ValueError(message)
