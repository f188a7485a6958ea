"""The rules for the arguments of a store, the same in every store, and for the path in a URL."""

from __future__ import annotations

from collections.abc import Collection, Sized
from typing import NoReturn
from urllib.parse import unquote

from eventsourcing_core._errors import HistoryChangedError, StorageError, shown
from eventsourcing_core._names import check_stream_id


def check_read(
    stream_id: str,
    *,
    from_version: int,
    to_version: int | None,
    limit: int | None,
) -> None:
    """Check the arguments of ``EventStore.read``; for stores.

    Raises:
        ValueError: A version below 1 or a negative limit.
        InvalidStreamIdError: The stream id is not one.
    """
    check_stream_id(stream_id)
    check_whole("from_version", from_version, lowest=1, begins=True)
    check_whole("to_version", to_version, lowest=1, may_be_none=True)
    check_whole("limit", limit, lowest=0, may_be_none=True)


def check_read_all(
    *,
    after_position: int,
    limit: int | None,
    event_types: Collection[str | type] | None,
    stream_prefix: str | None,
) -> None:
    """Check the arguments of ``EventStore.read_all``; for stores.

    Raises:
        ValueError: A negative position or limit.
        TypeError: An argument of another type, as one string for a collection of event types.
    """
    check_whole("after_position", after_position, lowest=0, begins=True)
    check_whole("limit", limit, lowest=0, may_be_none=True)
    if isinstance(event_types, str | bytes) or not isinstance(event_types, Collection | None):
        message = (
            f"event_types is a collection of classes or names, got {shown(event_types)}: put a "
            "single one into a list"
        )
        raise TypeError(message)
    for event_type in event_types or ():
        if not isinstance(event_type, str | type):
            message = f"event_types holds classes or names, got {shown(event_type)}"
            raise TypeError(message)
    if not isinstance(stream_prefix, str | None):
        message = f"stream_prefix is a str, got {shown(stream_prefix)}"
        raise TypeError(message)


def check_whole(
    name: str, value: object, *, lowest: int, may_be_none: bool = False, begins: bool = False
) -> None:
    """Check a number that counts something; ``begins`` if it says where a reader begins.

    Raises:
        ValueError: It is below the lowest one that makes sense.
        TypeError: It is not an ``int``, and not a ``bool`` either.
    """
    if value is None and may_be_none:
        return
    if type(value) is not int:
        hint = f"; to begin at the beginning, give {lowest}" if begins and value is None else ""
        message = f"{name} must be an int, got {shown(value)}{hint}"
        raise TypeError(message)
    if value < lowest:
        message = f"{name} must be {lowest} or more, got {value}"
        raise ValueError(message)


def check_seconds(name: str, value: object) -> None:
    """Check a number of seconds, 0 or more.

    Raises:
        ValueError: It is negative, or not a number.
        TypeError: It is neither an ``int`` nor a ``float``.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        message = f"{name} must be a number of seconds, got {shown(value)}"
        raise TypeError(message)
    if not value >= 0:  # so that NaN is refused, too
        message = f"{name} must be a number of seconds, 0 or more, got {value}"
        raise ValueError(message)


def check_given(position: int, last_position: int) -> None:
    """Check that a position was given by the store; for storages.

    Args:
        position: Where a reader goes on.
        last_position: The highest position that was ever given.

    Raises:
        HistoryChangedError: It was not.
    """
    if position > last_position:
        raise HistoryChangedError(position, None, None, last_position)


def check_verdicts(verdicts: Sized, count: int, write: object) -> None:
    """Check that a storage has given a verdict for each append.

    Args:
        verdicts: What it gave.
        count: The number of appends.
        write: Its method that gave them.

    Raises:
        StorageError: It names the storage.
    """
    try:
        found = len(verdicts)
    except TypeError:
        found = -1
    if found == count:
        return
    storage: object = getattr(write, "__self__", None)
    name = "the store" if storage is None else type(storage).__name__
    if found < 0:
        message = (
            f"{name} gave {shown(verdicts)} in place of {count} verdicts, so nobody knows whether "
            "they were written: this is a fault of the storage"
        )
    else:
        message = f"{name} gave {found} verdicts for {count} appends"
    raise StorageError(message)


def check_wait(*, after_position: int, timeout: float) -> None:
    """Check the arguments of ``EventStore.wait``; for stores.

    Raises:
        ValueError: A negative position or timeout.
    """
    check_whole("after_position", after_position, lowest=0, begins=True)
    check_seconds("timeout", timeout)


def check_streams(*, prefix: str | None) -> None:
    """Check the argument of ``EventStore.streams``.

    Raises:
        TypeError: The prefix is not a text.
    """
    if not isinstance(prefix, str | None):
        message = f"prefix is a str, got {shown(prefix)}"
        raise TypeError(message)


def path_in(url: str) -> str:
    """Give the path in the URL of a backend that is a file, percent-decoded; for its factory.

    Three slashes begin a path that is relative to the working directory, four an absolute one.

    >>> path_in("jsonl:///my%20ledger.jsonl"), path_in("jsonl:////var/lib/ledger.jsonl")
    ('my ledger.jsonl', '/var/lib/ledger.jsonl')

    Raises:
        ValueError: There is a host or a fragment, or what is encoded is not UTF-8.
    """
    scheme, _, rest = url.partition(":")
    host, slash, quoted = rest.removeprefix("//").partition("/")
    if not rest.startswith("//"):
        _refuse(url, f"write {scheme}:///{rest or 'file.db'}")
    if "@" in host:  # what is before it may be a password
        _refuse(f"{scheme}://…@…", f"a file has no user and no host: write {scheme}:///file.db")
    if host:
        _refuse(url, f"a file has no host: write {scheme}:///{host}{slash}{quoted} (three slashes)")
    if "#" in quoted:
        _refuse(url, "write a # that belongs to the name as %23")
    try:
        return unquote(quoted, errors="strict")
    except UnicodeDecodeError:
        _refuse(url, "what is percent-encoded is UTF-8")


def _refuse(url: str, cure: str) -> NoReturn:
    message = f"not the URL of a file: {url[:200]!r}; {cure}"
    raise ValueError(message)
