"""What is said of snapshots that were not used, or not taken, since neither is an error."""

from __future__ import annotations

import logging
from asyncio import CancelledError, current_task
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from eventsourcing_core._errors import EventSourcingError, SnapshotError

if TYPE_CHECKING:
    from eventsourcing_core._aggregate import Aggregate

logger = logging.getLogger("eventsourcing_core.snapshots")

_warned: WeakKeyDictionary[type, set[str]] = WeakKeyDictionary()
"""What was said of classes whose state cannot be stored."""

_MOST_WARNINGS = 20
"""How much is said of one class: messages quote values, of which there is no end."""


class OutdatedError(Exception):
    """A snapshot is of another class, or of another layout: so it is after every change of one.

    It is never seen outside.
    """


def raise_if_cancelled(error: BaseException) -> None:
    """Let through what cancels this task, and not what a store's own task was cancelled by."""
    task = current_task()
    if isinstance(error, CancelledError) and (task is None or task.cancelling()):
        raise error


def log_unused(aggregate: Aggregate, error: BaseException) -> None:
    """Say why a snapshot was not used."""
    level = logging.INFO if isinstance(error, OutdatedError) else logging.WARNING
    logger.log(level, "%s: all events are replayed, since %s", aggregate.stream_id, said_of(error))


def log_untaken(aggregate: Aggregate, version: int, error: BaseException) -> None:
    """Say why none was taken."""
    level = logging.WARNING
    if isinstance(error, SnapshotError):  # the class's own fault: said once, else it never ends
        warned = _warned.setdefault(type(aggregate), set())
        if str(error) in warned or len(warned) == _MOST_WARNINGS:
            level = logging.DEBUG
        else:
            warned.add(str(error))
    message = "%s: no snapshot was taken at version %d, since %s"
    logger.log(level, message, aggregate.stream_id, version, said_of(error))


def said_of(error: BaseException) -> str:
    """Give what an error says, and its class if it is not of this library."""
    if isinstance(error, EventSourcingError | OutdatedError):
        return str(error)
    return f"{type(error).__name__}: {error}"
