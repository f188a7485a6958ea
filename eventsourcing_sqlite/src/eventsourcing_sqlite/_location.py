"""Where a file is: from the URL to the path, and what can be said of a path beforehand."""

from __future__ import annotations

import os
from time import time_ns
from typing import TYPE_CHECKING

from eventsourcing_core.stores import OutageError, StorageError, path_in

if TYPE_CHECKING:
    from pathlib import Path

_COARSE = 3_000_000_000
"""Nanoseconds; the coarsest clock of a file system that is in use counts in two seconds."""


class OpenFile:
    """A file that is open, and the two that SQLite keeps beside it: are they where they were?

    SQLite goes on with what it has opened, whatever becomes of the names: what it commits into a
    file that was deleted, moved or replaced is in no file that anybody finds later.

    Args:
        path: The file, absolute. A connection to it has read something, so all three are there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        """The file."""
        real = path.resolve()  # a link leads there, and SQLite keeps the two there
        self.all_three: tuple[str, str, str] = (str(path), f"{real}-wal", f"{real}-shm")
        """The paths of the three."""
        self._found = [_identity_of(each) for each in self.all_three]
        self._folder = str(path.parent)
        self._is_link = path.is_symlink()
        self._unchanged: tuple[int, int, int] | None = None

    def check(self) -> None:
        """Look whether the names still lead to the same files; it takes a microsecond or two.

        As long as the folder is what it was when all was well, nothing in it has got another name.

        In the thread of a connection: elsewhere each look would wait for that thread, too.

        Raises:
            OutageError: They do not.
        """
        folder = None if self._is_link else _state_of(self._folder)
        if folder is not None and folder == self._unchanged:
            return
        self._check_all()
        self._unchanged = folder if folder is not None and _is_settled(folder) else None

    def _check_all(self) -> None:
        found = [_identity_of(each) for each in self.all_three]
        if found == self._found:
            return
        changed = next(
            path
            for path, now, then in zip(self.all_three, found, self._found, strict=True)
            if now != then
        )
        message = (
            f"the event store {str(self.path)!r} is not the one that was opened: {changed!r} was "
            "deleted, moved or replaced meanwhile, so what is written is found there by nobody; "
            "close it in every program, put the file in its place (a backup without -wal and -shm "
            "beside it), and open it again"
        )
        raise OutageError(message)


def file_in(url: str) -> str:
    """Give the path in a URL: ``sqlite:///file.db`` or ``sqlite:////absolute/file.db``.

    Raises:
        ValueError: The URL names no file.
    """
    path = ":memory:" if url.partition(":")[2] == "//:memory:" else path_in(url)
    check_path(path)
    return path


def check_path(path: str) -> None:
    """Refuse what is not the name of a file.

    Raises:
        ValueError: It is empty, ``:memory:`` or a directory's, or holds a null character.
    """
    if path in {"", ":memory:"}:
        message = (
            "an SQLite event store is a file: write sqlite:///file.db, or memory:// for a store "
            "in memory (eventsourcing-inmemory)"
        )
        raise ValueError(message)
    if path.endswith("/") or "\0" in path:
        message = f"not the name of a file: {path!r}"
        raise ValueError(message)


def check_place(path: Path) -> None:
    """Refuse a path where no file can be made or written, without touching it.

    The file is not opened here to try it out: closing it would drop the locks that SQLite holds
    on it in this process (https://www.sqlite.org/howtocorrupt.html, section 2.2).

    Raises:
        StorageError: The directory is missing or read-only, or the path is no writable file.
    """
    try:
        fault = _fault(path, path.parent)
    except OSError as error:
        message = f"cannot open the event store {str(path)!r}: {error.strerror}"
        raise StorageError(message) from error
    if fault:
        message = f"cannot open the event store {str(path)!r}: {fault}"
        raise StorageError(message)


def _fault(path: Path, folder: Path) -> str:
    if not folder.is_dir():
        return f"the directory {str(folder)!r} does not exist: make it first"
    if not _may(folder, os.W_OK | os.X_OK):
        return f"the directory {str(folder)!r} is not writable: SQLite keeps files beside its own"
    if path.exists() and not path.is_file():
        return "it is not a file: give the path of a file"
    if path.exists() and not _may(path, os.R_OK | os.W_OK):
        return "the file is not readable and writable: change its permissions"
    return ""


def _may(path: Path, mode: int) -> bool:
    # Whoever the process acts for counts, where the system can tell.
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _state_of(folder: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(folder)  # noqa: PTH116 - as below
    except OSError:
        return None
    return found.st_ino, found.st_dev, found.st_mtime_ns


def _is_settled(folder: tuple[int, int, int]) -> bool:
    """Tell whether the next change of a folder will have another time: file clocks are coarse."""
    return time_ns() - folder[2] > _COARSE


def _identity_of(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path takes twice as long, at each read and write
    except OSError:
        return None
    return found.st_ino, found.st_dev
