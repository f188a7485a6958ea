"""Following all streams, on and on, as long as their history stays what it was."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from eventsourcing_core._encoding.all_streams import POSITION, Reading
from eventsourcing_core._encoding.streams import HIGHEST
from eventsourcing_core._errors import HistoryChangedError, shown
from eventsourcing_core.stores._checks import check_read_all, check_whole
from eventsourcing_core.stores._event_store import Checkpoint, Page
from eventsourcing_core.stores._rows import RowQuery

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Collection,
        Sequence,
    )

    from eventsourcing_core._encoding._boundaries.asking import Asking, Wanted
    from eventsourcing_core._encoding.all_streams import AllStreams
    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core.stores._boundaries.words import Query
    from eventsourcing_core.stores._rows import Row

_EVENT_ID: Final = 7
_LONGEST_WAIT = 60.0  # seconds; then the storage is asked again
_PROOF_PAUSE = 1.0  # seconds between two looks for the event at a position
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25
"""Seconds between two looks of a follower whose filter lets nothing through."""


class _Place(NamedTuple):
    """Where a follower stands."""

    after: int
    """The position up to which it has looked."""
    checkpoint: Checkpoint | None = None
    """The last event at or below it that is known to stand."""
    is_let_through: bool = False
    """Whether the filter lets that event through."""

    @property
    def is_at_event(self) -> bool:
        """Whether a look from just before this place begins with the event of the checkpoint."""
        checkpoint = self.checkpoint
        return self.is_let_through and checkpoint is not None and checkpoint.position == self.after


class Rows(NamedTuple):
    """A page of all streams that is not decoded yet."""

    rows: Sequence[Row]
    """The rows by position; there may be none."""
    seen_to: int
    """See ``Page``."""
    checkpoint: Checkpoint | None
    """See ``Page``."""


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


class Following:
    """Follows all streams as ``EventStore.follow`` promises.

    Each look begins with the event that the last one ended with. A store that was restored or
    failed over meanwhile has another one there, or none: what comes next would hide what is gone.

    Args:
        streams: What reads them.
        codec: What decodes them.
        asking: What the events of queries are called.
        check_usable: Called before each page; raises where reading is over.
    """

    def __init__(
        self,
        streams: AllStreams,
        codec: EventCodec,
        asking: Asking,
        check_usable: Callable[[], None],
    ) -> None:
        self._streams = streams
        self._codec = codec
        self._asking = asking
        self._check_usable = check_usable

    def follow(
        self,
        after: int | Checkpoint,
        wait: Callable[[int, float], Awaitable[bool]],
        *,
        event_types: Collection[str | type] | None,
        stream_prefix: str | None,
        query: Query | None,
    ) -> AsyncIterator[Page]:
        """See ``EventStore.follow``; ``wait`` sleeps until there may be more."""
        check_read_all(
            after_position=0, limit=None, event_types=event_types, stream_prefix=stream_prefix
        )
        wanted = self._asking.wanted(event_types, query)
        return self._decoded(self.rows(after, wait, wanted, stream_prefix), wanted)

    async def _decoded(self, pages: AsyncIterator[Rows], wanted: Wanted) -> AsyncIterator[Page]:
        async for rows, seen_to, checkpoint in pages:
            events = self._asking.chosen(self._codec.decode(rows), wanted)
            yield Page(tuple(events), seen_to, checkpoint)
            self._check_usable()

    def rows(
        self,
        after: int | Checkpoint,
        wait: Callable[[int, float], Awaitable[bool]],
        wanted: Wanted,
        stream_prefix: str | None = None,
    ) -> AsyncGenerator[Rows, None]:
        """Follow, and decode nothing."""
        if isinstance(after, Checkpoint):
            _check_checkpoint(after)
            place = _Place(min(after.position, HIGHEST), after)
        else:
            check_whole("after", after, lowest=0, begins=True)
            place = _Place(min(after, HIGHEST))
        return self._follow(place, wait, self._asking.row_query(wanted, stream_prefix))

    async def _follow(
        self, place: _Place, wait: Callable[[int, float], Awaitable[bool]], query: RowQuery
    ) -> AsyncGenerator[Rows, None]:
        pause = _SHORTEST_PAUSE
        proof = _Proof()
        while True:
            is_in_vain = True
            async for rows, seen_to in self._look(place, query):
                before = place
                if rows:
                    place = _Place(seen_to, _checkpoint_at(rows[-1]), is_let_through=True)
                    is_in_vain = False
                else:
                    place = place._replace(after=seen_to)
                    if proof.is_due(seen_to, place.checkpoint):
                        place = await self._proved(place)
                if place != before:
                    yield Rows(rows, place.after, place.checkpoint)
                    self._check_usable()

            if proof.is_due(place.after, place.checkpoint):
                before, place = place, await self._proved(place)
                if place != before:
                    yield Rows((), place.after, place.checkpoint)
                    self._check_usable()

            # Others may append all the time what the filter does not let through: then a look
            # each time would be many looks, and no event.
            pause = min(2 * pause, _LONGEST_PAUSE) if is_in_vain else _SHORTEST_PAUSE
            if is_in_vain:
                await asyncio.sleep(pause)
            is_missing = proof.is_missing(place.after, place.checkpoint)
            await wait(place.after, _PROOF_PAUSE if is_missing else _LONGEST_WAIT)

    async def _look(
        self, place: _Place, query: RowQuery
    ) -> AsyncIterator[tuple[Sequence[Row], int]]:
        """Give the pages after a place, with how far each has looked, if the place still stands."""
        after, checkpoint, _ = place
        if checkpoint is not None and not place.is_at_event:
            await self._check_stands(checkpoint)
        is_expected = checkpoint if place.is_at_event else None
        async for rows, seen_to in self._streams.pages(
            Reading(after - 1 if is_expected else after, query)
        ):
            if is_expected is None:
                yield rows, seen_to
            elif seen_to >= after:
                if not rows or _checkpoint_at(rows[0]) != is_expected:
                    await self._check_stands(is_expected)
                is_expected = None
                yield [row for row in rows if row[POSITION] > after], seen_to
        if is_expected is not None:
            await self._check_stands(is_expected)

    async def _check_stands(self, checkpoint: Checkpoint) -> None:
        position, event_id = checkpoint
        found = await self._event_at(position)
        if found != event_id:
            last = await self._streams.last_position()
            raise HistoryChangedError(position, event_id, found, last)

    async def _event_at(self, position: int) -> UUID | None:
        """Give the id of the event that stands at a position; None if none does."""
        reading = Reading(min(position, HIGHEST) - 1, RowQuery(), limit=1)
        with suppress(HistoryChangedError):  # the store does not even go so far
            async for page in self._streams.pages(reading):
                for row in page.rows:
                    if row[POSITION] == position:
                        return UUID(bytes=row[_EVENT_ID])
        return None

    async def _proved(self, place: _Place) -> _Place:
        """Give a place with a checkpoint nearer to it, if there is one.

        It stands there, or it is the last one of all: what was rolled back leaves no event.
        """
        after, checkpoint, _ = place
        found: Checkpoint | None = None
        event_id = await self._event_at(after)
        if event_id is not None:
            found = Checkpoint(after, event_id)
        else:
            async for page in self._streams.pages(Reading(0, RowQuery(), backward=True, limit=1)):
                for row in page.rows:
                    if row[POSITION] <= after:
                        found = _checkpoint_at(row)
        if found is None or (checkpoint is not None and found.position <= checkpoint.position):
            return place
        if checkpoint is not None:  # afterwards: both must belong to one history
            await self._check_stands(checkpoint)
        return _Place(after, found)


def _checkpoint_at(row: Row) -> Checkpoint:
    return Checkpoint(row[POSITION], UUID(bytes=row[_EVENT_ID]))


def _check_checkpoint(checkpoint: Checkpoint) -> None:
    check_whole("after.position", checkpoint.position, lowest=1)  # an event stands there
    given: object = checkpoint.event_id
    if not isinstance(given, UUID):
        message = f"after.event_id is a UUID, got {shown(given)}: read it back by UUID(text)"
        raise TypeError(message)
