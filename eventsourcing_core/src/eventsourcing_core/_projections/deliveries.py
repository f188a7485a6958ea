"""Deliveries: the events of a page, each with the keys that it belongs to."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from eventsourcing_core._errors import (
    ProjectionError,
    SerializationError,
    TransformError,
    said_of,
    shown,
)
from eventsourcing_core.stores._build_checks import hash_of
from eventsourcing_core.stores._builds import HASHES, Progress, Segment
from eventsourcing_core.stores._event_store import Checkpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Sequence

    from eventsourcing_core._encoding.codec import EventCodec
    from eventsourcing_core._encoding.following import Rows
    from eventsourcing_core._events.event import RecordedEvent
    from eventsourcing_core._projections.definition import Definition
    from eventsourcing_core.stores._builds import Build
    from eventsourcing_core.stores._projection_store import Batch, ProjectionStore
    from eventsourcing_core.stores._rows import Row


MOST_ROWS = 2_048
"""How many events are brought in at once, at most; and read ahead, and a page more."""
MOST_BYTES = 16 * 1024 * 1024
"""How many bytes of payloads are read ahead, and a page more."""


class Delivery(NamedTuple):
    """An event, and the keys among those of the group that it belongs to."""

    row: Row
    """The event as it is stored."""
    event: RecordedEvent[Any] | None
    """None if it cannot be read, or its keys cannot be told."""
    keys: Collection[str]
    """None of them if there is no event, and its stream belongs to another group: see ``error``."""
    error: str = ""
    """Why there is no event; then its key is the id of its stream, and whoever has that decides."""

    @property
    def position(self) -> int:
        """The position of the event."""
        return self.row[2]


class Group(NamedTuple):
    """Segments of one process that are at one progress, and so move together."""

    segments: tuple[Segment, ...]
    """By ``low``, as the store has them."""
    until: Progress | None
    """Where the next segments are, which these join; None: there are none."""

    @property
    def progress(self) -> Progress:
        """Where they are."""
        return self.segments[0].progress

    def moved(self, to: Progress) -> Group:
        """Give the group as it is once the store has moved it."""
        segments = tuple(segment._replace(progress=to) for segment in self.segments)
        return self._replace(segments=segments)


def first_group(segments: Iterable[Segment]) -> Group | None:
    """Give the segments that are farthest behind; None if there are none."""
    ordered = sorted(segments, key=lambda segment: (segment.progress.position, segment.low))
    if not ordered:
        return None
    groups = [tuple(group) for _, group in groupby(ordered, lambda segment: segment.progress)]
    return Group(groups[0], groups[1][0].progress if len(groups) > 1 else None)


class Hashes:
    """The hashes of some segments.

    Args:
        segments: The segments.
    """

    def __init__(self, segments: Iterable[Segment]) -> None:
        self._is_in = bytearray(0x10000)
        for segment in segments:
            width = segment.high - segment.low + 1
            self._is_in[segment.low : segment.high + 1] = b"\1" * width

    def has(self, key: str) -> bool:
        """Tell whether a key belongs to one of the segments."""
        return bool(self._is_in[hash_of(key)])


class Reader:
    """Makes deliveries of rows, for the keys of a group.

    Args:
        definition: What tells the keys.
        codec: What decodes the events.
        segments: Those whose keys are wanted.
    """

    def __init__(
        self, definition: Definition, codec: EventCodec, segments: Sequence[Segment]
    ) -> None:
        self._codec = codec
        self._is_keyed_by_stream = definition.is_keyed_by_stream
        self._keys_of = definition.keys_of
        self._hashes = None if covers_all(segments) else Hashes(segments)

    def deliveries(self, rows: Sequence[Row]) -> list[Delivery]:
        """Give the deliveries of rows, in their order; those that concern nobody here left out."""
        hashes = self._hashes
        if self._is_keyed_by_stream and hashes is not None:
            rows = [row for row in rows if hashes.has(row[0])]  # what is not ours is not decoded
        try:
            events = list(self._codec.decode(rows))
        except (SerializationError, TransformError):
            return [found for row in rows for found in self._of_one(row)]
        if self._is_keyed_by_stream:  # most are, and catching up is mostly this
            pairs = zip(rows, events, strict=True)
            return [Delivery(row, event, (row[0],)) for row, event in pairs]
        return [
            found
            for row, event in zip(rows, events, strict=True)
            for found in self._delivered(row, event)
        ]

    def _of_one(self, row: Row) -> list[Delivery]:
        try:
            (event,) = self._codec.decode([row])
        except (SerializationError, TransformError) as error:
            return self._undeliverable(row, error)
        return self._delivered(row, event)

    def _delivered(self, row: Row, event: RecordedEvent[Any]) -> list[Delivery]:
        hashes = self._hashes
        if self._is_keyed_by_stream:
            return [Delivery(row, event, (row[0],))]
        try:
            keys = self._keys_of(event)
        except Exception as error:  # noqa: BLE001 - it is the user's function
            return self._undeliverable(row, error)
        if hashes is not None:
            keys = [key for key in keys if hashes.has(key)]
        return [Delivery(row, event, keys)] if keys else []

    def _undeliverable(self, row: Row, error: Exception) -> list[Delivery]:
        """Let it wait under the id of its stream, since nobody here knows its key.

        Its key may be one of this group also where its stream is not: so it is not left out.
        """
        is_ours = self._hashes is None or self._hashes.has(row[0])
        return [Delivery(row, None, (row[0],) if is_ours else (), said_of(error))]


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


class Read(NamedTuple):
    """What was read ahead."""

    deliveries: list[Delivery]
    seen_to: int
    checkpoint: Checkpoint | None
    size: int
    """Bytes of the payloads."""


class Fetcher:
    """Reads ahead, as far as memory allows: whoever is slow takes the more at once.

    It decodes, too, while whoever takes is waiting for the store.

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
        return others[-1]._replace(deliveries=[each for page in pages for each in page.deliveries])

    async def end(self) -> None:
        """Read no more."""
        await ended([self._task])

    async def _fetch(self) -> None:
        try:
            async for rows, seen_to, checkpoint in self._pages:
                deliveries = self._reader.deliveries(rows)
                size = sum([len(each.row[4]) for each in deliveries])
                self._fetched.append(Read(deliveries, seen_to, checkpoint, size))
                self.is_ready.set()
                count = sum(len(page.deliveries) for page in self._fetched)
                if count >= MOST_ROWS or sum(page.size for page in self._fetched) >= MOST_BYTES:
                    self._has_room.clear()
                    await self._has_room.wait()
        finally:
            self.is_ready.set()


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
        self._positions.setdefault(key, []).append(position)

    async def park(self, batch: Batch) -> None:
        """Store it."""
        for key, positions in self._positions.items():
            await batch.park(key, positions, self._errors.get(key, ""), self._retry_in)


