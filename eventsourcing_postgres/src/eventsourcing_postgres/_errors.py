"""The driver's errors, as ours: each says what failed, and what mends it."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from socket import gaierror
from typing import TYPE_CHECKING

import asyncpg

from eventsourcing_core import SchemaError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MISSING = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.UndefinedColumnError,
)
_HELD = (asyncpg.LockNotAvailableError,)
_HOLDER = (
    "another transaction holds the stream (it has appended with connection=… and not ended; "
    "appenders() tells which) or the tables"
)
HELD = f"append failed: {_HOLDER}"
"""What the caller of such an append is told in the end."""
_EVENT_ID = "events_event_id"  # the constraint; the other ones do not fail in a store that is whole
_MIGRATING = {"migrate", "rollback"}
_PASSING = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)
_OUTAGES = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that is lost at some moments ends in it
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    *_MISSING,
)
DRIVER = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    OverflowError,  # a port that is no port
)
"""What the driver raises."""


@contextmanager
def translated(doing: str, schema: str) -> Iterator[None]:
    """Raise what the driver raises as a ``StorageError`` (or ``SchemaError``) that says so."""
    try:
        yield
    except DRIVER as error:
        raise translation(error, doing, schema) from error


def translation(error: Exception, doing: str, schema: str) -> StorageError:
    """Give our error for one of ``DRIVER``, to be raised from it."""
    if isinstance(error, _MISSING):
        return SchemaError(
            f"{doing} failed: the schema {schema!r} has no tables of this version ({error}); "
            f"run: {migrate_command(schema)}"
        )
    if isinstance(error, _HELD) and doing in {"append", "import"}:
        return StorageError(f"{doing} failed: {_HOLDER}")
    if isinstance(error, asyncpg.UniqueViolationError) and error.constraint_name != _EVENT_ID:
        said = (
            f"the tables do not go with each other ({error}), as after restoring a part of them; "
            "if only the sequence events_position is behind, set it to the highest position"
        )
    elif isinstance(error, TimeoutError):
        said = str(error) or (
            "no connection in time, or no answer: the pool is exhausted, or the server away"
        )
    elif isinstance(error, asyncpg.InsufficientPrivilegeError) and doing in _MIGRATING:
        said = (
            f"{error}; migrate as the owner of the schema {schema!r}, or make one who may: "
            "grant create on database …"
        )
    elif isinstance(error, asyncpg.InsufficientPrivilegeError):
        said = (
            f"{error}; grant the user usage on the schema {schema!r}, and on its tables and its "
            "sequence the rights that docs/reference/postgresql.md lists under Rights"
        )
    else:
        said = f"{type(error).__name__}: {error}{_cure(error)}"
    return StorageError(f"{doing} failed: {said}")


def _cure(error: Exception) -> str:
    match error:
        case asyncpg.InvalidCatalogNameError():
            return "; make it with createdb, or correct the name in the URL"
        case ConnectionRefusedError() | FileNotFoundError():
            return "; nothing listens there: start the server, or correct host and port in the URL"
        case gaierror():
            return "; the host in the URL has no address"
        case _:
            return ""


def migrate_command(schema: str) -> str:
    """Give the command that makes or mends a schema, as a shell takes it."""
    return f"python -m eventsourcing_postgres migrate --schema {shlex.quote(schema)} URL"


def is_outage(error: Exception) -> bool:
    """Tell whether an error would meet any append: the connection, the server, the schema."""
    is_own = isinstance(error.__cause__, asyncpg.QueryCanceledError)  # one that took too long
    return isinstance(error.__cause__, _OUTAGES) and not is_own


class BusyStreamError(StorageError):
    """Another transaction is at work on the stream: the append may succeed when that ends."""


def is_held(error: Exception) -> bool:
    """Tell whether another transaction is at work on the stream."""
    return isinstance(error.__cause__, _HELD) or isinstance(error, BusyStreamError)


def is_passing(error: Exception) -> bool:
    """Tell whether the same transaction can succeed when it is tried again."""
    return isinstance(error.__cause__, _PASSING)


def is_duplicate(error: Exception) -> bool:
    """Tell whether an event id is in the store already."""
    cause = error.__cause__
    return isinstance(cause, asyncpg.UniqueViolationError) and cause.constraint_name == _EVENT_ID
