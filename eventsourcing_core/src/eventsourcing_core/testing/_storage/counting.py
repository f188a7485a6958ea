"""A storage around a storage, which counts how often it is asked."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores._append import Append, Verdict
    from eventsourcing_core.stores._boundaries.conditions import Matched
    from eventsourcing_core.stores._rows import QueryItem, Row, RowPage, RowQuery, Span
    from eventsourcing_core.stores._storage import Storage


class CountingStorage:
    """Counts the calls of each method, and hands them on.

    Args:
        inner: The storage that answers.
    """

    def __init__(self, inner: Storage) -> None:
        self._inner = inner
        self.calls: Counter[str] = Counter()
        """How often each method was called."""

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """See ``Storage.write``."""
        self.calls["write"] += 1
        return await self._inner.write(appends)

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """See ``Storage.rows``."""
        self.calls["rows"] += 1
        return self._inner.rows(stream_id, span)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> AsyncIterator[RowPage]:
        """See ``Storage.rows_of_all``."""
        self.calls["rows_of_all"] += 1
        return self._inner.rows_of_all(after, query, backward=backward, limit=limit)

    async def matching(self, items: Sequence[QueryItem]) -> Matched:
        """See ``Storage.matching``."""
        self.calls["matching"] += 1
        return await self._inner.matching(items)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        """See ``Storage.wait``."""
        self.calls["wait"] += 1
        return await self._inner.wait(after_position=after_position, timeout=timeout)