def covers_all(segments: Iterable[Segment]) -> bool:
    """Tell whether segments are all hashes together."""
    return sum(segment.high - segment.low + 1 for segment in segments) == HASHES


def progress_at(row: Row) -> Progress:
    """Give the progress of whoever has just seen an event."""
    return Progress(row[2], Checkpoint(row[2], UUID(bytes=row[7])))


class Cut(NamedTuple):
    """What a group takes of a page."""

    deliveries: Sequence[Delivery]
    to: Progress
    is_last: bool
    """Whether it then joins the next segments."""


def cut(page: Read, group: Group) -> Cut:
    """Give what a group takes of a page: no more than until it joins others."""
    deliveries, seen_to, checkpoint, _ = page
    until = group.until
    if until is not None and seen_to >= until.position:
        taken = [each for each in deliveries if each.position <= until.position]
        return Cut(taken, until, is_last=True)
    to = Progress(max(seen_to, group.progress.position), checkpoint)
    return Cut(deliveries, to, is_last=False)


async def ended(tasks: Sequence[asyncio.Task[Any] | None]) -> None:
    """Cancel tasks, and wait until they have ended; what they raise is told elsewhere."""
    some = [task for task in tasks if task is not None]
    for task in some:
        task.cancel()
    await asyncio.gather(*some, return_exceptions=True)
