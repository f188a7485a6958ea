"""Files that one process at a time may write."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

if sys.platform != "win32":
    import fcntl


def is_locked_by_us(file: BinaryIO, path: Path) -> bool:
    """Lock a file until it is closed; False if another process has it, or gave it another name.

    On Windows, and where a file system knows no locks, nothing is locked, and it is True.

    Args:
        file: Open.
        path: The name under which it was opened.
    """
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass  # a file system without locks
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def sync_names_in(folder: Path) -> None:
    """See that the names in a folder are on the disk, where the system can."""
    if sys.platform == "win32":  # a folder cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
