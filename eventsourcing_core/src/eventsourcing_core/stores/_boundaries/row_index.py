"""Rows by tag and by type, for storages in memory and for batches."""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from eventsourcing_core.stores._rows import QueryItem, Row

_position: Callable[[Row], int] = itemgetter(2)


class RowIndex:
    """Finds the rows that match in a list that grows; whoever never asks pays nothing.

    Args:
        rows: The list, by position. Rows are added to its end, and never taken away.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._indexed = 0
        self._by_tag: dict[str, list[Row]] = {}
        self._by_type: dict[str, list[Row]] = {}

    def matching(self, items: Iterable[QueryItem], after: int = 0) -> list[Row]:
        """Give the rows above a position that match any of the items, by position."""
        self._index()
        found: dict[int, Row] = {}
        for item in items:
            for rows in self._candidates(item):
                begin = bisect_right(rows, after, key=_position)
                found.update((row[2], row) for row in rows[begin:] if item.matches(row))
        return [found[position] for position in sorted(found)]

    def _candidates(self, item: QueryItem) -> list[Sequence[Row]]:
        """Give lists that hold all rows that an item can match, the fewest that are known."""
        if item.tags:
            return [min((self._by_tag.get(tag, []) for tag in item.tags), key=len)]
        if item.event_types is not None:
            return [self._by_type.get(event_type, []) for event_type in item.event_types]
        return [self._rows]

    def _index(self) -> None:
        for row in self._rows[self._indexed :]:
            self._by_type.setdefault(row.event_type, []).append(row)
            for tag in row.tags or ():
                self._by_tag.setdefault(tag, []).append(row)
        self._indexed = len(self._rows)
