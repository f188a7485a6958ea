"""Storages around a storage: one that watches, and some with faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing_core.stores import OutageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from eventsourcing_core.stores import (
        Append,
        Matched,
        QueryItem,
        Row,
        RowPage,
        RowQuery,
        Span,
        Storage,
        Verdict,
    )


class Through:
    """A storage around another one, which changes nothing."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write."""
        return await self.storage.write(appends)

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Read a stream."""
        return self.storage.rows(stream_id, span)

    def rows_of_all(
        self, after: int, query: RowQuery, *, backward: bool, limit: int | None
    ) -> AsyncIterator[RowPage]:
        """Read all streams."""
        return self.storage.rows_of_all(after, query, backward=backward, limit=limit)

    async def matching(self, items: Sequence[QueryItem]) -> Matched:
        """Find rows."""
        return await self.storage.matching(items)

    async def wait(self, *, after_position: int, timeout: float) -> bool:  # noqa: ASYNC109 - the port's word
        """Wait."""
        return await self.storage.wait(after_position=after_position, timeout=timeout)


class Watched(Through):
    """Writes down from which version streams were read, and how many rows it gave."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self.reads: list[int] = []
        self.given = 0

    async def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Read a stream."""
        self.reads.append(span.from_version)
        async for page in self.storage.rows(stream_id, span):
            self.given += len(page)
            yield page


class Paged(Through):
    """Gives a stream in pages of three."""

    async def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Read a stream."""
        every = [row async for page in self.storage.rows(stream_id, span) for row in page]
        for first in range(0, len(every), 3):
            yield every[first : first + 3]


class Holed(Through):
    """Has lost what stands at a version of its streams."""

    def __init__(self, storage: Storage, version: int) -> None:
        super().__init__(storage)
        self.version = version

    async def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """Read a stream."""
        async for page in self.storage.rows(stream_id, span):
            yield [row for row in page if row.version != self.version]


class Forgetful(Through):
    """Stores what it is given, and then says that it did not, as often as it is told."""

    def __init__(self, storage: Storage, faults: int = 1) -> None:
        super().__init__(storage)
        self.faults = faults

    async def write(self, appends: Sequence[Append]) -> Sequence[Verdict]:
        """Write."""
        verdicts = await self.storage.write(appends)
        if not self.faults:
            return verdicts
        self.faults -= 1
        message = "connection lost during commit"
        raise OutageError(message)
