"""Fetching deliveries ahead, and parking those that fail."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from eventsourcing_core._errors import ProjectionError, said_of, shown
from eventsourcing_core._projections._reading.delivery import Deliveries, position
from eventsourcing_core.stores._builds import Progress
from eventsourcing_core.stores._event_store import Checkpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from eventsourcing_core._encoding.following import Rows
    from eventsourcing_core._projections._reading.delivery import Delivery
    from eventsourcing_core._projections._reading.reader import Reader
    from eventsourcing_core._projections.sharing import Group
    from eventsourcing_core.stores._builds import Build
    from eventsourcing_core.stores._projection_store import Batch, ProjectionStore
    from eventsourcing_core.stores._rows import Row


MOST_ROWS = 10_000
"""How many events are brought in at once, at most; and read ahead, and a page more.

The more there are, the fewer times a key is written that has several: far behind, most have.
"""
MOST_BYTES = 16 * 1024 * 1024
"""How many bytes of payloads are read ahead, and a page more."""
TURN = 500
"""How many events are looked at in one turn of the event loop."""


class Read(NamedTuple):
    """What was read ahead."""

    deliveries: Deliveries
    seen_to: int
    checkpoint: Checkpoint | None
    size: int
    """Bytes of the payloads."""
    has_events: bool
    """Whether there were events, be it of the keys of others only."""


class Fetcher:
    """Reads ahead, as far as memory allows: whoever is slow takes the more at once.

    It decodes, too, while whoever takes is waiting for the store: a part of a page in each turn of
    the event loop, since an answer of the store is not to wait until all is decoded.

    Args:
        pages: What it reads.
        reader: What makes deliveries of it.
    """

    def __init__(self, pages: AsyncIterator[Rows], reader: Reader) -> None:
        self._pages = pages
        self._reader = reader
        self._fetched: list[Read] = []
        self._has_room = asyncio.Event()
        self.is_ready: asyncio.Event = asyncio.Event()
        """Set while there is something to take."""
        self._task = asyncio.create_task(self._fetch())

    def take(self) -> Read:
        """Give what was read, as one page.

        Raises whatever reading raised, once all before it was taken.
        """
        pages, self._fetched = self._fetched, []
        if not self._task.done():
            self.is_ready.clear()
        elif not pages:
            self._task.result()
        self._has_room.set()
        first, *others = pages
        if not others:
            return first
        return others[-1]._replace(
            deliveries=Deliveries.joined([page.deliveries for page in pages]),
            has_events=any(page.has_events for page in pages),
        )

    async def end(self) -> None:
        """Read no more."""
        await ended([self._task])

    async def _fetch(self) -> None:
        try:
            async for rows, seen_to, checkpoint in self._pages:
                parts = [self._reader.deliveries(rows[:TURN])]
                for start in range(TURN, len(rows), TURN):
                    await asyncio.sleep(0)  # whoever was answered meanwhile goes on
                    parts.append(self._reader.deliveries(rows[start : start + TURN]))
                deliveries = Deliveries.joined(parts)
                size = sum([len(row[4]) for row in deliveries.rows])
                self._fetched.append(Read(deliveries, seen_to, checkpoint, size, bool(rows)))
                self.is_ready.set()
                count = sum(len(page.deliveries) for page in self._fetched)
                if count >= MOST_ROWS or sum(page.size for page in self._fetched) >= MOST_BYTES:
                    self._has_room.clear()
                    await self._has_room.wait()
        finally:
            self.is_ready.set()


def progress_at(row: Row) -> Progress:
    """Give the progress of whoever has just seen an event."""
    return Progress(row[2], Checkpoint(row[2], UUID(bytes=row[7])))


async def decided(
    store: ProjectionStore, build: Build, deliveries: Sequence[Delivery]
) -> tuple[Sequence[Delivery], ProjectionError | None]:
    """Give the deliveries up to the first one of which nobody knows what becomes of it.

    That is one whose key this process cannot tell, and which is not parked under the id of its
    stream: so its key may be of this group, and others may bring it in only if it is of theirs. To
    move past it would lose it.

    Returns:
        All before it, and the error that says so; or all, and None.
    """
    if isinstance(deliveries, Deliveries) and not deliveries.errors:
        return deliveries, None
    for place, delivery in enumerate(deliveries):
        if delivery.keys:
            continue
        stream_id, position = delivery.row[0], delivery.position
        if not any(key.key == stream_id for key in await store.parked_at(build, position)):
            return deliveries[:place], ProjectionError(
                f"{build}: this process cannot tell to which key the event at position {position} "
                f"belongs ({delivery.error}), and waits until the one that has stream "
                f"{shown(stream_id)} has parked it; if that one can tell the key, its code is "
                "another one: run the same code in all processes of a version"
            )
    return deliveries, None


class Parking:
    """What is to wait at the end of a batch.

    Args:
        known: The keys that are parked already.
        retry_in: Seconds until a key that is parked now is tried again; None: it is not.
    """

    def __init__(self, known: Collection[str], retry_in: float | None) -> None:
        self._known = known
        self._retry_in = retry_in
        self._errors: dict[str, str] = {}
        self._positions: dict[str, list[int]] = {}
        self.cause: Exception | None = None
        """The first error of a handler: its traceback says where it failed."""

    @property
    def added(self) -> Collection[str]:
        """The keys that are parked now, and were not before."""
        return self._errors.keys()

    @property
    def first(self) -> tuple[str, int, str]:
        """The first of them, the position of its event, and what that failed with."""
        key, error = next(iter(self._errors.items()))
        return key, self._positions[key][0], error

    @property
    def is_empty(self) -> bool:
        """Whether no key waits."""
        return not self._errors and not self._known

    def holds(self, key: str) -> bool:
        """Tell whether events of a key wait."""
        return key in self._errors or key in self._known

    def fail(self, key: str, position: int, error: Exception | str) -> None:
        """Park a key, since an event of it failed."""
        if isinstance(error, Exception):
            self.cause = self.cause or error
        self._errors[key] = error if isinstance(error, str) else said_of(error)
        self.wait(key, position)

    def wait(self, key: str, position: int) -> None:
        """Let an event of a parked key wait behind the others."""
        positions = self._positions.setdefault(key, [])
        if positions[-1:] != [position]:  # it is there once for all that is made of it
            positions.append(position)

    async def park(self, batch: Batch) -> None:
        """Store it."""
        for key, positions in self._positions.items():
            await batch.park(key, positions, self._errors.get(key, ""), self._retry_in)


class Cut(NamedTuple):
    """What a group takes of a page."""

    deliveries: Sequence[Delivery]
    to: Progress
    is_last: bool
    """Whether it then joins the next segments."""


def cut(page: Read, group: Group) -> Cut:
    """Give what a group takes of a page: no more than until it joins others."""
    deliveries, seen_to, checkpoint, *_ = page
    until = group.until
    if until is not None and seen_to >= until.position:
        count = bisect_right(deliveries.rows, until.position, key=position)
        return Cut(deliveries[:count], until, is_last=True)
    to = Progress(max(seen_to, group.progress.position), checkpoint)
    return Cut(deliveries, to, is_last=False)


async def ended(tasks: Sequence[asyncio.Task[Any] | None]) -> None:
    """Cancel tasks, and wait until they have ended; what they raise is told elsewhere."""
    some = [task for task in tasks if task is not None]
    for task in some:
        task.cancel()
    await asyncio.gather(*some, return_exceptions=True)
