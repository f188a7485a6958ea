"""A wrapper around memory, and around its transactions, that does something in another way."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from eventsourcing_inmemory._backend import parts_of
from eventsourcing_inmemory._log import EventLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import (
        Append,
        Matched,
        Parts,
        QueryItem,
        Row,
        RowPage,
        RowQuery,
        Span,
        Storage,
        Verdict,
    )


class Wrapped:
    """Hands everything on; a fault changes an append, a verdict, or what is read."""

    caught_by: ClassVar[tuple[str, ...]] = ()

    def __init__(self, inner: Storage) -> None:
        self.inner = inner

    @classmethod
    def parts(cls) -> Parts:
        """Give the parts of a new backend with this fault."""
        return parts_of(EventLog()).around(cls)

    def append(self, append: Append) -> Append:
        """Give what is written in place of an append."""
        return append

    def verdict(self, append: Append, verdict: Verdict) -> Verdict:
        """Give what is said of it."""
        del append
        return verdict

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        verdicts = await self.inner.write([self.append(append) for append in appends])
        return [*map(self.verdict, appends, verdicts)]

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        return self.inner.rows(stream_id, span)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> AsyncIterator[RowPage]:
        return self.inner.rows_of_all(after, query, backward=backward, limit=limit)

    async def matching(self, items: Sequence[QueryItem]) -> Matched:
        return await self.inner.matching(items)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        return await self.inner.wait(after_position=after_position, timeout=timeout)
