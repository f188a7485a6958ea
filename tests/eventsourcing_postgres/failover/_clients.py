"""Writers that repeat until they are confirmed, followers that go on, and what they were told."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg

from eventsourcing_core import (
    Checkpoint,
    Event,
    EventSourcingError,
    HistoryChangedError,
    RecordedEvent,
    StorageError,
)
from tests.eventsourcing_postgres.failover._aggregate import Inn
from tests.eventsourcing_postgres.failover._pair import DEADLINE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from uuid import UUID

    from eventsourcing_core import Backend, EventStore

    Pool = asyncpg.Pool[asyncpg.Record]

DOWN = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What the driver raises while there is no primary."""
PAUSE = 0.02  # seconds before trying again
SHORTEST, LONGEST = 0.05, 0.5  # seconds until a writer gives up an append, and repeats it
IS_THERE = "select exists (select from eventsourcing.events where event_id = $1)"


class Confirmed(NamedTuple):
    """An event that was confirmed."""

    stream_id: str
    version: int
    event_id: UUID | None
    """None if only the store knows it."""


class Shift:
    """When writers work."""

    def __init__(self) -> None:
        self.may_begin = asyncio.Event()
        """Whether they may begin something new."""
        self.may_begin.set()
        self.is_over = False

    async def goes_on(self) -> bool:
        """Wait until something new may be begun; False if it is over."""
        await self.may_begin.wait()
        return not self.is_over

    def end(self) -> None:
        """Let writers begin nothing new, and come to their end."""
        self.is_over = True
        self.may_begin.set()


class Writer:
    """Stores events in every way there is, each time in new streams, until each is confirmed.

    Args:
        backend: Where to.
        name: What the names of its streams begin with.
        shift: When it works.
    """

    def __init__(self, backend: Backend, name: str, shift: Shift) -> None:
        self._backend = backend
        self._shift = shift
        self._store: EventStore = backend.event_store
        self._name = name
        self._number = 0
        self._random = Random(name)  # noqa: S311 - no secret
        self.confirmed: list[Confirmed] = []
        self.refused: list[str] = []
        """Errors that no repetition may meet."""
        self.given_up = 0
        """How many tries ended without an answer."""

    async def work(self) -> None:
        """Store one thing after the other."""
        ways = (
            self._append,
            self._append,
            self._append_in_a_transaction,
            self._import,
            self._command,
        )
        while await self._shift.goes_on():
            self._number += 1
            await self._random.choice(ways)(f"{self._name}-{self._number}")

    async def _append(self, name: str) -> None:
        events: list[Event[object]] = [
            Event("Placed", {}) for _ in range(self._random.choice((1, 1, 3)))
        ]
        if await self._insist(lambda: self._store.append(name, events, expected_version=0)):
            self._note(name, events)

    async def _append_in_a_transaction(self, name: str) -> None:
        pairs = [(f"{name}-{letter}", [Event[object]("Placed", {})]) for letter in "ab"]

        async def store() -> None:
            async with self._backend.transaction() as transaction:
                for stream_id, events in pairs:
                    await transaction.append(stream_id, events, expected_version=0)

        if await self._insist(store):
            for stream_id, events in pairs:
                self._note(stream_id, events)

    async def _import(self, name: str) -> None:
        events: list[RecordedEvent[object]] = [
            RecordedEvent("Placed", {}, stream_id=f"{name}-{letter}", version=1, position=1)
            for letter in "ab"
        ]
        if await self._insist(lambda: self._store.import_events(events)):
            for event in events:
                self._note(event.stream_id, [event])

    async def _command(self, name: str) -> None:
        inns = self._backend.repository(Inn)
        if await self._insist(lambda: inns.update(name, Inn.open_once, command_id="1")):
            self.confirmed.append(Confirmed(Inn(name).stream_id, 1, None))

    async def _insist(self, way: Callable[[], Awaitable[object]]) -> bool:
        """Try again and again; tell whether it was confirmed."""
        async with asyncio.timeout(3 * DEADLINE):
            while True:
                try:
                    async with asyncio.timeout(self._random.uniform(SHORTEST, LONGEST)):
                        await way()
                except (StorageError, TimeoutError):
                    self.given_up += 1
                    await asyncio.sleep(PAUSE)
                except (EventSourcingError, ValueError) as error:
                    self.refused.append(repr(error))
                    return False
                else:
                    return True

    def _note(self, stream_id: str, events: list[Any]) -> None:
        self.confirmed += [
            Confirmed(stream_id, version, event.event_id)
            for version, event in enumerate(events, start=1)
        ]


class TrustingWriter(Writer):
    """A writer as it must not be: it takes for confirmed what it can read after a failure.

    Args:
        backend: Where to.
        name: What the names of its streams begin with.
        shift: When it works.
        pool: What it looks with.
    """

    def __init__(self, backend: Backend, name: str, shift: Shift, pool: Pool) -> None:
        super().__init__(backend, name, shift)
        self._pool = pool

    async def work(self) -> None:
        """Append one event after the other."""
        while await self._shift.goes_on():
            self._number += 1
            stream_id, event = f"{self._name}-{self._number}", Event[object]("Placed", {})
            await self._insist(lambda: self._append_or_look(stream_id, event))  # noqa: B023 - awaited here
            self._note(stream_id, [event])

    async def _append_or_look(self, stream_id: str, event: Event[object]) -> None:
        try:
            if await self._pool.fetchval(IS_THERE, event.event_id):
                return
        except DOWN as error:
            raise StorageError(str(error)) from error
        await self._store.append(stream_id, [event], expected_version=0)


class Reader:
    """Keeps what it was given since the beginning, or since it was told to begin anew.

    Args:
        store: What it reads.
        filters: What it reads of it.
    """

    def __init__(self, store: EventStore, **filters: Any) -> None:
        self._store = store
        self._filters = filters
        self._checkpoint: Checkpoint | None = None
        self.seen_to = 0
        self.delivered: list[tuple[int, UUID]] = []
        self.told = 0
        """How often it was told that the history has changed."""

    async def work(self) -> None:
        """Read on and on, and begin again where the store fails."""
        while True:
            try:
                async for seen_to, events, checkpoint in self._pages():
                    self.delivered += [(event.position, event.event_id) for event in events]
                    self.seen_to, self._checkpoint = seen_to, checkpoint
            except HistoryChangedError:
                self.told += 1
                await self._take_note()
            except StorageError:
                await asyncio.sleep(PAUSE)

    async def _take_note(self) -> None:
        self.delivered, self.seen_to, self._checkpoint = [], 0, None

    async def _pages(
        self,
    ) -> AsyncIterator[tuple[int, list[RecordedEvent[Any]], Checkpoint | None]]:
        async for page in self._store.follow(self._checkpoint or 0, **self._filters):
            yield page.seen_to, [*page.events], page.checkpoint


class PositionReader(Reader):
    """A reader that keeps a position alone, and waits where it is told that it is too far."""

    async def _take_note(self) -> None:
        await asyncio.sleep(PAUSE)

    async def _pages(
        self,
    ) -> AsyncIterator[tuple[int, list[RecordedEvent[Any]], Checkpoint | None]]:
        async for page in self._store.follow(self.seen_to, **self._filters):
            yield page.seen_to, [*page.events], None
