"""The rules for the arguments of a store, the same in every store."""

from __future__ import annotations

from collections.abc import Collection

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
