"""Streams of events over rows: checked arguments go in, rows come out decoded."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from itertools import takewhile
from operator import eq, ge, itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from eventsourcing_core._encoding.decoded import DecodedPage
from eventsourcing_core._errors import StorageError, missing_events
from eventsourcing_core.stores._checks import check_read
from eventsourcing_core.stores._rows import AskedSnapshot, Columns, Span

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.stores._rows import Row
    from eventsourcing_core.stores._snapshot_store import Snapshot, SnapshotStore

    Pages = AsyncIterator[Iterable[RecordedEvent[Any]]]

HIGHEST = 2**63 - 2
"""The highest number that a storage is asked for: databases count versions in 64 bits."""

_VERSION: Final = 1
_version: Callable[[Row], int] = itemgetter(_VERSION)


class StreamRows(Protocol):
    """What gives the rows of a stream: a ``Storage``, or a ``StorageTransaction``."""

    def rows(self, stream_id: str, span: Span) -> AsyncIterator[Sequence[Row]]:
        """See ``Storage.rows``."""
        ...


class FromSnapshot(NamedTuple):
    """The newest snapshot of a stream, and the events from it on."""

    snapshot: Snapshot | None
    """The snapshot; None if there is none."""
    pages: Pages
    """The events from its version on, that one included; all, if there is none."""


class StreamReader:
    """Reads streams as ``StreamStore`` promises, for a store and for a transaction.

    Args:
        rows: What gives the rows.
        codec: What decodes them.
        check_usable: Called before each page; raises where reading is over.
        snapshots: The snapshot store that the rows may come with; None: they come alone.
    """

    def __init__(
        self,
        rows: StreamRows,
        codec: EventCodec,
        check_usable: Callable[[], None],
        snapshots: SnapshotStore | None = None,
    ) -> None:
        self._rows = rows
        self._codec = codec
        self._check_usable = check_usable
        self._snapshots = snapshots

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

    async def read_from_snapshot(
        self, stream_id: str, *, to_version: int | None, snapshots: SnapshotStore
    ) -> FromSnapshot | None:
        """Read a stream from its newest snapshot on, both in one trip; None if that cannot be.

        Raises:
            StorageError: The storage failed, with the snapshot or with the events.
        """
        if snapshots is not self._snapshots:
            return None
        check_read(stream_id, from_version=1, to_version=to_version, limit=None)
        self._check_usable()
        highest = None if to_version is None else min(to_version, HIGHEST)
        asked = AskedSnapshot(snapshots, stream_id)
        pages = self._rows.rows(stream_id, Span(1, highest, snapshot=asked))
        first = await anext(pages, None)
        if not asked.is_answered:
            self._snapshots = None  # nor will it be another time
            if isinstance(pages, AsyncGenerator):
                await pages.aclose()
            return None
        begin = 1 if asked.found is None else asked.found.version
        read = pages if first is None else _chained(first, pages)
        return FromSnapshot(asked.found, self._pages(stream_id, Span(begin, highest), read))

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
        self, stream_id: str, span: Span, pages: AsyncIterator[Sequence[Row]] | None = None
    ) -> Pages:
        """Decode pages, and see that no row is missing, or at another place than asked for.

        Args:
            stream_id: The stream.
            span: Which rows are to come.
            pages: Those pages; None: they are asked for.
        """
        if span.limit == 0:
            return
        if pages is None:
            pages = self._rows.rows(stream_id, span)
        last: int | None = None
        expected = span.from_version
        async for rows in pages:
            if not rows:
                continue
            versions = rows.versions if isinstance(rows, Columns) else list(map(_version, rows))
            check_order(last, versions, backward=span.backward, whose=self._rows)
            last = versions[-1]
            if not span.backward:
                end = expected + len(versions)
                if last != end - 1:
                    whole = map(eq, versions, range(expected, end))
                    before = sum(takewhile(bool, whole))
                    if before:
                        yield DecodedPage(self._codec, rows[:before])
                    raise missing_events(stream_id, expected + before)
                expected = end
            yield DecodedPage(self._codec, rows, is_backward=span.backward)
            self._check_usable()


async def _chained(
    first: Sequence[Row], others: AsyncIterator[Sequence[Row]]
) -> AsyncIterator[Sequence[Row]]:
    yield first
    async for each in others:
        yield each


def check_order(last: int | None, keys: Sequence[int], *, backward: bool, whose: object) -> None:
    """Refuse rows that a storage gives in another order than it was asked for.

    Args:
        last: The last version or position that it gave before; None: there was no row yet.
        keys: Those of the rows of a page, which must rise.
        backward: Whether they must fall.
        whose: The storage, for the message.

    Raises:
        StorageError: It names the storage.
    """
    if isinstance(keys, range) and keys.step > 0 and not backward:
        keys = keys[:1]  # the others follow it in order
    known = keys if last is None else [last, *keys]
    earlier, later = (known[1:], known) if backward else (known, known[1:])
    if any(map(ge, earlier, later)):
        message = f"{type(whose).__name__} gave rows out of order: this is a fault of the storage"
        raise StorageError(message)
