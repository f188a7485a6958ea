"""Streams of events over rows: checked arguments go in, rows come out decoded."""

from __future__ import annotations

from itertools import takewhile
from operator import eq, ge, itemgetter
from typing import TYPE_CHECKING, Any, Final, Protocol

from eventsourcing_core._errors import StorageError, missing_events
from eventsourcing_core.stores._checks import check_read
from eventsourcing_core.stores._rows import Span

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.stores._rows import Row

HIGHEST = 2**63 - 2
"""The highest number that a storage is asked for: databases count versions in 64 bits."""

_VERSION: Final = 1
_version: Callable[[Row], int] = itemgetter(_VERSION)


class StreamRows(Protocol):
    """What gives the rows of a stream: a ``Storage``, or a ``StorageTransaction``."""

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """See ``Storage.rows``."""
        ...


class StreamReader:
    """Reads streams as ``StreamStore`` promises, for a store and for a transaction.

    Args:
        rows: What gives the rows.
        codec: What decodes them.
        check_usable: Called before each page; raises where reading is over.
    """

    def __init__(
        self, rows: StreamRows, codec: EventCodec, check_usable: Callable[[], None]
    ) -> None:
        self._rows = rows
        self._codec = codec
        self._check_usable = check_usable

    def read(
        self,
        stream_id: str,
        *,
        from_version: int,
        to_version: int | None,
        backward: bool,
        limit: int | None,
    ) -> AsyncIterator[RecordedEvent[Any]]:
        """See ``StreamStore.read``."""
        check_read(stream_id, from_version=from_version, to_version=to_version, limit=limit)
        self._check_usable()
        span = Span(
            min(from_version, HIGHEST),
            None if to_version is None else min(to_version, HIGHEST),
            backward,
            None if limit is None else min(limit, HIGHEST),
        )
        return self._events(self._pages(stream_id, span))

    def read_pages(
        self, stream_id: str, *, from_version: int, to_version: int | None
    ) -> AsyncIterator[Iterable[RecordedEvent[Any]]]:
        """See ``StreamStore.read_pages``."""
        check_read(stream_id, from_version=from_version, to_version=to_version, limit=None)
        self._check_usable()
        highest = None if to_version is None else min(to_version, HIGHEST)
        return self._pages(stream_id, Span(min(from_version, HIGHEST), highest))

    async def stream_version(self, stream_id: str) -> int:
        """See ``StreamStore.stream_version``."""
        check_read(stream_id, from_version=1, to_version=None, limit=None)
        self._check_usable()
        async for rows in self._rows.rows(stream_id, Span(backward=True, limit=1)):
            for row in rows:
                return row[_VERSION]
        return 0

    async def _events(
        self, pages: AsyncIterator[Iterable[RecordedEvent[Any]]]
    ) -> AsyncIterator[RecordedEvent[Any]]:
        async for page in pages:
            for event in page:
                yield event

    async def _pages(
        self, stream_id: str, span: Span
    ) -> AsyncIterator[Iterable[RecordedEvent[Any]]]:
        if span.limit == 0:
            return
        last: list[int] = []
        expected = span.from_version
        async for rows in self._rows.rows(stream_id, span):
            versions = list(map(_version, rows))
            if last or len(versions) > 1:
                check_order(last + versions, backward=span.backward, whose=self._rows)
            last = versions[-1:]
            if not span.backward and versions:
                end = expected + len(versions)
                if versions[-1] != end - 1:
                    whole = map(eq, versions, range(expected, end))
                    before = sum(takewhile(bool, whole))
                    yield self._codec.decode(rows[:before])
                    raise missing_events(stream_id, expected + before)
                expected = end
            yield self._codec.decode(rows)
            self._check_usable()


def check_order(keys: list[int], *, backward: bool, whose: object) -> None:
    """Refuse rows that a storage gives in another order than it was asked for.

    Args:
        keys: The last version or position that it gave before, and those of the rows of a page,
            which must rise.
        backward: Whether they must fall.
        whose: The storage, for the message.

    Raises:
        StorageError: It names the storage.
    """
    earlier, later = (keys[1:], keys) if backward else (keys, keys[1:])
    if any(map(ge, earlier, later)):
        message = f"{type(whose).__name__} gave rows out of order: this is a fault of the storage"
        raise StorageError(message)
