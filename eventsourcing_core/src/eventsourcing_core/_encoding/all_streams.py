"""Reading all streams in their one order: to the end, or on and on."""

from __future__ import annotations

import asyncio
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from eventsourcing_core._encoding.streams import HIGHEST, check_order
from eventsourcing_core._errors import HistoryChangedError, StorageError
from eventsourcing_core._names import is_name
from eventsourcing_core.stores._checks import check_position, check_read_all
from eventsourcing_core.stores._event_store import Checkpoint, Page
from eventsourcing_core.stores._rows import Query, RowPage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core.stores._rows import Row
    from eventsourcing_core.stores._storage import Storage

_POSITION: Final = 2
_position: Callable[[Row], int] = itemgetter(_POSITION)
_EVENT_ID: Final = 7
_LONGEST_WAIT = 60.0  # seconds; then the storage is asked again
_PROOF_PAUSE = 1.0  # seconds between two looks for the event at a position
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25
"""Seconds between two looks of a follower whose filter lets nothing through."""


class _Reading(NamedTuple):
    """What is asked for, checked."""

    after: int
    query: Query
    backward: bool = False
    limit: int | None = None


class _Proof:
    """When to look for the event that proves how far a follower has looked.

    A filter hides events. A position beyond the last one that it let through would be passed again
    by other events once the store is restored from a backup, and nobody could tell: so it takes the
    event that stands there. That is a query of its own, so it is made once in a while.
    """

    def __init__(self) -> None:
        self._tried = 0  # there is none where a transaction was rolled back
        self._next = 0.0

    def is_missing(self, after: int, checkpoint: Checkpoint | None) -> bool:
        """Tell whether there may be a better checkpoint."""
        proved = 0 if checkpoint is None else checkpoint.position
        return after > max(proved, self._tried)

    def is_due(self, after: int, checkpoint: Checkpoint | None) -> bool:
        """Tell whether to look for it now."""
        now = asyncio.get_running_loop().time()
        if now < self._next or not self.is_missing(after, checkpoint):
            return False
        self._tried, self._next = after, now + _PROOF_PAUSE
        return True


