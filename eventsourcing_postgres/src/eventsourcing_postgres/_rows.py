"""Rows as the driver makes them, with the names that the core knows them by."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Final

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from eventsourcing_core.stores import Row


class StoredRow(asyncpg.Record):
    """A row of a statement that reads events: the fields of ``Row``, by number and by name.

    The driver makes these in C. Making a ``Row`` of each would take longer than fetching it.
    """

    __slots__ = ()

    stream_id = property(itemgetter(0))
    version = property(itemgetter(1))
    position = property(itemgetter(2))
    event_type = property(itemgetter(3))
    data = property(itemgetter(4))
    metadata = property(itemgetter(5))
    encoding = property(itemgetter(6))
    event_id = property(itemgetter(7))
    timestamp = property(itemgetter(8))

    @property
    def tags(self) -> tuple[str, ...] | None:
        """The tags, which the driver gives as a list."""
        tags = self[9]
        return None if tags is None else tuple(tags)


VERSION: Final = 1
"""The column of a row that holds its version."""
POSITION: Final = 2
"""The column of a row that holds its position."""


def size_of(rows: Sequence[Row]) -> int:
    """Count the bytes of what events hold."""
    # Every page is counted: a loop in Python takes three times as long.
    metadata = filter(None, map(_metadata, rows))
    return sum(map(len, map(_data, rows))) + sum(map(len, metadata))


_data: Callable[[Row], bytes] = itemgetter(4)
_metadata: Callable[[Row], bytes | None] = itemgetter(5)
