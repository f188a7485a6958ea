"""What is said of snapshots that were not used, or not taken, since neither is an error."""

from __future__ import annotations

import logging
from weakref import WeakKeyDictionary

from eventsourcing_core._errors import SnapshotError, StorageError, said_of

logger = logging.getLogger("eventsourcing_core.snapshots")

_warned: WeakKeyDictionary[type, set[str]] = WeakKeyDictionary()
"""What was said of classes whose state cannot be stored."""

_MOST_WARNINGS = 20
"""How much is said of one class: messages quote values, of which there is no end."""


class OutdatedError(Exception):
    """A snapshot is of another class, or of another layout: so it is after every change of one.

    It is never seen outside.
    """


class Availability:
    """Whether a snapshot store answers: that it does not is said once, and that it does again.

    In an outage every load and save meets it: the log would hold nothing else.
    """

    def __init__(self) -> None:
        self._is_away = False

    def note_answer(self) -> None:
        """Note that it has answered."""
        if self._is_away:
            self._is_away = False
            logger.info("the snapshot store answers again")

    def level_of(self, error: BaseException) -> int:
        """Give the level to log an error with."""
        if not isinstance(error, StorageError | OSError):
            return logging.WARNING
        level = logging.DEBUG if self._is_away else logging.WARNING
        self._is_away = True
        return level


def log_unused(stream_id: str, error: BaseException, level: int = logging.WARNING) -> None:
    """Say why a snapshot was not used."""
    message = "%s: all events are replayed, since %s"
    if isinstance(error, OutdatedError):
        logger.info(message, stream_id, error)
    else:
        logger.log(level, message, stream_id, said_of(error))


def log_untaken(
    stream_id: str, kind: type, version: int, error: BaseException, level: int = logging.WARNING
) -> None:
    """Say why none was taken."""
    if isinstance(error, SnapshotError):  # the class's own fault: said once, else it never ends
        warned = _warned.setdefault(kind, set())
        if str(error) in warned or len(warned) == _MOST_WARNINGS:
            level = logging.DEBUG
        else:
            warned.add(str(error))
    message = "%s: no snapshot was taken at version %d, since %s"
    logger.log(level, message, stream_id, version, said_of(error))