class AllStreams:
    """Reads all streams as ``EventStore`` promises.

    Args:
        storage: What gives the rows.
        codec: What decodes them.
        check_usable: Called before each page; raises where reading is over.
    """

    def __init__(
        self, storage: Storage, codec: EventCodec, check_usable: Callable[[], None]
    ) -> None:
        self._storage = storage
        self._codec = codec
        self._check_usable = check_usable

    def read(
        self,
        after: int,
        *,
        event_types: Collection[str | type] | None,
        stream_prefix: str | None,
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
        query = self._query(event_types, stream_prefix)
        most = None if limit is None else min(limit, HIGHEST)
        return self._events(_Reading(min(after, HIGHEST), query, backward, most))

    def follow(
        self,
        after: int | Checkpoint,
        wait: Callable[[int, float], Awaitable[bool]],
        *,
        event_types: Collection[str | type] | None,
        stream_prefix: str | None,
    ) -> AsyncIterator[Page]:
        """See ``EventStore.follow``; ``wait`` sleeps until there may be more."""
        if isinstance(after, Checkpoint):
            _check_checkpoint(after)
        else:
            check_position("after", after)
        check_read_all(
            after_position=0, limit=None, event_types=event_types, stream_prefix=stream_prefix
        )
        query = self._query(event_types, stream_prefix)
        if isinstance(after, Checkpoint):
            return self._go_on(after, wait, query)
        return self._follow(min(after, HIGHEST), wait, query, None)

    async def last_position(self) -> int:
        """See ``EventStore.last_position``."""
        async for page in self._pages(_Reading(0, Query(), backward=True, limit=1)):
            return page.seen_to
        raise self._no_page()

    async def _go_on(
        self, checkpoint: Checkpoint, wait: Callable[[int, float], Awaitable[bool]], query: Query
    ) -> AsyncIterator[Page]:
        position, event_id = checkpoint
        found = await self._event_at(position)
        if found != event_id:
            raise HistoryChangedError(position, event_id, found, await self.last_position())
        async for page in self._follow(min(position, HIGHEST), wait, query, checkpoint):
            yield page

    async def _event_at(self, position: int) -> UUID | None:
        """Give the id of the event that stands at a position; None if none does."""
        async for page in self._pages(_Reading(min(position, HIGHEST) - 1, Query(), limit=1)):
            for row in page.rows:
                if row[_POSITION] == position:
                    return UUID(bytes=row[_EVENT_ID])
        return None

    async def _later(self, checkpoint: Checkpoint | None, position: int) -> Checkpoint | None:
        """Give a checkpoint nearer to a position up to which it was looked, if there is one."""
        found = await self._last_event(position)
        if found is None or (checkpoint is not None and found.position <= checkpoint.position):
            return checkpoint
        return found

    async def _last_event(self, position: int) -> Checkpoint | None:
        """Give the last event at or below a position, if it can be told; else None.

        It stands there, or it is the last one of all: what was rolled back leaves no event.
        """
        event_id = await self._event_at(position)
        if event_id is not None:
            return Checkpoint(position, event_id)
        async for page in self._pages(_Reading(0, Query(), backward=True, limit=1)):
            for row in page.rows:
                if row[_POSITION] <= position:
                    return Checkpoint(row[_POSITION], UUID(bytes=row[_EVENT_ID]))
        return None

    async def _follow(
        self,
        after: int,
        wait: Callable[[int, float], Awaitable[bool]],
        query: Query,
        checkpoint: Checkpoint | None,
    ) -> AsyncIterator[Page]:
        pause = _SHORTEST_PAUSE
        proof = _Proof()
        while True:
            is_in_vain = True
            async for rows, seen_to in self._pages(_Reading(after, query)):
                events = tuple(self._codec.decode(rows))
                if events:
                    checkpoint = Checkpoint(events[-1].position, events[-1].event_id)
                    is_in_vain = False
                elif proof.is_due(seen_to, checkpoint):
                    checkpoint = await self._later(checkpoint, seen_to)
                if events or seen_to > after:
                    after = seen_to
                    yield Page(events, seen_to, checkpoint)
                    self._check_usable()

            if proof.is_due(after, checkpoint):
                earlier, checkpoint = checkpoint, await self._later(checkpoint, after)
                if checkpoint != earlier:
                    yield Page((), after, checkpoint)
                    self._check_usable()

            # Others may append all the time what the filter does not let through: then a look
            # each time would be many looks, and no event.
            pause = min(2 * pause, _LONGEST_PAUSE) if is_in_vain else _SHORTEST_PAUSE
            if is_in_vain:
                await asyncio.sleep(pause)
            await wait(
                after, _PROOF_PAUSE if proof.is_missing(after, checkpoint) else _LONGEST_WAIT
            )

    async def _events(self, reading: _Reading) -> AsyncIterator[RecordedEvent[Any]]:
        if reading.limit == 0:
            return
        async for page in self._pages(reading):
            for event in self._codec.decode(page.rows):
                yield event

    async def _pages(self, reading: _Reading) -> AsyncIterator[RowPage]:
        """Give the pages of the storage, and see that each goes on where the last one ended."""
        after, query, backward, limit = reading
        reached: int | None = None
        last: list[int] = []
        pages = self._storage.rows_of_all(after, query, backward=backward, limit=limit)
        async for page in pages:
            positions = list(map(_position, page.rows))
            check_order(last + positions, backward=backward, whose=self._storage)
            last = positions[-1:]
            if not backward:
                self._check_page(page, positions, after if reached is None else reached)
            reached = page.seen_to
            yield page
            self._check_usable()
        if reached is None:
            raise self._no_page()

    def _check_page(self, page: RowPage, positions: list[int], reached: int) -> None:
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

    def _query(
        self, event_types: Collection[str | type] | None, stream_prefix: str | None
    ) -> Query:
        """Give what is asked for; what no store can hold is not asked for."""
        prefix = stream_prefix or ""
        if prefix and not is_name(prefix):
            return Query(frozenset(), "")
        if event_types is None:
            return Query(None, prefix)
        names = {
            self._codec.event_types.name_of(each) if isinstance(each, type) else each
            for each in event_types
        }
        return Query(frozenset(filter(is_name, names)), prefix)


def _check_checkpoint(checkpoint: Checkpoint) -> None:
    check_position("after.position", checkpoint.position, lowest=1)  # an event stands there
    given: object = checkpoint.event_id
    if not isinstance(given, UUID):
        message = f"after.event_id is a UUID, got {given!r}: read it back by UUID(text)"
        raise TypeError(message)
