"""Times as stores keep them: microseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from eventsourcing_core._errors import shown

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def to_datetime(microseconds: int) -> datetime:
    """Give the time, in UTC, that is so long after 1970 began."""
    return _EPOCH + timedelta(microseconds=microseconds)


def to_microseconds(timestamp: datetime) -> int:
    """Give the microseconds since 1970 in UTC.

    Raises:
        ValueError: If the timestamp has no time zone, or no date in UTC.
    """
    if not isinstance(timestamp, datetime):
        message = f"a timestamp is a datetime, got {shown(timestamp)}"
        raise TypeError(message)
    if timestamp.utcoffset() is None:
        message = (
            f"timestamp {timestamp.isoformat()} has no time zone: "
            "give it one, for example datetime.now(timezone.utc)"
        )
        raise ValueError(message)
    microseconds = (timestamp - _EPOCH) // _MICROSECOND
    if not _EARLIEST <= microseconds <= _LATEST:
        message = f"timestamp {timestamp.isoformat()} is not between the years 1 and 9999 in UTC"
        raise ValueError(message)
    return microseconds
