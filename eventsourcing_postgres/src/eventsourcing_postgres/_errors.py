"""The driver's errors, as ours: each says what failed, and what mends it."""

from __future__ import annotations

import re
import shlex
from contextlib import contextmanager
from socket import gaierror
from typing import TYPE_CHECKING

import asyncpg

from eventsourcing_core import InlineMismatchError, SchemaError
from eventsourcing_core.stores import OutageError, StorageError, StreamHeldError

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
    "another transaction holds the stream, or what a condition is about (it has appended inside a "
    "transaction of its own and has not ended; appenders() tells which), or it has locked the "
    "tables; it may be an earlier try of "
    "this append, whose commit waits for a standby: repeat it with the same events"
)
_MOVED = "another append to the same stream ended at the same moment: repeat this one"
_EVENT_ID = "events_event_id"  # the constraint; the other ones do not fail in a store that is whole
_MISMATCH = "ESI01"
"""What the trigger of the events raises, by a function of migration 6."""
_TOO_ISOLATED = "ESB01"
"""What the function ``check_isolation_v1`` raises."""
_DETAIL = re.compile(r'wanted "(.*)", given "(.*)"')
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
    if isinstance(error, asyncpg.DuplicateTableError) and doing == "migrate":
        return SchemaError(
            f"{doing} failed: the schema {schema!r} has its tables already ({error}), and nothing "
            "in schema_migrations says so: they were restored without their rows, or made by "
            "somebody else; restore the rows, too, or drop the schema if nothing is in it"
        )
    if isinstance(error, asyncpg.PostgresError) and error.sqlstate == _MISMATCH:
        match = _DETAIL.fullmatch(error.detail or "")
        return InlineMismatchError(*(match.groups() if match else ("", "")))
    if isinstance(error, _HELD) and doing in {"append", "import"}:
        return held(doing)
    if isinstance(error, asyncpg.UniqueViolationError) and error.constraint_name != _EVENT_ID:
        said = (
            f"the tables do not go with each other ({error}), as after restoring a part of them; "
            "if only the sequence events_position is behind, set it to the highest position"
        )
    elif isinstance(error, asyncpg.InternalClientError):
        said = (
            f"the connection was lost at a moment that the driver does not expect ({error}): "
            "repeat what was asked, it may have been done"
        )
    elif isinstance(error, TimeoutError):
        said = str(error) or (
            "no connection in time, or no answer: the pool is exhausted, the server away, or the "
            "command_timeout of a pool of your own over, which is better left out"
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
    kind = OutageError if is_outage(error) else StorageError
    return kind(f"{doing} failed: {said}")


def translation_inside(error: Exception, doing: str, schema: str) -> StorageError:
    """Give our error for one of ``DRIVER`` that ended an append inside a transaction."""
    match error:
        case asyncpg.DeadlockDetectedError():
            return StorageError(
                f"{doing} failed: two transactions waited for each other's streams or tags (a "
                "deadlock), and the server chose this one to give way: run the whole transaction "
                "again, and let all of them append in one order, such as by id, or at once, by "
                "append_together"
            )
        case asyncpg.SerializationError():
            return StorageError(
                f"{doing} failed: another transaction has changed what this one relies on since it "
                "began (its isolation level is REPEATABLE READ or SERIALIZABLE): run the whole "
                "transaction again"
            )
        case _:
            return translation(error, doing, schema)


def commit_failure(error: Exception) -> StorageError:
    """Give our error for one of ``DRIVER`` that ended a commit."""
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, _PASSING):
        return StorageError(
            f"commit refused, nothing was stored: {said}: run the whole transaction again"
        )
    if isinstance(error, asyncpg.PostgresError) and not isinstance(error, _OUTAGES):
        return StorageError(f"commit refused, nothing was stored: {said}")
    return OutageError(
        f"commit failed, and whether it took place is not known ({said}): load again what the "
        "transaction was about before you repeat it"
    )


def lost(doing: str) -> OutageError:
    """Give the error for a transaction whose connection was lost before it was committed."""
    return OutageError(
        f"{doing} failed: the connection was lost while the transaction was open, so nothing of it "
        "is stored: run the whole transaction again; if it was idle for long, the server may have "
        "ended it by idle_in_transaction_session_timeout"
    )


def unconfirmed(doing: str) -> OutageError:
    """Give the error for a commit that the server stopped waiting for, with a warning."""
    return OutageError(
        f"{doing} is not confirmed: the server was told to wait no longer for its synchronous "
        "standby; what was written is stored there, and a failover may lose it: repeat the same, "
        "which is confirmed once a standby has it"
    )


def unseen(doing: str) -> StorageError:
    """Give the error for an event id that is taken by an event which the transaction cannot see."""
    return StorageError(
        f"{doing} failed: an event id is taken by an event that was stored after this transaction "
        "began, and that it cannot see at its isolation level: run the whole transaction again"
    )


def exhausted(seconds: float, size: int) -> TimeoutError:
    """Give the error for a pool that had no connection."""
    return TimeoutError(
        f"no connection in time: all {size} connections of the pool were in use for {seconds:g} "
        "seconds. Whoever holds one in a transaction and reads without it needs a second one: read "
        "by backend.transaction(), end transactions sooner, or take a larger pool"
    )


def held(doing: str) -> StreamHeldError:
    """Give the error for an append to a stream that another transaction holds."""
    return StreamHeldError(f"{doing} failed: {_HOLDER}")


def moved(doing: str) -> StreamHeldError:
    """Give the error for an append that did not fit a moment ago, and would fit now."""
    return StreamHeldError(f"{doing} failed: {_MOVED}")


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
    """Tell whether an error would meet any append: the connection, the server."""
    is_own = isinstance(error, asyncpg.QueryCanceledError)  # one that took too long
    return isinstance(error, _OUTAGES) and not is_own


def is_too_isolated(error: Exception) -> bool:
    """Tell whether something failed that would not at READ COMMITTED."""
    if isinstance(error, asyncpg.PostgresError) and error.sqlstate == _TOO_ISOLATED:
        return True
    return isinstance(error, asyncpg.SerializationError)


def is_passing(error: Exception) -> bool:
    """Tell whether the same transaction can succeed when it is tried again."""
    return isinstance(error.__cause__, _PASSING)


def is_duplicate(error: Exception) -> bool:
    """Tell whether an event id is in the store already."""
    cause = error.__cause__
    return isinstance(cause, asyncpg.UniqueViolationError) and cause.constraint_name == _EVENT_ID
