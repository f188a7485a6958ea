"""What is kept in memory: rows, and whose turn it is to write them."""

from __future__ import annotations

import asyncio
from collections import ChainMap
from contextvars import Context
from typing import TYPE_CHECKING
from uuid import UUID

from eventsourcing_core import Checkpoint
from eventsourcing_core.stores import (
    Found,
    Judge,
    LocalHolding,
    Progress,
    RowIndex,
    StorageError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from eventsourcing_core.stores import Append, Build, Condition, Row, Verdict


class EventLog:
    """One list of all rows, and two indexes into it. Stores can share it."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        """By position, from 1."""
        self.streams: dict[str, list[Row]] = {}
        """The rows of each stream, by version, from 1."""
        self.places: dict[bytes, Row] = {}
        """By event id."""
        self.index: RowIndex = RowIndex(self.rows)
        """By tag and type."""
        self.holding: LocalHolding = LocalHolding()
        """Who holds a tag."""
        self.inline: frozenset[Build] = frozenset()
        """The builds that appends apply their events to."""
        self.turns: Turns = Turns()
        """Who writes, and who waits for what is written."""

    def add(self, rows: Iterable[Row]) -> None:
        """Add rows at the end, and wake whoever waits for them."""
        for row in rows:
            self.rows.append(row)
            self.streams.setdefault(row.stream_id, []).append(row)
            self.places[row.event_id] = row
        self.turns.wake()


class Turns:
    """Lets one writer write at a time, and readers sleep until it has."""

    def __init__(self) -> None:
        self._home = Home()
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._grown = asyncio.Event()

    async def take(self, max_wait: float) -> asyncio.Lock | None:
        """Wait until nobody else writes: give a lock to release, or None if it took too long."""
        self._bind()
        lock = self._lock
        if not self._waiting and not lock.locked():
            await lock.acquire()  # at once, and without the cost of a timeout
            return lock

        self._waiting += 1
        try:
            async with asyncio.timeout(None) as limit:
                # The loop keeps a timer until its time, and the context that it was made in.
                Context().run(limit.reschedule, asyncio.get_running_loop().time() + max_wait)
                await lock.acquire()
        except TimeoutError:
            return None
        finally:
            self._waiting -= 1
        return lock

    async def sleep(self) -> None:
        """Sleep until something is written."""
        self._bind()
        await self._grown.wait()

    def wake(self) -> None:
        """Wake whoever sleeps."""
        self._grown.set()
        self._grown = asyncio.Event()

    def _bind(self) -> None:
        if self._home.is_new():
            # What was left by a loop that was closed half way must not hold this one up.
            self._lock, self._grown = asyncio.Lock(), asyncio.Event()


class Home:
    """The event loop that something belongs to: the one that used it first, until it is closed."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def is_new(self) -> bool:
        """Tell whether what is kept is used in this loop for the first time."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return False
        if self._loop is not None and not self._loop.is_closed():
            message = (
                "the store belongs to another event loop: open a store of another name in this one"
            )
            raise RuntimeError(message)
        self._loop = loop
        return True


def judge(
    appends: Sequence[Append], log: EventLog, journal: EventLog | None = None
) -> tuple[list[Row], list[Verdict]]:
    """Decide appends: give the rows to add, and a verdict for each append.

    Args:
        appends: In this order.
        log: What is kept.
        journal: What comes after it, in a transaction that is open.
    """
    streams: Mapping[str, list[Row]] = log.streams
    places: Mapping[bytes, Row] = log.places
    last_position = len(log.rows)
    if journal is not None:
        streams = ChainMap(journal.streams, log.streams)
        places = ChainMap(journal.places, log.places)
        last_position += len(journal.rows)
    keys = [key for append in appends for key in append.keys]
    event_ids = [event_id for append in appends for event_id in append.event_ids]
    judge = Judge(
        {key: streams[key][-1].version for key in keys if key in streams},
        {event_id: places[event_id] for event_id in event_ids if event_id in places},
        last_position,
    )
    verdicts = [
        judge.judge(
            append,
            None if append.condition is None else _find(append.condition, log, journal),
        )
        for append in appends
    ]
    return judge.rows, verdicts


def _find(condition: Condition, log: EventLog, journal: EventLog | None) -> Found:
    """Look up what is kept of what a condition is about."""
    items, horizon, _, witness = condition
    parts = [log] if journal is None else [log, journal]
    found = [row for part in parts for row in part.index.matching(items, horizon)]
    last_position = sum(len(part.rows) for part in parts)
    if witness is None or witness.position > last_position:
        return Found(found, last_position)
    at = witness.position - 1
    if journal is None or at < len(log.rows):
        return Found(found, last_position, log.rows[at].event_id)
    return Found(found, last_position, journal.rows[at - len(log.rows)].event_id)


def progress_of(rows: Sequence[Row]) -> Progress:
    """Give the progress of whoever has seen all of these rows."""
    if not rows:
        return Progress(0, None)
    position = rows[-1].position
    return Progress(position, Checkpoint(position, UUID(bytes=rows[-1].event_id)))


def refuse(appends: Sequence[Append], max_wait: float) -> list[Verdict]:
    """Give the verdicts of appends whose turn did not come."""
    message = (
        "append refused, nothing was written: a transaction of this process has held the store for "
        f"{max_wait:g} seconds; let it end, or append in it"
    )
    return [StorageError(message) for _ in appends]
