"""Pages that come as one row of columns: to the driver, each value costs more than its bytes."""

from __future__ import annotations

import sys
from array import array
from itertools import chain
from struct import Struct
from typing import TYPE_CHECKING, Any

from eventsourcing_core.stores import Columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventsourcing_core.stores import Row

_LONGEST_PAUSE = 256
_EVENT_ID = Struct("16s")


class Fit:
    """Whether the events of a store are small enough to come as columns.

    That is found out by trying. After each try in vain, twice as many pages come as rows without
    one, but not more than 256.
    """

    def __init__(self) -> None:
        self._pause = 1
        self._left = 0

    def is_tried(self) -> bool:
        """Tell whether to ask for columns."""
        if self._left:
            self._left -= 1
            return False
        return True

    def note(self, rows: object) -> None:
        """Take note of what came of it: None, if they were too large."""
        if rows is not None:
            self._pause = 1
        else:
            self._left = self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)


def columns_of_stream(stream_id: str, values: Sequence[Any], most: int) -> Sequence[Row] | None:
    """Give what a statement for a stream gave; None if it does not do as columns.

    Args:
        stream_id: The stream.
        values: What the statement gave.
        most: The bytes above which it gave nothing of an event.
    """
    count, largest, low, high, *others = values
    if count == 0:
        return []
    if largest > most or high - low != count - 1:
        return None
    return _columns([stream_id] * count, range(low, high + 1), others)


def columns_of_all(values: Sequence[Any], most: int) -> Sequence[Row] | None:
    """Do the same for a statement for all streams."""
    count, largest, stream_ids, versions, *others = values
    if count == 0:
        return []
    if largest > most:
        return None
    return _columns(_names(stream_ids, count), _numbers(versions), others)


def _columns(
    stream_ids: Sequence[str], versions: Sequence[int], others: Sequence[Any]
) -> Columns | None:
    positions, event_types, data, metadata, encodings, event_ids, timestamps, tags = others
    count = len(versions)
    columns = (
        stream_ids,
        versions,
        _numbers(positions),
        _names(event_types, count),
        data,
        metadata or [None] * count,
        _names(encodings, count),
        [*chain.from_iterable(_EVENT_ID.iter_unpack(event_ids))],
        _numbers(timestamps),
        *(() if tags is None else (_tags(tags),)),
    )
    # A line feed in a name, which somebody has written by hand, makes two of it.
    return Columns(*columns) if {*map(len, columns)} == {count} else None


def _numbers(data: bytes) -> array[int]:
    numbers = array("q", data)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def _tags(lines: str) -> list[tuple[str, ...] | None]:
    return [tuple(line.split("\x1f")) if line else None for line in lines.split("\n")]


def _names(lines: str, count: int) -> list[str]:
    """Give the names of which each is a line: those that are equal as one object."""
    alike = [lines.partition("\n")[0]] * count
    if lines == "\n".join(alike):
        return alike
    names = lines.split("\n")
    known: dict[str, str] = {}
    return [*map(known.setdefault, names, names)]
