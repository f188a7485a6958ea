"""The rules for the arguments of a store, the same in every store, and for the path in a URL."""

from __future__ import annotations

from collections.abc import Collection
from typing import NoReturn
from urllib.parse import unquote

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
    _check_whole("from_version", from_version, lowest=1)
    _check_whole("to_version", to_version, lowest=1, may_be_none=True)
    _check_whole("limit", limit, lowest=0, may_be_none=True)


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
    _check_whole("after_position", after_position, lowest=0)
    _check_whole("limit", limit, lowest=0, may_be_none=True)
    if isinstance(event_types, str | bytes) or not isinstance(event_types, Collection | None):
        message = f"event_types is a collection of classes or names, got {event_types!r}"
        raise TypeError(message)
    for event_type in event_types or ():
        if not isinstance(event_type, str | type):
            message = f"event_types holds classes or names, got {event_type!r}"
            raise TypeError(message)
    if not isinstance(stream_prefix, str | None):
        message = f"stream_prefix is a str, got {stream_prefix!r}"
        raise TypeError(message)


def check_position(name: str, position: int, *, lowest: int = 0) -> None:
    """Check a position that a reader goes on after.

    Raises:
        ValueError: It is below the lowest one that makes sense.
        TypeError: It is not an ``int``.
    """
    _check_whole(name, position, lowest=lowest)


def check_wait(*, after_position: int, timeout: float) -> None:
    """Check the arguments of ``EventStore.wait``; for stores.

    Raises:
        ValueError: A negative position or timeout.
    """
    _check_whole("after_position", after_position, lowest=0)
    if not timeout >= 0:  # so that NaN is refused, too
        message = f"timeout must be a number of seconds, 0 or more, got {timeout}"
        raise ValueError(message)


def _check_whole(name: str, value: int | None, *, lowest: int, may_be_none: bool = False) -> None:
    if value is None and may_be_none:
        return
    if type(value) is not int:
        message = f"{name} must be an int, got {value!r}"
        raise TypeError(message)
    if value < lowest:
        message = f"{name} must be {lowest} or more, got {value}"
        raise ValueError(message)


def check_streams(*, prefix: str | None) -> None:
    """Check the argument of ``EventStore.streams``.

    Raises:
        TypeError: The prefix is not a text.
    """
    if not isinstance(prefix, str | None):
        message = f"prefix is a str, got {prefix!r}"
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
