"""Reading all streams in their one order."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from eventsourcing_core._encoding.decoded import DecodedPage
from eventsourcing_core._encoding.streams import HIGHEST, check_order
from eventsourcing_core._errors import StorageError
from eventsourcing_core.stores._checks import check_read_all
from eventsourcing_core.stores._rows import Columns, RowPage, RowQuery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Sequence

    from eventsourcing_core._encoding._boundaries.asking import Asking, Wanted
    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.stores._boundaries.words import Query
    from eventsourcing_core.stores._rows import Row
    from eventsourcing_core.stores._storage import Storage

POSITION: Final = 2
"""Where a row has its position."""
_position: Callable[[Row], int] = itemgetter(POSITION)


class Reading(NamedTuple):
    """What is asked for of the storage, checked."""

    after: int
    query: RowQuery
    backward: bool = False
    limit: int | None = None


class AllStreams:
    """Reads all streams as ``EventStore`` promises.

    Args:
        storage: What gives the rows.
        codec: What decodes them.
        asking: What the events of queries are called.
        check_usable: Called before each page; raises where reading is over.
    """

    def __init__(
        self,
        storage: Storage,
        codec: EventCodec,
        asking: Asking,
        check_usable: Callable[[], None],
    ) -> None:
        self._storage = storage
        self._codec = codec
        self._asking = asking
        self._check_usable = check_usable

    def read(  # noqa: PLR0913 - as the front has it
        self,
        after: int,
        *,
        event_types: Collection[str | type] | None,
        stream_prefix: str | None,
        query: Query | None,
        limit: int | None,
        backward: bool,
    ) -> AsyncIterator[RecordedEvent[Any]]:
        """See ``EventStore.read_all``."""
        check_read_all(
            after_position=after,
            limit=limit,
            event_types=event_types,
            stream_prefix=stream_prefix,
        )
        wanted = self._asking.wanted(event_types, query)
        asked = self._asking.row_query(wanted, stream_prefix)
        most = None if limit is None else min(limit, HIGHEST)
        return self._events(Reading(min(after, HIGHEST), asked, backward, most), wanted)

    async def last_position(self) -> int:
        """See ``EventStore.last_position``."""
        async for page in self.pages(Reading(0, RowQuery(), backward=True, limit=1)):
            return page.seen_to
        raise self._no_page()

    async def _events(self, reading: Reading, wanted: Wanted) -> AsyncIterator[RecordedEvent[Any]]:
        if reading.limit == 0:
            return
        async for page in self.pages(reading):
            events = DecodedPage(self._codec, page.rows, is_backward=reading.backward)
            for event in self._asking.chosen(events, wanted):
                yield event

    async def pages(self, reading: Reading) -> AsyncIterator[RowPage]:
        """Give the pages of the storage, and see that each goes on where the last one ended."""
        after, query, backward, limit = reading
        reached: int | None = None
        last: int | None = None
        pages = self._storage.rows_of_all(after, query, backward=backward, limit=limit)
        async for page in pages:
            rows = page.rows
            positions = rows.positions if isinstance(rows, Columns) else [*map(_position, rows)]
            if positions:
                check_order(last, positions, backward=backward, whose=self._storage)
                last = positions[-1]
            if not backward:
                self._check_page(page, positions, after if reached is None else reached)
            reached = page.seen_to
            yield page
            self._check_usable()
        if reached is None:
            raise self._no_page()

    def _check_page(self, page: RowPage, positions: Sequence[int], reached: int) -> None:
        name = type(self._storage).__name__
        if page.seen_to < reached:
            message = (
                f"{name} had looked up to position {reached}, and then says {page.seen_to}: "
                "seen_to never goes back; this is a fault of the storage"
            )
            raise StorageError(message)
        if positions and not reached < positions[0] <= positions[-1] <= page.seen_to:
            message = (
                f"{name} gave rows from position {positions[0]} to {positions[-1]} in a page that "
                f"goes from {reached} to {page.seen_to}: this is a fault of the storage"
            )
            raise StorageError(message)

    def _no_page(self) -> StorageError:
        name = type(self._storage).__name__
        message = f"{name} gave not even an empty page: this is a fault of the storage"
        return StorageError(message)
